"""The only place where units are converted or shown.

Inside: seconds, bytes, cores, 1/s, with the unit in the name. People see MiB, vCPU, ms.
"""

from __future__ import annotations

import math

MIB = 1024 * 1024
GIB = 1024 * MIB


def mib(size_bytes: float) -> float:
    """Bytes as MiB."""
    return size_bytes / MIB


def show_bytes(size_bytes: float) -> str:
    """`536870912` → `512 MiB`, `2147483648` → `2 GiB`."""
    if size_bytes >= GIB and size_bytes % (GIB // 4) == 0:
        return f"{size_bytes / GIB:g} GiB"
    return f"{size_bytes / MIB:,.0f} MiB"


def show_seconds(duration_s: float) -> str:
    """`0.0123` → `12 ms`, `4.21` → `4.2 s`, `754` → `12 min 34 s`, `8100` → `2 h 15 min`."""
    if duration_s < 1:
        return f"{duration_s * 1000:.0f} ms"
    if duration_s < 10:
        return f"{duration_s:.1f} s"
    if duration_s < 120:
        return f"{duration_s:.0f} s"
    if duration_s < 7200:
        minutes, seconds = divmod(round(duration_s), 60)
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(round(duration_s / 60), 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def show_rate(per_second_or_hour: float) -> str:
    """Three digits, never as a power of ten: `0.1389` → `0.139`, `1388.9` → `1,389`."""
    if abs(per_second_or_hour) >= 100:
        return f"{per_second_or_hour:,.0f}"
    return f"{per_second_or_hour:.3g}"


def show_cores(cores: float) -> str:
    """`0.5` → `0.5 vCPU`."""
    return f"{cores:g} vCPU"


def show_span(low: int | None, high: int | None) -> str:
    """`4 to 6`, `4` where both ends are, `4 or more` where nothing bounds it."""
    if high is None:
        return f"{low} or more"
    return f"{low}" if low == high else f"{low} to {high}"


_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def show_money(amount: float, currency: str) -> str:
    """`1441.6` → `$1,442`, `36.04` → `$36.04`, `0.00123` → `$0.0012`; others by their code."""
    sign = _SIGNS.get(currency, f"{currency} ")
    if abs(amount) >= 100:
        return f"{sign}{amount:,.0f}"
    if amount == 0 or abs(amount) >= 0.1:
        return f"{sign}{amount:.2f}"
    return f"{sign}{amount:.{1 - math.floor(math.log10(abs(amount)))}f}"
