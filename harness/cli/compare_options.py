"""The options of `harness compare`, each with the words its help says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FORMATS = ("terminal", "markdown", "html", "json", "junit", "all")
PIPED = ("markdown", "json", "junit")
"""Formats that go to standard output where no file is named."""

ResultA = Annotated[
    str, typer.Argument(help="A results folder, or `latest`. Alone: the Dagster versions in it.")
]
ResultB = Annotated[
    str,
    typer.Argument(
        help="Another one, measured alike: A is the baseline, B the contender.", show_default=False
    ),
]
Baseline = Annotated[
    str, typer.Option(metavar="VERSION", help="Which of A's versions the others stand beside.")
]
Contender = Annotated[
    str, typer.Option(metavar="VERSION", help="Compare this version alone (of A, or of B).")
]
Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="KEY",
        help="Only this figure, and the verdict by it alone: capacity, launch_cpu_s, launch_s@3. "
        "Repeatable; --list-metrics names them all.",
    ),
]
ListMetrics = Annotated[
    bool, typer.Option("--list-metrics", help="Name the figures that can be compared, and stop.")
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Compare also what was not measured alike; every output says so."),
]
Alpha = Annotated[
    float, typer.Option(min=0.0001, max=0.5, help="Chance of a false verdict over all figures.")
]
Tolerance = Annotated[
    float,
    typer.Option(min=0.001, max=1, help="Differences up to this share of the baseline are none."),
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        help="terminal, html and all write comparison.html, .md, .json and comparison-junit.xml "
        "into the contender's results folder; markdown, json and junit go to standard output.",
        metavar="|".join(FORMATS),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
Details = Annotated[
    bool,
    typer.Option("--details", help="On the terminal also what does not count for the verdict."),
]
Out = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="Write there instead, `-` is standard output; with all: into that folder.",
    ),
]
Root = Annotated[Path, typer.Option("--root", "--results", help="Where results folders are.")]
Open = Annotated[bool, typer.Option("--open", help="Open the page in a browser.")]
