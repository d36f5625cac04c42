import pytest
import torch


@pytest.fixture(autouse=True)
def same_every_time():
    """Seed torch; and tiny layers compute quicker without a crew of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)
