from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import sys
from dataclasses import asdict, replace
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.findings.document import Findings, findings_of
from harness.analysis.picture.campaign import pictures_of
from harness.analysis.picture.types import CellPicture, Mark
from harness.campaign.plan import Campaign, Search, Workload
from harness.campaign.profiles import Profile
from harness.facts.store import read_results
from harness.report.html import charts
from harness.report.html.charts import charts_block
from harness.report.html.charts_payload import (
    LANE_COLUMNS,
    LANE_TIMES,
    PHASE_COLUMNS,
    packed,
    payload,
)
from harness.scenarios.threshold import judge

sys.path.append(str(Path(__file__).parents[2] / "analysis"))

import factory_picture

pytestmark = pytest.mark.unit

ASSETS = Path(charts.__file__).parent / "assets"
PLOTLY = ASSETS / "plotly-basic.min.js.gz"
MOST_PAYLOAD_BYTES = 400_000
MOST_BLOCK_BYTES = 1_000_000
HOSTILE = "</script><script>alert(1)</script><!-- \u2028\u2029 <script> & ' \" \\"


class Elements(HTMLParser):
    """The script elements of a block as a browser finds them, and whatever else there is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.others: list[str] = []
        self._inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append((dict(attrs), ""))
        else:
            self.others.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif data.strip():
            self.others.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)


Drawn = tuple[Findings, tuple[CellPicture, ...]]


@pytest.fixture(scope="module")
def quick(repo_root: Path) -> Drawn:
    """Findings and pictures of a committed baseline."""
    path = repo_root / "results" / "baselines" / "quick-compose"
    findings = judge(path, write=False)
    return findings, pictures_of(read_results(path).cells, findings)


@pytest.fixture(scope="module")
def large() -> Drawn:
    """100 steps and 20,000 runs in ten cells."""
    records = factory_picture.make_campaign()
    campaign = Campaign(
        name="large",
        profiles=(Profile(name="1vcpu-2gb", vcpu=1, memory_mib=2048),),
        workloads=(Workload(name="io"),),
        search=Search(confidence=0.9),
    )
    findings = findings_of(campaign, {}, records)
    return findings, pictures_of(records, findings)


def unpacked(text: str) -> dict[str, Any]:
    """The payload as the page's script gets it."""
    data = next(body for attrs, body in Elements(text).scripts if attrs.get("id") == "harness-data")
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(data, validate=True)))
    return found


def unpacked_times(steps: list[int | None]) -> tuple[float | None, ...]:
    """Seconds, as the page's script turns them back."""
    sums = accumulate(step or 0 for step in steps)
    return tuple(
        None if step is None else total / 100 for step, total in zip(steps, sums, strict=True)
    )


@given(st.lists(st.none() | st.integers(-(10**7), 10**7).map(lambda n: n / 100)))
def test_times_come_back_as_they_were(times_s: list[float | None]) -> None:
    assert unpacked_times(packed(times_s)) == tuple(times_s)


def test_every_number_of_a_step_is_the_one_of_the_findings(quick: Drawn) -> None:
    findings, pictures = quick
    document = asdict(findings)
    for cell, judged in zip(unpacked(charts_block(findings, pictures))["cells"],
                            document["cells"], strict=True):  # fmt: skip
        steps, judged_steps = cell["steps"], judged["steps"]
        for name in ("index", "concurrency", "repetition", "verdict", "throughput_runs_per_s"):
            assert steps[name] == [step[name] for step in judged_steps]
        for spread in ("response_s", "launch_s"):
            for name in ("p50", "p95", "n", "enough"):
                assert steps[spread][name] == [step[spread][name] for step in judged_steps]
        for name in PHASE_COLUMNS:
            assert steps["phases"][name] == [step["phases"][name] for step in judged_steps]


def test_capacity_knee_and_limits_are_those_of_the_findings(quick: Drawn) -> None:
    findings, pictures = quick
    for cell, judged in zip(payload(findings, pictures)["cells"], findings.cells, strict=True):
        assert cell["id"] == judged.id
        assert cell["capacity"]["concurrency"] == judged.capacity.concurrency
        assert cell["capacity"]["first_failing"] == judged.capacity.first_failing
        assert (cell["knee"]["runs"], cell["knee"]["high"]) == (judged.knee.runs, judged.knee.high)
        assert cell["unloaded_response_s"] == judged.unloaded_response_s
        assert cell["limits"] == {name: slo.limit for name, slo in judged.steps[0].slo.items()}


def test_the_line_through_the_steps_is_that_of_the_picture(quick: Drawn) -> None:
    findings, pictures = quick
    for cell, picture in zip(payload(findings, pictures)["cells"], pictures, strict=True):
        assert picture.curve.concurrency
        assert cell["picture"]["curve"] == asdict(picture.curve)


