"""What a person does in the web interface: launch, look, cancel, reload; many at once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from harness.errors import TargetFailed
from harness.rig.load import dagster_graphql as graphql

POLL_S = 0.25
REPOSITORY = "__repository__"
MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One run to launch. `after_s`: this long after the first of its batch."""

    job: str
    location: str = "server"
    config: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """How one `launchRun` was answered; stamps in epoch seconds. Without a `run_id` it was
    refused, and `error_class` and `error` say how.
    """

    job: str
    sent_s: float
    answered_s: float
    run_id: str | None
    error_class: str | None = None
    error: str | None = None


class Web:
    """One webserver.

    Args:
        url: its address.
        timeout_s: patience with one request.
    """

    def __init__(self, url: str, *, timeout_s: float = 180.0) -> None:
        self.url = url
        self._post = graphql.connect(url, timeout_s)

    def launch(self, order: Order) -> Launched:
        """Launch one run; blocks until the webserver has answered."""
        selector = graphql.JobSelector(
            location=order.location, repository=REPOSITORY, job=order.job
        )
        sent_s = time.time()
        try:
            answer = graphql.parse_launch(
                self._post(graphql.launch_run(selector, order.config, order.tags))
            )
        except graphql.GraphQLError as error:
            answer = graphql.Launch(error_class=error.code, error=error.message)
        return Launched(
            job=order.job, sent_s=sent_s, answered_s=time.time(), run_id=answer.run_id,
            error_class=answer.error_class, error=answer.error,
        )  # fmt: skip

    def launch_all(self, orders: Sequence[Order]) -> list[Launched]:
        """Launch a batch, each from a thread of its own, at most 64 at a time; in their order."""
        began_s = time.monotonic()

        def one(order: Order) -> Launched:
            time.sleep(max(0.0, began_s + order.after_s - time.monotonic()))
            return self.launch(order)

        with ThreadPoolExecutor(max_workers=min(MOST_AT_ONCE, max(1, len(orders)))) as pool:
            return list(pool.map(one, orders))

    def statuses(self, run_ids: Sequence[str]) -> dict[str, graphql.RunReport]:
        """What the webserver says of these runs; those it does not know are missing.

        Raises:
            GraphQLError: no usable answer.
        """
        return graphql.parse_run_statuses(self._post(graphql.run_statuses(run_ids)))

    def wait(
        self,
        run_ids: Sequence[str],
        *,
        timeout_s: float,
        until: Callable[[graphql.RunReport], bool] = lambda report: report.ended,
        enough: int | None = None,
    ) -> dict[str, graphql.RunReport]:
        """Look until `enough` of the runs (all) are as `until` says, or time is up.

        Returns:
            The last look; whoever asks checks what it says.
        """
        wanted = len(run_ids) if enough is None else enough
        end_s = time.monotonic() + timeout_s
        seen: dict[str, graphql.RunReport] = {}
        while True:
            with contextlib.suppress(graphql.GraphQLError):  # busy: the next look may do
                seen = self.statuses(run_ids)
            if sum(1 for report in seen.values() if until(report)) >= wanted:
                return seen
            if time.monotonic() >= end_s:
                return seen
            time.sleep(POLL_S)

    def cancel(self, run_ids: Sequence[str]) -> tuple[str, ...]:
        """Ask for runs to be ended; those the webserver says are being ended.

        Raises:
            GraphQLError: no usable answer.
        """
        return graphql.parse_terminated(self._post(graphql.terminate_runs(run_ids)))

    def location(self, name: str) -> graphql.LocationStatus:
        """How a location is doing, as the webserver sees it."""
        try:
            return graphql.parse_location_status(self._post(graphql.location_status()), name)
        except graphql.GraphQLError as error:
            return graphql.LocationStatus(state="unreachable", error=error.message)

    def reload(self, location: str) -> None:
        """Ask the webserver to look at a location anew.

        Raises:
            GraphQLError: no usable answer.
        """
        self._post(graphql.reload_location(location))

    def tick(self, sensor: str, *, location: str = "server") -> graphql.DryRun:
        """Evaluate a sensor on its server; blocks until it is done, launches nothing."""
        try:
            answer = self._post(graphql.sensor_dry_run(location, REPOSITORY, sensor))
            return graphql.parse_sensor_dry_run(answer)
        except graphql.GraphQLError as error:
            return graphql.DryRun(error_class=error.code, error=error.message)

    def await_locations(self, names: Sequence[str], *, timeout_s: float) -> float:
        """Wait until the locations are loaded; the seconds that took.

        Raises:
            TargetFailed: one is broken, or time is up.
        """
        began_s = time.monotonic()
        asked = began_s
        while True:
            states = {name: self.location(name) for name in names}
            waiting = {n: s for n, s in states.items() if s.state != "loaded"}
            waited_s = time.monotonic() - began_s
            if not waiting:
                return waited_s
            broken = {n: s for n, s in waiting.items() if s.state in ("broken", "absent")}
            if broken or waited_s >= timeout_s:
                name, state = next(iter((broken or waiting).items()))
                raise TargetFailed(
                    f"The location {name} is {state.state} after {waited_s:.0f} s.",
                    evidence=state.error,
                )
            if time.monotonic() - asked > 5:  # old webservers never look again by themselves
                asked = time.monotonic()
                for each in waiting:
                    self.reload(each)
            time.sleep(POLL_S)
