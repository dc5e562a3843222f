"""The time by a webserver's answers: their `Date` header."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from email.message import Message
from email.utils import parsedate_to_datetime

from harness.rig.date_clock import DateLook, NoDate
from harness.rig.load import dagster_graphql as graphql
from harness.rig.orders import Access

TIMEOUT_S = 10.0


def look_at_date(webserver_url: str, access: Access) -> DateLook:
    """How the clock of a webserver is held against ours; asks nothing yet."""
    return DateLook(lambda: ask_date(webserver_url, access))


def ask_date(webserver_url: str, access: Access) -> float:
    """What time it is there: epoch seconds, whole. Any answer tells it, a refusal too.

    A GraphQL request, since nothing on the way answers that from memory; past any proxy of the
    environment, as all requests.

    Raises:
        NoDate: the answer has none, or one kept by somebody on the way.
        OSError: nobody answers.
    """
    request = urllib.request.Request(
        webserver_url.rstrip("/") + graphql.PATH, data=json.dumps(graphql.version()).encode(),
        headers={"Content-Type": "application/json", **access.headers},
    )  # fmt: skip
    try:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=graphql.tls_context(access)),
        )
        with opener.open(request, timeout=TIMEOUT_S) as response:
            return _date_in(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return _date_in(error.headers)
    except (http.client.HTTPException, graphql.GraphQLError) as error:
        raise NoDate(str(error) or type(error).__name__) from error


def _date_in(headers: Message) -> float:
    if headers.get("Age") is not None:
        raise NoDate("a proxy on the way answers from memory")
    told = headers.get("Date")
    if told is None:
        raise NoDate("its answers carry no Date header")
    try:
        return parsedate_to_datetime(told).timestamp()
    except ValueError as error:
        raise NoDate(f"its Date header is none: {told[:40]!r}") from error
