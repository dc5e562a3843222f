"""A location whose import waits: for a service that does not answer, say.

Environment:
    WORKLOAD_IMPORT_S       how long, 0 (default) waits not at all
"""

from __future__ import annotations

import time

from dagster import Definitions

from workloads.common import setting

time.sleep(setting("WORKLOAD_IMPORT_S", 0.0))

defs = Definitions()
