"""What the Locust child is told: by our driver through the environment, else by its command line.

LOAD_ORDER         a `LoadOrder` as JSON; sets everything
LOAD_OUT           the file for the records
LOAD_MASKED        a file of variables whose values are masked in whatever is written
LOAD_WATCH_STDIN   end when standard input does
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

from harness.masking import hide
from harness.rig.env_file import keep_secret
from harness.rig.load import dagster_graphql as graphql
from harness.rig.load import plain
from harness.rig.load.records import decode_order
from harness.rig.orders import LoadOrder

_told: list[LoadOrder] = []


def is_ordered() -> bool:
    """Whether our driver started this process."""
    return "LOAD_ORDER" in os.environ


def order_for(options: Any, host: str | None) -> LoadOrder:
    """The order of our driver, or what the command line says.

    Raises:
        ValueError: neither says where the webserver is.
    """
    if is_ordered():
        order = decode_order(os.environ["LOAD_ORDER"])
        hide(order.access.headers)
        return order
    if options is None or host is None:
        raise ValueError("the webserver's address is missing: give --host")
    return plain.order_of(options, host)


def mask_secrets() -> None:
    """Mask what our driver says is secret."""
    if secrets := os.environ.get("LOAD_MASKED"):
        keep_secret(Path(secrets))


def record_name(options: Any) -> str:
    """The file for the records; empty where nobody asked for one."""
    return os.environ.get("LOAD_OUT") or (options.load_out if options else "")


def use(order: LoadOrder) -> None:
    """A worker of a crew was told its order: `tls` goes by it, and its headers are masked."""
    hide(order.access.headers)
    _told.append(order)


def tls() -> ssl.SSLContext:
    """Whom to trust; the system's certificates unless our driver says otherwise."""
    order = decode_order(os.environ["LOAD_ORDER"]) if is_ordered() else None
    order = _told[-1] if _told else order
    return graphql.tls_context(order.access if order else None)


def read(response: Any) -> Any:
    """A response of Locust's fast client as JSON.

    Raises:
        GraphQLError: no answer, or none of GraphQL.
    """
    if response.status_code:
        return graphql.decode(response.status_code, response.content or b"")
    error = response.error
    late = isinstance(error, TimeoutError)
    raise graphql.GraphQLError("timeout" if late else "unreachable", str(error) or repr(error))
