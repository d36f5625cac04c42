"""The palette: readable on both themes, and told apart without full colour vision."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

from pages.figures import palette

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
# Machado, Oliveira and Fernandes (2009): what is left of a linear RGB colour, at full severity
VISIONS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# Roles that stand in one picture
COMPANIONS = [("query", "key", "value"), ("attention", "query"), ("train", "validation")]


def linear(color: str) -> np.ndarray:
    """Linear RGB of a hex colour, each 0 to 1."""
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio, 1 to 21."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Distance of two linear RGB colours in Oklab, times 100: 2 is just seen side by side."""
    to_cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    one, other = (to_lab @ np.cbrt(to_cones @ np.clip(c, 0, 1)) for c in (one, other))
    return float(100 * np.linalg.norm(one - other))


def backgrounds() -> list[str]:
    """Both backgrounds of both themes, as the app is configured."""
    theme = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]
    names = ("backgroundColor", "secondaryBackgroundColor")
    return [theme[mode][name] for mode in ("light", "dark") for name in names]


def test_the_formulas_know_their_fixed_points() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert difference(linear("#000000"), linear("#FFFFFF")) == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize(("role", "color"), [*palette.ROLES.items(), ("none", palette.NEUTRAL)])
def test_every_colour_is_readable_on_every_background(role: str, color: str) -> None:
    worst = min(contrast(color, background) for background in backgrounds())
    assert worst >= 3, f"{role} has a contrast of only {worst:.2f}"


def test_any_two_roles_differ_for_full_colour_vision() -> None:
    for one, other in itertools.combinations(palette.ROLES.values(), 2):
        assert difference(linear(one), linear(other)) > 12, (one, other)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("roles", COMPANIONS)
def test_roles_of_one_picture_differ_for_colour_blind_readers(
    vision: str, roles: tuple[str, ...]
) -> None:
    for one, other in itertools.combinations(roles, 2):
        seen = [VISIONS[vision] @ linear(palette.ROLES[role]) for role in (one, other)]
        assert difference(*seen) > 5, (vision, one, other)
