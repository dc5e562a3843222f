"""Posting GraphQL to a webserver, without any client's library."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Protocol

from harness.rig.load.dagster_graphql.answers import GraphQLError, first_line
from harness.rig.orders import Access

PATH = "/graphql"

Body = dict[str, Any]


class Transport(Protocol):
    """Posts one body and returns the decoded JSON answer."""

    def __call__(self, body: Body) -> Any:
        """Raises GraphQLError: `unreachable`, `timeout`, `http_error` or `not_json`."""


def connect(base_url: str, timeout_s: float = 30.0, access: Access | None = None) -> Transport:
    """A blocking transport to the webserver at `base_url`, past any proxy of the environment.

    Raises:
        GraphQLError: `unreachable`: the file of certificates cannot be read.
    """
    access = access or Access()
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls_context(access))
    )
    headers = {"Content-Type": "application/json", **access.headers}
    url = base_url.rstrip("/") + PATH

    def post(body: Body) -> Any:
        request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)
        try:
            with opener.open(request, timeout=timeout_s) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            return decode(error.code, error.read())
        except TimeoutError as error:
            raise GraphQLError("timeout", f"no answer in {timeout_s:g} s") from error
        except (OSError, ValueError) as error:
            raise GraphQLError("unreachable", first_line(str(error))) from error
        return decode(200, text)

    return post


def tls_context(access: Access | None) -> ssl.SSLContext:
    """Certificates are always checked, against the file's or the system's.

    Raises:
        GraphQLError: `unreachable`: the file cannot be read.
    """
    try:
        access = access or Access()
        return ssl.create_default_context(cafile=access.ca_file, cadata=access.ca_pem)
    except (OSError, ssl.SSLError) as error:
        raise GraphQLError("unreachable", f"the certificates cannot be read: {error}") from error


def decode(status: int, text: bytes) -> Any:
    """An HTTP answer as JSON; Dagster sends errors with status 400 or 500 and a GraphQL body.

    Raises:
        GraphQLError: another status without a GraphQL body, or no JSON.
    """
    try:
        answer = json.loads(text)
    except ValueError as error:
        if status != 200:
            said = first_line(text[:200].decode("utf-8", "replace"))
            raise GraphQLError("http_error", f"HTTP {status} {said}".strip()) from error
        raise GraphQLError("not_json", first_line(str(error))) from error
    if status != 200 and not (isinstance(answer, Mapping) and {"data", "errors"} & answer.keys()):
        raise GraphQLError("http_error", f"HTTP {status}")
    return answer