def test_lines_and_lanes_are_those_of_the_picture(quick: Drawn) -> None:
    findings, pictures = quick
    cell = unpacked(charts_block(findings, pictures))["cells"][0]["picture"]
    memory, lanes = pictures[0].memory, pictures[0].runs[-1]
    assert cell["memory"]["limit"] == memory.limit
    for line, drawn in zip(cell["memory"]["lines"], memory.lines, strict=True):
        assert unpacked_times(line["times_cs"]) == drawn.times_s
        assert tuple(line["values"]) == drawn.values
        assert line["peak"] == drawn.peak
    for name in LANE_COLUMNS:
        assert tuple(cell["runs"][-1][name]) == getattr(lanes, name)
    for name in LANE_TIMES:
        assert unpacked_times(cell["runs"][-1][f"{name}_cs"]) == getattr(lanes, f"{name}_s")
    assert len(cell["spans"]) == len(pictures[0].spans)


def test_a_cell_finds_its_picture_whatever_their_order(quick: Drawn) -> None:
    findings, pictures = quick
    cells = payload(findings, pictures[:0:-1])["cells"]
    assert cells[0]["picture"] is None
    for cell, picture in zip(cells[1:], pictures[1:], strict=True):
        assert cell["picture"]["end_s"] == picture.end_s


def test_hostile_words_stay_data(quick: Drawn) -> None:
    findings, pictures = quick
    mark = Mark(at_s=1.0, kind=HOSTILE, source=HOSTILE, text=HOSTILE)
    cell = replace(findings.cells[0], id=HOSTILE)
    picture = replace(
        pictures[0],
        cell=HOSTILE,
        marks=(mark,),
        memory=replace(pictures[0].memory, limit_name=HOSTILE),
    )
    text = charts_block(replace(findings, cells=(cell,)), (picture,))
    found = Elements(text)
    assert len(found.scripts) == 3
    assert found.others == []
    back = unpacked(text)["cells"][0]
    assert back["id"] == back["picture"]["marks"][0]["text"] == HOSTILE
    assert back["picture"]["memory"]["limit_name"] == HOSTILE


def test_only_our_script_is_run_and_nothing_is_asked_of_a_network(quick: Drawn) -> None:
    scripts = Elements(charts_block(*quick)).scripts
    kinds = [attrs.get("type") for attrs, _ in scripts]
    assert kinds == ["application/octet-stream", "application/octet-stream", None]
    assert not any("src" in attrs for attrs, _ in scripts)
    own = scripts[-1][1]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|\bfetch\(|\beval\(|new Function", own)
    assert not re.search(r"</?script|<!--", own, re.IGNORECASE)


def test_a_number_that_is_not_finite_is_refused(quick: Drawn) -> None:
    findings, pictures = quick
    with pytest.raises(ValueError, match="JSON compliant"):
        charts_block(findings, (replace(pictures[0], end_s=float("nan")),))


def test_the_same_campaign_makes_the_same_block(quick: Drawn) -> None:
    assert charts_block(*quick) == charts_block(*quick)


def test_a_large_campaign_fits_into_a_page(large: Drawn) -> None:
    findings, pictures = large
    assert sum(len(cell.steps) for cell in findings.cells) == 100
    assert sum(len(lanes.lane) + lanes.omitted for p in pictures for lanes in p.runs) == 20_000
    text = charts_block(findings, pictures)
    data = next(body for attrs, body in Elements(text).scripts if attrs.get("id") == "harness-data")
    assert len(data) <= MOST_PAYLOAD_BYTES
    assert len(text.encode()) <= MOST_BLOCK_BYTES


def test_the_vendored_library_is_the_one_that_was_recorded() -> None:
    recorded = (ASSETS / "README.md").read_text()
    source = gzip.decompress(PLOTLY.read_bytes())
    assert f"| size | {len(source)} bytes |" in recorded
    assert f"| sha256 | `{hashlib.sha256(source).hexdigest()}` |" in recorded
    version = re.search(rb"plotly\.js \(basic - minified\) v([\d.]+)", source)
    assert version is not None
    assert f"| version | {version[1].decode()} |" in recorded
    assert "MIT License" in (ASSETS / "plotly-LICENSE.txt").read_text()


def test_the_vendored_file_does_not_tell_when_or_from_what_it_was_packed() -> None:
    head = PLOTLY.read_bytes()[:10]
    flags, stamp = head[3], head[4:8]
    assert (flags, stamp) == (0, b"\0\0\0\0")


def test_every_part_of_the_script_is_joined() -> None:
    assert {path.stem for path in (ASSETS / "charts").glob("*.js")} == set(charts.SCRIPTS)
