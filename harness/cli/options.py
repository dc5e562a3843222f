"""Options that every command has which measures."""

from __future__ import annotations

from typing import Annotated

import typer

AllowOvercommit = Annotated[
    bool, typer.Option(help="Measure profiles larger than this machine; marks every result.")
]
Plain = Annotated[bool, typer.Option(help="One line a step, for logs.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        metavar="PORT",
        help="Serve live gauges in OpenMetrics on 127.0.0.1:PORT/metrics while measuring; "
        "0 chooses a free port.",
    ),
]
