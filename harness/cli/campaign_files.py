"""Which campaign a command line means: a file, or one that ships with the harness."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from harness.campaign.loading import load_campaign, preset_names, preset_text
from harness.campaign.plan import Campaign
from harness.errors import CampaignError


def campaign_of(
    path: Path | None, preset: str, *, overrides: Sequence[str], default: str
) -> Campaign:
    """The campaign of a file, of a preset, or of the preset `default` where neither is named.

    Raises:
        CampaignError: the file cannot be read, or says what cannot be meant.
        BadParameter: both are named.
    """
    if path is not None and preset:
        raise typer.BadParameter(f"{path} is a campaign already.", param_hint="--preset")
    if path is None:
        name = preset or default
        return load_campaign(preset_text(name), source=f"preset {name}", overrides=overrides)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CampaignError(
            f"The campaign file {path} cannot be read.",
            evidence=str(error),
            hint=f"Presets that ship with the harness: {', '.join(preset_names())}",
        ) from error
    return load_campaign(text, source=str(path), overrides=overrides)
