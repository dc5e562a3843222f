"""What an hour of a task costs: a price table as YAML text, checked, and looked up in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from harness.errors import CampaignError

TABLE = "fargate.yaml"
"""The table that ships with the harness, in `harness/campaign/prices`."""

Architecture = Literal["x86", "arm"]
Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HourPrice(_Strict):
    """One hour of one vCPU, and of one GiB of memory."""

    vcpu_hour: Cost
    gib_hour: Cost


class PriceTable(_Strict):
    """Prices by region and architecture; `as_of` and `source` say since when and where from."""

    source: str
    as_of: date
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    regions: Mapping[str, Mapping[Architecture, HourPrice]]

    def price(self, region: str, architecture: str) -> HourPrice:
        """The price there.

        Raises:
            CampaignError: the table has none for this region or architecture.
        """
        there = self.regions.get(region)
        if there is None:
            raise CampaignError(
                f"The price table has no region {region!r}.",
                evidence=f"It has {', '.join(self.regions)}, as of {self.as_of}.",
                hint="Give the price of an hour yourself: --price vcpu=0.05,gib=0.005",
            )
        for known, price in there.items():
            if known == architecture:
                return price
        raise CampaignError(
            f"The price table has no architecture {architecture!r} in {region}.",
            evidence=f"It has {', '.join(there)}.",
            hint="Give the price of an hour yourself: --price vcpu=0.05,gib=0.005",
        )


def price_table(text: str) -> PriceTable:
    """The table that this YAML is.

    Raises:
        CampaignError: it is no YAML, or no price table; the evidence has every problem.
    """
    try:
        return PriceTable.model_validate(YAML(typ="safe", pure=True).load(text))
    except YAMLError as error:
        raise CampaignError("The price table cannot be read.", evidence=str(error)) from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise CampaignError("This is no price table.", evidence="\n".join(lines)) from error
