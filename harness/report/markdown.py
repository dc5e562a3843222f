"""Findings for a pull request or a chat: the answer in the first lines, the rest folded.

GitHub-flavoured, below what a comment may hold, and readable where nobody renders it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.findings.types import CellFinding, Findings, StepFinding
from harness.errors import ExitCode
from harness.report.context import PageContext
from harness.report.markdown_doubts import doubts
from harness.report.markup import bullets, code, code_block, escaped, folded, inline, table
from harness.report.phrases import (
    broken_phrase,
    capacity_phrase,
    launch_cpu_phrase,
    memory_phrase,
    plain,
    rate_phrase,
    settings_phrase,
    worker_title,
)
from harness.report.standing import (
    VERDICTS,
    command_line,
    gaps_of,
    harness_phrase,
    host_phrase,
    own_traits,
    shared_traits,
)
from harness.report.step_phrases import (
    has_few,
    load_phrase,
    outcome_counts,
    step_figures,
    verdict_phrase,
)
from harness.report.terminal import DOUBT_MARK, FEW_MARK, LIMIT_MARK, reasons_of
from harness.report.verdict import verdict_sentences

MOST_BYTES = 60_000
"""A comment on GitHub holds 65,536 characters."""

MOST_CELLS = 60
OPEN_SETTINGS = 3
"""Up to so many cells the lines to paste stand open, of more they are folded."""

STEP_HEADINGS = (
    "runs", "ok / bad / lost", "runs/s", "response p95", "launch p95", "slowdown", "memory",
    "CPU cores", "throttled", "pool queue", "probe p99", "verdict",
)  # fmt: skip


def render_markdown(findings: Findings, context: PageContext, *, verdict: ExitCode) -> str:
    """The whole report, ending in a newline, below 60 KB.

    Args:
        findings: of one campaign.
        context: whose record it is, and how far it got.
        verdict: what the exit code of the command says.
    """
    cells, shared = findings.cells, shared_traits(findings.cells)
    names = {cell.id: own_traits(cell, shared) for cell in cells}
    fatal = [issue for issue in findings.validity if issue.severity == "fatal"]
    others = [issue for issue in findings.validity if issue.severity != "fatal"]
    parts = [_head(context, verdict, shared), *_kept(context), *_missing(context)]
    parts += doubts("What voids parts of this measurement", fatal, names)
    parts += [_answer(findings, verdict), *_answers(cells, shared)]
    parts += doubts("Doubts about this measurement", others, names)
    parts += _settings(cells[:MOST_CELLS], shared)
    last = [_reproduce(findings, context), *_footnotes(cells)]
    return _within_bounds(parts, list(_details(findings, shared)), last)


def _kept(context: PageContext) -> Iterator[str]:
    """Answers of a soak or a validation, as a terminal shows them."""
    for kept in context.answers:
        yield f"### {kept.title}\n\n{code_block(kept.lines)}"


def _head(context: PageContext, verdict: ExitCode, shared: Mapping[str, str]) -> str:
    word, _ = VERDICTS[verdict]
    word += ", not complete" if gaps_of(context) else ""
    traits = list(shared.values())
    if context.started_utc:
        traits.append(f"{context.started_utc[:16].replace('T', ' ')} UTC")
    title = f"## Load test {escaped(context.title)}: {word}"
    return f"{title}\n\n{escaped(', '.join(traits))}" if traits else title


def _answer(findings: Findings, verdict: ExitCode) -> str:
    """In a sentence or two, and how far to trust it."""
    unenforced = any(cell.steps and not cell.limits_enforced for cell in findings.cells)
    trust = [*([f"{LIMIT_MARK}."] if unenforced else []), VERDICTS[verdict][1]]
    return f"**{escaped(' '.join(verdict_sentences(findings)))}** {escaped(' '.join(trust))}"


def _missing(context: PageContext) -> Iterator[str]:
    gaps = gaps_of(context)
    if gaps:
        shown = [escaped(gap) for gap in gaps[:MOST_CELLS]]
        more = len(gaps) - len(shown)
        rest = [f"and {more} more"] if more else []
        yield "**Not complete**\n\n" + bullets([*shown, *rest])


def _answers(cells: Sequence[CellFinding], shared: Mapping[str, str]) -> Iterator[str]:
    """The table, a row a cell."""
    headings = ("cell", "holds (runs at once)", "fails at", "what broke", "binds", "runs/s",
                "MiB a run (95 %)", "launch", "set")  # fmt: skip
    if cells:
        yield table(headings, (_answer_row(cell, shared) for cell in cells[:MOST_CELLS]))
    if cells[MOST_CELLS:]:
        yield f"{len(cells) - MOST_CELLS} more cells are in `findings.json`."


def _answer_row(cell: CellFinding, shared: Mapping[str, str]) -> tuple[str, ...]:
    return (
        inline(own_traits(cell, shared)),
        f"**{inline(capacity_phrase(cell.capacity))}**",
        plain(cell.capacity.first_failing),
        inline(broken_phrase(cell)),
        inline(binding_words(cell)),
        rate_phrase(cell.throughput_runs_per_s),
        memory_phrase(cell.memory),
        launch_cpu_phrase(cell.cpu),
        settings_phrase(cell.recommendation),
    )


def binding_words(cell: CellFinding) -> str:
    """The limit that gave first, and how clear that is where it is not."""
    binding = cell.binding
    if binding is None or binding.limit is None:
        return cell.capacity.binding or plain(None)
    return binding.limit + ("" if binding.strength == "clear" else f" ({binding.strength})")


def _settings(cells: Sequence[CellFinding], shared: Mapping[str, str]) -> Iterator[str]:
    blocks = []
    for cell in cells:
        title, advice = own_traits(cell, shared), cell.recommendation
        if advice.paste:
            blocks.append(f"For {inline(title)}:\n\n{code_block(advice.paste, 'yaml')}")
        else:
            blocks.append(f"For {inline(title)}: {inline(' '.join(advice.why))}")
    heading = (
        "Settings to paste" if any(cell.recommendation.paste for cell in cells) else "Settings"
    )
    if 0 < len(blocks) <= OPEN_SETTINGS:
        yield f"**{heading}**"
        yield from blocks
    elif blocks:
        yield folded(heading, "\n\n".join(blocks))


def _details(findings: Findings, shared: Mapping[str, str]) -> Iterator[str]:
    """What is folded, and left out first where the report would grow too long."""
    for finding in findings.workers:
        yield folded(worker_title(finding), bullets(map(escaped, finding.evidence)))
    for cell in findings.cells:
        yield _evidence(cell, own_traits(cell, shared))
    defaults = dict.fromkeys(text for cell in findings.cells for text in cell.defaults)
    if defaults:
        yield folded("What Dagster chooses where nothing is set", bullets(map(escaped, defaults)))


def _evidence(cell: CellFinding, title: str) -> str:
    body = bullets(escaped(text) for text in reasons_of(cell))
    if cell.steps:
        body += "\n\n" + table(STEP_HEADINGS, map(_step, cell.steps))
    count = len(cell.steps)
    return folded(f"{title}: evidence and {count} step{'' if count == 1 else 's'}", body)


def _step(step: StepFinding) -> tuple[str, ...]:
    counts = " / ".join(map(str, outcome_counts(step)))
    return (load_phrase(step), counts, *step_figures(step), inline(verdict_phrase(step)))


def _reproduce(findings: Findings, context: PageContext) -> str:
    command = command_line(context.command)
    again = code_block([command], "sh") if command else "The command was not recorded."
    return folded("How to reproduce it", "\n\n".join((
        again,
        f"Measured by {escaped(harness_phrase(findings.environment))} on "
        f"{escaped(host_phrase(findings.environment))}. Judged by method {findings.method}.",
        "The campaign as planned is `campaign.yaml` in the results folder; to judge the stored "
        f"facts again, without a server: {code(f'harness analyse {context.folder}')}",
    )))  # fmt: skip


def _footnotes(cells: Sequence[CellFinding]) -> Iterator[str]:
    """Of the marks that were used."""
    notes = []
    if any("?" in capacity_phrase(cell.capacity) for cell in cells):
        notes.append(DOUBT_MARK)
    if any(has_few(step) for cell in cells for step in cell.steps):
        notes.append(FEW_MARK)
    if notes:
        yield bullets(f"{code(note[0])} {inline(note[2:])}" for note in notes)


def _within_bounds(parts: list[str], details: Sequence[str], last: Sequence[str]) -> str:
    """Everything in order; of the details only what fits, and how many did not."""
    room = MOST_BYTES - sum(_size(part) for part in (*parts, *last)) - 200
    left_out = 0
    for detail in details:
        if _size(detail) <= room:
            room -= _size(detail)
            parts.append(detail)
        else:
            left_out += 1
    if left_out:
        parts.append(f"Left out here to stay short: {left_out} more sections. `report.html` and "
                     "`findings.json` have everything.")  # fmt: skip
    return "\n\n".join((*parts, *last)) + "\n"


def _size(part: str) -> int:
    return len(part.encode()) + 2
