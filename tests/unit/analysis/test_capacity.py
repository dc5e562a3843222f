from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.capacity import Trial, capacity_of, rungs_of, with_binding
from harness.analysis.slo import Verdict

pytestmark = pytest.mark.unit


def trials(**verdicts: str) -> list[Trial]:
    """`n4="pass"`, or `n4="pass fail pass"` for repetitions."""
    return [
        Trial(concurrency=int(name[1:]), verdict=verdict, broken=("slowdown_p95",))  # type: ignore[arg-type]
        for name, text in verdicts.items()
        for verdict in text.split()
    ]


def test_capacity_lies_between_the_last_pass_and_the_first_failure() -> None:
    found = capacity_of(trials(n1="pass", n4="pass", n8="fail", n12="fail"))
    assert (found.concurrency, found.low, found.high) == (4, 4, 7)
    assert (found.first_failing, found.status) == (8, "bracketed")
    assert found.broken_slo == "slowdown_p95"


def test_a_ladder_without_a_failure_is_not_bracketed() -> None:
    found = capacity_of(trials(n1="pass", n20="pass"))
    assert (found.concurrency, found.high, found.first_failing) == (20, None, None)
    assert found.status == "above_max"


def test_a_server_that_fails_its_lowest_rung_has_capacity_zero() -> None:
    found = capacity_of(trials(n1="fail", n2="fail"))
    assert (found.concurrency, found.low, found.high) == (0, 0, 0)
    assert (found.first_failing, found.status) == (1, "below_min")


def test_a_pass_above_a_failure_does_not_count() -> None:
    found = capacity_of(trials(n1="pass", n4="fail", n8="pass"))
    assert (found.concurrency, found.first_failing) == (1, 4)


@pytest.mark.parametrize(
    ("verdicts", "passes"),
    [
        ("pass fail pass", True),
        ("pass fail fail", False),
        ("pass fail", False),
        ("pass invalid inconclusive", True),
        ("fail invalid invalid", False),
    ],
)
def test_repetitions_decide_by_majority_and_a_tie_is_a_failure(verdicts: str, passes: bool) -> None:
    found = capacity_of(trials(n1="pass", n4=verdicts))
    assert found.concurrency == (4 if passes else 1)


def test_a_rung_without_a_valid_verdict_widens_the_interval_and_is_told() -> None:
    found = capacity_of(trials(n1="pass", n4="pass", n8="invalid", n12="fail"))
    assert (found.low, found.high, found.status) == (4, 11, "bracketed")
    assert found.evidence == ("no valid verdict at 8",)


def test_unjudged_rungs_below_the_first_failure_leave_no_capacity() -> None:
    found = capacity_of(trials(n1="inconclusive", n4="fail"))
    assert (found.concurrency, found.low, found.high) == (None, None, 3)
    assert found.status == "invalid"


@pytest.mark.parametrize(
    "steps", [[], trials(n1="invalid"), trials(n1="inconclusive", n2="invalid")]
)
def test_nothing_judged_is_no_capacity(steps: list[Trial]) -> None:
    found = capacity_of(steps)
    assert found.concurrency is None
    assert found.status == "invalid"
    assert found.evidence


def test_a_limit_outside_the_server_is_never_its_capacity() -> None:
    bracketed = capacity_of(trials(n1="pass", n4="pass", n8="fail"))
    found = with_binding(bracketed, "control_plane", ["webserver used 0.95 cores"])
    assert (found.concurrency, found.status, found.low) == (None, "invalid", 4)
    assert "webserver used 0.95 cores" in found.evidence


def test_a_limit_of_the_server_is_named_beside_its_capacity() -> None:
    bracketed = capacity_of(trials(n1="pass", n4="fail"))
    found = with_binding(bracketed, "memory", ["1 OOM kills"])
    assert (found.concurrency, found.status, found.binding) == (1, "bracketed", "memory")


VERDICTS = st.sampled_from(["pass", "fail", "inconclusive", "invalid"])
LADDERS = st.dictionaries(
    st.integers(1, 40), st.lists(VERDICTS, min_size=1, max_size=5), max_size=9
)


@given(ladder=LADDERS, shuffled=st.randoms(use_true_random=False))
def test_capacity_agrees_with_a_brute_force_reading(
    ladder: dict[int, list[Verdict]], shuffled: object
) -> None:
    flat = [Trial(concurrency=n, verdict=v) for n, verdicts in ladder.items() for v in verdicts]
    shuffled.shuffle(flat)  # type: ignore[attr-defined]
    holds = {n for n, v in ladder.items() if v.count("pass") > v.count("fail")}
    breaks = {n for n, v in ladder.items() if "fail" in v and v.count("fail") >= v.count("pass")}
    # Oracle: try every answer from the top down.
    answer = next(
        (n for n in range(40, 0, -1) if n in holds and not any(b < n for b in breaks)), None
    )
    found = capacity_of(flat)
    assert found.first_failing == min(breaks, default=None)
    if answer is not None:
        assert (found.concurrency, found.low) == (answer, answer)
        assert found.status == ("bracketed" if breaks else "above_max")
    elif breaks and min(breaks) == min(ladder):
        assert (found.concurrency, found.status) == (0, "below_min")
    else:
        assert (found.concurrency, found.status) == (None, "invalid")
    if found.low is not None and found.high is not None:
        assert found.low <= found.high


@given(ladder=LADDERS)
def test_rungs_ascend_and_each_concurrency_comes_once(ladder: dict[int, list[Verdict]]) -> None:
    flat = [Trial(concurrency=n, verdict=v) for n, verdicts in ladder.items() for v in verdicts]
    assert [rung.concurrency for rung in rungs_of(flat)] == sorted(ladder)
