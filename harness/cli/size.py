"""`harness size`: which task size and settings to ship for so many runs an hour."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Texts = list[str] | None

RunsPerHour = Annotated[float, typer.Option(help="Runs an hour, mean over the day, as it is now.")]
Durations = Annotated[
    Texts,
    typer.Option(
        help="What a run takes alone, from start to end: 45s, 2m, 1h30m, 0.5 (seconds). Of one "
        "kind: --duration cpu=2m. Repeatable."
    ),
]
DurationP95 = Annotated[
    Texts, typer.Option(help="95th percentile of the duration; it lengthens waits in the queue.")
]
DurationFile = Annotated[
    Texts, typer.Option(help="Durations you had: a file with one a line, or FILE:COLUMN of a CSV.")
]
Workload = Annotated[str, typer.Option(help="The measured workload that is most like your runs.")]
Mix = Annotated[
    str, typer.Option(help="Several, with their shares: --mix io=0.7,cpu=0.2,mixed=0.1.")
]
Burst = Annotated[
    float, typer.Option(help="Busiest rate ÷ mean rate. The default is a rule of thumb.")
]
Growth = Annotated[str, typer.Option(help="Runs expected ÷ runs today: 1.5, or 50% more.")]
PerRunMib = Annotated[
    Texts, typer.Option(help="Memory of one of your runs in MiB: 350, or io=350. Repeatable.")
]
Slo = Annotated[
    Texts, typer.Option("--slo", help="Another objective: --slo launch_s_p95=20. Repeatable.")
]
MaxReplicas = Annotated[int, typer.Option(help="How many replicas to look at, at most 100.")]
Results = Annotated[
    list[Path] | None,
    typer.Option(help="Results folders to use; left out, the newest usable ones. Repeatable."),
]
Root = Annotated[Path, typer.Option(help="Where results folders are.")]
PriceText = Annotated[
    str, typer.Option(help="Price of an hour: vcpu=0.04,gib=0.004. Either may be left out.")
]
Region = Annotated[str, typer.Option(help="AWS region of the price table.")]
Arch = Annotated[str, typer.Option(help="x86 or arm, for the price.")]
Dagster = Annotated[
    str, typer.Option(help="Dagster version of the files to paste. [default: as measured]")
]
Image = Annotated[str, typer.Option(help="Image named in them.")]
Location = Annotated[str, typer.Option(help="Code location named in them.")]
Emit = Annotated[
    Path | None, typer.Option(help="Write the files to paste into this folder as well.")
]
Paste = Annotated[
    bool, typer.Option("--paste", help="Print the files to paste in full, not their names alone.")
]
Format = Annotated[str, typer.Option("--format", help="terminal, markdown or json.")]
AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]


def size(  # noqa: PLR0913 - one parameter an option
    runs_per_hour: RunsPerHour, duration: Durations = None, duration_p95: DurationP95 = None,
    duration_file: DurationFile = None, workload: Workload = "io", mix: Mix = "",
    burst: Burst = 2.5, growth: Growth = "1", per_run_mib: PerRunMib = None, slo: Slo = None,
    max_replicas: MaxReplicas = 8, results: Results = None, root: Root = Path("results"),
    price: PriceText = "", region: Region = "us-east-1", arch: Arch = "x86",
    dagster: Dagster = "", image: Image = "my-image:latest", location: Location = "my-location",
    emit: Emit = None, paste: Paste = False, format_: Format = "terminal", json_: AsJson = False,
) -> int:  # fmt: skip
    """Which task size, how many replicas, which settings, at what price: from stored results.

    Nothing is measured; the newest stored results that fit are used. For example

        harness size --runs-per-hour 200 --duration 45s

        harness size --runs-per-hour 900 --mix io=0.8,cpu=0.2 --duration 30s
        --duration cpu=2m --growth 50% --per-run-mib 350

    Exit code 1: nothing that was looked at holds it. 5: the stored results support no answer.
    """
    # Statistics take long to import; `harness --help` must not wait for them.
    from harness.cli.size_request import Request, answer_to

    request = Request(
        runs_per_hour=runs_per_hour,
        durations=(duration or (), duration_p95 or (), duration_file or ()),
        workload=workload, mix=mix, burst=burst, growth=growth, per_run_mib=per_run_mib or (),
        slos=slo or (), max_replicas=max_replicas, results=tuple(results or ()), root=root,
        price=price, region=region, arch=arch, dagster=dagster, image=image, location=location,
        emit=emit, paste=paste, format="json" if json_ else format_,
    )  # fmt: skip
    return answer_to(request)
