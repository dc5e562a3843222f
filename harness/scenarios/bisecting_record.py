"""The record of a bisection: written after every round, so that the same command goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from harness.analysis.bisecting.conclude import conclude
from harness.analysis.bisecting.evidence import Evidence
from harness.analysis.bisecting.types import BisectFinding
from harness.analysis.findings.document import METHOD
from harness.errors import StoredDataError
from harness.facts.durable import make_folder, write_text
from harness.report.bisect.json_document import bisect_from, bisect_json
from harness.report.bisect.markdown import bisect_markdown
from harness.scenarios.bisecting_plan import BisectPlan


@dataclass(frozen=True, slots=True)
class Record:
    """`<results>/bisect-….json`, and the same in Markdown beside it."""

    path: Path
    plan: BisectPlan

    @property
    def markdown(self) -> Path:
        """For people."""
        return self.path.with_suffix(".md")

    @property
    def first_folder(self) -> str | None:
        """The results folder that later rounds must be comparable with."""
        rounds = self.read().rounds
        return rounds[0].folder if rounds else None

    def read(self) -> Evidence:
        """All rounds so far; none where nothing is stored.

        Raises:
            StoredDataError: what is stored is unreadable, or answers another question.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return self.plan.known
        except OSError as error:
            raise StoredDataError(f"{self.path} cannot be read.", evidence=str(error)) from error
        try:
            document = json.loads(text)
        except ValueError as error:
            raise StoredDataError(
                f"{self.path} is damaged.",
                evidence=str(error),
                hint=f"Begin anew: remove {self.path}; the results folders of its rounds stay.",
            ) from error
        stored = bisect_from(document if isinstance(document, dict) else {}, str(self.path))
        self._refuse_another(stored)
        return replace(
            self.plan.known,
            rounds=stored.rounds,
            skipped={each.release: each.why for each in stored.skipped},
        )

    def write(self, evidence: Evidence, *, ended: str = "") -> BisectFinding:
        """Keep what is known by now, durably; returns it.

        Raises:
            EnvironmentProblem: no room, or no right to write there.
        """
        plan = self.plan
        finding = conclude(evidence, plan.question, rules=plan.rules, ended=ended)
        make_folder(self.path.parent)
        write_text(self.path, bisect_json(finding))
        if ended:
            write_text(self.markdown, bisect_markdown(finding))
        return finding

    def _refuse_another(self, stored: BisectFinding) -> None:
        asked = replace(self.plan.question, turned=stored.question.turned)
        known = set(self.plan.known.releases)
        foreign = {release for each in stored.rounds for release in each.releases} - known
        if stored.question == asked and stored.method == METHOD and not foreign:
            return
        said = [
            f"{name}: {before} before, {now} now"
            for name, before, now in (
                ("method", stored.method, METHOD),
                ("metric", stored.question.metric, asked.metric),
                ("setup", stored.question.setup, asked.setup),
                ("releases", ", ".join(sorted(foreign)), "not among them"),
            )
            if before != now and before
        ]
        raise StoredDataError(
            f"The rounds in {self.path} were measured for another question.",
            evidence="\n".join(said if foreign else said[:3]),
            hint=f"Begin anew: remove {self.path}; the results folders of its rounds stay.",
        )
