"""A file of environment variables: read as Compose reads it, its values never written anywhere."""

from __future__ import annotations

from pathlib import Path

from dotenv import dotenv_values

from harness.errors import CampaignError
from harness.masking import SHORTEST, hide


def values_of(path: Path) -> dict[str, str]:
    """The variables of a file, `NAME=value` a line.

    Raises:
        CampaignError: it cannot be read, or a line names a variable without a value.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            found = dotenv_values(stream=stream)
    except (OSError, UnicodeDecodeError) as error:
        raise CampaignError(
            f"The environment file {path} cannot be read.", evidence=str(error)
        ) from error
    empty = [name for name, value in found.items() if value is None]
    if empty:
        raise CampaignError(
            f"The environment file {path} gives no value for {', '.join(empty)}.",
            hint="Write NAME=value, one a line.",
        )
    return {name: value for name, value in found.items() if value is not None}


def secret_values(path: Path) -> dict[str, str]:
    """The variables of a file, whose values are masked from now on.

    Raises:
        CampaignError: as `values_of`.
    """
    values = values_of(path)
    hide(values)
    return values


def keep_secret(path: Path) -> tuple[str, ...]:
    """From now on mask the file's values; the names of those too short to be masked.

    Raises:
        CampaignError: as `values_of`.
    """
    values = secret_values(path)
    return tuple(name for name, value in values.items() if 0 < len(value.strip()) < SHORTEST)
