"""The question a new Dagster version raises: did it make it better or worse?

What to run: the `compare` preset, or any campaign with several versions in rounds. How to judge:
`harness.analysis.comparison` over findings, of one results folder or of two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from harness import __version__
from harness.analysis.comparison.compare import Source, compare_all, sources_in
from harness.analysis.comparison.sources import planned_baseline, unmeasured
from harness.analysis.comparison.types import ComparisonDocument, Rules
from harness.analysis.findings.document import METHOD, Findings
from harness.errors import CampaignError, ExitCode, HarnessError, StoredDataError
from harness.facts.durable import make_folder, write_text
from harness.facts.layout import ResultsFolder
from harness.report.comparison.files import ComparisonFiles
from harness.report.comparison.html.page import render_comparison_page
from harness.report.comparison.json_document import comparison_json
from harness.report.comparison.junit import render_comparison_junit
from harness.report.comparison.markdown import render_comparison_markdown
from harness.report.comparison.reasons import difference_phrase
from harness.report.comparison.words import side_name
from harness.report.json_document import findings_from
from harness.scenarios.threshold import judge

DEFAULT = Rules()


def compare_folders(
    a: Path,
    b: Path | None = None,
    *,
    rules: Rules = DEFAULT,
    baseline: str | None = None,
    contender: str | None = None,
    force: bool = False,
) -> ComparisonDocument:
    """Compare the versions of one results folder, or two folders with each other.

    Args:
        a: a results folder; with `b`, the baseline's.
        b: the contender's, `None` compares the versions within `a`.
        rules: how to decide.
        baseline, contender: Dagster versions, as their campaigns name them. Within one folder
            `None` means the campaign's baseline, and all others. Of two folders they need not be
            said where each has one version, or both have the same: then each is compared with
            itself.
        force: compare also what must not be compared; the document then says so.

    Raises:
        CampaignError: they must not be compared, or what to compare is not clear.
        StoredDataError: a folder cannot be read.
    """
    pairs = (
        _within(a, baseline, contender)
        if b is None
        else _across(a, b, baseline=baseline, contender=contender)
    )
    documents = [compare_all(one, others, rules=rules) for one, others in pairs]
    whole = replace(
        documents[0],
        comparisons=tuple(each for document in documents for each in document.comparisons),
    )
    if not force:
        _refuse(whole)
    return whole


def exit_code_of(document: ComparisonDocument) -> ExitCode:
    """What a program is told: `BREACH` where a contender is worse, `INCONCLUSIVE` where of one
    nobody can tell, else `PASS`. What was forced decides nothing: it must not be compared.
    """
    if any(comparison.forced for comparison in document.comparisons):
        return ExitCode.INCONCLUSIVE
    verdicts = {comparison.verdict for comparison in document.comparisons}
    if "worse" in verdicts:
        return ExitCode.BREACH
    return ExitCode.INCONCLUSIVE if "cannot_tell" in verdicts or not verdicts else ExitCode.PASS


def keep_comparison(document: ComparisonDocument, folder: Path) -> ComparisonFiles:
    """Write a comparison in every format; made anew at any time.

    Args:
        document: the comparison.
        folder: a results folder, or any other; made where it is not there.

    Raises:
        EnvironmentProblem: no room, or no right to write there.
    """
    files = ComparisonFiles(folder)
    make_folder(folder)
    write_text(files.json, comparison_json(document))
    write_text(files.markdown, render_comparison_markdown(document))
    write_text(files.junit, render_comparison_junit(document))
    write_text(files.html, html_text(document))
    return files


def own_comparison(folder: Path) -> bool:
    """Whether a results folder has versions to compare within itself."""
    return len(_sources(folder)) > 1


def html_text(document: ComparisonDocument) -> str:
    """The page."""
    return render_comparison_page(document, version=__version__)


TEXTS = {
    "markdown": render_comparison_markdown,
    "html": html_text,
    "json": comparison_json,
    "junit": render_comparison_junit,
}
"""What a comparison can be told in, by the name of the format."""


def findings_in(path: Path) -> Findings:
    """The findings of a results folder: stored ones, or made where they are missing.

    Those that an older method made are made anew in memory, if the facts are still there.

    Raises:
        StoredDataError: the folder cannot be read.
    """
    stored = _stored(path)
    if stored is None:
        return judge(path)
    if stored.method != METHOD:
        with suppress(HarnessError):  # facts that are gone: what was found then is what there is
            return judge(path, write=False)
    return stored


def _stored(path: Path) -> Findings | None:
    file = ResultsFolder(path).findings_json
    try:
        return findings_from(json.loads(file.read_bytes()))
    except (OSError, ValueError, StoredDataError):
        return None


Pairs = list[tuple[Source, tuple[Source, ...]]]


def _within(folder: Path, baseline: str | None, contender: str | None) -> Pairs:
    findings = findings_in(folder)
    sources = sources_in(folder.resolve().name, findings)
    if len(sources) < 2:
        only = side_name(sources[0].side) if sources else "no version"
        raise CampaignError(
            f"{folder.resolve().name} has nothing to compare: it measured {only} alone.",
            hint="Name a second results folder, or measure several versions: "
            "harness run --dagster 1.12.22 --dagster 1.13.28",
        )
    first = _named(sources, baseline or planned_baseline(findings), folder)
    others = tuple(source for source in sources if source is not first)
    others += unmeasured(folder.resolve().name, findings)
    if contender:
        others = (_named(others, contender, folder),)
    return [(first, others)]


def _across(a: Path, b: Path, *, baseline: str | None, contender: str | None) -> Pairs:
    if a.resolve() == b.resolve():
        raise CampaignError(
            f"Both sides are the same folder, {a.name}.",
            hint=f"Name another one, or compare the versions within it: harness compare {a}",
        )
    before, now = _sources(a), _sources(b)
    for folder, sources in ((a, before), (b, now)):
        if not sources:
            raise CampaignError(f"{folder.name} has no cell to compare.")
    if not baseline and not contender and _versions(before) == _versions(now) and len(before) > 1:
        return [_told_apart(one, _named(now, one.dagster, b), a, b) for one in before]
    return [_told_apart(_picked(before, baseline, a, "--baseline"),
                        _picked(now, contender, b, "--contender"), a, b)]  # fmt: skip


def _versions(sources: Sequence[Source]) -> set[str]:
    return {source.dagster for source in sources}


def _picked(sources: Sequence[Source], name: str | None, folder: Path, option: str) -> Source:
    """The version a user means; where there is one, that one."""
    if name:
        return _named(sources, name, folder)
    if len(sources) == 1:
        return sources[0]
    raise CampaignError(
        f"{folder.name} measured several Dagster versions: which one?",
        evidence=f"It has {', '.join(source.dagster for source in sources)}.",
        hint=f"Say so: {option} {sources[0].dagster}",
    )


def _named(sources: Sequence[Source], name: str, folder: Path) -> Source:
    for source in sources:
        if source.dagster == name:
            return source
    raise CampaignError(
        f"Dagster {name} has no cell in {folder.resolve().name}.",
        evidence=f"There are {', '.join(source.dagster for source in sources)}.",
        hint="Choose one of them as the baseline: --baseline VERSION",
    )


def _told_apart(
    baseline: Source, contender: Source, a: Path, b: Path
) -> tuple[Source, tuple[Source, ...]]:
    """Sides of one version are called by their folders, or by their places if those are alike."""
    if baseline.label != contender.label:
        return baseline, (contender,)
    names = (a.name, b.name) if a.name != b.name else (a.as_posix(), b.as_posix())
    return replace(baseline, label=names[0]), (replace(contender, label=names[1]),)


def _sources(folder: Path) -> tuple[Source, ...]:
    return sources_in(folder.resolve().name, findings_in(folder))


def _refuse(document: ComparisonDocument) -> None:
    """What must not be compared is not."""
    differences = dict.fromkeys(
        each for comparison in document.comparisons for each in comparison.differences
    )
    if differences:
        raise CampaignError(
            "These results must not be compared: they were not measured alike.",
            evidence="\n".join(map(difference_phrase, differences)),
            hint="Measure both on one machine, in one campaign: harness run --dagster A "
            "--dagster B. Or insist: --force marks the output.",
        )
