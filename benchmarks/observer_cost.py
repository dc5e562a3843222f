"""What watching costs: one cell with all devices against the same cell with none.

Cells follow each other as with, without, without, with (ABBA), so that a machine that slowly
warms up or fills burdens both sides alike. README.md beside this file says how to read it.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from harness.analysis.percentiles import median
from harness.analysis.windows import counters, ended_within, hold_of, runs_of_step
from harness.campaign.loading import load_campaign
from harness.campaign.plan import CellPlan
from harness.cli.progress import PlainListener
from harness.errors import ExitCode, HarnessError
from harness.facts.codec import to_document
from harness.facts.layout import CellFolder
from harness.facts.model import Step
from harness.facts.store import read_results
from harness.facts.table import CellFacts
from harness.rig.protocols import Done, NextStep, StepOrder
from harness.rig.session import SessionOptions, measure
