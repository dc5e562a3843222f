"""A wheel of Dagster with one module and one call more, packed again as a version of its own."""

from __future__ import annotations

import ast
import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from harness.errors import CampaignError

REGRESSIONS: Mapping[str, str] = {
    "slow10": "every launch costs 10 % more CPU, and takes as much longer",
    "fat10": "every run process holds 10 MiB more",
}
"""Each is a module beside this one that goes into the wheel as it is."""

HOOK = "dagster/_grpc/impl.py"
FUNCTION, CALLED = "core_execute_run", "execute_run_iterator"
MODULE = "dagster/_regression.py"
CALL = "from dagster._regression import regress; regress()"


def doctored(wheel: Path, regression: str, *, into: Path) -> Path:
    """Write the wheel with the regression built in; its path.

    `dagster.__version__` stays what it was: Dagster's own libraries compare themselves with it and
    would warn in every process. The wheel's version says what was done to it.

    Raises:
        CampaignError: not a wheel of Dagster, or none in which a run begins where we know.
    """
    files = _read(wheel)
    dist_info = next((n.split("/")[0] for n in files if n.endswith(".dist-info/METADATA")), "")
    if not re.fullmatch(r"dagster-[^-]+\.dist-info", dist_info) or HOOK not in files:
        raise CampaignError(f"{wheel.name} is not a wheel of Dagster.")
    version = dist_info.removeprefix("dagster-").removesuffix(".dist-info")
    if "+" in version:
        raise CampaignError(f"{wheel.name} was changed already: start from a release.")
    labelled = f"{version}+{regression}"
    files[HOOK] = hooked(files[HOOK].decode(), where=f"{wheel.name}: {HOOK}").encode()
    files[MODULE] = (Path(__file__).parent / f"{regression}.py").read_bytes()
    metadata = f"{dist_info}/METADATA"
    files[metadata] = _relabelled(files[metadata], version, labelled)
    del files[f"{dist_info}/RECORD"]
    renamed = {name.replace(f"{dist_info}/", f"dagster-{labelled}.dist-info/", 1)
               if name.startswith(f"{dist_info}/") else name: data
               for name, data in files.items()}  # fmt: skip
    into.mkdir(parents=True, exist_ok=True)
    target = into / wheel.name.replace(f"dagster-{version}-", f"dagster-{labelled}-", 1)
    _write(target, renamed, record=f"dagster-{labelled}.dist-info/RECORD")
    return target


def hooked(source: str, *, where: str) -> str:
    """The source with the call right before the run's execution begins, which reports its start.

    The job is loaded by then: what a launch costs until its start is spent.

    Raises:
        CampaignError: there is no such place in it.
    """
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef) and function.name == FUNCTION:
            for statement in function.body:
                if CALLED in _names(statement):
                    lines = source.splitlines(keepends=True)
                    indent = " " * statement.col_offset
                    lines.insert(statement.lineno - 1, f"{indent}{CALL}\n")
                    return "".join(lines)
    raise CampaignError(f"{where} has no {FUNCTION} that calls {CALLED}: this Dagster is unknown.")


def _names(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _relabelled(metadata: bytes, version: str, labelled: str) -> bytes:
    head, separator, rest = metadata.partition(f"\nVersion: {version}\n".encode())
    if not separator:
        raise CampaignError(f"The wheel's METADATA does not say that its version is {version}.")
    return head + f"\nVersion: {labelled}\n".encode() + rest


def _read(wheel: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {n: archive.read(n) for n in archive.namelist() if not n.endswith("/")}
    except (OSError, zipfile.BadZipFile) as error:
        raise CampaignError(f"{wheel} cannot be read as a wheel.", evidence=str(error)) from error


def _write(target: Path, files: Mapping[str, bytes], *, record: str) -> None:
    """A wheel has its record last, without a hash of itself (PEP 427)."""
    rows = io.StringIO()
    lines = csv.writer(rows, lineterminator="\n")
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.writerow([name, f"sha256={digest}", len(data)])
    lines.writerow([record, "", ""])
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, record: rows.getvalue().encode()}.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    partial.replace(target)
