"""Findings on a terminal, a pipe or a narrow window.

The order is the order of reading: what limits the trust, then doubts, then the answers, then the
steps behind them. A wide console gets tables, a narrow one stacked lines. Colour marks, it never
says anything alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.findings.document import CellFinding, Findings, IssueFinding, StepFinding
from harness.analysis.findings.rounds import OWN
from harness.report.phrases import (
    binding_phrase,
    blast_phrase,
    broken_phrase,
    capacity_phrase,
    cell_name,
    cell_title,
    count_of,
    knee_phrase,
    launch_cpu_phrase,
    memory_phrase,
    plain,
    predicted_phrase,
    rate_phrase,
    search_phrase,
    settings_phrase,
    worker_title,
)
from harness.report.step_phrases import (
    again_phrase,
    has_few,
    load_phrase,
    outcome_counts,
    step_figures,
    verdict_phrase,
)

WIDE = 116
MOST_DOUBTS = 24
"""Up to so many doubts are told one by one."""

STYLES = {
    "pass": "green",
    "fail": "red",
    "invalid": "magenta",
    "inconclusive": "yellow",
    "fatal": "red",
    "warning": "yellow",
}
LIMIT_MARK = "limits: unenforced - CPU and memory verdicts are inconclusive on this target"
DOUBT_MARK = "? tried and passed, but less sure than the campaign asked for"
FEW_MARK = "* too few values for this percentile: the largest seen, an estimate from above"


def render(
    findings: Findings, console: Console, *, steps: bool = True, reasons: bool = True
) -> None:
    """Print everything a person should know, doubts first.

    Args:
        findings: of one campaign; of one in rounds, pooled.
        console: its width chooses the layout; its file, whether there are colours.
        steps: also the steps behind every cell's answer.
        reasons: also why each cell's answer is what it is.
    """
    wide = console.width >= WIDE
    unenforced = [cell for cell in findings.cells if cell.steps and not cell.limits_enforced]
    if unenforced:
        print_line(console, LIMIT_MARK, style="yellow")
    _print_issues(console, findings)
    if not findings.cells:
        print_line(console, "No cell was measured.")
        return
    (_cells_table if wide else _cells_lines)(console, findings.cells)
    for cell in findings.cells if reasons else ():
        _print_reasons(console, cell)
        if steps and cell.steps:
            (_steps_table if wide else _steps_lines)(console, cell)
        else:
            console.print()
    if reasons:
        _print_defaults(console, findings.cells)
    for finding in findings.workers:
        print_line(console, worker_title(finding), style="bold")
        for text in finding.evidence:
            print_line(console, f"- {text}", indent=2)
    if any("?" in capacity_phrase(cell.capacity) for cell in findings.cells):
        print_line(console, DOUBT_MARK, style="dim")
    if steps and any(has_few(step) for cell in findings.cells for step in cell.steps):
        print_line(console, FEW_MARK, style="dim")


def render_gaps(gaps: Sequence[str], console: Console) -> None:
    """What of the campaign is missing, a sentence a cell; nothing where nothing is."""
    if gaps:
        print_line(console, "Not complete", style="yellow")
        for gap in gaps:
            print_line(console, gap, style="yellow", indent=2)
        console.print()


def print_line(console: Console, text: str, *, style: str = "", indent: int = 0) -> None:
    """One logical line: wrapped at words, continued under its beginning, no markup read."""
    for part in Text(text, style=style).wrap(console, max(20, console.width - indent - 2)):
        part.rstrip()
        console.print(Text(" " * indent).append_text(part), soft_wrap=True)


def _print_issues(console: Console, findings: Findings) -> None:
    if not findings.validity:
        return
    print_line(console, "Doubts about this measurement", style="bold")
    for issue, alike in _told_once(findings.validity):
        style = STYLES.get(issue.severity, "")
        said = f"{issue.severity}: {issue.code}: {issue.evidence}"
        print_line(console, said, style=style, indent=2)
        more = f", and {count_of(alike, 'more doubt')} of this kind" if alike else ""
        print_line(console, f"{_place(issue)}{more}. {issue.remedy}", indent=4)
    console.print()


def _told_once(issues: Sequence[IssueFinding]) -> Iterator[tuple[IssueFinding, int]]:
    """Each doubt, what voids first; of many those of one kind once, with how many more."""
    order = {"fatal": 0, "warning": 1}
    ordered = sorted(issues, key=lambda issue: order.get(issue.severity, 2))
    if len(ordered) <= MOST_DOUBTS:
        yield from ((issue, 0) for issue in ordered)
        return
    kinds: dict[tuple[str, str], list[IssueFinding]] = {}
    for issue in ordered:
        kinds.setdefault((issue.severity, issue.code), []).append(issue)
    yield from ((alike[0], len(alike) - 1) for alike in kinds.values())


def _place(issue: IssueFinding) -> str:
    voids = " (void)" if issue.severity == "fatal" else ""
    if issue.step is None:
        return f"{issue.cell}: all steps{voids}"
    return f"{issue.cell}: the step at {count_of(issue.concurrency, 'run')}{voids}"


def _cells_table(console: Console, cells: Sequence[CellFinding]) -> None:
    table = _table()
    for heading in (
        "cell",
        "capacity",
        "fails\nat",
        "broke",
        "binds",
        "runs/s",
        "MiB\na run",
        "launch\nCPU-s",
        "workers",
        "max\nruns",
    ):
        table.add_column(heading, overflow="fold")
    for cell in cells:
        capacity, settings = cell.capacity, cell.recommendation
        table.add_row(
            Text(cell_name(cell)),
            Text(_stacked(capacity_phrase(capacity), " ("), style=_capacity_style(cell)),
            plain(capacity.first_failing),
            Text(_stacked(broken_phrase(cell), " ")),
            binding_phrase(cell),
            rate_phrase(cell.throughput_runs_per_s),
            _stacked(memory_phrase(cell.memory), " ("),
            plain(cell.cpu.launch_cpu_s, ".2f"),
            plain(settings.max_workers),
            plain(settings.max_concurrent_runs),
        )
    console.print(table)


def _cells_lines(console: Console, cells: Iterable[CellFinding]) -> None:
    for cell in cells:
        print_line(console, cell_title(cell), style="bold")
        for name, value in (
            ("capacity", capacity_phrase(cell.capacity)),
            ("first failing", plain(cell.capacity.first_failing)),
            ("broke", broken_phrase(cell)),
            ("binds", binding_phrase(cell)),
            ("throughput", rate_phrase(cell.throughput_runs_per_s, unit=" runs/s")),
            ("memory a run", memory_phrase(cell.memory, unit=" MiB")),
            ("launch CPU", launch_cpu_phrase(cell.cpu)),
            ("settings", settings_phrase(cell.recommendation)),
        ):
            print_line(console, f"{name}: {value}", indent=2)
        console.print()


def _capacity_style(cell: CellFinding) -> str:
    return {"bracketed": "bold green", "above_max": "green", "below_min": "red"}.get(
        cell.capacity.status, "magenta"
    )


def _print_reasons(console: Console, cell: CellFinding) -> None:
    print_line(console, cell_title(cell), style="bold")
    for text in reasons_of(cell):
        print_line(console, f"- {text}", indent=2)
    for text in cell.recommendation.paste:
        print_line(console, text, style="bold", indent=4)


def _print_defaults(console: Console, cells: Iterable[CellFinding]) -> None:
    """What Dagster would do by itself; mostly the same for every cell, so said once."""
    sentences = list(dict.fromkeys(text for cell in cells for text in cell.defaults))
    if sentences:
        print_line(console, "What Dagster chooses where nothing is set", style="bold")
    for text in sentences:
        print_line(console, f"- {text}", indent=2)
    if sentences:
        console.print()


def reasons_of(cell: CellFinding) -> Iterator[str]:
    """Everything that stands behind a cell's line, in the order of asking."""
    binding, settings = cell.binding, cell.recommendation
    yield search_phrase(cell)
    yield from cell.capacity.evidence
    if binding is not None and binding.runner_up is not None:
        yield f"next in line: {binding.runner_up} ({binding.strength})"
    yield from (blast_phrase(blast) for blast in cell.blasts)
    if cell.knee.reason != OWN:
        known = (knee_phrase(cell), *([predicted_phrase(cell)] if cell.predicted else []))
        yield "; ".join(known)
    yield from settings.why
    if settings.headroom is not None:
        yield settings.headroom.text


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))


