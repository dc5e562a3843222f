"""The database and the files, in a folder of the run's own."""

from __future__ import annotations

import csv
import random
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

SCHEMA = "CREATE TABLE IF NOT EXISTS orders (day TEXT, customer INTEGER, cents INTEGER)"


def work_folder() -> Path:
    """A folder that other runs do not share."""
    return Path(tempfile.mkdtemp(prefix="warehouse-"))


def write_orders(path: Path, day: str, count: int) -> int:
    """A file of orders as the shop would export it; the same for the same day."""
    chance = random.Random(day)
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["day", "customer", "cents"])
        rows.writerows(
            (day, chance.randrange(1000), chance.randrange(100, 90000)) for _ in range(count)
        )
    return path.stat().st_size


def load_orders(database: Path, source: Path) -> int:
    """Put a file into the database; how many orders that were."""
    with closing(sqlite3.connect(database)) as connection, source.open(newline="") as stream:
        connection.execute(SCHEMA)
        rows = [(r["day"], int(r["customer"]), int(r["cents"])) for r in csv.DictReader(stream)]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
        connection.commit()
    return len(rows)


def best_customers(database: Path, count: int) -> list[tuple[int, int]]:
    """Customers and their cents, the best first."""
    query = (
        "SELECT customer, sum(cents) AS spent FROM orders "
        "GROUP BY customer ORDER BY spent DESC, customer LIMIT ?"
    )
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.execute(query, (count,)))
