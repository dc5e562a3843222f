"""The mixed workload: every stage happens, and is checked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from workloads.io.test_definitions import outputs, running_upstream
from workloads.mixed import definitions
from workloads.mixed.definitions import VerificationError, aggregate, defs, store_and_verify, work

BODY = b"".join(
    b'{"id":%d,"group":"%s","value":%d}\n' % (i, b"ab"[i % 2 : i % 2 + 1], i) for i in range(10)
)


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with running_upstream() as url:
        monkeypatch.setenv("UPSTREAM_URL", url)
        yield


@pytest.mark.integration
@pytest.mark.usefixtures("upstream")
def test_a_run_takes_all_records_through_all_stages_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKLOAD_SCRATCH", str(tmp_path))
    config = {"records": 2_500, "wait_s": 0.05}
    result = defs.get_job_def("load").execute_in_process(run_config=config)
    (done,) = outputs(result)
    assert done["records"] == 2_500
    assert done["groups"] == 4
    assert 0 < done["stored_bytes"] < done["fetched_bytes"]
    assert done["work_cpu_s"] > 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.unit
def test_aggregation_counts_sums_and_finds_the_maximum_of_each_group() -> None:
    assert aggregate(BODY) == {
        "a": {"count": 5, "sum": 20, "max": 8},
        "b": {"count": 5, "sum": 25, "max": 9},
    }


@pytest.mark.unit
def test_missing_records_fail_the_op(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "fetch", lambda _path, **_rest: BODY)
    with pytest.raises(VerificationError, match="asked for 11 records, received 10"):
        work({"records": 11, "wait_s": 0.0})


@pytest.mark.unit
def test_a_damaged_file_fails_the_op_and_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKLOAD_SCRATCH", str(tmp_path))
    whole = zlib.compress
    monkeypatch.setattr(zlib, "compress", lambda body: whole(body[:-1]))
    with pytest.raises(VerificationError, match="differ from those written"):
        store_and_verify(BODY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.unit
def test_a_scratch_folder_that_does_not_exist_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKLOAD_SCRATCH", str(tmp_path / "absent"))
    with pytest.raises(FileNotFoundError, match="absent"):
        store_and_verify(BODY)
