from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.analysis.findings.document import Findings
from harness.errors import StoredDataError
from harness.report.json_document import findings_document, findings_from, findings_json

pytestmark = pytest.mark.unit

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "results" / "findings.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)
PROMISED_CELL = {
    "profile",
    "workload",
    "run_s",
    "dagster",
    "max_workers",
    "replicas",
    "feed",
    "target",
    "capacity",
    "throughput_runs_per_s",
    "memory",
    "cpu",
    "steps",
    "recommendation",
}
PROMISED_STEP = {
    "concurrency",
    "repetition",
    "verdict",
    "completed",
    "failed",
    "lost",
    "throughput_runs_per_s",
    "response_s",
    "launch_s",
    "exec_s",
    "slowdown_p95",
    "memory_peak_mib",
    "memory_peak_ratio",
    "cpu_cores",
    "throttled_ratio",
    "pool_queue_max",
    "run_queue_max",
    "probe_s",
    "oom_kills",
    "slo",
}


def parsed(findings: Findings) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(findings_json(findings))
    return document


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_findings_of_every_kind_fit_the_schema(everything: Findings) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(parsed(everything))]
    assert errors == []


def test_every_promised_key_is_required(everything: Findings) -> None:
    cell = SCHEMA["$defs"]["cell"]
    step = SCHEMA["$defs"]["step"]
    assert set(cell["required"]) >= PROMISED_CELL
    assert set(step["required"]) >= PROMISED_STEP
    assert set(parsed(everything)["cells"][0]) >= PROMISED_CELL


def required_paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key of the contract's own objects in the first cell; free mappings are left out."""
    free = {"campaign", "environment", "slo", "support_cpu_cores", "unloaded_response_s"}
    if isinstance(document, dict):
        for key, value in document.items():
            yield (*path, key)
            if key not in free:
                yield from required_paths(value, (*path, key))
    elif isinstance(document, list) and document and isinstance(document[0], dict):
        yield from required_paths(document[0], (*path, 0))


def without(document: Any, path: tuple[Any, ...]) -> Any:
    changed = copy.deepcopy(document)
    place = changed
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return changed


def test_findings_without_any_one_of_their_keys_do_not_fit(everything: Findings) -> None:
    document = parsed(everything)
    tolerated = [
        path for path in required_paths(document) if VALIDATOR.is_valid(without(document, path))
    ]
    assert tolerated == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 1),
        (("cells", 0, "capacity", "status"), "maybe"),
        (("cells", 0, "capacity", "binding"), "the moon"),
        (("cells", 0, "capacity", "concurrency"), -1),
        (("cells", 0, "capacity", "concurrency"), 4.5),
        (("cells", 0, "feed"), "by hand"),
        (("cells", 0, "target"), "cloud"),
        (("cells", 0, "steps", 0, "verdict"), "fine"),
        (("cells", 0, "steps", 0, "kind"), "warmup"),
        (("cells", 0, "steps", 0, "completed"), None),
        (("cells", 0, "steps", 0, "memory_peak_ratio"), "much"),
        (("cells", 0, "steps", 0, "slo", "no_oom", "ok"), "yes"),
        (("cells", 0, "steps", 0, "slo", "no_oom"), {"observed": 1}),
        (("cells", 0, "memory", "per_run_mib_ci"), [1.0]),
        (("cells", 0, "recommendation", "why"), "because"),
        (("validity", 0, "severity"), "meh"),
        (("validity", 0, "code"), "bad_luck"),
    ],
)
def test_a_wrong_value_does_not_fit(
    path: tuple[Any, ...], value: Any, everything: Findings
) -> None:
    document = parsed(everything)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(document)


def test_further_keys_are_allowed(everything: Findings) -> None:
    document = parsed(everything)
    document["cells"][0]["note"] = "from a later version"
    assert VALIDATOR.is_valid(document)


def test_a_document_reads_back_as_the_findings_it_came_from(everything: Findings) -> None:
    assert findings_from(parsed(everything)) == everything


def test_the_document_ends_in_one_newline(bracketed: Findings) -> None:
    text = findings_json(bracketed)
    assert text.endswith("}\n")
    assert "NaN" not in text
    assert "Infinity" not in text


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_json_cannot_say_is_refused(value: float, bracketed: Findings) -> None:
    cell = replace(bracketed.cells[0], throughput_runs_per_s=value)
    with pytest.raises(ValueError, match="JSON"):
        findings_json(replace(bracketed, cells=(cell,)))


def test_findings_of_a_newer_schema_are_refused_with_a_way_out(bracketed: Findings) -> None:
    with pytest.raises(StoredDataError) as caught:
        findings_from({**findings_document(bracketed), "schema": 99})
    assert "99" in caught.value.evidence
    assert "analyse" in caught.value.hint


def test_damaged_findings_name_the_place(bracketed: Findings) -> None:
    document = parsed(bracketed)
    del document["cells"][0]["capacity"]["status"]
    with pytest.raises(StoredDataError) as caught:
        findings_from(document)
    assert "capacity.status" in caught.value.evidence
