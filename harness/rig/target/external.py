"""The `external` target: a deployment that others started and others use.

Nothing of it is started, stopped or restarted. What the harness makes there are runs, each with the
campaign's own tag, and by that tag it ends those that have not ended when it is done.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.campaign.external import External
from harness.campaign.profiles import parse_profile
from harness.facts.model import Limits
from harness.rig.date_clock import UnsureClock
from harness.rig.env_file import secret_values
from harness.rig.host_clock import OUR_CLOCK, HostClock, Offset
from harness.rig.ledger import Entry, Ledger
from harness.rig.orders import Access
from harness.rig.protocols import Endpoints, Replica, ServerDeath
from harness.rig.target.quiet import PATIENCE_S, TAG, Waiting, end_until_quiet
from harness.rig.target.server_words import AskServer, Told, ask_server

QUIET_TIMEOUT_S = 300.0

CancelRuns = Callable[[str, Access, Mapping[str, str]], Collection[str]]
"""Ends all runs of a webserver that carry these tags and have not ended; which those were.

Given from outside: `load` speaks GraphQL, and `target` never imports it."""

CompareClocks = Callable[[str, Access], Callable[[], Offset]]
"""How the clock of a webserver is held against ours; given from outside for the same reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalOptions:
    """What the target needs beside its place: how runs are ended, how clocks are compared, how a
    code server is asked, how time passes, and whom to tell.
    """

    cancel: CancelRuns
    compare: CompareClocks
    ask: AskServer = ask_server
    say: Callable[[str], None] = field(default=lambda _: None)
    waiting: Waiting = field(default_factory=Waiting)


class ExternalTarget:
    """Implements `harness.rig.protocols.Target` on something that is there already."""

    def __init__(self, place: External, *, options: ExternalOptions, ledger: Ledger) -> None:
        self._place = place
        self._options = options
        self._ledger = ledger
        self._mark = f"dlh-{secrets.token_hex(5)}"
        self._started = False
        self._told = Told(words={})
        self._clock: HostClock = OUR_CLOCK

    def start(self) -> Endpoints:
        """Note what is about to be made there, ask its servers for their limits and hold its clock
        against ours; nothing is started.
        """
        self._ledger.add(self._entry())
        self._started = True
        ask, place = self._options.ask, self._place
        self._told = Told(
            words={name: ask(address).container for name, address in _servers(place)},
            said=parse_profile(place.size) if place.size else None,
        )
        for line in self._told.lines():
            self._options.say(line)
        self._clock = clock = UnsureClock(self._options.compare(place.webserver, access_of(place)))
        if clock.problem:
            self._options.say(f"The clock there is not known, and taken for ours: {clock.problem}")
        return self._endpoints()

    def describe(self) -> Mapping[str, Any]:
        """Where it is, the mark of every run, what its servers tell and what nobody can; no
        headers.
        """
        place = self._place
        return {
            "webserver": place.webserver, "location": place.location,
            "code_servers": list(place.code_servers), "tag": f"{TAG}={self._mark}",
            "server_words": self._told.record(), "unavailable": self._told.unavailable(),
        }  # fmt: skip

    def effective_limits(self) -> Limits | None:
        """As was said or as its servers tell; nobody here sees the kernel that enforces them."""
        return self._told.all_limits()

    def deaths(self) -> tuple[ServerDeath, ...]:
        """Never known: a server that does not answer may be slow or gone."""
        return ()

    def restart(self) -> Endpoints:
        """No fresh server, but a quiet one: our runs are ended, and their ends awaited.

        Raises:
            TargetFailed: some do not end.
        """
        self._options.say("Ending the runs that are still going")
        self._end_runs(QUIET_TIMEOUT_S, lambda _: None)
        return self._endpoints()

    def stop(self) -> None:
        """End our runs, also those a launch on its way still makes. Safe to call twice.

        Raises:
            TargetFailed: some do not end, or the webserver does not answer; the ledger keeps them.
        """
        if not self._started:
            return
        say = self._options.say
        self._end_runs(PATIENCE_S, lambda n: say(f"{n} runs were still going and are being ended"))
        self._ledger.remove(self._mark)
        self._started = False

    def _end_runs(self, patience_s: float, found: Callable[[int], None]) -> None:
        place, options = self._place, self._options
        access, tags = access_of(place), {TAG: self._mark}
        end_until_quiet(
            lambda: options.cancel(place.webserver, access, tags), self._mark,
            found=found, patience_s=patience_s, waiting=options.waiting,
        )  # fmt: skip

    def _endpoints(self) -> Endpoints:
        return Endpoints(
            webserver_url=self._place.webserver,
            location=self._place.location,
            database_dsn=None,
            replicas=tuple(
                Replica(
                    name=name,
                    grpc_address=address,
                    limits=self._told.limits(name),
                    tells=self._told.tells,
                )
                for name, address in _servers(self._place)
            ),
            # Wherever its servers run: what this host reads of itself is not about them.
            elsewhere=True,
            clock=self._clock,
            access=access_of(self._place),
            tags={TAG: self._mark},
            most_failures=self._place.most_failures,
            most_at_once=self._place.peak,
        )

    def _entry(self) -> Entry:
        place = self._place
        return Entry(
            id=self._mark, kind="external", name=f"runs at {place.webserver}",
            project=place.webserver, path=place.headers_file or "", box=place.ca_file or "",
        )  # fmt: skip


def _servers(place: External) -> list[tuple[str, str]]:
    """Name and address of each code server."""
    return [(f"code-server-{n}", each) for n, each in enumerate(place.code_servers, start=1)]


def access_of(place: External) -> Access:
    """Headers and certificates; the headers' values are masked from here on.

    Raises:
        CampaignError: the file of headers cannot be read.
    """
    headers = secret_values(Path(place.headers_file).expanduser()) if place.headers_file else {}
    return Access(headers=headers, ca_file=place.ca_file)
