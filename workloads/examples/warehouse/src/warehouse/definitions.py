"""What Dagster loads: three assets a day, the job that makes them, and its schedule.

Environment:
    SHOP_API_TOKEN    what the shop asks for; without it no run goes through
    ORDERS_PER_DAY    how large a day is: 20000 (default)
"""

import os
import shutil
import time
from pathlib import Path

import dagster as dg

from warehouse import store

days = dg.DailyPartitionsDefinition(start_date="2026-01-01", end_date="2026-03-01")


class ShopConfig(dg.Config):
    """How slow the shop answers, in seconds."""

    answer_s: float = 1.0


@dg.asset(partitions_def=days, group_name="shop")
def order_file(context: dg.AssetExecutionContext, config: ShopConfig) -> str:
    """One day's orders, fetched from the shop into a file."""
    token = os.environ["SHOP_API_TOKEN"]
    context.log.info(f"asking the shop with token {token}")
    time.sleep(config.answer_s)
    path = store.work_folder() / "orders.csv"
    store.write_orders(path, context.partition_key, int(os.environ.get("ORDERS_PER_DAY", "20000")))
    return str(path)


@dg.asset(partitions_def=days, group_name="shop")
def orders(order_file: str) -> str:
    """The same in a database."""
    database = Path(order_file).with_name("orders.db")
    store.load_orders(database, Path(order_file))
    return str(database)


@dg.asset(partitions_def=days, group_name="shop")
def best_customers(context: dg.AssetExecutionContext, orders: str) -> list[tuple[int, int]]:
    """Who spent most that day."""
    found = store.best_customers(Path(orders), 10)
    shutil.rmtree(Path(orders).parent, ignore_errors=True)
    context.log.info(f"the best customer spent {found[0][1] / 100:.2f}")
    return found


nightly_etl = dg.define_asset_job(
    "nightly_etl", selection="*", partitions_def=days, executor_def=dg.in_process_executor
)
every_night = dg.build_schedule_from_partitioned_job(nightly_etl)

defs = dg.Definitions(
    assets=[order_file, orders, best_customers],
    jobs=[nightly_etl],
    schedules=[every_night],
    # A stored path would be that of the latest run of the day: runs at once must not share it.
    resources={"io_manager": dg.mem_io_manager},
)
