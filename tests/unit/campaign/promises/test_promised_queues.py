"""What configurations say of the queue: the limit, launches at a time, and looks at the queue."""

from __future__ import annotations

import pytest

from harness.campaign.promises.readers import read_configuration
from harness.campaign.promises.types import Promise
from harness.campaign.promises.whole import Said, promise_of
from harness.errors import CampaignError

pytestmark = pytest.mark.unit

CONTEXT = "ecs: {server_resources: {cpu: '1024', memory: '2048'}}"
CHART = """
dagster-user-deployments:
  deployments: [{name: etl, resources: {limits: {cpu: "1", memory: 2Gi}}}]
runLauncher: {type: CustomRunLauncher}
"""
LIMITS = [
    "concurrency: {runs: {max_concurrent_runs: LIMIT}}",
    "run_queue: {max_concurrent_runs: LIMIT}",
    "run_coordinator: {class: QueuedRunCoordinator, config: {max_concurrent_runs: LIMIT}}",
    "non_isolated_runs: {max_concurrent_non_isolated_runs: LIMIT}",
]


def told(*texts: str, limit: int | None = None, dagster: str = "") -> Promise:
    files = [read_configuration(text, source=f"{n}.yaml") for n, text in enumerate(texts)]
    return promise_of(files, Said(limit=limit, dagster=dagster))


def instance(text: str, limit: int | None = None, dagster: str = "") -> Promise:
    return told(CONTEXT, text, limit=limit, dagster=dagster)


def chart(
    queued: str = "", *, coordinator: str = "", more: str = "", limit: int | None = 5
) -> Promise:
    if queued:
        coordinator = f"config: {{queuedRunCoordinator: {{{queued}}}}}"
    daemon = f"dagsterDaemon: {{runCoordinator: {{{coordinator}}}}}" if coordinator else ""
    return told("\n".join((CHART, daemon, more)), limit=limit)


def refused(make: object, match: str) -> CampaignError:
    assert callable(make)
    with pytest.raises(CampaignError, match=match) as caught:
        make()
    assert "--limit" in caught.value.hint
    return caught.value


@pytest.mark.parametrize("text", LIMITS)
@pytest.mark.parametrize("written", ["15", "'15'"])
def test_the_limit_stands_in_another_file(text: str, written: str) -> None:
    promise = instance(text.replace("LIMIT", written))
    assert promise.limit == 15
    assert promise.said["limit"].startswith("1.yaml: ")


@pytest.mark.parametrize(
    ("whole", "inside"), [("50", "12"), ("12", "50"), ("-1", "12"), ("12", "-1")]
)
def test_of_the_two_limits_of_dagster_plus_the_narrower_one_counts(whole: str, inside: str) -> None:
    text = f"{LIMITS[0]}\n{LIMITS[3].replace('LIMIT', inside)}".replace("LIMIT", whole)
    assert instance(text).limit == 12


@pytest.mark.parametrize("text", LIMITS)
def test_without_a_limit_one_has_to_be_named(text: str) -> None:
    text = text.replace("LIMIT", "-1")
    error = refused(lambda: instance(text), "Nothing limits how many runs")
    assert error.evidence.startswith("1.yaml: ")
    assert error.evidence.endswith(" is -1, which is no limit")
    assert instance(text, limit=4).limit == 4


@pytest.mark.parametrize("text", LIMITS)
def test_with_a_limit_of_none_at_all_nothing_is_launched_and_nothing_tested(text: str) -> None:
    refused(lambda: instance(text.replace("LIMIT", "0")), "Dagster launches nothing")


@pytest.mark.parametrize("text", LIMITS)
def test_less_than_no_limit_is_a_wrong_value(text: str) -> None:
    with pytest.raises(CampaignError, match="1 wrong value") as caught:
        instance(text.replace("LIMIT", "-2"))
    assert "-2 is not a whole number, or -1 for no limit" in caught.value.evidence


@pytest.mark.parametrize("text", LIMITS)
def test_a_limit_in_a_variable_is_asked_for_by_its_name(text: str) -> None:
    text = text.replace("LIMIT", "{env: MAX_RUNS}")
    refused(lambda: instance(text), "stands in the environment variable MAX_RUNS")
    promise = instance(text, limit=4)
    assert promise.limit == 4
    assert any("MAX_RUNS" in note for note in promise.notes)


