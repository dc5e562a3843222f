"""The CPU-bound workload: each op does a fixed amount of pure-Python integer work."""

from __future__ import annotations

from collections.abc import Mapping

from dagster import Definitions

from workloads.common import Params, load_job

DEFAULTS: Mapping[str, float] = {"work_units": 20}

# About 0.1 CPU-seconds on the machine this was calibrated on (see README.md).
OPERATIONS_PER_UNIT = 800_000

# A linear congruential generator modulo 2**64 with the multiplier and increment of Knuth's MMIX.
_MULTIPLIER = 6_364_136_223_846_793_005
_INCREMENT = 1_442_695_040_888_963_407
_MASK = 2**64 - 1
_SEED = 1


class ChecksumError(RuntimeError):
    """The computation did not give what arithmetic says it must."""


def compute(operations: int) -> int:
    """The generator's state after `operations` steps, one after the other: O(operations)."""
    multiplier, increment, mask, state = _MULTIPLIER, _INCREMENT, _MASK, _SEED
    for _ in range(operations):
        state = (state * multiplier + increment) & mask
    return state


def expected(operations: int) -> int:
    """The same state by repeated squaring of the step x → a·x + c: O(log operations)."""
    scale, shift = 1, 0
    step_scale, step_shift = _MULTIPLIER, _INCREMENT
    while operations:
        if operations & 1:
            scale, shift = scale * step_scale & _MASK, (shift * step_scale + step_shift) & _MASK
        step_shift = step_shift * (step_scale + 1) & _MASK
        step_scale = step_scale * step_scale & _MASK
        operations >>= 1
    return (_SEED * scale + shift) & _MASK


def work(params: Params) -> Mapping[str, float]:
    """Do `work_units` units of work and verify the result.

    Raises:
        ChecksumError: the result is wrong, so the work was not done as stated.
    """
    operations = params["work_units"] * OPERATIONS_PER_UNIT
    checksum = compute(operations)
    if checksum != expected(operations):
        raise ChecksumError(f"{operations} operations gave {checksum}, not {expected(operations)}")
    # The upper 31 bits: GraphQL's Int, through which events are read, holds no more.
    return {"operations": operations, "checksum": checksum >> 33}


defs = Definitions(jobs=[load_job(work, DEFAULTS)])
