"""Findings as JUnit XML, for whatever collects test results.

A cell is a test suite. Its test cases are the objectives, each judged at the concurrency that is
reported, and the capacity itself. A step that failed on the way up is how a threshold is found and
is no failure here: there are failures exactly where the exit code says that an SLO broke.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from xml.etree import ElementTree as ET

from harness.analysis.findings.types import (
    CellFinding,
    Findings,
    IssueFinding,
    SloFinding,
    StepFinding,
)
from harness.report.context import PageContext
from harness.report.phrases import (
    binding_phrase,
    broken_phrase,
    capacity_phrase,
    cell_title,
    count_of,
    search_phrase,
    slo_phrase,
    slo_value,
)
from harness.report.standing import (
    command_line,
    gaps_by_cell,
    gaps_by_kind,
    harness_phrase,
    host_phrase,
    kind_of,
)

Kind = Literal["passed", "failure", "error", "skipped"]

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, not even escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One `testcase`. `message` is one line, `body` all there is to say; `time_s`: of its steps."""

    name: str
    kind: Kind = "passed"
    message: str = ""
    body: str = ""
    time_s: float = 0.0


def render_junit(findings: Findings, context: PageContext | None = None) -> str:
    """The document, with its XML declaration, ending in a newline.

    Args:
        findings: of one campaign.
        context: whose record it is; without one, cells that were never measured are not missed.
    """
    name = context.title if context else str(findings.campaign.get("name", "campaign"))
    gaps = gaps_by_kind(context) if context else {}
    suites = [_cell_suite(cell, findings, gaps.get(cell.id, "")) for cell in findings.cells]
    suites += _missing(findings, context)
    _properties(suites, findings, context)
    started_utc = context.started_utc if context else None
    return document_of(name, suites, package=name, timestamp=started_utc)


def document_of(
    name: str, suites: Sequence[ET.Element], *, package: str, timestamp: str | None
) -> str:
    """Suites as a document with its XML declaration, ending in a newline.

    Args:
        name: of the document, beside ours.
        suites: as `suite_of` makes them, each with its `properties`; numbered in this order.
        package: of every suite.
        timestamp: ISO 8601 in UTC, `None` where nobody knows.
    """
    root = ET.Element("testsuites", {"name": clean(f"dagster-load-harness: {name}")})
    _count(root, suites)
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}")
    for number, suite in enumerate(suites):
        suite.set("id", str(number))
        suite.set("package", clean(package))
        if timestamp:
            # The schema in common use knows no time zone; all our times are UTC.
            suite.set("timestamp", clean(timestamp[:19]))
        root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def clean(text: object) -> str:
    """Without the characters that XML cannot hold."""
    return _FORBIDDEN.sub("\ufffd", str(text))


def _missing(findings: Findings, context: PageContext | None) -> list[ET.Element]:
    """Cells that were planned and have no findings; a campaign without any cell."""
    measured = {cell.id for cell in findings.cells}
    planned = dict.fromkeys(map(kind_of, context.planned)) if context else {}
    names = [cell for cell in planned if cell not in measured]
    if not findings.cells and not names:
        names = ["campaign"]
    case = Case(name="capacity", kind="error", message="Not measured: there are no facts of it.")
    return [suite_of(name, [case], "") for name in names]


def _cell_suite(cell: CellFinding, findings: Findings, gap: str) -> ET.Element:
    """`gap`: why the cell is not whole, empty where it is."""
    doubts = [issue for issue in findings.validity if issue.cell == cell.id]
    fatal = [issue for issue in doubts if issue.severity == "fatal"]
    names = list(dict.fromkeys(name for step in cell.steps for name in step.slo)) or [
        name for name, limit in (findings.campaign.get("slos") or {}).items() if limit is not None
    ]
    told = [_doubt(issue) for issue in fatal]
    cases = [_capacity_case(cell, told, gap), *(_slo_case(name, cell, fatal) for name in names)]
    said = [cell_title(cell), *(_doubt(issue) for issue in doubts)]
    suite = suite_of(cell.id, cases, "\n".join(said))
    suite.set("time", f"{_lasted_s(cell.steps):.3f}")  # steps serve several cases: not their sum
    return suite


def _judged_at(cell: CellFinding) -> list[StepFinding]:
    """The steps at the concurrency that is reported; where there is none, at the lowest tried."""
    capacity = cell.capacity
    answer = capacity.first_failing if capacity.status == "below_min" else capacity.concurrency
    if answer is None:
        answer = capacity.low
    tried = sorted({step.concurrency for step in cell.steps})
    wanted = answer if answer in tried else next(iter(tried), None)
    return [step for step in cell.steps if step.concurrency == wanted]


def _capacity_case(cell: CellFinding, fatal: Sequence[str], gap: str) -> Case:
    capacity = cell.capacity
    phrase = f"capacity {capacity_phrase(capacity)}"
    body = [phrase, f"broke: {broken_phrase(cell)}", f"binds: {binding_phrase(cell)}",
            search_phrase(cell), *capacity.evidence]  # fmt: skip
    case = Case(name="capacity", body="\n".join(body), time_s=_lasted_s(cell.steps))
    if capacity.status == "below_min":
        return replace(case, kind="failure", message=f"{phrase}: {broken_phrase(cell)}")
    if capacity.status == "invalid":
        why = next(each for each in (*fatal, gap, *capacity.evidence, "void") if each)
        return replace(case, kind="error", message=f"{phrase}: {why}",
                       body="\n".join([*body, *fatal]))  # fmt: skip
    doubt = gap or ("" if capacity.confirmed else "less sure than the campaign asked for")
    return replace(case, kind="skipped", message=f"{phrase}: {doubt}") if doubt else case


