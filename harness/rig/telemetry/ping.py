"""Dagster's own metrics, from its Ping: what the sizing guides tell people to watch.

Kept beside the pool probe to show how late they are: a Ping waits for a worker thread like any
other request, and counts the queue only once it has one.
"""

from __future__ import annotations

from harness.rig.code_server_rpc import CodeServerClient, PingMetrics
from harness.rig.protocols import DeviceCost, Endpoints, Reading
from harness.rig.telemetry.probe import Answer, Questions

COST = DeviceCost(
    name="ping",
    reads="Ping with utilization metrics, 60 s deadline",
    rate_hz=0.1,
    cost="each one forks a shell in the server to read its own usage (some 10 ms of its CPU)",
)
DEADLINE_S = 60.0
_PATIENCE_S = 8.0  # below one beat


class PingDevice:
    """Keys by replica, stamped when the answer came (or was given up).

    `ping_failed` 0 or 1; when answered `ping_s`, `ping_asked_s`, `ping_answered_s` (epoch
    seconds); and where the server reports them `ping_queued`, `ping_running` (requests, the Ping
    included) and `ping_max`. `ping_skipped` marks a beat that found the last Ping still open.
    """

    cost = COST

    def __init__(self, questions: Questions[PingMetrics]) -> None:
        self._questions = questions

    def read(self) -> Reading:
        """Ask every replica that is not still thinking about the last Ping."""
        reading = Reading()
        answers, skipped = self._questions.round(patience_s=_PATIENCE_S)
        for source in skipped:
            reading.values[source, "ping_skipped"] = 1.0
        for answer in answers:
            reading.stamped += [
                (answer.answered_s, answer.source, key, value)
                for key, value in _facts(answer).items()
            ]
        return reading

    def close(self) -> None:
        """Give up open questions and close the connections."""
        self._questions.close()


def offer(endpoints: Endpoints) -> PingDevice | None:
    """Pings to every replica."""
    clients = {r.name: CodeServerClient(r.grpc_address) for r in endpoints.replicas}
    return PingDevice(Questions(clients, lambda client: client.ask_ping(DEADLINE_S)))


def _facts(answer: Answer[PingMetrics]) -> dict[str, float]:
    metrics = answer.value
    if metrics is None:
        return {"ping_failed": 1.0}
    told = {
        "ping_queued": metrics.queued,
        "ping_running": metrics.running,
        "ping_max": metrics.max_workers,
    }
    return {
        "ping_failed": 0.0,
        "ping_s": answer.took_s,
        "ping_asked_s": answer.asked_s,
        "ping_answered_s": answer.answered_s,
        **{key: float(value) for key, value in told.items() if value is not None},
    }
