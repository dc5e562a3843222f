"""Which limit gives first: memory, the CPU for launching, the CPU for the runs' own work, the
worker pool, or what feeds the server.

Each limit is scored by its own signs, in the failing step and against the step below it
(`memory`, `cpu`, `worker_pool`, `control_plane`), and `decide` names the heaviest. The weights are
judgement, stated where they stand, not a fitted model.
"""

from __future__ import annotations

from harness.analysis.binding.decide import binding_at, binding_of
from harness.analysis.binding.evidence import (
    LIMITS,
    Binding,
    BindingEvidence,
    Limit,
    Strength,
    evidence_at,
)

__all__ = [
    "LIMITS",
    "Binding",
    "BindingEvidence",
    "Limit",
    "Strength",
    "binding_at",
    "binding_of",
    "evidence_at",
]
