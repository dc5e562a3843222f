"""`dagster_cloud.yaml`: the code location for a Dagster+ ECS agent, in one file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.analysis.sizing.types import Shipping
from harness.report.deploy.container_context import ecs_context, ecs_notes
from harness.report.deploy.document import Document
from harness.report.deploy.wording import CODE_PACKAGE, PUT_YOURS, heading
from harness.report.deploy.yaml_text import Item, Row, block, listing, quoted, yaml_text

# `dagster-cloud ci template` renders the file with Jinja before anything reads it as YAML: a brace
# that would begin a tag is written as YAML's escape, which only a quoted string may hold. Ours do.
_JINJA_TAG = re.compile(r"\{(?=[{%#])")
_ESCAPED_BRACE = r"\\x7B"


def dagster_cloud_document(shipping: Shipping, because: Sequence[str] = ()) -> Document:
    """The location with its image, its size and its workers."""
    location = block(
        Row("location_name", quoted(shipping.location)),
        Row("image", quoted(shipping.image)),
        Row("code_source", block(Row("package_name", CODE_PACKAGE, PUT_YOURS))),
        Row("container_context", block(Row("ecs", ecs_context(shipping)))),
    )
    root = block(Row("locations", listing(Item(location))))
    text = yaml_text(root, header=heading(shipping, because))
    return Document(
        name="dagster_cloud.yaml",
        title="Code location of a Dagster+ ECS agent (one file for all)",
        language="yaml",
        text=_JINJA_TAG.sub(_ESCAPED_BRACE, text),
        notes=(
            "Use either this file or container_context.yaml beside build.yaml, not both.",
            *ecs_notes(shipping),
        ),
    )
