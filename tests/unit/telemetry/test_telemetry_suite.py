"""All devices together: the memory peak, taking samples, starting again."""

from __future__ import annotations

import os
import threading

import pytest

from harness.errors import CampaignError
from harness.facts.model import Limits, Sample
from harness.rig.cgroup import CgroupStats
from harness.rig.protocols import Endpoints, Replica
from harness.rig.telemetry.cgroup import LockedReader
from harness.rig.telemetry.registry import DEVICES, build
from harness.rig.telemetry.suite import PeakWatch, TelemetrySuite

pytestmark = pytest.mark.unit

NO_LIMITS = Limits(cpu_cores=None, memory_bytes=None)


class Cgroup:
    """A cgroup whose memory the test sets; `peak` follows it, as the kernel's does."""

    def __init__(self, *, resettable: bool = True, refuse: bool = False) -> None:
        self.usage_bytes = 0
        self.peak_bytes = 0
        self.ended = False
        self._resettable = resettable
        self._refuse = refuse

    def use(self, size_bytes: int) -> None:
        self.usage_bytes = size_bytes
        self.peak_bytes = max(self.peak_bytes, size_bytes)

    def read(self) -> CgroupStats | None:
        if self.ended:
            return None
        return CgroupStats(
            usage_bytes=self.usage_bytes, working_set_bytes=0, anon_bytes=0,
            peak_bytes=self.peak_bytes, oom_kills=0, cpu_s=0.0, periods=None,
            throttled_periods=None, throttled_s=None, pids=None,
        )  # fmt: skip

    def limits(self) -> Limits:
        return NO_LIMITS

    def reset_peak(self) -> bool:
        if self._refuse:
            raise PermissionError("memory.peak")
        if self._resettable:
            self.peak_bytes = self.usage_bytes
        return self._resettable

    def pids(self) -> list[int]:
        return []

    def close(self) -> None: ...


class Time:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def watch(time: Time, **cgroups: Cgroup) -> PeakWatch:
    return PeakWatch({name: LockedReader(c) for name, c in cgroups.items()}, clock=time)


def sample(key: str, value: float, *, due_s: float = 101.0, source: str = "a") -> Sample:
    return Sample(device="cgroup", source=source, key=key, due_s=due_s, taken_s=due_s, value=value)


def endpoints(*, replicas: int = 1, limits: Limits = NO_LIMITS) -> Endpoints:
    return Endpoints(
        webserver_url="",
        location="",
        database_dsn=None,
        replicas=tuple(
            Replica(
                name=f"server-{number}",
                pid=os.getpid(),
                cgroup_pid=1000 + number,
                grpc_address="127.0.0.1:1",
                limits=limits,
            )
            for number in range(replicas)
        ),
    )


def test_the_peak_is_the_kernels_since_the_step_began() -> None:
    cgroup = Cgroup()
    peaks = watch(Time(), a=cgroup)
    cgroup.use(900)
    cgroup.use(100)
    peaks.begin()
    cgroup.use(400)
    cgroup.use(50)
    assert peaks.highest() == (400.0, "kernel")


def test_the_peak_is_the_highest_of_all_replicas() -> None:
    small, big = Cgroup(), Cgroup()
    peaks = watch(Time(), a=small, b=big)
    peaks.begin()
    small.use(10)
    big.use(70)
    assert peaks.highest() == (70.0, "kernel")


@pytest.mark.parametrize("cgroup", [Cgroup(resettable=False), Cgroup(refuse=True)])
def test_a_counter_that_cannot_be_reset_leaves_the_word_to_the_samples(cgroup: Cgroup) -> None:
    peaks = watch(Time(), a=cgroup)
    cgroup.use(900)
    peaks.begin()
    peaks.notice([sample("usage_bytes", 300), sample("usage_bytes", 200)])
    peaks.notice([sample("peak_bytes", 900)])
    assert peaks.highest() == (300.0, "samples")


def test_a_look_that_began_before_the_step_is_no_witness() -> None:
    peaks = watch(Time(), a=Cgroup(resettable=False))
    peaks.begin()
    peaks.notice([sample("usage_bytes", 999, due_s=99.9), sample("usage_bytes", 5)])
    assert peaks.highest() == (5.0, "samples")


def test_a_cgroup_that_has_ended_speaks_through_its_last_sampled_counter() -> None:
    cgroup = Cgroup()
    peaks = watch(Time(), a=cgroup)
    peaks.begin()
    peaks.notice([sample("peak_bytes", 800), sample("usage_bytes", 700)])
    cgroup.ended = True
    assert peaks.highest() == (800.0, "kernel")


