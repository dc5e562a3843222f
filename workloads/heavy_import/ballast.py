"""Stands for heavy libraries: importing it costs CPU time and leaves memory behind.

Environment:
    WORKLOAD_IMPORT_MIB   MiB that stay resident as long as the process lives; default 100
    WORKLOAD_IMPORT_S     CPU seconds the import takes; default 0.5, the filling not counted
"""

from __future__ import annotations

from workloads.common import ballast, burn, setting

HELD = ballast(int(setting("WORKLOAD_IMPORT_MIB", 100)))
burn(setting("WORKLOAD_IMPORT_S", 0.5))
