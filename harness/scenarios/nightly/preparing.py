"""Before anything is measured: clean up, look at the machine, settle what is measured tonight."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.campaign.budget import fit
from harness.campaign.host_fit import RESERVED_BYTES
from harness.campaign.plan import LATEST, Campaign
from harness.errors import EnvironmentProblem
from harness.facts.layout import parse_results_name
from harness.rig.session import resume_command
from harness.scenarios.nightly import joints
from harness.scenarios.nightly.book import Book, Order
from harness.scenarios.nightly.mark import Mark, begun_folder, plan_in, read_mark, remaining_s
from harness.units import GIB, show_bytes, show_seconds

RESUMED_WITHIN_S = 12 * 3600.0
"""A night that was begun longer ago is another night: the machine is not as it was."""

BUSY_SHARE = 0.25
"""Load average ÷ CPUs from which on something else is running here."""

TIGHT_BYTES = GIB // 2
"""Free memory beyond what the largest profile and the generator take; below that it is tight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A night that was cut short: its folder if it made one, whether to complete it, and what to
    say of it.
    """

    mark: Mark
    folder: Path | None
    resumable: bool
    sentence: str


def prepare(book: Book) -> Unfinished | None:
    """Everything up to measuring; `book.plan` is then what will be measured.

    Returns:
        A night to complete instead of beginning one; `None` where there is none.

    Raises:
        EnvironmentProblem: this machine cannot measure now.
        CampaignError: the campaign does not fit into the budget.
    """
    order = book.order
    book.left += (f"left running: {each}" for each in joints.remove_abandoned())
    _make_room(book)
    joints.check_root(order.root)
    _look_at_machine(book)
    if order.pinned is not None and not order.pinned.is_dir():
        book.remark(f"The pinned results {order.pinned.name} are not there.")
    asked = order.campaign
    book.plan = joints.pin(asked, book.listener.say)
    if len(book.plan.dagster) < len(asked.dagster):
        newest = _replaced(asked, book.plan)
        book.remark(f"latest is {newest}, which the campaign names besides: it is measured once")
    if order.budget_s is not None:
        book.plan, shortened = fit(book.plan, order.budget_s)
        book.shortened += shortened
    found = unfinished(order, book.plan, now_s=book.started_s)
    if found is not None:
        book.left.append(found.sentence)
    for sentence in (*book.left, *book.shortened):
        book.listener.say(sentence)
    return found if found is not None and found.resumable else None


def _replaced(asked: Campaign, plan: Campaign) -> str:
    """The number that took the place of `latest`: pinning keeps the order of first mention."""
    before = asked.dagster[: asked.dagster.index(LATEST)]
    new = [version for version in plan.dagster if version not in before]
    return new[0] if new else plan.dagster[-1]


def unfinished(order: Order, plan: Campaign, *, now_s: float) -> Unfinished | None:
    """What the newest night of this campaign left, if it did not end; nothing is touched.

    Args:
        order: of tonight.
        plan: what tonight would measure.
        now_s: epoch seconds.
    """
    mark = read_mark(order.root, order.campaign.name)
    if mark is None or mark.ended:
        return None
    folder = begun_folder(order.root, mark)
    when = datetime.fromtimestamp(mark.started_s, UTC)
    cut = f"The night of {when:%Y-%m-%d %H:%M} UTC was cut short"
    if folder is None:
        return Unfinished(
            mark=mark, folder=None, resumable=False, sentence=f"{cut} before it measured anything."
        )
    why = _why_not(order, plan, folder, age_s=now_s - mark.started_s)
    if why:
        left = f"{cut} and is left as it is in {folder.name}: {why}."
        hint = f" To complete it: {resume_command(folder)}"
        return Unfinished(mark=mark, folder=folder, resumable=False, sentence=left + hint)
    left_s = remaining_s(plan, folder)
    missing = f"about {show_seconds(left_s)} are missing" if left_s else "it only was not judged"
    sentence = f"{cut}; it is completed tonight, in {folder.name}: {missing}."
    return Unfinished(mark=mark, folder=folder, resumable=True, sentence=sentence)


def _why_not(order: Order, plan: Campaign, folder: Path, *, age_s: float) -> str:
    """Why a night that was cut short is not completed; empty where it is."""
    if not order.resume:
        return "tonight was asked to begin anew"
    if age_s > RESUMED_WITHIN_S:
        return f"it is older than {show_seconds(RESUMED_WITHIN_S)}"
    if plan_in(folder) != plan:
        # Of an equal plan what is missing fits the budget, because the whole of it does.
        return "tonight measures something else (another campaign, budget or Dagster)"
    return ""


def _make_room(book: Book) -> None:
    """Enough free disk, after retention if need be.

    Raises:
        EnvironmentProblem: there is not.
    """
    order = book.order
    wanted = order.campaign.nightly.min_free_gib * GIB
    if joints.free_bytes(order.root) >= wanted:
        return
    with book.attempt("Old raw facts could not be removed"):
        removed = prune(order, now_s=book.started_s)
        book.pruned += [path.name for path in removed]
    free = joints.free_bytes(order.root)
    if free < wanted:
        raise EnvironmentProblem(
            "There is not enough room for a night.",
            evidence=f"{order.root}: {show_bytes(free)} free, {show_bytes(wanted)} needed; raw "
            f"facts of {len(book.pruned)} old nights were removed.",
            hint="Make room, keep facts for fewer days (nightly.keep_facts_days), or name another "
            "folder: --results FOLDER",
        )


def prune(order: Order, *, now_s: float, tonight: Path | None = None) -> tuple[Path, ...]:
    """Remove old raw facts of this campaign's nights; which they were."""
    return joints.prune(
        order.root,
        now_s=now_s,
        keep_days=order.campaign.nightly.keep_facts_days,
        kept=kept_folders(order, tonight),
    )


def kept_folders(order: Order, tonight: Path | None = None) -> Collection[str]:
    """Results folders that retention must not touch: other campaigns', the pinned one, tonight's,
    and one that was cut short.
    """
    mark = read_mark(order.root, order.campaign.name)
    cut = begun_folder(order.root, mark) if mark is not None and not mark.ended else None
    wanted = [path for path in (order.pinned, tonight, cut) if path is not None]
    kept = {name for path in wanted for name in (path.name, path.resolve().name)}
    for path in order.root.iterdir() if order.root.is_dir() else ():
        named = parse_results_name(path.name)
        if named is None or named[1] != order.campaign.name:
            kept.add(path.name)
    return kept


def _look_at_machine(book: Book) -> None:
    """What may disturb the measurement; told, because whether it did is seen in the facts."""
    found = joints.host()
    if found.load1 > BUSY_SHARE * found.cpus:
        book.remark(f"Something else was running when the night began: load average "
                    f"{found.load1:.1f} on {found.cpus} CPUs.")  # fmt: skip
    largest = max(cell.profile.memory_bytes * cell.replicas for cell in book.order.campaign.cells())
    free = found.memory_available_bytes
    if free < largest + RESERVED_BYTES + TIGHT_BYTES:
        book.remark(f"Memory was tight when the night began: {show_bytes(free)} free, "
                    f"{show_bytes(largest + RESERVED_BYTES)} needed.")  # fmt: skip
