"""Locations that do not load, or load late."""

from __future__ import annotations

import compileall
import importlib
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

BROKEN = {"missing_library": ModuleNotFoundError, "syntax_error": SyntaxError}


@pytest.mark.parametrize(("module", "error"), BROKEN.items())
def test_importing_it_fails_as_its_name_says(module: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        importlib.import_module(f"workloads.guides.{module}")


@pytest.mark.parametrize("module", BROKEN)
def test_the_images_build_can_compile_it(module: str, tmp_path: Path) -> None:
    copy = tmp_path / f"{module}.py"
    copy.write_text(Path(__file__).with_name(f"{module}.py").read_text())
    assert compileall.compile_file(copy, quiet=1)


def test_a_slow_import_waits_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.setenv("WORKLOAD_IMPORT_S", "45")
    sys.modules.pop("workloads.guides.slow_import", None)
    importlib.import_module("workloads.guides.slow_import")
    assert waited == [45.0]
