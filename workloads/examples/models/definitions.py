"""A dbt-like project: many small assets made from one file, each a statement of SQL.

`models.yml` names layers and how many models each has; a model selects from two of the layer
below it. All of it runs in one process, on a database in memory that each run fills anew.
"""

import os
import sqlite3
from pathlib import Path

import dagster as dg
import yaml

MODELS = yaml.safe_load(Path(__file__).with_name("models.yml").read_text(encoding="utf-8"))
ROWS = int(os.environ.get("MODEL_ROWS", "2000"))


def sources_of(layer, number, layers):
    """The names a model selects from; none in the lowest layer."""
    if layer == 0:
        return []
    below = layers[layer - 1]
    count = below["models"]
    return [f"{below['name']}_{(number + step) % count:03d}" for step in range(min(2, count))]


def model(layer, number, layers):
    """One asset: a table of sums over what it selects from."""
    name = f"{layers[layer]['name']}_{number:03d}"

    @dg.asset(name=name, deps=sources_of(layer, number, layers), group_name=layers[layer]["name"])
    def build(context):
        with sqlite3.connect(":memory:") as connection:
            connection.execute("CREATE TABLE source (id INTEGER, amount INTEGER)")
            rows = [(row, (row * 7919 + number) % 1000) for row in range(ROWS)]
            connection.executemany("INSERT INTO source VALUES (?, ?)", rows)
            query = "SELECT id % 10, sum(amount), avg(amount) FROM source GROUP BY 1"
            found = connection.execute(query).fetchall()
        context.add_output_metadata({"rows": len(found)})

    return build


LAYERS = MODELS["layers"]
ASSETS = [
    model(layer, number, LAYERS)
    for layer in range(len(LAYERS))
    for number in range(LAYERS[layer]["models"])
]

build = dg.define_asset_job("build", selection="*", executor_def=dg.in_process_executor)
marts = dg.define_asset_job(
    "marts", selection=dg.AssetSelection.groups("mart"), executor_def=dg.in_process_executor
)

defs = dg.Definitions(assets=ASSETS, jobs=[build, marts])
