"""Computing side by side: the gate, and the tick that never lets go."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from dagster import DagsterInstance, SkipReason, build_sensor_context

from workloads.guides import computing
from workloads.guides.computing import JOB, GateError, clutch, defs, spin_together
from workloads.io.test_definitions import outputs

PARAMS = {"gate": 7, "cpu_s": 0.0, "patience_s": 30.0}


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKLOAD_SCRATCH", str(tmp_path))
    return tmp_path


@pytest.mark.integration
def test_a_run_begins_at_the_moment_the_gate_names(scratch: Path) -> None:
    begin_s = time.time() + 0.3
    (scratch / "gate-7").write_text(f"{begin_s}\n")
    result = defs.get_job_def(JOB).execute_in_process(run_config=PARAMS | {"cpu_s": 0.02})
    (done,) = outputs(result)
    assert done["begin_s"] == pytest.approx(begin_s)
    assert time.time() > begin_s
    assert done["work_cpu_s"] >= 0.02


@pytest.mark.unit
def test_a_moment_that_has_passed_is_now(scratch: Path) -> None:
    (scratch / "gate-7").write_text("0")
    assert spin_together(PARAMS) == {"begin_s": 0.0}


@pytest.mark.unit
@pytest.mark.parametrize("other", ["gate-1", "gate-77"])
def test_only_its_own_gate_lets_a_run_through(other: str, scratch: Path) -> None:
    (scratch / other).write_text("0")
    with pytest.raises(GateError, match="gate-7"):
        spin_together(PARAMS | {"patience_s": 0.0})


@pytest.mark.unit
def test_a_gate_without_a_moment_yet_is_shut(scratch: Path) -> None:
    (scratch / "gate-7").write_text("")
    with pytest.raises(GateError):
        spin_together(PARAMS | {"patience_s": 0.1})


@pytest.mark.integration
def test_adding_up_uses_about_as_much_cpu_as_it_is_told() -> None:
    before_s = time.thread_time()
    computing.add_up(0.2)
    assert time.thread_time() - before_s > 0.05


@pytest.mark.unit
def test_the_clutch_computes_as_long_as_the_environment_says_and_skips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added: list[float] = []
    monkeypatch.setattr(computing, "add_up", added.append)
    monkeypatch.setenv("CLUTCH_S", "2.5")
    with DagsterInstance.ephemeral() as instance:
        answer = clutch()(build_sensor_context(instance=instance))
    assert isinstance(answer, SkipReason)
    assert added == [2.5]
