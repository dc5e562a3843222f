"""How many runs one replica of a size would hold, and what would give first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.model.cell_model import CellModel
from harness.analysis.model.closed_system import balance
from harness.analysis.model.prediction import Setting, memory_limit, most_that_hold, predict
from harness.analysis.sizing.blend import Blend, Ingredient, launch_s
from harness.analysis.sizing.types import Limit
from harness.campaign.profiles import Profile
from harness.units import show_bytes, show_seconds

HIGHEST = 2000
"""Runs on one replica; more is not looked at."""

MINOR = 0.05
"""Kinds that are no more than this share of the runs together cannot move a p95 over all runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one replica holds: `runs`, and its interval with all costs at their worse or better end.

    `binding` is what gives first above, `None` where nothing does up to the highest looked at.
    `first`: where it does not hold even one run, why. `memory_known` is false where only the CPU
    could be looked at.
    """

    runs: int
    low: int | None
    high: int | None
    binding: Limit | None
    memory_known: bool
    first: str = ""


def held_by(blend: Blend, profile: Profile, slos: Mapping[str, float]) -> Held | None:
    """The prediction for one replica.

    Of one kind of runs by `harness.analysis.model.prediction`. Of a mix, every kind must keep
    slowdown and launch time by itself, slowed down by the CPU that all kinds share (but for the
    rarest, together up to 5 % of the runs); memory as `Blend.memory_bytes`.

    Returns:
        `None` when none of the objectives can be foreseen.
    """
    if len(blend.ingredients) == 1:
        found = _of_one(blend.ingredients[0].model, profile, slos)
    else:
        found = _of_mix(blend, profile, slos)
    if found is None:
        return None
    runs, low, high, binding = found
    return Held(
        runs=runs,
        low=low,
        high=high,
        binding=binding,
        memory_known=blend.memory_bytes(1) is not None,
        first="" if runs else _first(blend, profile, slos),
    )


Answer = tuple[int, int | None, int | None, Limit | None]


def _of_one(model: CellModel, profile: Profile, slos: Mapping[str, float]) -> Answer | None:
    setting = Setting(vcpu=profile.vcpu, memory_bytes=float(profile.memory_bytes), max_workers=None)
    found = predict(model, setting, slos, highest=HIGHEST)
    if found is None:
        return None
    return found.concurrency, found.low, found.high, found.binding


def _of_mix(blend: Blend, profile: Profile, slos: Mapping[str, float]) -> Answer | None:
    if memory_limit(slos) is None and not {"launch_s_p95", "slowdown_p95"} & set(slos):
        return None
    runs = _most(blend, profile, slos)
    binding: Limit | None = None
    if runs < HIGHEST:
        broken = _broken(blend, profile, slos, runs + 1)
        launching = blend.launch_cpu_s >= blend.run_cpu_s
        binding = "memory" if broken[0] == "memory_headroom" else None
        binding = binding or ("launch_cpu" if launching else "run_cpu")
    if not all(_sure(each.model) for each in blend.ingredients):
        return runs, None, None, binding
    low = min(runs, _most(blend.end(worse=True), profile, slos))
    high = max(runs, _most(blend.end(worse=False), profile, slos))
    return runs, low, high, binding


def _sure(model: CellModel) -> bool:
    """Whether every figure that decides has an interval."""
    figures = (
        model.launch_cpu_s, model.run_cpu_s, model.tail_response, model.tail_launch,
        model.bytes_per_run,
    )  # fmt: skip
    return all(figure is not None and figure.sure for figure in figures)


def _most(blend: Blend, profile: Profile, slos: Mapping[str, float]) -> int:
    return most_that_hold(lambda runs: _broken(blend, profile, slos, runs), highest=HIGHEST)


def _broken(blend: Blend, profile: Profile, slos: Mapping[str, float], runs: int) -> Sequence[str]:
    """Objectives that would not hold, hardest first."""
    shared = blend.shared(profile.vcpu)
    if shared.cores <= 0:
        return ("launch_s_p95",)
    broken = []
    memory, share = blend.memory_bytes(runs), memory_limit(slos)
    if memory is not None and share is not None and memory > share * profile.memory_bytes:
        broken.append("memory_headroom")
    stretch, alone = balance(runs, shared).stretch, 1 / min(1.0, shared.cores)
    seen = _major(blend)
    launches = [_launch_s_p95(each, stretch) for each in seen]
    slowdowns = [_slowdown_p95(each, stretch, alone) for each in seen]
    for name, figures in (("launch_s_p95", launches), ("slowdown_p95", slowdowns)):
        if name in slos and max(figures) > slos[name]:
            broken.append(name)
    return broken


def _major(blend: Blend) -> list[Ingredient]:
    """All kinds but the rarest."""
    found, passed_over = [], 0.0
    for each in sorted(blend.ingredients, key=lambda each: each.share):
        passed_over += each.share
        if passed_over > MINOR:
            found.append(each)
    return found


def _launch_s_p95(each: Ingredient, stretch: float) -> float:
    return each.model.tail_launch.value * launch_s(each.model, stretch)


def _slowdown_p95(each: Ingredient, stretch: float, alone: float) -> float:
    model = each.model
    responses = [model.z_s.value + model.cpu_s * of for of in (stretch, alone)]
    return model.tail_response.value * responses[0] / responses[1]


def _first(blend: Blend, profile: Profile, slos: Mapping[str, float]) -> str:
    """Why not even one run keeps the objectives."""
    cores = blend.shared(profile.vcpu).cores
    if cores <= 0:
        return "the idle server takes all the CPU there is"
    memory, share = blend.memory_bytes(1), memory_limit(slos)
    if memory is not None and share is not None and memory > share * profile.memory_bytes:
        return (
            f"the server and one run take {show_bytes(memory)}, more than {share:.0%} of "
            f"{show_bytes(profile.memory_bytes)}"
        )
    alone = 1 / min(1.0, cores)
    slowest = max(_launch_s_p95(each, alone) for each in _major(blend))
    if slowest > slos.get("launch_s_p95", slowest):
        return (
            f"one launch alone takes {show_seconds(slowest)} (p95), the objective is "
            f"{show_seconds(slos['launch_s_p95'])}"
        )
    return "one run alone does not keep the slowdown that is allowed"
