"""What can be compared is known by its key, and what cannot is refused with what can."""

from __future__ import annotations

import pytest

from harness.analysis.comparison.metrics import METRICS, metric_of, parse_key
from harness.errors import CampaignError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.key)
def test_every_metric_is_found_by_its_key(metric: object) -> None:
    assert metric_of(metric.key) is metric  # type: ignore[attr-defined]


def test_keys_are_unique() -> None:
    assert len({metric.key for metric in METRICS}) == len(METRICS)


def test_a_load_stands_behind_the_key() -> None:
    metric, at = parse_key("throughput_runs_per_s@4")
    assert (metric.key, metric.better, at) == ("throughput_runs_per_s", "higher", 4)
    assert parse_key("launch_s") == (metric_of("launch_s"), None)


def test_what_gates_by_default() -> None:
    gates = {metric.key for metric in METRICS if metric.gates}
    assert gates == {
        "launch_cpu_s", "launch_s", "launch_work", "throughput_runs_per_s", "run_rss_mib",
        "base_mib",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("launch", "launch_cpu_s"),
        ("launch_s@0", "number of runs"),
        ("launch_s@x", "number of runs"),
        ("launch_s@", "number of runs"),
        ("launch_s@-1", "number of runs"),
        ("base_mib@4", "figure of a cell"),
    ],
)
def test_other_keys_are_refused_with_the_way_out(key: str, said: str) -> None:
    with pytest.raises(CampaignError) as refused:
        parse_key(key)
    assert said in str(refused.value)
