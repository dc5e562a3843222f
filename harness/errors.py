"""What can go wrong, in words a person can act on.

Every error says what happened, the evidence, and the way out; `harness.cli` turns it into
those three lines and the exit code. A server that drowns under load is a measurement, not an
error: nothing here is raised for it.
"""

from __future__ import annotations

from enum import IntEnum

from harness.masking import masked


class ExitCode(IntEnum):
    """What the process tells its caller (DESIGN section 8)."""

    PASS = 0
    BREACH = 1
    BAD_INPUT = 2
    ENVIRONMENT = 3
    TARGET = 4
    INCONCLUSIVE = 5
    INTERRUPTED = 130


class HarnessError(Exception):
    """Root of all errors a user is meant to read.

    Args:
        what: what happened, one sentence.
        evidence: what was seen (an exit code, a log tail, the offending value).
        hint: the way out, ideally a command.
    """

    exit_code = ExitCode.TARGET

    def __init__(self, what: str, *, evidence: str = "", hint: str = "") -> None:
        self.what, self.evidence, self.hint = masked(what), masked(evidence), masked(hint)
        super().__init__(self.what)

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.evidence, self.hint) if part)


class CampaignError(HarnessError):
    """The campaign or the command line asks for something that cannot be meant."""

    exit_code = ExitCode.BAD_INPUT


class StoredDataError(HarnessError):
    """A results folder is missing, damaged, or from a schema this version cannot read."""

    exit_code = ExitCode.BAD_INPUT


class EnvironmentProblem(HarnessError):
    """This machine lacks something: an engine, a right, memory, disk."""

    exit_code = ExitCode.ENVIRONMENT


class AnotherMachine(EnvironmentProblem):
    """What was begun on another machine can only be completed there."""


class TargetFailed(HarnessError):
    """The server under test, or what feeds it, could not be brought up or kept up."""

    exit_code = ExitCode.TARGET


class GeneratorFailed(HarnessError):
    """The load generator died or never sent anything."""

    exit_code = ExitCode.TARGET


class Interrupted(HarnessError):
    """The user, or the system, asked us to stop (SIGINT or SIGTERM)."""

    exit_code = ExitCode.INTERRUPTED
