"""What people write after `harness size`, read; every problem is noted, none is raised here."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.analysis.sizing.demand import duration_of
from harness.analysis.sizing.types import Demand, Duration, Part

_DURATION = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)\s*h)?\s*(?:(?P<m>\d+(?:\.\d+)?)\s*m(?:in)?)?\s*"
    r"(?:(?P<s>\d+(?:\.\d+)?)\s*s)?"
)
_MILLISECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*ms")


@dataclass(slots=True)
class Problems:
    """Everything that is wrong with a command line, in order."""

    told: list[str] = field(default_factory=list)

    def add(self, option: str, said: str) -> None:
        """Note one; `option` as it was written."""
        self.told.append(f"{option}: {said}")


def seconds_of(text: str) -> float | None:
    """`45s`, `2m`, `1h30m`, `500ms`, `0.5` (seconds) as seconds; `None` of anything else."""
    text = text.strip().lower()
    if match := _MILLISECONDS.fullmatch(text):
        return float(match[1]) / 1000
    match = _DURATION.fullmatch(text)
    if text and match:
        return sum(float(match[unit] or 0) * size for unit, size in _UNITS.items())
    return _number(text)


_UNITS = {"h": 3600, "m": 60, "s": 1}


def ratio_of(text: str) -> float | None:
    """`1.5` or `50%` more as a factor: both 1.5; `None` of anything else."""
    text = text.strip()
    if text.endswith("%"):
        more = _number(text[:-1])
        return None if more is None else 1 + more / 100
    return _number(text)


def shares_of(workload: str, mix: str, problems: Problems) -> dict[str, float]:
    """The kinds of runs and their shares: of `io=0.7,cpu=30%`, or all of one workload."""
    if not mix:
        return {workload: 1.0}
    shares: dict[str, float] = {}
    for part in mix.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        share = _number(value[:-1]) if value.endswith("%") else _number(value)
        if not (name and equals) or share is None:
            problems.add(f"--mix {mix}", f"{part.strip()!r} is not of the form io=0.7")
        elif name in shares:
            problems.add(f"--mix {mix}", f"{name} is named twice")
        else:
            shares[name] = share / 100 if value.endswith("%") else share
    return shares


def by_workload(
    option: str, texts: Sequence[str], names: Sequence[str], problems: Problems
) -> dict[str, str]:
    """Values that may be for one workload (`io=45s`) or for all that have none of their own."""
    own: dict[str, str] = {}
    common: str | None = None
    for text in texts:
        name, equals, value = (word.strip() for word in text.partition("="))
        if not equals:
            if common is not None:
                problems.add(f"{option} {text}", f"{common} is given for all already")
            common = text.strip()
        elif name not in names:
            there = ", ".join(names)
            problems.add(f"{option} {text}", f"{name} is not among the runs asked for ({there})")
        else:
            own[name] = value
    rest = {} if common is None else {name: common for name in names if name not in own}
    return {**rest, **own}


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationTexts:
    """The three ways to say how long runs take."""

    mean: Sequence[str] = ()
    p95: Sequence[str] = ()
    files: Sequence[str] = ()


def durations_of(
    texts: DurationTexts, names: Sequence[str], problems: Problems
) -> dict[str, Duration]:
    """How long each kind of run takes alone."""
    means = by_workload("--duration", texts.mean, names, problems)
    p95s = by_workload("--duration-p95", texts.p95, names, problems)
    files = by_workload("--duration-file", texts.files, names, problems)
    found: dict[str, Duration] = {}
    for name in names:
        if name in files and name in means:
            problems.add(f"--duration-file {files[name]}", f"{name} has a --duration as well")
        elif name in files and name in p95s:
            problems.add(f"--duration-p95 {p95s[name]}", f"the file of {name} tells it")
        elif name in files:
            measured = duration_in(files[name], problems)
            if measured is not None:
                found[name] = measured
        elif name in means:
            mean_s = _seconds("--duration", means[name], problems)
            p95_s = _seconds("--duration-p95", p95s[name], problems) if name in p95s else None
            if mean_s is not None:
                found[name] = Duration(mean_s=mean_s, p95_s=p95_s)
        else:
            problems.add("--duration", f"how long do runs of {name} take? --duration {name}=45s")
    return found


def _seconds(option: str, text: str, problems: Problems) -> float | None:
    found = seconds_of(text)
    if found is None:
        problems.add(f"{option} {text}", "not a duration like 45s, 2m, 1h30m or 0.5 (seconds)")
    return found


def duration_in(text: str, problems: Problems) -> Duration | None:
    """Mean and 95th percentile of a file: a duration a line, or one column of a CSV file.

    Args:
        text: `FILE`, or `FILE:COLUMN` for a CSV file with several.
    """
    told, (path, column) = f"--duration-file {text}", _place(text)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problems.add(told, f"it cannot be read: {error}")
        return None
    reader = csv.reader(lines)
    rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    if not rows:
        problems.add(told, "there is nothing in it")
        return None
    first = [cell.strip() for cell in rows[0][1]]
    headed = all(seconds_of(cell) is None for cell in first)
    at = _column(first if headed else [], column, width=len(first))
    if at is None:
        problems.add(told, _which_column(path, first) if headed else "its columns have no names")
        return None
    return _in_column(rows[1:] if headed else rows, at, told, problems)


def _which_column(path: Path, heading: Sequence[str]) -> str:
    return f"name one of its columns, like {path}:{heading[-1]}; it has {', '.join(heading)}"


def _place(text: str) -> tuple[Path, str | None]:
    path, colon, column = text.rpartition(":")
    if colon and not Path(text).exists():
        return Path(path), column.strip()
    return Path(text), None


def _column(heading: Sequence[str], wanted: str | None, *, width: int) -> int | None:
    if wanted is None:
        return 0 if width == 1 else None
    return heading.index(wanted) if wanted in heading else None


def _in_column(
    rows: Sequence[tuple[int, Sequence[str]]], at: int, told: str, problems: Problems
) -> Duration | None:
    values: list[float] = []
    for number, row in rows:
        value = seconds_of(row[at]) if at < len(row) else None
        if value is None or value < 0:
            problems.add(
                told, f"line {number}: {row[at] if at < len(row) else ''!r} is no duration"
            )
            return None
        values.append(value)
    found = duration_of(values)
    if found is None:
        problems.add(told, "there is no duration in it")
    return found


def sizes_of(texts: Sequence[str], names: Sequence[str], problems: Problems) -> dict[str, float]:
    """Memory a run in MiB, by workload."""
    found: dict[str, float] = {}
    for name, text in by_workload("--per-run-mib", texts, names, problems).items():
        size = _number(text)
        if size is None or size <= 0:
            problems.add(f"--per-run-mib {text}", "not a number of MiB above 0")
        else:
            found[name] = size
    return found


def price_of(text: str, problems: Problems) -> dict[str, float]:
    """`vcpu=0.04,gib=0.004`: either may be left out."""
    found: dict[str, float] = {}
    for part in filter(None, (word.strip() for word in text.split(","))):
        name, _, value = (word.strip() for word in part.partition("="))
        amount = _number(value)
        if name in ("vcpu", "gib") and amount is not None and amount <= 0:
            problems.add(f"--price {text}", f"{name} must cost something; {amount:g} is nothing")
        elif name not in ("vcpu", "gib") or amount is None:
            problems.add(f"--price {text}", f"{part!r} is not of the form vcpu=0.04 or gib=0.004")
        else:
            found[name] = amount
    return found


def demand_of(
    runs_per_hour: float,
    shares: Mapping[str, float],
    durations: Mapping[str, Duration],
    *,
    burst: float,
    growth: float,
) -> Demand:
    """The demand; a second stands in where a duration is missing, which is a problem already."""
    unknown = Duration(mean_s=1.0)
    return Demand(
        runs_per_hour=runs_per_hour,
        parts=tuple(
            Part(workload=name, share=share, duration=durations.get(name, unknown))
            for name, share in shares.items()
        ),
        burst=burst,
        growth=growth,
    )


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
