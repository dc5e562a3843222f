"""Telling how a night went: the summary in all its forms, the chat, and the reports beside it.

Files are replaced as a whole, and what is in the results folder comes before what points to it, so
that a reader finds the night before or this one, never half of either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import join

from harness.errors import ExitCode, HarnessError, Interrupted
from harness.facts.durable import write_text
from harness.report.nightly.junit import night_junit
from harness.report.nightly.markdown import night_markdown
from harness.report.nightly.phrases import headline
from harness.report.nightly.summary import (
    Commands,
    Status,
    Summary,
    Trouble,
    nightly_document,
    nightly_json,
)
from harness.report.nightly.text import chat_text
from harness.report.standing import harness_phrase, host_phrase
from harness.rig.session import resume_command
from harness.scenarios.nightly import joints
from harness.scenarios.nightly.book import Book
from harness.scenarios.nightly.judging import Judged
from harness.scenarios.nightly.preparing import prune
from harness.scenarios.nightly.webhook import Webhook

FORMS = (("xml", night_junit), ("md", night_markdown), ("json", nightly_json))
"""In the order they are written: the last, which programs read, knows what failed before it."""

STATUSES: Mapping[ExitCode, Status] = {ExitCode.PASS: "green", ExitCode.BREACH: "red"}


def exit_code_of(trouble: HarnessError | None, judged: Judged) -> ExitCode:
    """What the process should tell its caller.

    What is worse for sure stays so, whatever broke the night off later; what was interrupted was
    not held against anything.
    """
    if isinstance(trouble, Interrupted):
        return ExitCode.INTERRUPTED
    if judged.red:
        return ExitCode.BREACH
    if trouble is not None:
        return trouble.exit_code
    certain = judged.whole and judged.valid and not judged.gaps
    return ExitCode.PASS if certain else ExitCode.INCONCLUSIVE


def status_of(code: ExitCode) -> Status:
    """The colour of an exit code."""
    return STATUSES.get(code, "grey")


def summary_of(book: Book, judged: Judged) -> Summary:
    """The night in one document, as far as it came."""
    code = exit_code_of(book.trouble, judged)
    ended_s = joints.now_s()
    plan = book.plan
    baseline = plan.baseline_version or ""
    environment = judged.findings.environment if judged.findings is not None else None
    summary = Summary(
        status=status_of(code),
        headline="",
        exit_code=int(code),
        campaign=plan.name,
        folder=book.folder.name if book.folder is not None else None,
        started_utc=_utc(book.started_s),
        ended_utc=_utc(ended_s),
        lasted_s=round(ended_s - book.started_s, 1),
        budget_s=book.order.budget_s,
        dagster=tuple(dict.fromkeys([*([baseline] if baseline else []), *plan.dagster])),
        baseline=baseline,
        host=host_phrase(environment) if environment is not None else "",
        harness=harness_phrase(environment) if environment is not None else "",
        trouble=_trouble(book.trouble),
        nights=judged.nights,
        resumed=book.resumed,
        series=judged.series,
        breaches=judged.breaches,
        changed=judged.changed,
        comparisons=tuple(judged.comparisons),
        shortened=tuple(book.shortened),
        retried=tuple(book.retried),
        unknown=tuple(book.unknown),
        remarks=tuple(book.remarks),
        failures=tuple(book.failures),
        left=tuple(book.left),
        pruned=tuple(book.pruned),
        commands=_commands(book),
    )
    with book.attempt("The headline could not be found"):
        return replace(summary, headline=headline(summary))
    return replace(summary, headline=f"{summary.status.upper()}: exit code {int(code)}")


def finish(book: Book, judged: Judged) -> None:
    """Reports, index and trends, and retention; each can be done without."""
    root, folder = book.order.root, book.folder
    if folder is not None and judged.findings is not None:
        with book.attempt("The reports could not be written"):
            joints.write_reports(folder, judged.findings)
        with book.attempt("The page of trends could not be written"):
            joints.write_trends(root)
    with book.attempt("Old raw facts could not be removed"):
        removed = prune(book.order, now_s=joints.now_s(), tonight=folder)
        book.pruned += [path.name for path in removed]


def tell(book: Book, judged: Judged) -> tuple[Summary, bool]:
    """Write the summary and tell the chat; the summary, and whether it is on disk."""
    summary = summary_of(book, judged)
    written = write_summary(book, summary)
    if book.order.webhook is not None and not _chat_knows(book, book.order.webhook, summary):
        summary = replace(summary, remarks=tuple(book.remarks))
        written = write_summary(book, summary)
    return replace(summary, failures=tuple(book.failures)), written


def _chat_knows(book: Book, webhook: Webhook, summary: Summary) -> bool:
    with book.attempt("The webhook could not be told"):
        problem = joints.post(webhook, payload_of(summary))
        if problem:
            book.remark(f"The webhook could not be told: {problem}.")
        return not problem
    return False


def payload_of(summary: Summary) -> dict[str, object]:
    """What a webhook is sent; `text` is what a chat shows."""
    return {
        "text": chat_text(summary),
        "status": summary.status,
        "campaign": summary.campaign,
        "folder": summary.folder,
        "summary": nightly_document(summary),
    }


def write_summary(book: Book, summary: Summary) -> bool:
    """Into the results folder, then beside it under a lasting name; whether the JSON is there."""
    written = [
        _write(book, path, summary, render)
        for form, render in FORMS
        for path in _places(book, form)
    ]
    return all(written[-len(_places(book, FORMS[-1][0])) :])


def _write(book: Book, path: Path, summary: Summary, render: Callable[[Summary], str]) -> bool:
    with book.attempt(f"{path.name} could not be written"):
        write_text(path, render(replace(summary, failures=tuple(book.failures))))
        return True
    return False


def _places(book: Book, form: str) -> list[Path]:
    inside = [book.folder / f"nightly.{form}"] if book.folder is not None else []
    return [*inside, summary_path(book.order.root, book.plan.name, form)]


def summary_path(root: Path, campaign: str, form: str = "json") -> Path:
    """Where the summary of the newest night of a campaign is."""
    return root / f"nightly-{campaign}.{form}"


def _utc(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")


def _trouble(error: HarnessError | None) -> Trouble | None:
    if error is None:
        return None
    return Trouble(what=error.what, evidence=error.evidence, hint=error.hint)


def _commands(book: Book) -> Commands:
    folder, root = book.folder, str(book.order.root)
    if folder is None:
        return Commands()
    resume = resume_command(folder) if book.trouble is not None else ""
    return Commands(
        report=join(["harness", "report", str(folder)]),
        reproduce=join(["harness", "run", str(folder / "campaign.yaml"), "--results", root]),
        resume=resume,
    )
