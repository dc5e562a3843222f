"""Telling a chat how the night went. The address is a secret: whoever has it can write there.

So it is in no result, no log and no message, and what we start does not inherit it. What goes wrong
is told by its kind alone, because libraries like to quote the address in their messages.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.errors import CampaignError

VARIABLE = "HARNESS_WEBHOOK_URL"
TIMEOUT_S = 10.0
WAITS_S = (2.0, 8.0)
"""Before the second and the third attempt."""

BUSY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where to tell; `url` never shows."""

    url: str = field(repr=False)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A message goes where it was meant to go, or nowhere."""

    def redirect_request(self, *_: object) -> None:
        """Refuse."""


def webhook_from(file: Path | None, environment: MutableMapping[str, str]) -> Webhook | None:
    """The webhook of a file, else of the environment, else none.

    Its variable is taken out of the environment, so that no server under test inherits it.

    Raises:
        CampaignError: the file cannot be read, or what was given is no web address.
    """
    url, source = environment.pop(VARIABLE, "").strip(), f"the variable {VARIABLE}"
    if file is not None:
        source = str(file)
        try:
            url = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise CampaignError(
                f"The webhook's address cannot be read from {file}.", evidence=str(why)
            ) from None
    if not url and file is None:
        return None
    if not _is_address(url):
        raise CampaignError(
            "The webhook is no web address.",
            evidence=f"It comes from {source}; it is not shown, because it may be a secret.",
            hint="It begins with https:// (or http://) and is one line.",
        )
    return Webhook(url=url)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False


def post(
    webhook: Webhook,
    payload: Mapping[str, Any],
    *,
    sleep: Callable[[float], None] = time.sleep,
    timeout_s: float = TIMEOUT_S,
) -> str:
    """Send the payload as JSON; what went wrong in the end, empty where it was taken.

    Three attempts; what will not change by asking again is not asked again.
    """
    body = json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()
    problem = ""
    for wait_s in (*WAITS_S, None):
        problem, passing = _attempt(webhook.url, body, timeout_s)
        if not problem or not passing or wait_s is None:
            break
        sleep(wait_s)
    return problem


def _attempt(url: str, body: bytes, timeout_s: float) -> tuple[str, bool]:
    """(What went wrong, whether that may pass)."""
    opener = urllib.request.build_opener(_NoRedirects)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with opener.open(request, timeout=timeout_s):
            return "", False
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answered HTTP {error.code}", error.code >= 500 or error.code == BUSY
    except TimeoutError:
        return f"no answer within {timeout_s:g} s", True
    except urllib.error.URLError as error:
        return f"it cannot be reached ({type(error.reason).__name__})", True
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"it cannot be reached ({type(error).__name__})", True
