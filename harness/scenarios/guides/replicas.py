"""What does one DNS name in front of several replicas do: to launches, to cancels, to a roll-out?

Who gets what a client asks is counted by the replicas' own ids and by the runs they hold; then
replicas are stopped, as a roll-out does, while runs of several lengths sleep in them.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from harness.rig.lab.lab import Lab
from harness.rig.lab.spec import LabSpec, ServerSpec
from harness.rig.lab.web import Launched, Order
from harness.scenarios.guides.bench import Bench
from harness.scenarios.guides.replica_figures import figures
from harness.scenarios.guides.scenario import Scenario

PLAIN, FIXED = "plain", "fixed"
ASKED = 150
# Answers are compared as they come from the wire: no message of any Dagster version is needed.
ASK = f"""
import json
from collections import Counter
from dagster._grpc.client import DagsterGrpcClient
client = DagsterGrpcClient(host="{PLAIN}", port=4000)
def over(channel):
    ask = channel.unary_unary("/api.DagsterApi/GetServerId",
                              request_serializer=bytes, response_deserializer=bytes)
    return ask(b"", timeout=30)
def fresh():
    with client._channel() as channel:
        return over(channel)
def counted(ask):
    return sorted(Counter(ask() for _ in range({ASKED})).values())
told = dict(fresh=counted(fresh))
with client._channel() as channel:
    told["kept"] = counted(lambda: over(channel))
    told["beside"] = counted(fresh)
print(json.dumps(told))
"""
"""Run in a container that serves nothing: which replica answers a client of Dagster's that makes
a channel for each request, one that keeps its channel, and the first while it keeps one, too.
"""

SLEEP = Order(job="sleep", location=PLAIN, config={"seconds": 900.0})
TOGETHER = [Order(job="sleep", location=PLAIN, config={"seconds": 4.0})] * 6
BEGUN = ("STARTED", "SUCCESS")
CANCEL_S = 12.0
"""A run that was told to end has ended by then."""

PATIENCE_S = 180.0


def measure(bench: Bench) -> None:
    """Three replicas with ids of their own, as Dagster starts them; two with one id for both."""
    servers = (
        ServerSpec(name=PLAIN, replicas=3, memory_mib=1536),
        ServerSpec(
            name=FIXED, replicas=2, memory_mib=1536, replicas_named=True,
            arguments=(f"--fixed-server-id={FIXED}",),
        ),
    )  # fmt: skip
    with bench.lab(LabSpec(servers=servers)) as lab:
        bench.say("Asking by name, and watching what the webserver makes of changing ids")
        _ask(bench, lab)
        _reloads(bench, lab, seconds=15 if bench.quick else 60)
        for number in range(2 if bench.quick else 4):
            _together(bench, lab, number)
        _cancel(bench, lab, PLAIN, runs=9 if bench.quick else 12)
        if bench.quick:
            _roll(bench, lab, replica=1, grace_s=10, seconds=(60, 60, 5, 5))
        else:
            _cancel(bench, lab, FIXED, runs=12)
            lab.fresh(FIXED)
            lab.web.await_locations((FIXED, f"{FIXED}-1", f"{FIXED}-2"), timeout_s=PATIENCE_S)
            _roll(bench, lab, replica=1, grace_s=10, seconds=(60, 60, 20, 20, 5, 5))
            _roll(bench, lab, replica=2, grace_s=30, seconds=(60, 60, 20, 20, 5, 5))
            _roll(bench, lab, replica=1, grace_s=30, seconds=(5, 5))
        bench.sleep(CANCEL_S)
        bench.note_runs("late", lab.records.runs(lab.records.all_ids()))


def _ask(bench: Bench, lab: Lab) -> None:
    told = lab.support("upstream").run("timeout", "120", "python3", "-c", ASK)
    for client, counts in json.loads(told.splitlines()[-1]).items():
        bench.note("asked", client=client, replicas=3, counts=counts)


def _reloads(bench: Bench, lab: Lab, *, seconds: float) -> None:
    """Nothing is launched meanwhile; the webserver asks each location for its id by itself."""
    before = _updates(lab)
    began_s = time.monotonic()
    looks: Counter[str] = Counter()
    away: Counter[str] = Counter()
    while time.monotonic() - began_s < seconds:
        for name in (PLAIN, FIXED):
            looks[name] += 1
            away[name] += lab.web.location(name).state != "loaded"
        bench.sleep(0.5)
    took_s = time.monotonic() - began_s
    after = _updates(lab)
    for name in (PLAIN, FIXED):
        bench.note(
            "reloads", location=name, took_s=took_s, reloads=after[name] - before[name],
            looks=looks[name], away=away[name],
        )  # fmt: skip


def _updates(lab: Lab) -> Counter[str]:
    """How often the webserver said that a location's server was another one."""
    said = lab.support("webserver").log(20_000).splitlines()
    return Counter(
        name for line in said if "LOCATION_UPDATED" in line
        for name in (PLAIN, FIXED) if f"location {name}," in line
    )  # fmt: skip


