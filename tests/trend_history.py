"""A made-up history: a version that is slower, one that mends half of it, and bad nights."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np

from harness.analysis.history.types import Entry, Figure, Form, Role
from harness.scenarios.trends import Told, told_by

START = datetime(2026, 1, 3, 2, tzinfo=UTC)
VERSIONS = ("1.13.20", "1.13.21", "1.13.22")
NIGHTS = 45
KIND = "io (requests 4) on 1 vCPU / 2 GiB, compose, direct feed, 6 workers"
LEVELS = (0.0, math.log(1.11), math.log(1.05))
FIGURES: tuple[tuple[str, float, float], ...] = (
    # key, value, how much of the change it sees
    ("capacity", 4.0, 0.0), ("launch_cpu_s", 2.4, 1.0), ("launch_s@3", 4.0, 1.0),
    ("throughput_runs_per_s@3", 0.5, -1.0), ("import_s@3", 0.2, 0.0),
)  # fmt: skip
BAD_NIGHT = 8


def entry_of_night(night: int, *, campaign: str = "nightly", nights: int = NIGHTS) -> Entry:
    """One night; the baseline never moves."""
    rng = np.random.default_rng(night)
    at = START + timedelta(days=night)
    part = min(night * 3 // nights, 2)
    figures = []
    for key, value, share in FIGURES:
        machine, own = rng.normal(0, 0.01), rng.normal(0, 0.01)
        moved = share * LEVELS[part] + own + (0.5 if night == BAD_NIGHT else 0.0)
        sides: tuple[tuple[Role, Form, float], ...] = (
            ("subject", "value", value * math.exp(moved + machine)),
            ("baseline", "value", value * math.exp(machine)),
            ("subject", "ratio", math.exp(moved)),
        )  # fmt: skip
        figures += [
            Figure(
                kind=KIND, key=key, role=role, form=form, value=number, rounds=4, sd=0.02, free=3
            )
            for role, form, number in sides
        ]
    return Entry(
        folder=f"{at:%Y%m%dT%H%M%SZ}-{campaign}", stamp="1", campaign=campaign,
        started_s=at.timestamp(), subject=VERSIONS[part], baseline="1.12.22",
        host="2 CPUs, AMD EPYC, x86_64", harness="0.1.0", method=2, figures=tuple(figures),
    )  # fmt: skip


def told(nights: int = NIGHTS) -> Told:
    """The history of so many nights, one quiet campaign, and one without figures."""
    entries = [entry_of_night(night, nights=nights) for night in range(nights)]
    short = [entry_of_night(night, campaign="quick") for night in range(3)]
    at = START + timedelta(days=50)
    silent = Entry(
        folder=f"{at:%Y%m%dT%H%M%SZ}-quick", stamp="", campaign="quick", started_s=at.timestamp(),
        subject="", baseline="", host="", harness="", method=0, figures=(),
        problem="without findings.json",
    )  # fmt: skip
    return told_by(sorted([*entries, *short, silent], key=lambda each: each.started_s))