def test_without_any_witness_the_peak_is_unknown() -> None:
    peaks = watch(Time())
    peaks.begin()
    assert peaks.highest() == (None, "")


def test_each_step_begins_anew() -> None:
    peaks = watch(Time(), a=Cgroup(resettable=False))
    peaks.begin()
    peaks.notice([sample("usage_bytes", 300)])
    peaks.begin()
    assert peaks.highest() == (None, "")


def test_a_suite_without_devices_still_knows_the_kernels_peak() -> None:
    cgroup = Cgroup()
    suite = TelemetrySuite((), find_reader=lambda _: cgroup)
    suite.start(endpoints())
    suite.begin_step()
    cgroup.use(123)
    assert suite.peak_bytes() == (123.0, "kernel")
    suite.stop()
    assert suite.take() == ([], [])


def test_devices_sample_at_once_and_samples_are_taken_only_once() -> None:
    suite = TelemetrySuite(("host",))
    suite.start(endpoints())
    samples = _until_samples(suite)
    suite.stop()
    assert {s.device for s in samples} == {"host"}
    suite.take()
    assert suite.take() == ([], [])


def test_samples_are_oldest_first_and_survive_a_second_start() -> None:
    suite = TelemetrySuite(("host", "observer"))
    suite.start(endpoints())
    suite.start(endpoints())
    suite.stop()
    suite.stop()
    samples, _ = suite.take()
    stamps = [s.taken_s for s in samples]
    assert stamps == sorted(stamps)
    assert len([s for s in samples if s.key == "load1"]) == 2


def test_a_device_asked_for_that_is_not_offered_is_remarked() -> None:
    suite = TelemetrySuite(("host", "run_queue"))
    suite.start(endpoints())
    suite.stop()
    _, events = suite.take()
    assert [(e.kind, e.source) for e in events] == [("device_not_offered", "run_queue")]


def test_an_unknown_device_is_refused_with_the_known_names() -> None:
    with pytest.raises(CampaignError) as refused:
        TelemetrySuite(("cgruop",))
    assert "cgruop" in refused.value.what
    assert "cgroup" in refused.value.evidence


def test_devices_are_built_in_the_order_of_the_registry() -> None:
    names = [device.cost.name for device in build(endpoints(), ("observer", "host", "probe"))]
    assert names == [cost.name for cost in DEVICES if cost.name in names]
    assert set(names) == {"observer", "host", "probe"}


@pytest.mark.parametrize("resettable", [True, False])
def test_the_sampled_peak_needs_no_look_of_its_own(resettable: bool) -> None:
    cgroup = Cgroup(resettable=resettable)
    peaks = watch(Time(), a=cgroup)
    peaks.begin()
    assert peaks.sampled() is None
    peaks.notice([sample("peak_bytes", 800), sample("usage_bytes", 700)])
    peaks.notice([sample("usage_bytes", 90, source="b"), sample("pids", 9000)])
    cgroup.ended = True  # whoever looked now would see nothing
    assert peaks.sampled() == (800 if resettable else 700)


def test_vitals_are_what_the_devices_sampled_and_survive_being_taken() -> None:
    suite = TelemetrySuite(("cgroup",), find_reader=lambda _: busy())
    suite.start(endpoints(limits=Limits(cpu_cores=1.0, memory_bytes=2000)))
    _until_samples(suite)
    suite.stop()
    seen = suite.vitals()
    assert (seen.memory_bytes, seen.memory_peak_bytes, seen.memory_limit_bytes) == (123, 123, 2000)
    assert seen.cpu_limit_cores == 1.0


def test_a_second_start_forgets_the_readings_of_the_first_server() -> None:
    suite = TelemetrySuite(("cgroup", "run_queue"), find_reader=lambda _: busy())
    suite.start(endpoints())
    _until_samples(suite)
    suite.stop()
    suite.start(endpoints(replicas=0))
    suite.stop()
    seen = suite.vitals()
    assert seen.memory_bytes is None
    assert {event.kind for event in seen.events} == {"device_not_offered"}


def busy() -> Cgroup:
    cgroup = Cgroup()
    cgroup.use(123)
    return cgroup


def _until_samples(suite: TelemetrySuite) -> list[Sample]:
    pause = threading.Event()
    for _ in range(500):
        samples, _ = suite.take()
        if samples:
            return samples
        pause.wait(0.01)
    return []
