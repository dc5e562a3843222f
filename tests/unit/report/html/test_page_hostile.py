"""Whatever facts say, they stay text: names, errors and log tails may contain anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from page_tree import Element, Material, Render, Text

from harness.report.context import CellRecord, FactLink

pytestmark = pytest.mark.unit

HOSTILE = (
    "</script></pre><script>alert(1)</script><img src=x onerror=alert(1)>\"'>{{ 7*7 }}%\n&amp;"
)
STEERING = frozenset({
    "status", "verdict", "kind", "severity", "strength", "load_model", "label", "cell", "id",
    "outcome", "started_utc", "confidence", "path", "broken", "broken_slo", "warmup", "memory",
})  # fmt: skip
"""Values that choose what is shown; they come from us, never from a fact. (`memory`: a group.)"""


def spoiled(value: Any, text: str, *, name: str = "") -> Any:
    """The same with `text` behind every string that could come from outside."""
    if isinstance(value, str):
        return value if name in STEERING else value + text
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            f.name: spoiled(getattr(value, f.name), text, name=f.name) for f in fields(value)
        }
        return replace(value, **changed)
    if isinstance(value, Mapping):
        return {key: spoiled(each, text, name=str(key)) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(spoiled(each, text, name=name) for each in value)
    return value


def with_everything(made: Material) -> Material:
    """Parts of a page that the baseline has no reason to show."""
    cell = made.ids[0]
    row = {"cell": cell, "passed": None, "sentence": "not shown", "evidence": ["e"], "results": "r"}
    record = CellRecord(
        cell=cell, ended="failed: it broke", sealed=False, notes=(("image", "name"),),
        links=(FactLink(path="cells/a", what="its facts"),),
    )  # fmt: skip
    context = replace(
        made.context, verify=(row,), guard=(row,), records=(record,), planned=(*made.ids, "more")
    )
    issues = [
        replace(issue, severity=severity)
        for issue in made.findings.validity
        for severity in ("fatal", "warning")
    ]
    findings = replace(made.findings, validity=tuple(issues))
    return replace(made, findings=findings, context=context)


def spoiled_page(made: Material, text: str) -> Material:
    full = with_everything(made)
    return Material(
        findings=spoiled(full.findings, text),
        pictures=spoiled(tuple(full.pictures), text),
        context=spoiled(full.context, text),
    )


def shape(element: Element) -> list[tuple[str, tuple[str, ...]]]:
    """Every element with the names of its attributes, in order."""
    return [(each.tag, tuple(each.attributes)) for each in element.all()]


def test_no_fact_becomes_an_element_or_an_attribute(quick: Material, tree_of: Render) -> None:
    harmless, hostile = (tree_of(spoiled_page(quick, text)) for text in ("x", HOSTILE))
    assert shape(hostile) == shape(harmless)
    assert "onerror=alert(1)" in hostile.text


def test_a_hostile_fact_is_shown_as_it_is(quick: Material, tree_of: Render) -> None:
    issue = replace(quick.findings.validity[0], severity="fatal", evidence=HOSTILE, cell=HOSTILE)
    findings = replace(quick.findings, validity=(issue,))
    shown = tree_of(replace(quick, findings=findings)).one(id="doubts").text
    assert "<script>alert(1)</script><img src=x onerror=alert(1)>" in shown
    assert "{{ 7*7 }}" in shown


def test_a_hostile_path_stays_a_path_of_the_folder(quick: Material, tree_of: Render) -> None:
    paths = ["javascript:alert(1)", "//elsewhere.example/x", "a b/ü%.txt", 'x" onclick="y']
    context = replace(
        quick.context, links=tuple(FactLink(path=path, what="a file") for path in paths)
    )
    links = tree_of(replace(quick, context=context)).one("ul", class_="links").all("a")
    assert [a.attributes["href"] for a in links] == [
        "javascript%3Aalert%281%29", "./elsewhere.example/x", "a%20b/%C3%BC%25.txt",
        "x%22%20onclick%3D%22y",
    ]  # fmt: skip
    assert [set(a.attributes) for a in links] == [{"href"}] * len(paths)


def test_a_command_is_quoted_for_the_shell(quick: Material, tree_of: Render) -> None:
    context = replace(quick.context, command=("harness", "run", "--set", "a b=$(rm)", "<x>"))
    shown = tree_of(replace(quick, context=context)).one("pre", id="command").text
    assert shown == "harness run --set 'a b=$(rm)' '<x>'"


def test_only_our_own_scripts_are_in_the_page(quick: Material, text_of: Text) -> None:
    assert text_of(spoiled_page(quick, HOSTILE)).count("<script") == 2
