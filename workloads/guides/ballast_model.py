"""Stands for a model or a lookup table that a location loads: it takes CPU and leaves memory.

Environment:
    MODEL_MIB   MiB that stay resident as long as the process lives; default 200
    MODEL_S     CPU seconds that loading takes beside filling the memory; default 0.5
"""

from __future__ import annotations

from workloads.common import ballast, burn, setting

HELD = ballast(int(setting("MODEL_MIB", 200)))
burn(setting("MODEL_S", 0.5))
