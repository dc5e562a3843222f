"""The colours of a page, in its light and its dark scheme.

The series were chosen so that every two of them stay apart (CIE76 distance of 16 or more) with
normal sight and under simulated protanopia, deuteranopia and tritanopia, and have a contrast of
3 or more against the panel they are drawn on. Text colours have 4.5 or more.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "ink": "#1b1f24",
    "ink-soft": "#565f68",
    "paper": "#fafaf7",
    "panel": "#ffffff",
    "shade": "#f1f2ee",
    "line": "#d5d8d2",
    "grid": "#e6e8e3",
    "accent": "#0b5cad",
    "accent-tint": "#e6eff8",
    "series-1": "#355fbb",
    "series-2": "#b76c14",
    "series-3": "#0e5533",
    "series-4": "#8b186d",
    "series-5": "#3d96ba",
    "series-6": "#604b0d",
    "series-7": "#4c2dbf",
    "series-8": "#767d80",
    "good": "#1a7049",
    "good-tint": "#e7f3ec",
    "bad": "#b3261e",
    "bad-tint": "#fbeceb",
    "warn": "#7a5000",
    "warn-tint": "#fbf3e0",
}
DARK: Mapping[str, str] = {
    "ink": "#e6e9ec",
    "ink-soft": "#a3acb5",
    "paper": "#131619",
    "panel": "#1a1e23",
    "shade": "#22272d",
    "line": "#363d45",
    "grid": "#2b3138",
    "accent": "#82b8f5",
    "accent-tint": "#1d2c3d",
    "series-1": "#6ea4e7",
    "series-2": "#c36c20",
    "series-3": "#29d185",
    "series-4": "#d735aa",
    "series-5": "#a2d3e6",
    "series-6": "#e2b64d",
    "series-7": "#8b6be4",
    "series-8": "#94999c",
    "good": "#5cc48d",
    "good-tint": "#17281f",
    "bad": "#ff8f85",
    "bad-tint": "#331f1e",
    "warn": "#e7b454",
    "warn-tint": "#2e2615",
}


def palette_css() -> str:
    """The schemes as custom properties: by the system's wish, by the page's button, and on paper.

    Paper is always light.
    """
    light, dark = _properties(LIGHT, "light"), _properties(DARK, "dark")
    return (
        f":root {{ {light} }}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
        f':root[data-theme="dark"] {{ {dark} }}\n'
        f"@media print {{ :root:root, :root:root[data-theme] {{ {light} }} }}\n"
    )


def _properties(colours: Mapping[str, str], scheme: str) -> str:
    values = " ".join(f"--{name}: {value};" for name, value in colours.items())
    return f"color-scheme: {scheme}; {values}"
