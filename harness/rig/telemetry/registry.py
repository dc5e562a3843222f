"""Every device there is, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.errors import CampaignError
from harness.rig.protocols import Device, DeviceCost, Endpoints
from harness.rig.telemetry import (
    cgroup,
    database,
    docker_events,
    host,
    observer,
    pace,
    ping,
    pool,
    probe,
    processes,
    run_queue,
    stacks,
    support,
    told,
)
from harness.rig.telemetry.cgroup import Readers
from harness.rig.telemetry.sampler import CostLedger


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What several devices of one set use together."""

    ledger: CostLedger = field(default_factory=CostLedger)
    readers: Readers = field(default_factory=Readers)


_OFFERS: dict[DeviceCost, Callable[[Endpoints, Shared], Device | None]] = {
    cgroup.COST: lambda endpoints, shared: (
        cgroup.offer(endpoints, shared.readers) or told.offer(endpoints)
    ),
    processes.COST: lambda endpoints, _: processes.offer(endpoints),
    pool.COST: lambda endpoints, _: pool.offer(endpoints),
    ping.COST: lambda endpoints, _: ping.offer(endpoints),
    probe.COST: lambda endpoints, _: probe.offer(endpoints),
    run_queue.COST: lambda endpoints, _: run_queue.offer(endpoints),
    database.COST: lambda endpoints, _: database.offer(endpoints),
    support.COST: lambda endpoints, shared: support.offer(endpoints, shared.readers),
    host.COST: lambda endpoints, _: host.offer(endpoints),
    pace.COST: lambda endpoints, shared: pace.offer(endpoints, shared.ledger),
    stacks.COST: lambda endpoints, shared: stacks.offer(endpoints, shared.ledger),
    docker_events.COST: lambda endpoints, _: docker_events.offer(endpoints),
    observer.COST: lambda _, shared: observer.ObserverDevice(shared.ledger),
}

DEVICES: tuple[DeviceCost, ...] = tuple(_OFFERS)


def build(
    endpoints: Endpoints, names: Sequence[str] | None = None, *, shared: Shared | None = None
) -> list[Device]:
    """The devices these endpoints offer, in the order of `DEVICES`.

    Args:
        endpoints: what to watch.
        names: which devices are wanted; `None` for all. One that is wanted but not offered here
            is left out.
        shared: the ledger and readers to use; new ones by default.

    Raises:
        CampaignError: a name no device has.
    """
    check_names(names)
    shared = shared or Shared()
    wanted = [cost for cost in DEVICES if names is None or cost.name in names]
    offered = [_OFFERS[cost](endpoints, shared) for cost in wanted]
    return [device for device in offered if device is not None]


def check_names(names: Sequence[str] | None) -> None:
    """Refuse names no device has.

    Raises:
        CampaignError: lists the wrong names and the right ones.
    """
    known = [cost.name for cost in DEVICES]
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise CampaignError(
            f"There is no device named {', '.join(unknown)}.",
            evidence=f"Devices: {', '.join(known)}.",
            hint="Correct `devices` in the campaign, or leave it out to use every device.",
        )
