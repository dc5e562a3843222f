"""JUnit: the counts say what is inside, failures mean what the exit code means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from report_context import context_of, hostile, only, with_steps

from harness.analysis.findings.document import Findings, exit_code
from harness.errors import ExitCode
from harness.report.context import CellRecord
from harness.report.junit import render_junit

pytestmark = pytest.mark.unit

ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "id", "package",
                  "timestamp"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "properties": set[str](),
    "property": {"name", "value"},
    "system-out": set[str](),
}  # fmt: skip
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out"],
    "testcase": ["skipped", "error", "failure", "system-out"],
    "properties": ["property"],
}
"""In this order."""


def parsed(findings: Findings, **context: object) -> ET.Element:
    return ET.fromstring(render_junit(findings, context_of(findings, **context)))


def case_of(root: ET.Element, cell: str, name: str) -> ET.Element:
    found = root.find(f"testsuite[@name='{cell}']/testcase[@name='{name}']")
    assert found is not None
    return found


def kind_of(case: ET.Element) -> str:
    kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    assert len(kinds) <= 1
    return kinds[0] if kinds else "passed"


def kinds(root: ET.Element, cell: str) -> dict[str, str]:
    return {
        case.get("name", ""): kind_of(case)
        for case in root.findall(f"testsuite[@name='{cell}']/testcase")
    }


def problems(element: ET.Element) -> Iterator[str]:
    """What the schema in common use would refuse."""
    if set(element.attrib) - ATTRIBUTES[element.tag]:
        yield f"{element.tag}: {sorted(element.attrib)}"
    order = [CHILDREN.get(element.tag, []).index(child.tag) for child in element]
    if order != sorted(order):
        yield f"{element.tag}: {[child.tag for child in element]}"
    if element.tag in ("testsuites", "testsuite"):
        cases = list(element.iter("testcase"))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped",) * 2):
            counted = sum(case.find(tag) is not None for case in cases)
            if element.get(attribute) != str(counted):
                yield f"{element.get('name')}: {attribute} is not {counted}"
        if element.get("tests") != str(len(cases)):
            yield f"{element.get('name')}: tests"
    for child in element:
        yield from problems(child)


def test_the_document_is_as_the_schema_wants_it(everything: Findings) -> None:
    root = parsed(everything, planned=("io", "another"))
    assert root.tag == "testsuites"
    assert list(problems(root)) == []
    assert len({suite.get("id") for suite in root}) == len(root)


def test_a_wrong_count_would_be_seen(everything: Findings) -> None:
    root = parsed(everything)
    root[0].set("failures", "99")
    root[0].insert(0, root[0][1])
    assert len(list(problems(root))) >= 2


def test_every_cell_is_a_suite_and_every_objective_a_case(everything: Findings) -> None:
    root = parsed(everything)
    assert [suite.get("name") for suite in root] == [cell.id for cell in everything.cells]
    names = [case.get("name") for case in root[0].iter("testcase")]
    assert names == ["capacity", *everything.cells[0].steps[0].slo]


def test_a_step_that_failed_on_the_way_up_is_no_failure(bracketed: Findings) -> None:
    assert any(step.verdict == "fail" for step in bracketed.cells[0].steps)
    assert set(kinds(parsed(bracketed), "io").values()) == {"passed"}


def test_an_objective_is_judged_at_the_reported_concurrency(bracketed: Findings) -> None:
    said = case_of(parsed(bracketed), "io", "launch_s_p95").findtext("system-out") or ""
    assert said.startswith("4 at once, repetition 1 (pass): holds: 1.0 s, limit 10 s")
    assert "8 at once" not in said


def test_a_repetition_that_broke_does_not_undo_a_capacity(bracketed: Findings) -> None:
    at_capacity = next(step for step in bracketed.cells[0].steps if step.concurrency == 4)
    slo = {**at_capacity.slo}
    slo["launch_s_p95"] = replace(slo["launch_s_p95"], ok=False, observed=11.0)
    again = replace(at_capacity, repetition=2, verdict="fail", broken=("launch_s_p95",), slo=slo)
    root = parsed(with_steps(bracketed, [*bracketed.cells[0].steps, again]))
    case = case_of(root, "io", "launch_s_p95")
    assert kind_of(case) == "passed"
    assert "repetition 2 (fail): broke: 11 s" in (case.findtext("system-out") or "")


def test_a_server_that_holds_nothing_fails_with_what_it_broke(everything: Findings) -> None:
    root = parsed(everything)
    found = kinds(root, "memory")
    assert found["capacity"] == found["no_oom"] == "failure"
    assert found["memory_headroom"] == "passed"
    failure = case_of(root, "memory", "no_oom").find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("at 1 run: no_oom 1, limit 0")


def test_an_invalid_cell_is_an_error_with_its_doubts(everything: Findings) -> None:
    root = parsed(everything)
    error = case_of(root, "late", "capacity").find("error")
    assert error is not None
    assert "generator_late" in (error.text or "")


def test_what_cannot_be_decided_is_skipped_and_says_why(everything: Findings) -> None:
    skipped = case_of(parsed(everything), "open", "memory_headroom").find("skipped")
    assert skipped is not None
    assert "limits are not enforced here" in skipped.get("message", "")


def test_a_capacity_that_is_not_sure_is_skipped(bracketed: Findings) -> None:
    cell = bracketed.cells[0]
    unsure = replace(cell, capacity=replace(cell.capacity, confirmed=False))
    root = parsed(replace(bracketed, cells=(unsure,)))
    assert kinds(root, "io")["capacity"] == "skipped"
    assert case_of(root, "io", "capacity").find("system-out") is not None


def test_a_cell_without_steps_is_an_error_in_every_case(everything: Findings) -> None:
    found = kinds(parsed(everything), "nothing")
    assert set(found.values()) == {"error"}
    assert "launch_s_p95" in found


def test_a_cell_that_was_planned_and_never_measured_is_an_error(bracketed: Findings) -> None:
    root = parsed(bracketed, planned=("io", "cpu"))
    assert kinds(root, "cpu") == {"capacity": "error"}


def test_a_campaign_without_cells_is_an_error(bracketed: Findings) -> None:
    empty = replace(bracketed, cells=(), validity=())
    assert kinds(parsed(empty), "campaign") == {"capacity": "error"}
    assert ET.fromstring(render_junit(empty)).get("errors") == "1"


@pytest.mark.parametrize("cell", ["io", "cpu", "memory", "late", "open", "nothing"])
def test_there_are_failures_exactly_where_the_exit_code_says_breach(
    cell: str, everything: Findings
) -> None:
    findings = only(everything, cell)
    root, code = parsed(findings), exit_code(findings)
    assert (root.get("failures") != "0") == (code == ExitCode.BREACH)
    if code == ExitCode.PASS:
        assert (root.get("errors"), root.get("skipped")) == ("0", "0")
    if code == ExitCode.INCONCLUSIVE:
        assert (root.get("errors"), root.get("skipped")) != ("0", "0")


def test_a_breach_that_was_not_the_servers_is_an_error(everything: Findings) -> None:
    findings = only(everything, "memory")
    cell = findings.cells[0]
    void = replace(cell.capacity, status="invalid", concurrency=None, low=None,
                   evidence=("the server was not what gave out",))  # fmt: skip
    root = parsed(replace(findings, cells=(replace(cell, capacity=void),)))
    assert root.get("failures") == "0"
    error = case_of(root, "memory", "no_oom").find("error")
    assert error is not None
    assert "was not what gave out" in error.get("message", "")


def test_every_suite_says_what_was_measured_on(bracketed: Findings) -> None:
    root = parsed(bracketed)
    properties = {each.get("name"): each.get("value") for each in root[0].iter("property")}
    assert properties["host"] == "2 CPUs"
    assert properties["method"] == "2"
    assert properties["command"] == "harness run --set 'slos.launch_s_p95=20 s'"
    assert root[0].get("timestamp") == "2026-01-01T00:00:00"


def test_times_are_those_of_the_judged_parts(bracketed: Findings) -> None:
    root, steps = parsed(bracketed), bracketed.cells[0].steps
    held = {step.concurrency: step.hold_s or 0 for step in steps}
    assert case_of(root, "io", "no_oom").get("time") == f"{held[4]:.3f}"
    assert root[0].get("time") == f"{sum(held.values()):.3f}"


def test_whatever_a_fact_holds_the_document_is_well_formed(everything: Findings) -> None:
    nasty = hostile(everything)
    root = parsed(nasty, title=nasty.cells[0].workload, folder="\x07")
    assert list(problems(root)) == []
    assert "<b>bold</b>" in "".join(root.itertext())
    render_junit(nasty).encode()


def test_a_cell_that_broke_off_proves_nothing_by_what_held_so_far(everything: Findings) -> None:
    passed = only(everything, "cpu")
    records = (CellRecord(cell="cpu", ended="failed: the database is gone", sealed=True),)
    root = parsed(passed, records=records)
    skipped = case_of(root, "cpu", "capacity").find("skipped")
    assert skipped is not None
    assert "failed: the database is gone" in skipped.get("message", "")
    missing = root.find("testsuite/properties/property[@name='missing']")
    assert missing is not None
    assert missing.get("value") == "cpu: failed: the database is gone"
