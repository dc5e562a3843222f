"""What a load worker imports of the harness is in its image, and no more areas than it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from source_tree import Module, imports

from harness.rig.assets import PACKAGE
from harness.rig.target.load_image import sources

pytestmark = pytest.mark.unit

ENTRY = ("harness.rig.load.worker", "harness.rig.load.locustfile")


def test_it_holds_everything_a_worker_imports_of_the_harness() -> None:
    held = {_name(path): path for path in sources()}
    todo, seen = list(ENTRY), set[str]()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        assert name in held, f"{name} is imported by a worker; add it to SOURCES"
        module = Module(name=name, text=held[name].read_text(encoding="utf-8"),
                        package=held[name].name == "__init__.py")  # fmt: skip
        todo += {found for each in imports(module) if (found := _module(each))}
    assert "harness.rig.load.crew" in seen


def _name(path: Path) -> str:
    dotted = path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".")
    return dotted.removesuffix(".__init__")


def _module(imported: str) -> str:
    """The module of ours that an import means; empty for what is not ours."""
    parts = imported.split(".")
    for length in range(len(parts), 1, -1):
        place = PACKAGE.parent.joinpath(*parts[:length])
        if parts[0] == "harness" and (
            place.with_suffix(".py").exists() or (place / "__init__.py").exists()
        ):
            return ".".join(parts[:length])
    return ""
