"""A night as JUnit XML: a gating figure is a test case, and what broke the night off is one.

The names stay the same from night to night, because who follows a test case over time wants one.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from harness.report.junit import Case, clean, document_of, suite_of
from harness.report.nightly.phrases import (
    breach_name,
    breach_phrase,
    commands,
    figure_name,
    how_much,
    series_phrase,
    traits,
)
from harness.report.nightly.summary import Series, Summary
from harness.report.nightly.text import night_lines

SUITES = ("figures", "objectives", "night")


def night_junit(summary: Summary) -> str:
    """The document, with its XML declaration, ending in a newline.

    Failures are exactly what turned the night red, errors what made it grey; a figure that cannot
    tell is skipped.
    """
    cases = (
        [_series_case(each, summary) for each in summary.series],
        list(_breach_cases(summary)),
        [_night_case(summary)],
    )
    suites = []
    for name, own in zip(SUITES, cases, strict=True):
        if own:
            text = "\n".join(night_lines(summary)) if name == "night" else ""
            suite = suite_of(f"nightly.{summary.campaign}.{name}", own, text)
            suite.insert(0, _properties(summary))
            suites.append(suite)
    return document_of(
        f"nightly {summary.campaign}", suites, package=summary.campaign,
        timestamp=summary.started_utc,
    )  # fmt: skip


def _series_case(series: Series, summary: Summary) -> Case:
    alarm = series.alarm
    name = f"{figure_name(alarm)}, {alarm.key.kind}"
    body = f"{how_much(alarm)}: {alarm.why}"
    if alarm.red:
        message = series_phrase(series, summary)
        body = "\n".join(line for line in (message, alarm.why, series.bisect) if line)
        return Case(name=name, kind="failure", message=message, body=body)
    if alarm.verdict == "cannot_tell":
        return Case(name=name, kind="skipped", message=alarm.why, body=body)
    return Case(name=name, body=body)


def _breach_cases(summary: Summary) -> Iterator[Case]:
    for breach in summary.breaches:
        yield Case(
            name=f"{breach_name(breach)}, {breach.kind}",
            kind="failure" if breach.red else "skipped",
            message=breach_phrase(breach, summary),
        )


def _night_case(summary: Summary) -> Case:
    """Whether there was a night at all; a red one was."""
    body = "\n".join((traits(summary), *commands(summary)))
    if summary.status == "grey" or summary.trouble is not None:
        return Case(name="measured and judged", kind="error", message=summary.headline, body=body)
    return Case(name="measured and judged", body=body)


def _properties(summary: Summary) -> ET.Element:
    pairs = {
        "status": summary.status,
        "exit_code": summary.exit_code,
        "folder": summary.folder or "-",
        "dagster": ", ".join(summary.dagster),
        "baseline": summary.baseline or "-",
        "host": summary.host or "-",
        "measured_by": summary.harness or "-",
        "earlier_nights": summary.nights,
    }
    properties = ET.Element("properties")
    for name, value in pairs.items():
        ET.SubElement(properties, "property", {"name": name, "value": clean(value)})
    return properties