def _together(bench: Bench, lab: Lab, number: int) -> None:
    """Launches of one moment; their runs end by themselves."""
    launches = lab.web.launch_all(TOGETHER)
    _note_held(bench, lab, PLAIN, launches, how="together", number=number)
    lab.web.wait(_ids(launches), timeout_s=PATIENCE_S)


def _cancel(bench: Bench, lab: Lab, name: str, *, runs: int) -> None:
    """Launches one after the other, and then all of them cancelled."""
    bench.say(f"{runs} runs launched one after the other on {name}, then cancelled")
    launches = [lab.web.launch(replace(SLEEP, location=name)) for _ in range(runs)]
    _note_held(bench, lab, name, launches, how="serial", number=0)
    ids = _ids(launches)
    lab.web.wait(ids, timeout_s=PATIENCE_S, until=lambda report: report.status == "STARTED")
    accepted = lab.web.cancel(ids)
    bench.sleep(CANCEL_S)
    held = {run for server in lab.servers(name) for run in server.current_runs()}
    bench.note(
        "cancel", replicas=len(lab.servers(name)), asked=len(ids), accepted=len(accepted),
        going_on=len(held & set(ids)),
    )  # fmt: skip


def _note_held(
    bench: Bench, lab: Lab, name: str, launches: Sequence[Launched], *, how: str, number: int
) -> None:
    """How many of these runs each replica holds."""
    ids = set(_ids(launches))
    counts = [len(ids & set(server.current_runs())) for server in lab.servers(name)]
    bench.note("held", how=how, location=name, replicas=len(counts), counts=counts)
    bench.note_launches(how, launches, location=name, number=number)


def _roll(bench: Bench, lab: Lab, *, replica: int, grace_s: int, seconds: Sequence[int]) -> None:
    """Stop one replica with runs in it, launching on, and start it again."""
    server = lab.servers(FIXED)[replica - 1]
    bench.say(f"Stopping {server.name} with {grace_s} s of grace, runs of {set(seconds)} s in it")
    launches: list[Launched] = []
    for length in dict.fromkeys(seconds):  # the longest first: the shortest must be there, too
        order = Order(job="sleep", location=server.name, config={"seconds": float(length)})
        launches += lab.web.launch_all([order] * seconds.count(length))
    lab.web.wait(_ids(launches), timeout_s=PATIENCE_S, until=lambda report: report.status in BEGUN)
    with ThreadPoolExecutor(max_workers=1) as pool:
        stopped_s = time.time()
        stopping = pool.submit(server.stop, grace_s)
        draining = []
        while not stopping.done():
            draining.append(lab.web.launch(Order(job="noop", location=FIXED)))
        exit_ = stopping.result()
    after = [lab.web.launch(Order(job="noop", location=FIXED)) for _ in range(2)]
    bench.note_launches("draining", draining, grace_s=grace_s)
    bench.note_launches("stopped", after, grace_s=grace_s)
    bench.note(
        "stop", grace_s=grace_s, stopped_s=stopped_s, took_s=exit_.took_s,
        exit_code=exit_.exit_code, lengths=list(seconds),
        run_ids=[each.run_id for each in launches],
    )  # fmt: skip
    serving_s = lab.restore(FIXED)
    lab.web.await_locations((FIXED, server.name), timeout_s=PATIENCE_S)
    bench.note("restored", serving_s=serving_s)


def _ids(launches: Sequence[Launched]) -> list[str]:
    return [each.run_id for each in launches if each.run_id]


SCENARIO = Scenario(
    name="replicas",
    question="What does one DNS name in front of several replicas do to launches and roll-outs?",
    minutes=6,
    quick_minutes=1.9,
    measure=measure,
    figures=figures,
)
