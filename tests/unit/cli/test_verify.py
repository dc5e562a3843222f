"""`harness verify` says every verdict with its evidence, and where they are kept."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.cli.verify import run_trials, verify
from harness.errors import StoredDataError
from harness.scenarios import trials
from harness.scenarios.guard import GuardVerdict
from harness.scenarios.verification import VerifyVerdict
from harness.watch.plain import PlainListener

pytestmark = pytest.mark.unit

HELD = VerifyVerdict(
    cell="io", max_workers=4, max_concurrent_runs=6, runs=18, passed=True, sentence="Verified.",
    evidence=("18 of 18 runs ended",),
)  # fmt: skip
GUARDS = GuardVerdict(
    cell="io", with_limit=None, without_limit=None, passed=None, sentence="Not proven.",
    evidence=("without it: 3 OOM kills",),
)  # fmt: skip


def told(monkeypatch: pytest.MonkeyPatch, *, guard: bool) -> tuple[int, list[str]]:
    """Exit code and lines, where the rig would have found one verdict."""
    answers: dict[Any, Any] = {trials.VERIFY: HELD, trials.GUARD: GUARDS}
    monkeypatch.setattr(trials, "run_trial", lambda trial, *_, **__: (answers[trial],))
    out = io.StringIO()
    listener = PlainListener(Console(file=out, width=80))
    options: Any = None
    code = run_trials(Path("results/x"), options=options, listener=listener, guard=guard)
    return code, out.getvalue().splitlines()


def test_settings_that_hold_end_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, guard=False) == (
        0,
        ["io: Verified.", "  18 of 18 runs ended", "Verdicts: results/x/verify.json"],
    )


def test_a_limit_that_was_not_shown_to_guard_is_inconclusive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert told(monkeypatch, guard=True) == (
        5,
        ["io: Not proven.", "  without it: 3 OOM kills", "Verdicts: results/x/guard.json"],
    )


def test_without_results_it_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(StoredDataError, match="no results") as refused:
        verify(root=tmp_path)
    assert refused.value.hint.startswith("Measure some: harness run.")
