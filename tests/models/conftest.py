import pytest
import torch


@pytest.fixture(autouse=True)
def same_every_time():
    """Seed torch; and tiny models compute quicker without a crew of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def shaken():
    """Move every weight off its starting value: a forgotten bias or norm must show."""

    def shake(model, seed=0):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
        return model.eval()

    return shake
