"""Going on with a campaign that broke off: by power, OOM, `kill -9`, Ctrl-C or a failed cell."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from harness.campaign.plan import Campaign
from harness.errors import CampaignError, StoredDataError
from harness.facts.layout import ResultsFolder, parse_results_name
from harness.facts.retention_marker import refuse_removed
from harness.facts.store import read_campaign_text
from harness.rig.protocols import Listener
from harness.rig.resumed_session import measure_rest
from harness.rig.session import SessionOptions
from harness.scenarios.stored_plan import plan_from
from harness.scenarios.threshold import judge, searching


def resume(
    path: Path,
    *,
    options: SessionOptions,
    listener: Listener,
    again: Collection[str] = (),
    begun: Callable[[Path], None] = lambda _: None,
) -> ResultsFolder:
    """Measure what a campaign lacks, then judge it; its folder then is as `threshold.run` makes it.

    Finished cells stay. A cell under way goes on after its steps, on a fresh server, if machine,
    harness, limits and software are the same; else it starts again, and it is said why.

    Args:
        path: the results folder; where it lies counts, not `options.results_root`.
        options: how to measure the rest.
        listener: who is told.
        again: ids of cells to measure anew; their facts go to `superseded/`.
        begun: see `threshold.run`; not called where nothing is measured.

    Raises:
        CampaignError: `again` names a cell that is not planned.
        StoredDataError: the folder holds no campaign, its facts were removed by age, or it cannot
            be read.
        EnvironmentProblem: it is still being measured, this is another machine, or it is not ready.
        TargetFailed, GeneratorFailed, Interrupted: as `session.measure`.
    """
    folder = ResultsFolder(path)
    campaign = campaign_in(folder)
    refuse_removed(folder)
    _check_again(again, campaign)
    measure_rest(
        folder,
        campaign,
        searching(campaign, listener, begun=begun),
        options=options,
        listener=listener,
        again=again,
    )
    judge(path)
    return folder


def campaign_in(folder: ResultsFolder) -> Campaign:
    """The campaign as it was planned, `latest` resolved.

    Raises:
        StoredDataError: it was killed before that was written, or the file is damaged.
    """
    if not folder.campaign_yaml.exists():
        raise _no_campaign(folder)
    return plan_from(folder.path, read_campaign_text(folder))


def _no_campaign(folder: ResultsFolder) -> StoredDataError:
    """Whether it never began, or is something else altogether."""
    missing = f"There is no {folder.campaign_yaml.name} in it."
    if parse_results_name(folder.path.resolve().name) is None:
        return StoredDataError(
            f"{folder.path} is not a results folder.",
            evidence=missing,
            hint="See which there are: harness list",
        )
    return StoredDataError(
        f"There is no campaign in {folder.path} to go on with.",
        evidence=f"{missing} It ended before anything was measured.",
        hint="Begin it again with `harness run`.",
    )


def _check_again(again: Collection[str], campaign: Campaign) -> None:
    known = [plan.id for plan in campaign.cells()]
    unknown = sorted(set(again) - set(known))
    if unknown:
        raise CampaignError(
            f"The campaign has no cell {', '.join(unknown)}.",
            evidence=f"Its cells: {', '.join(known)}",
            hint="Name one of them, as `harness report` does.",
        )
