"""The dashboard, the rules and the way they are handed to Prometheus and Grafana."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import Any

import pytest
from observability_files import (
    FOLDER,
    alerts,
    dashboard,
    panels,
    queries,
    read_yaml,
    variables,
)

from harness.watch.openmetrics_names import METRICS, PREFIX

pytestmark = pytest.mark.unit

EXPORTED = {metric.series: metric for metric in METRICS}
COLUMNS = 24
GRAFANA_UNITS = {"none", "s", "bytes", "percentunit"}


def metrics_in(text: str) -> set[str]:
    return set(re.findall(rf"\b{PREFIX}_\w+", text))


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not apart_x and not apart_y


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    everything = dashboard()["panels"]
    assert max(Counter(panel["id"] for panel in everything).values()) == 1
    for one, other in itertools.combinations(everything, 2):
        assert not overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])
    assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= COLUMNS for p in everything)


def test_the_overlap_of_two_panels_is_found() -> None:
    left = {"x": 0, "y": 0, "w": 12, "h": 8}
    assert overlap(left, {"x": 11, "y": 7, "w": 12, "h": 8})
    assert not overlap(left, {"x": 12, "y": 0, "w": 12, "h": 8})
    assert not overlap(left, {"x": 0, "y": 8, "w": 12, "h": 8})


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_every_panel_explains_itself_and_names_its_unit(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    unit = panel["fieldConfig"]["defaults"]["unit"]
    assert unit in GRAFANA_UNITS or unit.startswith("suffix:")
    assert [target["refId"] for target in panel["targets"]] == ["A", "B", "C", "D"][
        : len(panel["targets"])
    ]


def test_every_question_goes_to_the_data_source_the_reader_chose() -> None:
    asked = [panel["datasource"] for panel in panels()]
    asked += [target["datasource"] for panel in panels() for target in panel["targets"]]
    asked += [note["datasource"] for note in dashboard()["annotations"]["list"] if "expr" in note]
    asked += [v["datasource"] for v in dashboard()["templating"]["list"] if v["type"] == "query"]
    assert {source["uid"] for source in asked} == {"${datasource}"}
    chosen = next(v for v in dashboard()["templating"]["list"] if v["name"] == "datasource")
    assert (chosen["type"], chosen["query"]) == ("datasource", "prometheus")


def test_every_series_is_narrowed_to_the_harness_and_cell_the_reader_chose() -> None:
    for query in queries():
        for name, chosen in re.findall(rf"\b({PREFIX}_\w+)(\{{[^}}]*\}})?", query.expr):
            assert 'instance=~"$instance"' in chosen, query.place
            if "cell" in EXPORTED[name].labels:
                assert 'cell=~"$cell"' in chosen, query.place


def test_the_dashboard_shows_every_metric_and_none_that_is_not_exported() -> None:
    shown = set[str]().union(*(metrics_in(query.expr) for query in queries()))
    assert shown == set(EXPORTED)
    assert set[str]().union(*map(metrics_in, variables().values())) <= set(EXPORTED)


def test_every_metric_has_a_sentence_for_its_help_text() -> None:
    assert len(EXPORTED) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r".{10,}\.", metric.meaning), metric.name
        assert metric.name.endswith(metric.unit)


def test_a_limit_is_drawn_dashed() -> None:
    limited = [
        (panel, target["legendFormat"])
        for panel in panels()
        for target in panel["targets"]
        if re.fullmatch(rf"{PREFIX}_\w*limit\w*\{{[^}}]*\}}", target["expr"])
    ]
    assert len(limited) == 2
    for panel, legend in limited:
        dashed = [
            override["matcher"]["options"]
            for override in panel["fieldConfig"]["overrides"]
            for each in override["properties"]
            if each["id"] == "custom.lineStyle" and each["value"]["fill"] == "dash"
        ]
        assert any(re.fullmatch(pattern, legend) for pattern in dashed), panel["title"]


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_asks_for_what_is_exported_and_tells_what_to_think_of_it(name: str) -> None:
    alert = alerts()[name]
    asked = metrics_in(alert["expr"])
    assert asked
    assert asked <= set(EXPORTED)
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"]["summary"].endswith(".")
    assert "$labels.cell" in alert["annotations"]["summary"]
    assert alert["annotations"]["description"].endswith(".")


def test_the_alerts_people_were_promised_are_there() -> None:
    on = {frozenset(metrics_in(alert["expr"])): alert for alert in alerts().values()}
    of = {f"{PREFIX}_{name}" for name in ("memory_peak_bytes", "memory_limit_bytes")}
    assert "> 0.9" in on[frozenset(of)]["expr"]
    assert on[frozenset({f"{PREFIX}_pool_queue_requests"})]["for"] == "30s"
    assert {f"{PREFIX}_oom_kills_total", f"{PREFIX}_probes_lost_total"} <= set().union(*on)


def test_prometheus_scrapes_the_port_the_readme_names() -> None:
    (job,) = read_yaml("prometheus.yml")["scrape_configs"]
    assert job["job_name"] == "dagster-load-harness"
    assert job["static_configs"] == [{"targets": ["127.0.0.1:9464"]}]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"--metrics-port (\d+)", readme)) == {"9464"}
    assert read_yaml("prometheus.yml")["rule_files"] == ["rules.yml"]


def test_grafana_finds_the_prometheus_and_the_dashboard_of_this_folder() -> None:
    provisioning = "grafana/provisioning/{}/dagster-load-harness.yaml"
    (source,) = read_yaml(provisioning.format("datasources"))["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://127.0.0.1:9090")
    interval = read_yaml("prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == interval
    (provider,) = read_yaml(provisioning.format("dashboards"))["providers"]
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"-t {provider['options']['path']} compose/observability/grafana" in readme
    mounts = read_yaml("observability.compose.yaml")["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboard.json:{provider['options']['path']}/dashboard.json:ro" in mounts


def test_the_containers_are_reached_from_this_machine_only() -> None:
    services = read_yaml("observability.compose.yaml")["services"]
    assert {service["network_mode"] for service in services.values()} == {"host"}
    assert "--web.listen-address=127.0.0.1:9090" in services["prometheus"]["command"]
    assert services["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    for name, service in services.items():
        assert service["image"].startswith(f"${{{name.upper()}_IMAGE:-")


def test_the_readme_lists_every_file_of_the_folder() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*") if path.is_file()}
    assert {name for name in files if f"`{name}`" not in readme} == {"README.md"}
