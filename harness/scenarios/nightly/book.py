"""What is known of a night so far; its summary is made from this, however the night ends."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.campaign.plan import Campaign
from harness.errors import HarnessError, Interrupted
from harness.report.nightly.summary import Retried
from harness.rig.protocols import Listener
from harness.rig.session import SessionOptions
from harness.scenarios.nightly.mark import Mark
from harness.scenarios.nightly.webhook import Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A night as it was ordered.

    `budget_s`: `None` for as long as it takes. `pinned`: results to compare with besides. `resume`:
    a night that was cut short may be completed instead of beginning anew.
    """

    campaign: Campaign
    options: SessionOptions
    budget_s: float | None = None
    pinned: Path | None = None
    resume: bool = True
    webhook: Webhook | None = None

    @property
    def root(self) -> Path:
        """Where results folders are."""
        return self.options.results_root


@dataclass(slots=True, kw_only=True)
class Book:
    """One night. Sentences are in the order in which things happened."""

    order: Order
    listener: Listener
    started_s: float
    plan: Campaign
    folder: Path | None = None
    mark: Mark | None = None
    resumed: bool = False
    trouble: HarnessError | None = None
    shortened: list[str] = field(default_factory=list)
    retried: list[Retried] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    pruned: list[str] = field(default_factory=list)

    def begin(self, folder: Path) -> None:
        """The results folder is there from now on."""
        self.folder = folder

    def remark(self, text: str) -> None:
        """Note something a reader should know, and say it."""
        self.remarks.append(text)
        self.listener.say(text)

    @contextmanager
    def attempt(self, what: str) -> Iterator[None]:
        """Go on whatever fails in here, and note what; only an interruption ends the night."""
        try:
            yield
        except Interrupted:
            raise
        except Exception as error:
            said = f"{what}: {told(error)}"
            self.failures.append(said)
            self.listener.say(said)


def told(error: Exception) -> str:
    """What an error says, in a line; a fault of ours by its name and place."""
    if isinstance(error, HarnessError):
        return " ".join(part for part in (error.what, *error.evidence.splitlines()[:1]) if part)
    frames = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in frames)
    return f"{type(error).__name__}: {error}{place}"
