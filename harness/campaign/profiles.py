"""Task sizes: what one server may use.

Fargate offers fixed pairs of vCPU and memory (AWS documentation, "Task CPU and memory"); they
go by name. ECS on EC2 takes any size; those are free sizes. Where AWS writes GB it means GiB.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from harness.errors import CampaignError
from harness.units import MIB

MIB_PER_GIB = 1024

# What a container engine accepts at least.
MIN_VCPU = 0.01
MIN_MEMORY_MIB = 6

_FARGATE_GIB: Mapping[float, Sequence[float]] = {
    0.25: (0.5, 1, 2),
    0.5: range(1, 5),
    1: range(2, 9),
    2: range(4, 17),
    4: range(8, 31),
    8: range(16, 61, 4),
    16: range(32, 121, 8),
}
_FARGATE_LIKE = re.compile(r"(\d+(?:\.\d+)?)vcpu-(\d+(?:\.\d+)?)gi?b")
_FREE_SIZE = re.compile(r"ec2-(\d+(?:\.\d+)?)vcpu-(\d+)mib")


class Profile(BaseModel):
    """A task size. Without a name it is called after its sizes; a Fargate name fixes them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=60)]
    vcpu: float = Field(ge=MIN_VCPU, le=1024)
    memory_mib: int = Field(ge=MIN_MEMORY_MIB, le=64 * 1024 * MIB_PER_GIB)

    @property
    def memory_bytes(self) -> int:
        """The memory limit."""
        return self.memory_mib * MIB

    @model_validator(mode="before")
    @classmethod
    def _name_by_size(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or data.get("name") is not None:
            return data
        return {**data, "name": _size_name(data.get("vcpu"), data.get("memory_mib"))}

    @model_validator(mode="after")
    def _name_tells_the_size(self) -> Self:
        meant = FARGATE.get(self.name)
        if meant and (meant.vcpu, meant.memory_mib) != (self.vcpu, self.memory_mib):
            raise ValueError(
                f"{self.name} is a Fargate size of {meant.vcpu:g} vCPU and {meant.memory_mib} MiB; "
                "leave the sizes out, or name this one otherwise"
            )
        return self


def profile_of(vcpu: float, memory_mib: int) -> Profile:
    """The Fargate size that is just this, else a free one.

    Raises:
        ValidationError: too small or too large for a profile.
    """
    alike = (p for p in FARGATE.values() if (p.vcpu, p.memory_mib) == (vcpu, memory_mib))
    found = next(alike, None)
    return found or Profile.model_validate({"vcpu": vcpu, "memory_mib": memory_mib})


def parse_profile(text: str) -> Profile:
    """`1vcpu-2gb` (a Fargate size) or `ec2-1.5vcpu-3000mib` (a free one); case does not matter.

    Raises:
        CampaignError: no such name; for a pair Fargate does not offer, with its legal neighbours.
    """
    name = text.strip().lower()
    if free := _FREE_SIZE.fullmatch(name):
        return _free_size(float(free[1]), int(free[2]), text)
    if pair := _FARGATE_LIKE.fullmatch(name):
        vcpu, gib = float(pair[1]), float(pair[2])
        found = FARGATE.get(_fargate_name(vcpu, gib))
        if found is None:
            raise _not_offered(text, vcpu, gib)
        return found
    raise CampaignError(
        f"{text!r} is not a profile.",
        evidence="Fargate sizes are named like 1vcpu-2gb.",
        hint=f"Any other size: {_how_to_write(1.5, 3000)}.",
    )


def _free_size(vcpu: float, memory_mib: int, text: str) -> Profile:
    try:
        return Profile(name=_size_name(vcpu, memory_mib), vcpu=vcpu, memory_mib=memory_mib)
    except ValueError as error:
        raise CampaignError(
            f"{text!r} is too small or too large for a profile.",
            evidence=f"At least {MIN_VCPU:g} vCPU and {MIN_MEMORY_MIB} MiB.",
            hint=f"For example: {_how_to_write(1.5, 3000)}.",
        ) from error


def _not_offered(text: str, vcpu: float, gib: float) -> CampaignError:
    by_vcpu = _around(_FARGATE_GIB.get(vcpu, ()), gib)
    with_memory = [v for v, sizes in _FARGATE_GIB.items() if gib in sizes]
    seen = [
        f"{vcpu:g} vCPU goes with {_span(_FARGATE_GIB[vcpu])} GiB"
        if by_vcpu
        else f"Fargate has {', '.join(f'{v:g}' for v in _FARGATE_GIB)} vCPU, not {vcpu:g}",
        f"{gib:g} GiB goes with {', '.join(f'{v:g}' for v in with_memory)} vCPU"
        if with_memory
        else f"no vCPU goes with {gib:g} GiB",
    ]
    names = [_fargate_name(vcpu, size) for size in by_vcpu]
    names += [_fargate_name(other, gib) for other in _around(with_memory, vcpu)]
    nearest = f"Nearest legal: {', '.join(names)}. " if names else ""
    return CampaignError(
        f"{text!r} is not a size Fargate offers.",
        evidence="; ".join(seen) + ".",
        hint=f"{nearest}As a free size: {_how_to_write(vcpu, round(gib * MIB_PER_GIB))}.",
    )


def _around(sizes: Sequence[float], wanted: float) -> list[float]:
    """The next size below and above (one of them at the ends; none of none)."""
    at = bisect(sizes, wanted)
    return list(sizes[max(0, at - 1) : at + 1])


def _span(sizes: Sequence[float]) -> str:
    if not isinstance(sizes, range):
        return ", ".join(f"{size:g}" for size in sizes)
    return f"{sizes[0]} to {sizes[-1]} by {sizes.step}"


def _how_to_write(vcpu: float, memory_mib: int) -> str:
    return f"{{vcpu: {vcpu:g}, memory_mib: {memory_mib}}}"


def _fargate_name(vcpu: float, gib: float) -> str:
    return f"{vcpu:g}vcpu-{gib:g}gb"


def _size_name(vcpu: object, memory_mib: object) -> str:
    if isinstance(vcpu, int | float) and isinstance(memory_mib, int):
        return f"ec2-{repr(vcpu).removesuffix('.0')}vcpu-{memory_mib}mib"
    return "ec2"  # a size is missing or no number: said at its own place


# Made without validation, because validation looks names up here.
FARGATE: Mapping[str, Profile] = MappingProxyType(
    {
        _fargate_name(vcpu, gib): Profile.model_construct(
            name=_fargate_name(vcpu, gib), vcpu=float(vcpu), memory_mib=int(gib * MIB_PER_GIB)
        )
        for vcpu, sizes in _FARGATE_GIB.items()
        for gib in sizes
    }
)
"""Every legal Fargate size by its name."""
