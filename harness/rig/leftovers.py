"""What a dead harness left running, removed: the same for `harness down` and for going on."""

from __future__ import annotations

from pathlib import Path

import psutil

from harness.errors import EnvironmentProblem
from harness.rig.engine_place import reach
from harness.rig.engine_place.place import Tls, parse
from harness.rig.engine_place.reach import Reach
from harness.rig.env_file import secret_values
from harness.rig.ledger import Cleaned, Entry, Ledger, wait_gone
from harness.rig.load.cancelling import cancel_runs
from harness.rig.orders import Access
from harness.rig.target import engine
from harness.rig.target.elsewhere import UNVERIFIED
from harness.rig.target.process_server import remove_box
from harness.rig.target.quiet import TAG, Waiting, end_until_quiet


def remove_leftovers(ledger: Ledger, *, waiting: Waiting | None = None) -> tuple[Cleaned, ...]:
    """Remove what the ledger names and no living harness owns; what became of each, newest first.

    Nothing of a campaign still being measured is touched. Finding nothing is fine. `waiting`: how
    time passes between two looks at runs elsewhere.
    """
    return ledger.cleanup(
        {
            "compose": _project, "cgroup": remove_box,
            "external": lambda entry: _runs(entry, waiting or Waiting()),
        }
    )  # fmt: skip


def told(cleaned: Cleaned) -> str:
    """One of them in words: `process code-server-1: removed (3)`, or why it is still there."""
    said = cleaned.problem or f"removed ({cleaned.removed})"
    return f"{cleaned.entry.kind} {cleaned.entry.name}: {said}"


def refuse_leftovers(done: tuple[Cleaned, ...]) -> None:
    """What still runs would be measured along.

    Raises:
        EnvironmentProblem: something could not be removed.
    """
    stuck = [told(each) for each in done if each.problem]
    if stuck:
        raise EnvironmentProblem(
            "What a dead campaign left running cannot be removed.",
            evidence="\n".join(stuck),
            hint="Mend that, then `harness down` removes the rest.",
        )


def _project(entry: Entry) -> int:
    """A `docker compose up` outlives the harness that asked for it, and would go on making them.

    Looked for on the engine it was started on, whichever the environment names now.

    Raises:
        EnvironmentProblem: that one does not answer.
    """
    end_commands(entry.project)
    if entry.engine in ("", reach.here().place.url):
        return engine.remove_project(entry.project)
    tls = Tls(folder=entry.path, verify=entry.box != UNVERIFIED) if entry.path else None
    way = Reach(parse(entry.engine, said_by="the ledger", tls=tls))
    try:
        return engine.remove_project(entry.project, way)
    except EnvironmentProblem as error:
        raise EnvironmentProblem(
            f"it is on the engine {entry.engine}, which does not answer: {error.what}",
            evidence=error.evidence,
            hint=error.hint,
        ) from error
    finally:
        way.close()


def _runs(entry: Entry, waiting: Waiting) -> int:
    """Runs a dead harness left at a deployment that is not ours, and those its last launches make.

    Raises:
        TargetFailed: some do not end, or the webserver does not answer.
    """
    headers = secret_values(Path(entry.path).expanduser()) if entry.path else {}
    access = Access(headers=headers, ca_file=entry.box or None)
    ended = end_until_quiet(
        lambda: cancel_runs(entry.project, access, {TAG: entry.id}), entry.id, waiting=waiting
    )
    return len(ended)


def end_commands(project: str) -> int:
    """Kill `docker` commands still at work on a Compose project; how many there were."""
    ended = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if project in words and Path(words[0]).name.startswith("docker"):
                process.kill()
                ended.append(process)
        except psutil.Error:
            continue
    wait_gone(ended)
    return len(ended)