def _slo_case(name: str, cell: CellFinding, doubts: Sequence[IssueFinding]) -> Case:
    """One objective at one concurrency: it holds where a step held all of them.

    The name does not tell the concurrency: who follows a test case over time wants one name.
    """
    steps = _judged_at(cell)
    indexes = {None, *(step.index for step in steps)}
    fatal = [_doubt(issue) for issue in doubts if not steps or issue.step in indexes]
    if not steps:
        why = f": {cell.search.ended}" if cell.search.ended else "."
        return Case(name=name, kind="error", message=f"No step was measured{why}",
                    body="\n".join(fatal))  # fmt: skip
    seen = [(step, step.slo[name]) for step in steps if name in step.slo]
    body = "\n".join(_observed(name, step, slo) for step, slo in seen)
    case = Case(name=name, body=body, time_s=_lasted_s(steps))
    at = f"at {count_of(steps[0].concurrency, 'run')}: "
    counted = [slo for step, slo in seen if step.verdict != "invalid"]
    broke = [slo for slo in counted if slo.ok is False]
    if any(step.verdict == "pass" for step in steps):
        return case
    if not counted or (broke and cell.capacity.status == "invalid"):
        why = next(iter([*fatal, *cell.capacity.evidence[-1:]]), "no step there counts")
        return replace(case, kind="error", message=f"{at}void: {why}",
                       body="\n".join([body, *fatal]))  # fmt: skip
    if broke:
        message = at + slo_phrase(name, broke[0]) + _note(broke[0])
        return replace(case, kind="failure", message=message)
    undecided = next((slo for slo in counted if slo.ok is None), None)
    if undecided is not None:
        return replace(case, kind="skipped", message=f"{at}undecided{_note(undecided)}")
    return case


def _lasted_s(steps: Sequence[StepFinding]) -> float:
    """The judged parts of these steps together."""
    return sum(step.hold_s or 0.0 for step in steps)


def _observed(name: str, step: StepFinding, slo: SloFinding) -> str:
    word = {True: "holds", False: "broke", None: "undecided"}[slo.ok]
    return (
        f"{step.concurrency} at once, repetition {step.repetition} ({step.verdict}): {word}: "
        f"{slo_value(name, slo.observed)}, limit {slo_value(name, slo.limit)}{_note(slo)}"
    )


def _note(slo: SloFinding) -> str:
    return f" ({slo.note})" if slo.note else ""


def _doubt(issue: IssueFinding) -> str:
    place = "" if issue.concurrency is None else f" at {issue.concurrency}"
    return f"{issue.severity}: {issue.code}{place}: {issue.evidence}. {issue.remedy}"


def suite_of(name: str, cases: Sequence[Case], text: str) -> ET.Element:
    """A `testsuite` with its counts; `text` is what there is to say of it as a whole."""
    suite = ET.Element("testsuite", {"name": clean(name)})
    for case in cases:
        suite.append(_case(case, name))
    if text:
        ET.SubElement(suite, "system-out").text = clean(text)
    _count(suite, [suite])
    suite.set("time", "0.000")
    return suite


def _case(case: Case, suite: str) -> ET.Element:
    element = ET.Element(
        "testcase",
        {"name": clean(case.name), "classname": clean(suite), "time": f"{case.time_s:.3f}"},
    )
    if case.kind != "passed":
        message = clean(" ".join(case.message.split()))
        verdict = ET.SubElement(element, case.kind, {"message": message})
        if case.kind != "skipped":
            verdict.set("type", case.kind)
            verdict.text = clean(case.body)
    if case.body and case.kind in ("passed", "skipped"):
        ET.SubElement(element, "system-out").text = clean(case.body)
    return element


def _count(element: ET.Element, suites: Sequence[ET.Element]) -> None:
    """Write what the suites contain into an element's attributes."""
    cases = [case for suite in suites for case in suite.iter("testcase")]
    element.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(tag) is not None for case in cases)))


def _properties(
    suites: Sequence[ET.Element], findings: Findings, context: PageContext | None
) -> None:
    """What was measured on, for every suite: readers of one do not see the others."""
    pairs = list(_facts(findings, context))
    for suite in suites:
        properties = ET.Element("properties")
        for name, value in pairs:
            ET.SubElement(properties, "property", {"name": name, "value": clean(value)})
        suite.insert(0, properties)


def _facts(findings: Findings, context: PageContext | None) -> Iterator[tuple[str, str]]:
    yield "host", host_phrase(findings.environment)
    yield "measured_by", harness_phrase(findings.environment)
    yield "python", str(findings.environment.get("python", "-"))
    yield "schema", str(findings.schema)
    yield "method", str(findings.method)
    libraries = findings.environment.get("libraries")
    if isinstance(libraries, Mapping):
        yield from ((f"library.{name}", str(version)) for name, version in libraries.items())
    if context:
        yield "folder", context.folder
        yield "command", command_line(context.command)
        yield from (("missing", f"{cell}: {gap}") for cell, gap in gaps_by_cell(context).items())
