"""What differs in a cell's Compose project when the server loads the user's own image.

A second Compose file beside `compose/compose.yaml`. An image of the user's lacks our instance
settings and the pool probe: it mounts them, from volumes that the engine fills from our own image,
so that this works on another machine's engine too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.rig.target.code.image import CodeImage

INSTANCE = "/opt/dagster-home"
PROBE = "/opt/probe"


def override(code: CodeImage, *, max_workers: int, env_file: Path | None) -> str:
    """The text of the second Compose file (JSON, which YAML is); holds no value of `env_file`.

    The image keeps its entry point, user and working directory. Its file system can be written
    to, since code may.
    """
    document = {
        "services": {
            "code-server": _server(code, max_workers=max_workers, env_file=env_file),
            # It starts first, from our image: the engine fills the volumes from there.
            "upstream": {"volumes": [f"instance:{INSTANCE}", f"probe:{PROBE}", "scratch:/scratch"]},
        },
        "volumes": {name: {"labels": _labels()} for name in ("instance", "probe")},
    }
    return json.dumps(document, indent=2) + "\n"


def _server(code: CodeImage, *, max_workers: int, env_file: Path | None) -> Mapping[str, Any]:
    server: dict[str, Any] = {
        "image": code.name,
        "command": [
            "dagster", "api", "grpc", "--host=0.0.0.0", "--port=4000", *code.load,
            f"--max-workers={max_workers}",
        ],
        "read_only": False,
        "environment": {"PYTHONPATH": ":".join(filter(None, (PROBE, code.python_path)))},
        "volumes": [f"instance:{INSTANCE}:ro", f"probe:{PROBE}:ro"],
    }  # fmt: skip
    if env_file is not None:
        server["env_file"] = [{"path": str(env_file.absolute()), "required": True}]
    return server


def _labels() -> dict[str, str]:
    return {"dagster-load-harness": "${HARNESS_OWNER:?set by the harness}"}