def test_another_file_may_say_what_one_leaves_to_a_variable() -> None:
    hidden = LIMITS[1].replace("LIMIT", "{env: MAX_RUNS}")
    assert told(CONTEXT, hidden, LIMITS[0].replace("LIMIT", "7")).limit == 7


@pytest.mark.parametrize("name", ["DefaultRunCoordinator", "SyncInMemoryRunCoordinator"])
def test_a_coordinator_without_a_queue_has_no_limit_whatever_is_said_beside_it(name: str) -> None:
    text = f"run_coordinator: {{class: {name}}}\n{LIMITS[0].replace('LIMIT', '9')}"
    assert name in refused(lambda: instance(text), "Nothing limits").evidence
    (note,) = instance(text, limit=4).notes
    assert "launches whatever comes at once" in note


@pytest.mark.parametrize("release", ["", "1.10.0", "1.13.27", "2.0.1", "latest"])
def test_an_instance_that_names_no_coordinator_has_dagster_s_own_queue(release: str) -> None:
    promise = instance("telemetry: {enabled: false}", dagster=release)
    assert (promise.limit, promise.dequeue_threads, promise.dequeue_interval_s) == (10, None, 5)
    for what in ("limit", "launches", "interval"):
        assert promise.said[what].startswith("open-source Dagster's own, where nobody sets it")


def test_before_1_10_such_an_instance_has_no_queue() -> None:
    bare = "telemetry: {enabled: false}\nrun_queue: {}"
    assert "before 1.10" in refused(lambda: instance(bare, dagster="1.9.13"), "Nothing").evidence
    for named in ("run_coordinator: {class: QueuedRunCoordinator}", "run_queue: {a: b}"):
        assert instance(named, dagster="1.9.13").limit == 10
    assert told(CONTEXT, dagster="1.9.13").limit == 10, "no instance was shown at all"


def test_launches_at_a_time_are_read_where_threads_are_on() -> None:
    on = "run_queue: {dequeue_use_threads: true, dequeue_num_workers: 4}"
    promise = instance(on)
    assert promise.dequeue_threads == 4
    assert promise.said["launches"] == "1.yaml: run_queue.dequeue_num_workers"
    for off in (on.replace("true", "false"), "run_queue: {dequeue_num_workers: 4}"):
        assert instance(off).dequeue_threads is None


@pytest.mark.parametrize("workers", ["", ", dequeue_num_workers: {env: WORKERS}"])
def test_threads_nobody_counted_are_as_many_as_dagster_takes_and_told_so(workers: str) -> None:
    promise = instance(f"run_queue: {{dequeue_use_threads: true{workers}}}")
    assert promise.dequeue_threads == 6
    assert promise.said["launches"] == (
        "1.yaml: run_queue.dequeue_use_threads; as many as Dagster takes on 2 CPUs, where nobody "
        "sets it"
    )
    assert any("WORKERS" in note for note in promise.notes) is bool(workers)


def test_more_launches_at_a_time_than_are_tested_are_told() -> None:
    promise = instance("run_queue: {dequeue_use_threads: true, dequeue_num_workers: 200}")
    assert promise.dequeue_threads == 100
    assert promise.notes == ("Of 200 launches at a time, 100 are tested",)
    promise = instance("run_queue: {dequeue_interval_seconds: 9000}")
    assert promise.dequeue_interval_s == 3600
    assert promise.notes == ("The queue is looked at every 9000 s; every 3600 s is tested",)


@pytest.mark.parametrize(
    "text",
    [
        "run_queue: {dequeue_interval_seconds: 30}",
        "run_coordinator: {class: QueuedRunCoordinator, config: {dequeue_interval_seconds: 30}}",
        "run_queue: {dequeue_interval_seconds: 30}\nrun_coordinator: {config: {a: b}}",
    ],
)
def test_how_often_the_daemon_looks_is_read_where_it_is_set(text: str) -> None:
    assert instance(text).dequeue_interval_s == 30
    assert instance(text.replace("30", "0")).dequeue_interval_s == 1
    hidden = instance(text.replace("30", "{env: LOOK_S}"))
    assert hidden.dequeue_interval_s == 5
    assert any("LOOK_S" in note for note in hidden.notes)


@pytest.mark.parametrize(("written", "threads"), [("yes", 4), ("'on'", 4), ("no", None)])
def test_a_flag_is_read_as_yaml_1_1_writes_it(written: str, threads: int | None) -> None:
    text = f"run_queue: {{dequeue_use_threads: {written}, dequeue_num_workers: 4}}"
    assert instance(text).dequeue_threads == threads


