"""The pool probe's lines among a container's others."""

from __future__ import annotations

import pytest

from harness.rig.lab.pool import PoolLook, pool_looks

pytestmark = pytest.mark.unit

LINE = '@pool_probe {"probe":"pool","t":12.5,"due":12.4,"queue":3,"busy":4,"threads":4,"max":4}'


def test_only_the_probes_lines_are_read() -> None:
    log = f"Started Dagster code server\n{LINE}\n{LINE.replace('12.5', '12.7')}\nsome warning\n"
    assert pool_looks(log) == [
        PoolLook(at_s=12.5, queue=3, busy=4), PoolLook(at_s=12.7, queue=3, busy=4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line", [LINE[:40], "@pool_probe ", '@pool_probe {"probe":"pool","error":"RuntimeError"}', ""]
)
def test_a_line_that_says_nothing_is_left_out(line: str) -> None:
    assert pool_looks(line) == []
