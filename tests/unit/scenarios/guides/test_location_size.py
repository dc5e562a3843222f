"""What a location costs by its size: lines through the sizes that were measured."""

from __future__ import annotations

from typing import Any

import pytest

from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.location_size import OTHERS, figures
from harness.scenarios.guides.standing import MIB

pytestmark = pytest.mark.unit


def seen(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values=values)


def location(size: int, *, kind: str = "assets", mib: float = 100) -> Observation:
    return seen(
        "location", kind=kind, size=size, servers_s=2 + size / 500, reload_s=0.5,
        servers_pss_bytes=mib * MIB, webserver_pss_bytes=200 * MIB,
    )  # fmt: skip


def launch(size: int, number: int, until_s: float | None) -> Observation:
    return seen(
        "launch", kind="assets", size=size, number=number, until_started_s=until_s, cpu_s=1.5
    )


SEEN = (
    location(0), location(1000, mib=150), location(3000, mib=250),
    *(launch(0, number, 9.0 if number == 0 else 1.0) for number in range(5)),
    *(launch(1000, number, 1.5) for number in range(5)),
    launch(3000, 0, 9.0), launch(3000, 1, None), launch(3000, 2, 2.5),
    *(location(1000, kind=kind, mib=130) for kind in OTHERS),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("serve_s_empty", 2), ("serve_s_per_thousand", 2), ("server_mib_empty", 100),
        ("server_mib_per_thousand", 50), ("webserver_mib_per_thousand", 0),
        ("launch_s_empty", 1), ("launch_s_per_thousand", 0.5), ("launch_cpu_s_per_thousand", 0),
        ("thousand_jobs_mib", 30), ("thousand_partitioned_assets_mib", 30),
    ],
)  # fmt: skip
def test_figures_are_told_a_thousand_definitions_more(name: str, expected: float) -> None:
    assert figures(Observations(SEEN))[name].value == pytest.approx(expected, abs=1e-9)


def test_one_size_alone_makes_no_line() -> None:
    assert "serve_s_per_thousand" not in figures(Observations((location(0),)))


def test_without_an_empty_location_nothing_is_said_of_the_others() -> None:
    told = figures(Observations((location(1000, kind="jobs"),)))
    assert told == {}
