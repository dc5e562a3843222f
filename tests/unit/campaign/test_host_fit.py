"""A host is held against what the cells ask for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.campaign.host_fit import HostSize, fit_problems
from harness.campaign.plan import Campaign, CellPlan
from harness.campaign.profiles import Profile
from harness.units import GIB, MIB

pytestmark = pytest.mark.unit


def cells(
    *profiles: Profile, replicas: tuple[int, ...] = (1,), workloads: int = 1
) -> list[CellPlan]:
    campaign = Campaign.model_validate(
        {
            "name": "fit",
            "profiles": profiles,
            "workloads": [{"name": f"w{number}"} for number in range(workloads)],
            "replicas": replicas,
        }
    )
    return list(campaign.cells())


def size(vcpu: float, memory_mib: int) -> Profile:
    return Profile(name=f"p{vcpu}-{memory_mib}", vcpu=vcpu, memory_mib=memory_mib)


def test_a_profile_that_leaves_a_core_and_a_gibibyte_fits_exactly() -> None:
    host = HostSize(cpus=3, memory_available_bytes=5 * GIB)
    assert fit_problems(cells(size(2, 4096)), host) == []


def test_too_many_cores_are_refused_with_all_numbers() -> None:
    host = HostSize(cpus=2, memory_available_bytes=64 * GIB)
    (problem,) = fit_problems(cells(size(0.75, 1024), replicas=(2,)), host)
    assert "p0.75-1024 × 2 replicas needs 1.5 vCPU" in problem
    assert "has 2 and keeps 1" in problem
    assert problem.endswith(": 1 left")


def test_too_much_memory_is_refused_with_all_numbers() -> None:
    host = HostSize(cpus=16, memory_available_bytes=5 * GIB - 1)
    (problem,) = fit_problems(cells(size(1, 2048), replicas=(2,)), host)
    assert "p1-2048 × 2 replicas needs 4 GiB of memory" in problem
    assert "has 5,119 MiB free and keeps 1 GiB" in problem
    assert problem.endswith(": 4,095 MiB left")


def test_cores_and_memory_are_two_problems() -> None:
    host = HostSize(cpus=1, memory_available_bytes=GIB // 2)
    problems = fit_problems(cells(size(1, 1024)), host)
    assert ["vCPU" in problem for problem in problems] == [True, False]
    assert problems[0].endswith(": 0 left")
    assert problems[1].endswith(": 0 MiB left")


def test_equal_demands_are_said_once_in_the_order_of_the_cells() -> None:
    host = HostSize(cpus=3, memory_available_bytes=64 * GIB)
    plan = cells(size(8, 1024), size(1, 1024), size(4, 1024), workloads=3)
    starts = [problem.split()[0] for problem in fit_problems(plan, host)]
    assert starts == ["p8-1024", "p4-1024"]


@settings(deadline=None)
@given(
    vcpu=st.floats(0.01, 64),
    memory_mib=st.integers(6, 200_000),
    replicas=st.integers(1, 16),
    cpus=st.integers(1, 64),
    available_mib=st.integers(0, 300_000),
)
def test_a_smaller_share_of_a_host_never_fits_worse(
    vcpu: float, memory_mib: int, replicas: int, cpus: int, available_mib: int
) -> None:
    plan = cells(size(vcpu, memory_mib), replicas=(replicas,))
    host = HostSize(cpus=cpus, memory_available_bytes=available_mib * MIB)
    larger = HostSize(cpus=cpus + 1, memory_available_bytes=(available_mib + 1) * MIB)
    assert len(fit_problems(plan, larger)) <= len(fit_problems(plan, host))
    fits = vcpu * replicas <= cpus - 1 and memory_mib * replicas <= available_mib - 1024
    assert (fit_problems(plan, host) == []) == fits
