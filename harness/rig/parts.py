"""What a conductor works with: the three parts of a cell, and where facts and news go."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.facts.store import CellWriter
from harness.rig.protocols import Listener, LoadDriver, Target, Telemetry


@dataclass(slots=True, kw_only=True)
class Rig:
    """The three parts of one cell and where its facts go."""

    target: Target
    load: LoadDriver
    telemetry: Telemetry
    writer: CellWriter
    journal: Callable[[dict[str, object]], None]
    listener: Listener
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
