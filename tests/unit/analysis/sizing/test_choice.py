from __future__ import annotations

import pytest
from factory_sizing import make_demand, make_option

from harness.analysis.sizing.choice import choose, half_the_loss, next_best, reasons
from harness.analysis.sizing.selection import worth_showing
from harness.analysis.sizing.types import Option

pytestmark = pytest.mark.unit

FAILS = make_option("0.25vcpu-1gb", holds=False, headroom=-1.0, reason="it is too small")
CHEAP = make_option("1vcpu-2gb")
LARGER = make_option("1vcpu-3gb", headroom=0.5)
TWO = make_option("1vcpu-2gb", replicas=2)
BIG = make_option("2vcpu-4gb", headroom=0.6)


def why(options: list[Option]) -> str:
    return " ".join(reasons(options, choose(options), make_demand(), "USD"))


def test_the_cheapest_that_holds_is_taken() -> None:
    assert choose([FAILS, CHEAP, LARGER, TWO, BIG]) is CHEAP
    assert choose([FAILS]) is None
    assert choose([]) is None


def test_what_is_not_known_to_hold_is_not_taken() -> None:
    unsure = make_option("0.5vcpu-1gb", holds=None)
    assert choose([unsure, CHEAP]) is CHEAP
    assert choose([unsure]) is None


def test_at_the_same_price_two_replicas_are_taken_and_not_more() -> None:
    four = make_option("0.5vcpu-1gb", replicas=4)
    two = make_option("1vcpu-2gb", replicas=2)
    big = make_option("2vcpu-4gb")
    assert {each.per_month for each in (four, two, big)} == {big.per_month}
    assert choose([four, two, big]) is two


def test_two_replicas_may_cost_fifteen_per_cent_more() -> None:
    one = make_option("2vcpu-4gb", per_month=100.0)
    assert choose([one, make_option(replicas=2, per_month=114.0)]).replicas == 2  # type: ignore[union-attr]
    assert choose([one, make_option(replicas=2, per_month=116.0)]) is one


def test_at_one_price_more_headroom_wins() -> None:
    tight = make_option("1vcpu-2gb", replicas=2, headroom=0.0, per_month=50.0)
    roomy = make_option("1vcpu-3gb", replicas=2, headroom=0.3, per_month=50.0)
    assert choose([tight, roomy]) is roomy


def test_the_reasons_name_the_rule_the_next_and_the_loss() -> None:
    said = why([FAILS, CHEAP, LARGER, TWO, BIG])
    assert said.startswith("1 × 1vcpu-2gb holds 0.139 runs/s, the busiest time: it holds.")
    assert "at most 15% more" in said
    assert "6.0 runs go with it on average, 10 at worst" in said
    assert "To halve that: 2 × 1vcpu-2gb, $35.04 a month more." in said
    assert "Next: 2 × 1vcpu-2gb" in said
    assert "cancel" not in said


def test_replicas_that_were_taken_for_little_more_say_so_and_what_they_break() -> None:
    one = make_option("2vcpu-4gb", per_month=100.0)
    said = why([one, make_option(replicas=2, per_month=110.0)])
    assert "1 × 2vcpu-4gb is the cheapest that holds; 2 × 1vcpu-2gb costs 10% more" in said
    assert "about 1 in 2 finds it" in said


def test_where_several_are_needed_anyway_no_cheaper_one_is_named() -> None:
    said = why([FAILS, TWO])
    assert "the fewest replicas, above one" in said
    assert "No option here halves that." in said


def test_where_nothing_holds_the_nearest_is_named_with_what_it_lacks() -> None:
    nearer = make_option("0.5vcpu-1gb", holds=False, headroom=-0.1, reason="4 hold, 5 come")
    said = why([FAILS, nearer])
    assert "Nearest came 1 × 0.5vcpu-1gb: 4 hold, 5 come." in said
    assert "--max-replicas" in said


def test_of_those_that_hold_no_run_the_one_with_a_whole_core_is_nearest() -> None:
    nothing = {"holds": False, "headroom": None, "capacity": 0}
    quarter = make_option("0.25vcpu-1gb", **nothing, reason="a launch takes 16 s")
    whole = make_option("1vcpu-2gb", **nothing, reason="a launch takes 4 s")
    double = make_option("2vcpu-4gb", **nothing, reason="a launch takes 4 s")
    assert "Nearest came 1 × 1vcpu-2gb" in why([quarter, whole, double])


def test_an_unknown_memory_asks_for_it() -> None:
    said = why([FAILS, make_option(holds=None, reason="memory a run is not known")])
    assert "might" in said
    assert "--per-run-mib" in said


def test_nothing_to_look_at_is_said() -> None:
    assert why([]) == "There was no size to look at."


def test_next_and_half_are_of_another_kind() -> None:
    options = [CHEAP, LARGER, TWO, BIG]
    assert next_best(options, CHEAP) is TWO
    assert half_the_loss(options, CHEAP) is TWO
    assert half_the_loss([CHEAP, BIG], CHEAP) is None


def test_shown_are_the_choice_what_it_is_compared_with_and_what_fell_short() -> None:
    near = make_option("0.5vcpu-1gb", holds=False, headroom=-0.1)
    dear = make_option("4vcpu-8gb", holds=False, headroom=-0.1)
    many = [make_option("1vcpu-2gb", replicas=k) for k in (3, 4, 5, 6)]
    options = [FAILS, near, CHEAP, LARGER, TWO, BIG, many[0], dear, *many[1:]]
    shown = worth_showing(options, CHEAP, ["2vcpu-4gb"])
    assert shown == (FAILS, near, CHEAP, LARGER, TWO, BIG, many[0])


def test_a_measured_size_is_shown_even_where_it_does_not_hold() -> None:
    measured = make_option("4vcpu-8gb", holds=False, headroom=-0.5)
    assert measured in worth_showing([CHEAP, measured], CHEAP, ["4vcpu-8gb"])


def test_where_nothing_holds_the_nearest_are_shown() -> None:
    options = [
        make_option("1vcpu-2gb", replicas=k, holds=False, headroom=-1 / k) for k in range(1, 9)
    ]
    shown = worth_showing(options, None, [])
    assert options[7] in shown
    assert options[0] in shown, "the cheapest"
    assert options[1] not in shown


def test_where_no_run_fits_any_the_cheapest_of_each_cpu_is_shown() -> None:
    options = [
        make_option(name, holds=False, headroom=None, capacity=0)
        for name in ("0.5vcpu-1gb", "0.5vcpu-2gb", "1vcpu-2gb", "2vcpu-4gb")
    ]
    assert worth_showing(options, None, []) == (options[0], options[2], options[3])
