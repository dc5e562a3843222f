"""Campaigns as YAML text, there and back; every problem is reported at once, with its place.

The way in: text → plain data and the line of every key (`reading`) → `--set` applied →
shorthands written out (`shorthand`) → rules no single field can know (`rules`) → checked by the
models of `plan`, whose complaints are put in words (`wording`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from harness.campaign.draft import Draft, refuse
from harness.campaign.estimate import estimate_step_s
from harness.campaign.plan import Campaign
from harness.campaign.profiles import FARGATE
from harness.campaign.reading import override, read
from harness.campaign.rules import OURS_ALONE, SEARCH_OPTIONS, contradictions
from harness.campaign.shorthand import write_out
from harness.campaign.wording import told
from harness.errors import CampaignError
from harness.units import show_seconds


def load_campaign(text: str, *, source: str, overrides: Sequence[str] = ()) -> Campaign:
    """The campaign that `text` describes, after the overrides.

    Args:
        text: YAML. What may be written short: profiles and workloads by name alone; one value
            for a list of one in `profiles`, `workloads`, `dagster`, `max_workers`, `replicas`
            and `max_concurrent_runs`; `load: poisson`; `search: ladder`; `mix: {io: 0.7, …}`;
            `sensors: 4`; `concurrencies: 1-24`.
        source: what to call the text in messages, e.g. its path.
        overrides: `key.path=value`, applied in order: list items by index from 0, the value as
            YAML. What the text leaves to its default can be set too.

    Raises:
        CampaignError: its evidence has a line `source:line: key.path: message` for each problem,
            and `--set` for `source:line` where an override brought it in.
    """
    draft = Draft()
    readable = read(draft, text)
    for change in overrides:
        override(draft, change)
    campaign = _check(draft) if readable else None
    if draft.problems or campaign is None:
        refuse(draft, source)
    return campaign


def dump_campaign(campaign: Campaign) -> str:
    """YAML that loads back to an equal campaign; defaults are written out, lest they change.

    Left out is what has no effect here and would be refused: the other strategies' options, and
    the queue where runs pass none.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    # Block style and no folding: the library's flow style and folded strings do not always load
    # back. Unprintable characters (line separators, U+FEFF) must be escaped.
    yaml.default_flow_style = False
    yaml.width = 2**31
    yaml.allow_unicode = campaign.model_dump_json().isprintable()
    yaml.encoding = None  # type: ignore[assignment]  # text, not bytes
    written_text = StringIO()
    yaml.dump(_document(campaign), written_text)
    return str(written_text.getvalue())


def preset_names() -> tuple[str, ...]:
    """The campaigns that ship with the harness, alphabetically."""
    files = [entry.name for entry in _presets().iterdir()]
    return tuple(sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml")))


def preset_text(name: str) -> str:
    """A preset's YAML.

    Raises:
        CampaignError: there is no such preset.
    """
    names = preset_names()
    if name not in names:
        close = get_close_matches(name, names, n=1)
        raise CampaignError(
            f"There is no preset {name!r}.",
            evidence=f"Presets that ship with the harness: {', '.join(names)}",
            hint=f"Did you mean {close[0]}?" if close else "",
        )
    return _presets().joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def _presets() -> Traversable:
    return resources.files("harness").joinpath("campaign", "presets")


def _check(draft: Draft) -> Campaign | None:
    """The campaign, if its fields are right by themselves; all problems are noted."""
    write_out(draft)
    for path, message in contradictions(draft.data):
        draft.add(path, message)
    try:
        # JSON, because its strict mode takes lists for tuples but no "6" or true for a number.
        campaign = Campaign.model_validate_json(json.dumps(draft.data), strict=True)
    except ValidationError as error:
        for details in error.errors():
            # A list is also too short when its items are wrong; empty ones are told above.
            if details["type"] != "too_short":
                draft.add(*told(details))
        return None
    if not draft.problems:
        _check_whole(draft, campaign)
    return campaign


def _check_whole(draft: Draft, campaign: Campaign) -> None:
    """What only a campaign that is right in its parts can be asked."""
    names = Counter(cell.id for cell in campaign.cells())
    for name in [name for name, cells in names.items() if cells > 1]:
        draft.add((), f"{name} would be the name of two cells: rename a profile or workload")
    minutes, step_s = campaign.search.max_minutes, estimate_step_s(campaign)
    if minutes is not None and minutes * 60 < 2 * step_s:
        said = f"{minutes:g} are too few for two steps of about {show_seconds(step_s)}"
        draft.add(("search", "max_minutes"), said)


def _document(campaign: Campaign) -> dict[str, Any]:
    data = campaign.model_dump(mode="json")
    data["profiles"] = [
        profile.name if profile.name in FARGATE else written
        for profile, written in zip(campaign.profiles, data["profiles"], strict=True)
    ]
    for workload in data["workloads"]:
        for key in ("code",) if workload["code"] is None else OURS_ALONE:
            workload.pop(key, None)
    for key in ("external", "faults"):
        if not data[key]:
            del data[key]
    search = data["search"]
    for option, strategies in SEARCH_OPTIONS.items():
        if campaign.search.strategy not in strategies:
            del search[option]
    if search["concurrencies"] is not None:
        search.pop("highest", None)
    if campaign.feed == "direct":
        del data["queue"], data["max_concurrent_runs"]
    return data
