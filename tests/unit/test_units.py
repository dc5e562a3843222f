"""What people see of seconds, bytes and spans."""

from __future__ import annotations

import pytest

from harness.units import GIB, MIB, show_bytes, show_rate, show_seconds, show_span

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("low", "high", "said"), [(4, 6, "4 to 6"), (4, 4, "4"), (4, None, "4 or more")]
)
def test_where_a_threshold_lies_is_said_as_people_say_it(
    low: int, high: int | None, said: str
) -> None:
    assert show_span(low, high) == said


@pytest.mark.parametrize(
    ("duration_s", "said"),
    [
        (0.0123, "12 ms"), (4.21, "4.2 s"), (119.4, "119 s"), (120, "2 min"),
        (754, "12 min 34 s"), (5400, "90 min"), (7200, "2 h"), (8100, "2 h 15 min"),
    ],
)  # fmt: skip
def test_a_duration_has_the_unit_that_suits_it(duration_s: float, said: str) -> None:
    assert show_seconds(duration_s) == said


@pytest.mark.parametrize(
    ("rate", "said"), [(0.13888, "0.139"), (6.25, "6.25"), (99.96, "100"), (1388.9, "1,389")]
)
def test_a_rate_is_never_a_power_of_ten(rate: float, said: str) -> None:
    assert show_rate(rate) == said


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [(512 * MIB, "512 MiB"), (2 * GIB, "2 GiB"), (2.5 * GIB, "2.5 GiB"), (GIB + MIB, "1,025 MiB")],
)
def test_memory_is_whole_gib_only_where_it_is(size_bytes: float, said: str) -> None:
    assert show_bytes(size_bytes) == said
