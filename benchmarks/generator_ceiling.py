"""How many launches a second the load generator can send: it against a webserver that does nothing.

Closed model: each user launches, waits until the poll saw the run end, launches again. Runs end
at once. Only 127.0.0.1 is spoken to, or with `--master` the address workers are waited for at; time
and number of launches are bounded.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.analysis.measures.percentiles import percentile
from harness.analysis.measures.windows import ended_within
from harness.errors import ExitCode, HarnessError
from harness.rig.assets import state_dir
from harness.rig.load.commands import ANY_ADDRESS, Staff
from harness.rig.load.driver import LocustDriver
from harness.rig.load.reach import LOOPBACK, web_address
from harness.rig.lock import campaign_lock
from harness.rig.orders import JobOrder, LoadOrder, LoadOutcome

REPO = Path(__file__).resolve().parents[1]
QUICK_RUNS_PER_S = 1.0
POLL_INTERVAL_S = 0.5  # as the locustfile polls, which may be imported only by Locust
NEAR = 0.9
RAMP_S = 1.0
MAX_RUNS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What one step showed, over its hold.

    `poll_limit_runs_per_s` is what the users could reach if answers took no time: each waits for
    the next poll. `bound_by` names what stood in the way: `poll` and `generator_cpu` are the
    generator's own; `other` is the fake webserver or this machine, and then the true ceiling is
    higher. `quick_share` is the quick campaign's highest rate ÷ this one.
    """

    users: int
    runs: int
    failed: int
    runs_per_s: float
    poll_limit_runs_per_s: float
    generator_cpu_cores: float | None
    fake_cpu_cores: float
    send_lag_p95_s: float | None
    send_lag_p99_s: float | None
    cpu_per_run_s: float | None
    workers: int
    answer_p95_s: float | None
    bound_by: str
    quick_share: float | None


def ceiling_of(
    outcome: LoadOutcome,
    *,
    users: int,
    fake_cpu_cores: float,
    workers: int = 1,
    cores_each: float = 1.0,
) -> Ceiling:
    """What a step says about the generator.

    Args:
        outcome: a step that was not aborted; its hold has a length.
        users: how many runs were kept in flight.
        fake_cpu_cores: CPU of the process that holds the fake webserver.
        workers: how many processes generated it.
        cores_each: what each of them can use.

    Raises:
        ValueError: the step never reached its hold.
    """
    hold = next((phase for phase in outcome.phases if phase.name == "hold"), None)
    if hold is None or hold.end_s <= hold.start_s:
        raise ValueError("the step has no hold")
    sent = [run for run in outcome.runs if hold.start_s <= run.sent_s < hold.end_s]
    rate = len(ended_within(outcome.runs, hold)) / (hold.end_s - hold.start_s)
    limit = users / POLL_INTERVAL_S
    lags = [run.sent_s - run.intended_s for run in sent]
    lag, late = percentile(lags, 95), percentile(lags, 99)
    answers = [run.accepted_s - run.sent_s for run in sent if run.accepted_s is not None]
    answer = percentile(answers, 95)
    return Ceiling(
        users=users,
        runs=len(outcome.runs),
        failed=sum(run.status != "SUCCESS" for run in outcome.runs),
        runs_per_s=rate,
        poll_limit_runs_per_s=limit,
        generator_cpu_cores=outcome.generator_cpu_cores,
        fake_cpu_cores=fake_cpu_cores,
        send_lag_p95_s=lag.finite if lag else None,
        send_lag_p99_s=late.finite if late else None,
        cpu_per_run_s=outcome.generator_cpu_cores / rate
        if outcome.generator_cpu_cores and rate
        else None,
        workers=workers,
        answer_p95_s=answer.finite if answer else None,
        bound_by=_bound(rate / limit, outcome.generator_cpu_cores, workers * cores_each),
        quick_share=QUICK_RUNS_PER_S / rate if rate > 0 else None,
    )


def _bound(of_poll_limit: float, generator_cpu_cores: float | None, at_most_cores: float) -> str:
    if generator_cpu_cores is not None and generator_cpu_cores >= NEAR * at_most_cores:
        return "generator_cpu"  # a process has one event loop: one core is all it can use
    return "poll" if of_poll_limit >= NEAR else "other"


def _fake_module() -> Any:
    """The tests' fake webserver."""
    sys.path.insert(0, str(REPO / "tests/integration"))
    return importlib.import_module("fake_webserver")


def run(users: int, hold_s: float, staff: Staff, cores_each: float = 1.0) -> Ceiling:
    """One step of the real generator. Workers from elsewhere find the fake where the master is.

    Raises:
        GeneratorFailed: it could not run.
        EnvironmentProblem: a campaign is measuring on this machine.
    """
    fake = _fake_module()
    order = {
        "step": 0, "location": fake.LOCATION, "tags": {},
        "jobs": (JobOrder(job="load", share=1, run_config={}),),
        "concurrency": users, "ramp_s": RAMP_S, "settle_s": 0.0, "hold_s": hold_s,
        "drain_s": 5.0, "burst": False, "max_runs": MAX_RUNS,
    }  # fmt: skip
    with (
        campaign_lock(state_dir() / "campaign.lock", holder="generator_ceiling"),
        tempfile.TemporaryDirectory(prefix="generator-ceiling-") as folder,
        fake.serving(fake.Behaviour(run_s=0.0), address=web_address(staff.master)) as webserver,
    ):
        cpu_s, wall_s = time.process_time(), time.monotonic()
        url = webserver.url.replace(ANY_ADDRESS, LOOPBACK)
        outcome = LocustDriver(Path(folder), staff=staff).execute(
            LoadOrder(webserver_url=url, **order),
            abort=lambda: "",
            progress=lambda _: None,
        )
        fake_cores = (time.process_time() - cpu_s) / (time.monotonic() - wall_s)
    return ceiling_of(
        outcome, users=users, fake_cpu_cores=fake_cores, workers=staff.workers,
        cores_each=cores_each,
    )  # fmt: skip


def _sentence(found: Ceiling) -> str:
    if found.quick_share is None:
        return "No run ended: nothing can be said."
    lag = "not known" if found.send_lag_p95_s is None else f"{found.send_lag_p95_s * 1000:.0f} ms"
    cores = "?" if found.generator_cpu_cores is None else f"{found.generator_cpu_cores:.2f}"
    return (
        f"{found.users} users: {found.runs_per_s:.1f} runs/s, generator {cores} cores, send lag "
        f"p95 {lag}, bound by {found.bound_by}. The quick campaign's highest rate "
        f"({QUICK_RUNS_PER_S:g}/s) is {found.quick_share:.1%} of that."
    )


def main() -> int:
    """0: measured; 5: launches failed or nothing ended; else the error's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50, help="1 to 500")
    parser.add_argument("--seconds", type=float, default=10.0, help="1 to 60")
    parser.add_argument("--workers", type=int, default=1, help="1 to 16 processes")
    parser.add_argument("--master", default="", metavar="HOST:PORT", help="workers come to here")
    parser.add_argument("--cores", type=float, default=1.0, help="what each worker can use")
    options = parser.parse_args()
    if not (1 <= options.users <= 500 and 1 <= options.seconds <= 60):
        parser.error("--users must be 1 to 500, --seconds 1 to 60")
    try:
        staff = Staff(workers=options.workers, master=options.master)
        found = run(options.users, options.seconds, staff, options.cores)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(json.dumps(asdict(found), indent=2))
    print(_sentence(found), file=sys.stderr)
    return ExitCode.INCONCLUSIVE if found.failed or found.quick_share is None else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
