"""The `external` target: a deployment that others started and others use.

Nothing of it is started, stopped or restarted. What the harness makes there are runs, each with the
campaign's own tag, and by that tag it ends those that have not ended when it is done.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.campaign.external import External
from harness.campaign.profiles import parse_profile
from harness.errors import TargetFailed
from harness.facts.model import Limits
from harness.rig.env_file import secret_values
from harness.rig.ledger import Entry, Ledger
from harness.rig.orders import Access
from harness.rig.protocols import Endpoints, Replica, ServerDeath
from harness.rig.target.server_words import AskServer, Told, ask_server

TAG = "dagster-load-harness/campaign"
QUIET_TIMEOUT_S = 300.0
LOOK_S = 2.0

CancelRuns = Callable[[str, Access, Mapping[str, str]], int]
"""Ends all runs of a webserver that carry these tags and have not ended; how many those were.

Given from outside: `load` speaks GraphQL, and `target` never imports it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalOptions:
    """What the target needs beside its place: how runs are ended, how a code server is asked, the
    clock, and whom to tell.
    """

    cancel: CancelRuns
    ask: AskServer = ask_server
    say: Callable[[str], None] = field(default=lambda _: None)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class ExternalTarget:
    """Implements `harness.rig.protocols.Target` on something that is there already."""

    def __init__(self, place: External, *, options: ExternalOptions, ledger: Ledger) -> None:
        self._place = place
        self._options = options
        self._ledger = ledger
        self._mark = f"dlh-{secrets.token_hex(5)}"
        self._started = False
        self._told = Told(words={})

    def start(self) -> Endpoints:
        """Note what is about to be made there, and ask its servers for their limits; nothing is
        started.
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
        last_s = self._options.clock() + QUIET_TIMEOUT_S
        while self._cancel():
            if self._options.clock() >= last_s:
                raise TargetFailed(
                    f"Runs of ours did not end in {QUIET_TIMEOUT_S:.0f} s.",
                    hint=f"End them by hand: their tag is {TAG}={self._mark}",
                )
            self._options.sleep(LOOK_S)
        return self._endpoints()

    def stop(self) -> None:
        """End our runs. Safe to call twice."""
        if not self._started:
            return
        ended = self._cancel()
        if ended:
            self._options.say(f"{ended} runs were still going and are being ended")
        self._ledger.remove(self._mark)
        self._started = False

    def _cancel(self) -> int:
        place = self._place
        return self._options.cancel(place.webserver, access_of(place), {TAG: self._mark})

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
