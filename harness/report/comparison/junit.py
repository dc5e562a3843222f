"""A comparison as JUnit XML: failures mean what the exit code means.

A contender's kind of cell is a suite; its capacity and each of its metrics are test cases, named
without the contender, so that one case can be followed over time.

    worse, and it counts for the verdict       failure
    worse, and it does not                     skipped, because nothing fails for it
    cannot tell                                skipped, with the reason
    better, same                               passed

A comparison that was forced has a skipped case `comparable` that lists what forbids it, and says
so in the name of the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from harness.analysis.comparison.chosen import NOT_ASKED
from harness.analysis.comparison.types import (
    CapacityComparison,
    Comparison,
    ComparisonDocument,
    GroupComparison,
    MetricComparison,
)
from harness.report.comparison.headline import answer, pair_phrase
from harness.report.comparison.reasons import difference_phrase
from harness.report.comparison.words import (
    FORCED,
    VERDICT_WORDS,
    capacity_change,
    capacity_words,
    effect_phrase,
    group_name,
    metric_name,
    middle,
    noise_phrase,
    side_name,
    value,
    verdict_phrase,
)
from harness.report.junit import Case, clean, document_of, suite_of


def render_comparison_junit(document: ComparisonDocument) -> str:
    """The document, with its XML declaration, ending in a newline."""
    suites = [suite for each in document.comparisons for suite in _suites(each)]
    forced = "FORCED " if any(each.forced for each in document.comparisons) else ""
    title = f"{forced}comparison with {side_name(document.baseline)}"
    return document_of(title, suites, package="comparison", timestamp=None)


def _suites(comparison: Comparison) -> Iterator[ET.Element]:
    name = side_name(comparison.contender)
    told = f"{pair_phrase(comparison)}: {answer(comparison)}"
    properties = {
        "baseline": side_name(comparison.baseline),
        "contender": side_name(comparison.contender),
        "verdict": VERDICT_WORDS[comparison.verdict],
        "forced": "yes" if comparison.forced else "no",
    }
    if comparison.forced or not comparison.groups:
        yield _with(suite_of(f"{name}: comparable", [_comparable(comparison)], told), properties)
    for group in comparison.groups:
        suite = f"{name}: {group_name(group)}"
        yield _with(suite_of(suite, list(_cases(group)), told), properties)


def _with(suite: ET.Element, facts: dict[str, str]) -> ET.Element:
    properties = ET.Element("properties")
    for name, text in facts.items():
        ET.SubElement(properties, "property", {"name": name, "value": clean(text)})
    suite.insert(0, properties)
    return suite


def _comparable(comparison: Comparison) -> Case:
    if not comparison.forced:
        why = "the two sides have no kind of cell in common"
        told = "\n".join(comparison.unmatched)
        return Case(name="comparable", kind="skipped", message=f"cannot tell: {why}", body=told)
    told = "; ".join(map(difference_phrase, comparison.differences))
    return Case(name="comparable", kind="skipped", message=f"{FORCED}: {told}")


def _cases(group: GroupComparison) -> Iterator[Case]:
    capacity = group.capacity
    if capacity.why != NOT_ASKED:
        change = f"{capacity_change(capacity)} ({capacity_words(capacity)})"
        yield _case("capacity", capacity, change, counts=True)
    for entry in group.metrics:
        change = (
            f"{middle(entry.contender)} {entry.metric.unit} instead of "
            f"{middle(entry.baseline)}: {effect_phrase(entry.effect)}, noise floor "
            f"{noise_phrase(entry.noise)}"
        )
        name = metric_name(entry.metric, entry.at)
        yield _case(name, entry, change, counts=entry.metric.gates)


def _case(
    name: str, found: MetricComparison | CapacityComparison, change: str, *, counts: bool
) -> Case:
    words = VERDICT_WORDS[found.verdict]
    if isinstance(found, MetricComparison):
        words = verdict_phrase(found)
    why = f": {found.why}" if found.why else ""
    message = f"{words}: {change}{why}"
    body = "\n".join([message, *_values(found)])
    if found.verdict == "worse" and counts:
        return Case(name=name, kind="failure", message=message, body=body)
    if found.verdict == "worse":
        message = f"does not count for the verdict: {message}"
        return Case(name=name, kind="skipped", message=message, body=body)
    if found.verdict == "cannot_tell":
        return Case(name=name, kind="skipped", message=message, body=body)
    return Case(name=name, body=body)


def _values(found: MetricComparison | CapacityComparison) -> Iterator[str]:
    """Every cell's own value, for whoever reads the case alone."""
    if isinstance(found, CapacityComparison):
        return
    for who, figures in (("baseline", found.baseline), ("contender", found.contender)):
        for each in figures.values:
            why = f" ({each.why})" if each.why else ""
            yield f"{who}, round {each.round}: {value(each.value)}{why} ({each.cell})"
