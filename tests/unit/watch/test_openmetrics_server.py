"""Where the live gauges are served, to whom, and for how long."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable

import pytest
from prometheus_client import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

from harness.errors import EnvironmentProblem, ExitCode
from harness.watch.openmetrics import MetricsListener
from harness.watch.openmetrics_names import PREFIX

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("accept", "parse"),
    [
        ("application/openmetrics-text; version=1.0.0", text_string_to_metric_families),
        ("text/plain", plain_families),
    ],
)
def test_each_scraper_gets_the_format_it_asks_for(
    accept: str, parse: Callable[[str], Iterable[Family]]
) -> None:
    with MetricsListener(0) as listener:
        listener.campaign_started("quick", [])
        request = urllib.request.Request(listener.url, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith(accept.partition(";")[0])
            families = list(parse(answer.read().decode()))
    assert f"{PREFIX}_campaign_cells" in {s.name for f in families for s in f.samples}


def test_a_port_in_use_is_an_environment_problem_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentProblem) as caught, MetricsListener(port):
            pass
    assert caught.value.exit_code == ExitCode.ENVIRONMENT
    assert f"127.0.0.1:{port}" in caught.value.evidence
    assert "--metrics-port" in caught.value.hint


def test_a_port_that_cannot_be_is_the_same_problem() -> None:
    with pytest.raises(EnvironmentProblem, match="65536"), MetricsListener(65536):
        pass


def test_it_listens_on_this_machine_only_and_stops_when_left() -> None:
    with MetricsListener(0) as listener:
        url = listener.url
        port = int(url.removesuffix("/metrics").rpartition(":")[2])
        assert url == f"http://127.0.0.1:{port}/metrics"
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", port), timeout=5)
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(url, timeout=5)
    with MetricsListener(port) as again:
        assert again.url == url


def test_the_address_is_known_only_while_it_serves() -> None:
    listener = MetricsListener(0)
    with pytest.raises(RuntimeError, match="with"):
        _ = listener.url
