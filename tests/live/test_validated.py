"""A configuration that promises too much, put to the test on a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from harness.errors import ExitCode
from harness.rig.ledger import Ledger

pytestmark = [pytest.mark.live, pytest.mark.docker, pytest.mark.timeout(900)]

SMALL = 'ecs: {server_resources: {cpu: "1024", memory: "512"}}\n'
"""Room for about two runs of the workload `memory`, which take some 200 MiB each."""

LIMIT = "run_queue: {max_concurrent_runs: 3, dequeue_use_threads: true, dequeue_num_workers: 3}\n"
"""All three launched side by side: together however long a launch takes."""


def test_a_limit_that_memory_does_not_carry_does_not_hold(
    tmp_path: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_LOAD_HARNESS_STATE", str(tmp_path / "state"))
    (tmp_path / "container_context.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "dagster.yaml").write_text(LIMIT, encoding="utf-8")
    command = ["validate", "container_context.yaml", "dagster.yaml", "--workload", "memory"]
    ended = subprocess.run(
        [sys.executable, "-m", "harness", *command, "--json", "--plain", "--allow-overcommit"],
        cwd=tmp_path, capture_output=True, text=True, timeout=800, check=False, env=os.environ,
    )  # fmt: skip
    assert ended.returncode == ExitCode.BREACH, ended.stderr
    document = json.loads(ended.stdout)
    schema = json.loads((repo_root / "results/validation.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    answer = document["validation"]
    assert answer["answer"] == "does not hold"
    assert {"no_oom", "memory_headroom"} & {each.split(":")[0] for each in answer["first"]}
    assert answer["binding"] == "memory"
    assert "memory of at least" in answer["mend"][0]
    (burst,) = answer["bursts"]
    assert (burst["runs"], burst["passed"]) == (3, False)
    assert 1 <= burst["inside"] <= 3
    assert Ledger(tmp_path / "state" / "ledger.jsonl").entries() == ()
