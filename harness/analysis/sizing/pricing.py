"""What a deployment costs."""

from __future__ import annotations

from harness.analysis.sizing.types import Demand, Price

HOURS_PER_MONTH = 730


def per_month(price: Price, *, vcpu: float, memory_mib: float, replicas: int) -> float:
    """Price of a month of 730 hours: a server is paid for whether it is busy or not."""
    hour = price.per_vcpu_hour * vcpu + price.per_gib_hour * memory_mib / 1024
    return hour * replicas * HOURS_PER_MONTH


def per_1000_runs(month: float, demand: Demand) -> float:
    """Price of a thousand runs at the mean rate, with growth."""
    runs = demand.mean_rate_per_s * 3600 * HOURS_PER_MONTH
    return month / runs * 1000
