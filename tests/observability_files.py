"""The dashboard, rules and configurations of `compose/observability`, as tests read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FOLDER = Path(__file__).parents[1] / "compose" / "observability"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One expression of the dashboard, and whose it is."""

    place: str
    expr: str
    instant: bool


def read_yaml(name: str) -> dict[str, Any]:
    """One of the YAML files."""
    loaded: dict[str, Any] = YAML(typ="safe").load(FOLDER / name)
    return loaded


def dashboard() -> dict[str, Any]:
    """The dashboard as it is imported."""
    loaded: dict[str, Any] = json.loads((FOLDER / "grafana/dashboard.json").read_text("utf-8"))
    return loaded


def panels() -> list[dict[str, Any]]:
    """Every panel that shows something, in order; rows are left out."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    """Every expression: of panels, then of annotations."""
    for panel in panels():
        for target in panel["targets"]:
            place = f"{panel['title']} {target['refId']}"
            yield Query(place=place, expr=target["expr"], instant=target["instant"])
    for note in dashboard()["annotations"]["list"]:
        if "expr" in note:
            yield Query(place=f"annotation {note['name']}", expr=note["expr"], instant=False)


def variables() -> dict[str, str]:
    """What the variables of the dashboard ask Prometheus, by name."""
    listed = dashboard()["templating"]["list"]
    return {v["name"]: v["query"]["query"] for v in listed if v["type"] == "query"}


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert of the rules, by name."""
    return {
        rule["alert"]: rule for group in read_yaml("rules.yml")["groups"] for rule in group["rules"]
    }
