"""Settings of a Dagster+ deployment: how many runs at a time, in all and inside code servers."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.sizing.types import Shipping
from harness.report.deploy.document import Document
from harness.report.deploy.wording import ISOLATION_TAG, heading, replica_notes
from harness.report.deploy.yaml_text import Row, block, yaml_text


def deployment_settings_document(shipping: Shipping, because: Sequence[str] = ()) -> Document:
    """The two limits of concurrent runs, and that runs may be non-isolated at all."""
    tag = '"{}": "{}"'.format(*ISOLATION_TAG)
    runs = shipping.max_concurrent_runs
    root = block(
        Row(
            "concurrency",
            block(
                Row(
                    "runs",
                    block(Row("max_concurrent_runs", runs, "isolated runs count here, too")),
                )
            ),
        ),
        Row(
            "non_isolated_runs",
            block(
                Row("enabled", True),
                Row("max_concurrent_non_isolated_runs", runs, "1 where it is not set"),
            ),
        ),
    )
    return Document(
        name="deployment_settings.yaml",
        title="Full deployment settings of Dagster+",
        language="yaml",
        text=yaml_text(
            root,
            header=(
                *heading(shipping, because),
                f"Jobs meant for the code server carry the tag {tag}.",
            ),
        ),
        notes=(
            f"Only a run tagged {tag} runs inside the code server; all others get a container of "
            "their own.",
            "Merge this into what `dagster-cloud deployment settings get` prints: it is not known "
            "to us whether `set-from-file` keeps what a file leaves out.",
            "max_concurrent_runs holds for all code locations of the deployment together.",
            "At max_concurrent_non_isolated_runs the Launchpad offers isolated runs only. What "
            "becomes of tagged runs then, and whether locations are counted apart, Dagster's "
            "documentation does not say.",
            "`non_isolated_runs` is as that documentation has it: Dagster+ publishes no schema it "
            "could be checked against.",
            *replica_notes(shipping),
        ),
    )