def _stacked(text: str, mark: str) -> str:
    """Two lines instead of one, broken at the first mark: for narrow columns."""
    return text.replace(mark, "\n" + mark.strip(), 1)


def _steps_table(console: Console, cell: CellFinding) -> None:
    table = _table()
    for heading in (
        "runs",
        "ok/bad\n/lost",
        "runs/s",
        "response\np95",
        "launch\np95",
        "slow-\ndown",
        "memory",
        "CPU\ncores",
        "throt-\ntled",
        "pool\nqueue",
        "probe\np99",
    ):
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column("verdict", overflow="fold")
    for step in cell.steps:
        style = STYLES.get(step.verdict, "")
        table.add_row(*_step_values(step), Text(verdict_phrase(step), style=style))
    console.print(table)


def _step_values(step: StepFinding) -> tuple[str, ...]:
    counts = "/".join(map(str, outcome_counts(step)))
    return (load_phrase(step), counts, *step_figures(step))


def _steps_lines(console: Console, cell: CellFinding) -> None:
    names = (
        "ok/bad/lost",
        "runs/s",
        "response p95",
        "launch p95",
        "slowdown",
        "memory",
        "CPU cores",
        "throttled",
        "pool queue max",
        "probe p99",
    )
    for step in cell.steps:
        style = STYLES.get(step.verdict, "")
        print_line(
            console,
            f"{count_of(step.concurrency, 'run')}{again_phrase(step)}: {verdict_phrase(step)}",
            style=style,
            indent=2,
        )
        pairs = zip(names, _step_values(step)[1:], strict=True)
        print_line(console, ", ".join(f"{name} {value}" for name, value in pairs), indent=4)
    console.print()
