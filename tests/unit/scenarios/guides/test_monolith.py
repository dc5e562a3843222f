"""What a monolith is, and what broken locations break."""

from __future__ import annotations

from typing import Any

import pytest

from harness.analysis.guides.verdicts import verdict_on
from harness.facts.observations import Observation, Observations
from harness.scenarios.guides.monolith import RENEWAL_S, figures
from harness.scenarios.guides.registry import all_claims
from harness.scenarios.guides.standing import MIB

pytestmark = pytest.mark.unit


def seen(what: str, **values: Any) -> Observation:
    return Observation(what=what, at_s=0.0, values=values)


def memory(layout: str, servers: int, webserver: int, daemon: int) -> Observation:
    parts = {"servers": servers, "webserver": webserver, "daemon": daemon}
    pss = {f"{part}_pss_bytes": mib * MIB for part, mib in parts.items()}
    return seen("memory", layout=layout, locations=10, **pss)


def processes(window_s: float, *daemon: int, webserver: int = 10) -> Observation:
    return seen("processes", modules=10, in_webserver=[webserver], in_daemon=list(daemon),
                window_s=window_s, daemon_cpu_s=20.0)  # fmt: skip


def location(layout: str, state: str, *, good: bool = True) -> Observation:
    return seen("location", layout=layout, name="one", good=good, state=state)


def works(layout: str, succeeded: int = 2, *, daemon: bool = True) -> Observation:
    return seen("works", layout=layout, launched=2, succeeded=succeeded, daemon_serves=daemon)


SEEN = (
    memory("modules", 0, 1100, 1100), processes(RENEWAL_S, 10, 20, 10),
    memory("servers", 1000, 120, 110), memory("one_server", 105, 120, 110),
    location("servers", "loaded"), location("servers", "broken", good=False),
    location("servers", "unreachable", good=False), works("servers"),
    location("modules", "loaded"), location("modules", "loaded"),
    location("modules", "broken", good=False), works("modules"),
    seen("slow", import_s=30.0, locations=3, webserver=41.0),
)  # fmt: skip


def value(name: str, *rows: Observation) -> float | None:
    return figures(Observations(rows or SEEN))[name].value


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("monolith_mib", 2200), ("separate_mib", 1230), ("together_mib", 335), ("locations", 10),
        ("servers_in_webserver", 10), ("servers_in_daemon", 10), ("servers_in_daemon_most", 20),
        ("daemon_cores", 0.2), ("servers_good_share", 1), ("servers_runs_share", 1),
        ("servers_daemon_serves", 1), ("servers_broken_share", 0), ("modules_good_share", 1),
        ("modules_broken_share", 0), ("slow_module_webserver_s", 41.0),
    ],
)  # fmt: skip
def test_figures_are_what_was_there(name: str, expected: float) -> None:
    assert value(name) == pytest.approx(expected)


def test_a_short_look_does_not_say_what_a_renewal_adds() -> None:
    found = figures(Observations([processes(5.0, 10, 10)]))
    assert found["servers_in_daemon"].value == 10
    assert found["servers_in_daemon_most"].value is None
    assert found["daemon_cores"].why == "too short a look"


def test_nothing_seen_is_nothing_known() -> None:
    assert figures(Observations()) == {}


def verdict(claim: int, *rows: Observation) -> str:
    (found,) = (each for each in all_claims() if each.id == claim)
    return verdict_on(found, figures(Observations(rows or SEEN))).state


def test_a_monolith_is_one_process_only_without_servers_in_it() -> None:
    assert verdict(66) == "does not hold"
    assert verdict(66, processes(5.0, 0, 0, webserver=0)) == "holds"


DOWN = {
    "a good location that does not load": (location("modules", "broken"), works("modules")),
    "a run that fails": (location("modules", "loaded"), works("modules", 1)),
    "a daemon that ends": (location("modules", "loaded"), works("modules", daemon=False)),
}


def test_broken_modules_that_break_nothing_else_do_not_bring_the_system_down() -> None:
    assert verdict(67) == "does not hold"


@pytest.mark.parametrize("what", DOWN)
def test_a_system_is_brought_down_by(what: str) -> None:
    broken = location("modules", "broken", good=False)
    assert verdict(67, broken, *DOWN[what]) == "holds"


def test_a_webserver_that_never_serves_is_a_system_brought_down() -> None:
    assert verdict(67, seen("down", layout="modules", error="it did not become ready")) == "holds"


def test_broken_locations_beside_good_servers() -> None:
    assert verdict(68) == "holds"
    rest = (location("servers", "broken", good=False), works("servers"))
    assert verdict(68, location("servers", "unreachable"), *rest) == "does not hold"


def test_merging_saves_where_one_server_holds_much_less() -> None:
    assert verdict(69) == "holds"
    same = memory("one_server", 1000, 120, 110)
    assert verdict(69, SEEN[0], SEEN[2], same) == "does not hold"
