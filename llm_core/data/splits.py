"""Cut a text's ids into a part to train on and a part to validate on."""

from typing import Protocol, Self, TypeVar


class Sliceable(Protocol):
    """Anything with a length whose slices are of its own kind: str, list, array, tensor."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: slice, /) -> Self: ...


S = TypeVar("S", bound=Sliceable)


def split_by_position(ids: S, validation_fraction: float = 0.1) -> tuple[S, S]:
    """Return the first part of ids (N,) to train on, and the rest to validate on.

    The training part holds int(N * (1 - validation_fraction)) ids, as in nanoGPT's data scripts.
    The cut comes before any window is made: overlapping windows dealt out at random would put
    nearly the same text on both sides, and the validation loss would measure memory.

    Raises ValueError if validation_fraction is not between 0 and 1, or if a part comes out empty.
    """
    if not 0 < validation_fraction < 1:
        raise ValueError(
            f"The validation part must be a share between 0 and 1, not {validation_fraction}."
        )
    cut = int(len(ids) * (1 - validation_fraction))
    if not 0 < cut < len(ids):
        raise ValueError(
            f"{len(ids)} tokens cannot be split into a training part and a validation part: "
            "take a longer text."
        )
    return ids[:cut], ids[cut:]
