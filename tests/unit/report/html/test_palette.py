from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations

import pytest

from harness.report.html.palette import DARK, LIGHT, palette_css

pytestmark = pytest.mark.unit

SCHEMES = {"light": LIGHT, "dark": DARK}
SERIES = [f"series-{number}" for number in range(1, 9)]
SIGHTS = {  # Machado, Oliveira, Fernandes 2009, severity 1
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip

Triple = tuple[float, float, float]


def linear(colour: str) -> Triple:
    """sRGB without its gamma."""
    values = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """By WCAG 2."""
    dark, light = sorted(
        0.2126 * red + 0.7152 * green + 0.0722 * blue
        for red, green, blue in (linear(one), linear(other))
    )
    return (light + 0.05) / (dark + 0.05)


def seen(colour: str, sight: str) -> Triple:
    """CIELAB of a colour as somebody with that sight sees it."""
    rgb = linear(colour)
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, rgb, strict=True))))
        for row in SIGHTS[sight]
    )
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883,
    )
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("series", SERIES)
def test_a_line_stands_out_from_its_panel(scheme: str, series: str) -> None:
    colours = SCHEMES[scheme]
    assert contrast(colours[series], colours["panel"]) >= 3


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_lines_can_be_told_apart_with_any_sight(scheme: str, sight: str) -> None:
    labs = [seen(SCHEMES[scheme][series], sight) for series in SERIES]
    assert min(math.dist(one, other) for one, other in combinations(labs, 2)) >= 16


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, ground) for text in ("ink", "ink-soft") for ground in ("paper", "panel", "shade")),
        *((text, "paper") for text in ("accent", "good", "bad", "warn")),
        *((text, "panel") for text in ("accent", "good", "bad", "warn")),
        *((text, f"{text}-tint") for text in ("accent", "good", "bad", "warn")),
        *(("ink", f"{tint}-tint") for tint in ("accent", "good", "bad", "warn")),
        *(("ink-soft", f"{tint}-tint") for tint in ("accent", "bad", "warn")),
        *((text, "bad-tint") for text in ("accent", "good")),
    ],
)  # fmt: skip
def test_text_can_be_read(scheme: str, text: str, ground: str) -> None:
    colours: Mapping[str, str] = SCHEMES[scheme]
    assert contrast(colours[text], colours[ground]) >= 4.5


def test_both_schemes_have_the_same_colours() -> None:
    assert list(LIGHT) == list(DARK)
    assert set(SERIES) | {"ink", "ink-soft", "paper", "panel", "line", "grid", "accent"} <= set(
        LIGHT
    )
    assert {"good", "bad", "warn"} <= set(LIGHT)


def test_paper_is_light_and_the_button_beats_the_system() -> None:
    css = palette_css()
    assert css.count(f"--paper: {LIGHT['paper']}") == 2
    assert css.count(f"--paper: {DARK['paper']}") == 2
    assert "@media print { :root:root" in css
    assert ':root:not([data-theme="light"])' in css
