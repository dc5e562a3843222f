"""How often a night turns red for nothing, and how soon for something: nights made of real noise.

    python benchmarks/nights.py --noise-from RESULTS… > results/baselines/versions/noise.json
    python benchmarks/nights.py results/baselines/versions/noise.json

The noise is that of equal cells in real campaigns, all metrics of a cell drawn together. Nothing
is measured, and no real time passes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nights_noise import Noise, document_of, noise_from, noise_in
from nights_simulated import Injected, Setup, chains
from scipy.stats import binomtest

from harness.analysis.history.alarm import alarms_of
from harness.errors import ExitCode, HarnessError, StoredDataError

SEED = 20261125
ROUNDS = (2, 3, 4, 6)
WITHIN = 3
BAR_ROUNDS = 4
"""Rounds of the preset `compare`, which must meet the bars."""

MOST_FALSE, LEAST_FOUND = 0.01, 0.95
REGRESSIONS = {"slow10": Injected(slower=0.10), "fat10": Injected(mib=10.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`count` of `trials`, with the exact 95 % interval (Clopper & Pearson 1934)."""

    count: int
    trials: int
    share: float
    low: float
    high: float


def share_of(count: int, trials: int) -> Share:
    """The share of independent trials."""
    interval = binomtest(count, trials).proportion_ci(0.95, method="exact")
    return Share(
        count=count, trials=trials, share=count / trials,
        low=float(interval.low), high=float(interval.high),
    )  # fmt: skip


def false_alarms(noise: Noise, setup: Setup, *, trials: int, seed: int) -> Share:
    """Red among equal nights, each with a history of its own."""
    nights = chains(noise, setup, trials=trials, seed=seed)
    return share_of(sum(red(chain) for chain in nights), trials)


def found_within(
    noise: Noise, setup: Setup, injected: Injected, *, trials: int, seed: int
) -> dict[str, Share]:
    """By `1`, `2`, `3`: red in one of so many nights since the regression came."""
    counts = [0] * WITHIN
    for chain in chains(noise, setup, trials=trials, seed=seed, injected=injected, after=WITHIN):
        for night in range(WITHIN):
            if red(chain[: setup.history + night + 1]):
                for within in range(night, WITHIN):
                    counts[within] += 1
                break
    return {str(within + 1): share_of(count, trials) for within, count in enumerate(counts)}


def red(chain: Sequence[Any]) -> bool:
    """Whether the last night is."""
    return any(alarm.red for alarm in alarms_of(chain))


def case_of(
    noise: Noise, setup: Setup, *, trials: int, injections: int, seed: int
) -> dict[str, Any]:
    """All rates of one setup."""
    return {
        "setup": asdict(setup),
        "false_alarms": asdict(false_alarms(noise, setup, trials=trials, seed=seed)),
        "found_within": {
            name: {
                nights: asdict(share)
                for nights, share in found_within(
                    noise, setup, injected, trials=injections, seed=seed + 1
                ).items()
            }
            for name, injected in REGRESSIONS.items()
        },
    }


def setups(rounds: Sequence[int]) -> list[Setup]:
    """Nights beside a baseline for each number of rounds; then the first nights of all, and nights
    of a single version.
    """
    return [
        *(Setup(rounds=each) for each in rounds),
        Setup(rounds=BAR_ROUNDS, history=0),
        Setup(rounds=BAR_ROUNDS, history=16, single=True),
    ]


def missed(cases: Sequence[dict[str, Any]]) -> list[str]:
    """The bars that were not reached. Every setup must keep quiet; detection is asked of nights
    beside a baseline with `BAR_ROUNDS` rounds or more, and a history.
    """
    found = []
    for case in cases:
        setup, quiet = case["setup"], case["false_alarms"]
        name = words(setup)
        if quiet["share"] > MOST_FALSE:
            found.append(f"{name}: {quiet['share']:.2%} false alarms, bar {MOST_FALSE:.0%}")
        if setup["single"] or not setup["history"] or setup["rounds"] < BAR_ROUNDS:
            continue
        for regression, within in case["found_within"].items():
            share = within[str(WITHIN)]["share"]
            if share < LEAST_FOUND:
                found.append(f"{name}: {regression} found in {share:.1%}, bar {LEAST_FOUND:.0%}")
    return found


def words(setup: dict[str, Any]) -> str:
    """`4 rounds`, `4 rounds, first nights`, `4 rounds, one version`."""
    kind = ", one version" if setup["single"] else "" if setup["history"] else ", first nights"
    return f"{setup['rounds']} rounds{kind}"


def tell(cases: Sequence[dict[str, Any]]) -> None:
    """One line a setup, for people."""
    for case in cases:
        quiet = case["false_alarms"]
        line = (
            f"{words(case['setup'])}: false alarms {quiet['share']:.2%} "
            f"({quiet['low']:.2%} to {quiet['high']:.2%})"
        )
        for name, within in case["found_within"].items():
            line += f"; {name} " + ", ".join(f"{s['share']:.1%}" for s in within.values())
        print(line, file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """0: all bars reached, or a noise file written; 1: one is missed; 2: not readable."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("noise", type=Path, nargs="?", help="a noise file")
    parser.add_argument("--noise-from", type=Path, nargs="+", metavar="RESULTS")
    parser.add_argument("--trials", type=int, default=2000, help="equal nights (default 2000)")
    parser.add_argument("--injections", type=int, default=500, help="of each (default 500)")
    parser.add_argument("--rounds", type=int, nargs="+", default=list(ROUNDS))
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    if (options.noise is None) == (options.noise_from is None):
        parser.error("give a noise file, or --noise-from with results folders")
    try:
        if options.noise_from is not None:
            print(json.dumps(document_of(noise_from(options.noise_from)), indent=1))
            return ExitCode.PASS
        noise = read(options.noise)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    cases = [
        case_of(noise, setup, trials=options.trials, injections=options.injections,
                seed=options.seed)
        for setup in setups(options.rounds)
    ]  # fmt: skip
    tell(cases)
    failures = missed(cases)
    print("All bars reached." if not failures else f"Missed: {'; '.join(failures)}",
          file=sys.stderr)  # fmt: skip
    document = {
        "noise": options.noise.name, "sources": noise.sources, "cells": noise.cells,
        "series": sum(len(kind.keys) for kind in noise.kinds), "seed": options.seed,
        "cases": cases, "missed": failures,
    }  # fmt: skip
    print(json.dumps(document, indent=1))
    return ExitCode.BREACH if failures else ExitCode.PASS


def read(path: Path) -> Noise:
    """A noise file.

    Raises:
        StoredDataError: it is missing, or none.
    """
    try:
        return noise_in(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoredDataError(
            f"{path} cannot be read as a noise file.", evidence=str(error)
        ) from error


if __name__ == "__main__":
    sys.exit(main())
