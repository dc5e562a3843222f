"""Synthetic cells for the tests of judging; `factory` says what is true of them."""

from __future__ import annotations

from collections.abc import Callable

import factory
import pytest

from harness.facts.table import CellFacts

UNLOADED = factory.Rung(concurrency=1, kind="unloaded")


@pytest.fixture
def healthy() -> CellFacts:
    """1, 2, 4 and 8 runs, everything well."""
    rungs = [factory.Rung(concurrency=n) for n in (2, 4, 8)]
    return factory.make_facts([UNLOADED, *rungs])


@pytest.fixture
def with_last() -> Callable[..., CellFacts]:
    """A healthy cell whose last rung, at 8, has this truth instead."""

    def make(cell: dict[str, object] | None = None, **truth: object) -> CellFacts:
        last = factory.Rung(concurrency=8, **truth)  # type: ignore[arg-type]
        rungs = [UNLOADED, factory.Rung(concurrency=4), last]
        return factory.make_facts(rungs, **(cell or {}))

    return make