@pytest.mark.parametrize("wrong", ["dequeue_use_threads: 3", "dequeue_use_threads: maybe"])
def test_what_is_neither_yes_nor_no_is_a_wrong_value(wrong: str) -> None:
    with pytest.raises(CampaignError, match="1 wrong value") as caught:
        instance(f"run_queue: {{{wrong}}}")
    assert caught.value.evidence.endswith("is not true or false")


def test_a_pool_without_threads_is_a_wrong_value() -> None:
    with pytest.raises(CampaignError) as caught:
        instance("run_queue: {dequeue_use_threads: true, dequeue_num_workers: 0}")
    assert "dequeue_num_workers: 0 is not a whole number from 1 on" in caught.value.evidence


@pytest.mark.parametrize("queued", ["", "maxConcurrentRuns: null", "dequeueNumWorkers: 2"])
def test_the_chart_sets_no_limit_unless_told(queued: str) -> None:
    error = refused(lambda: chart(queued, limit=None), "Nothing limits how many runs")
    assert error.evidence == "no limit is the Helm chart's own, where nobody sets it"
    assert chart("maxConcurrentRuns: 25", limit=None).limit == 25


def test_the_chart_launches_four_at_a_time_unless_told() -> None:
    promise = chart()
    assert (promise.dequeue_threads, promise.dequeue_interval_s) == (4, 5)
    assert promise.said["launches"] == "the Helm chart's own, where nobody sets it"
    assert promise.said["interval"] == "open-source Dagster's own, where nobody sets it"


@pytest.mark.parametrize(
    ("queued", "threads"),
    [
        ("dequeueUseThreads: true", 4),
        ("dequeueNumWorkers: 9", 9),
        ("dequeueUseThreads: true, dequeueNumWorkers: null", 6),
        ("dequeueNumWorkers: 0", 6),
        ("dequeueUseThreads: false, dequeueNumWorkers: 9", None),
        ("dequeueUseThreads: null", None),
    ],
)
def test_what_the_chart_is_told_lies_over_its_own(queued: str, threads: int | None) -> None:
    assert chart(queued).dequeue_threads == threads


def test_the_chart_writes_no_interval_of_nothing() -> None:
    assert chart("dequeueIntervalSeconds: 20").dequeue_interval_s == 20
    assert chart("dequeueIntervalSeconds: 0").dequeue_interval_s == 5


def test_a_chart_that_is_told_nothing_but_nothing_leaves_the_queue_to_dagster() -> None:
    promise = chart("dequeueUseThreads: false, dequeueNumWorkers: null", limit=None)
    assert (promise.limit, promise.dequeue_threads) == (10, None)


def test_the_chart_s_limit_at_the_top_counts_where_it_is_turned_on() -> None:
    top = "concurrency: {enabled: true, runs: {maxConcurrentRuns: 8}}"
    assert chart(more=top, limit=None).limit == 8
    assert chart(more="concurrency: {enabled: true}", limit=None).limit == 10
    off = top.replace("true", "false")
    refused(lambda: chart(more=off, limit=None), "Nothing limits")
    assert any("only with concurrency.enabled" in note for note in chart(more=off).notes)


def test_a_chart_without_its_coordinator_leaves_it_to_dagster() -> None:
    promise = chart(coordinator="enabled: false", limit=None)
    assert (promise.limit, promise.dequeue_threads) == (10, None)
    off = "dagsterDaemon: {enabled: false}"
    assert chart(more=off, limit=None).limit == 10


def test_a_coordinator_of_one_s_own_in_the_chart_is_read_as_in_an_instance() -> None:
    config = "{max_concurrent_runs: 6, dequeue_use_threads: true, dequeue_num_workers: 3}"
    custom = f"config: {{customRunCoordinator: {{class: Mine, config: {config}}}}}"
    promise = chart(coordinator=f"type: CustomRunCoordinator, {custom}", limit=None)
    assert (promise.limit, promise.dequeue_threads) == (6, 3)


def test_another_file_comes_before_what_the_chart_takes_by_itself() -> None:
    both = told(CHART, LIMITS[1].replace("LIMIT", "3"))
    assert (both.limit, both.dequeue_threads) == (3, 4)
