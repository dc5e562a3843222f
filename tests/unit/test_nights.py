"""Simulated nights: noise read from real cells, nights made of it, and how they are counted."""

from __future__ import annotations

import importlib
import json
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from harness.analysis.comparison.noise import Reading, scatter_of
from harness.errors import ExitCode, StoredDataError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "results/baselines/quick-process"
KEYS = ("launch_cpu_s", "launch_s@3", "throughput_runs_per_s@3", "run_rss_mib@3", "base_mib")
LEVELS = (1.6, 2.5, 0.45, 135.0, 103.0)
SDS = (0.04, 0.1, 0.08, 0.002, 0.001)


def script(name: str) -> ModuleType:
    """As Python finds it when the script itself is run: beside its neighbours."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


nights = script("nights")
noises = script("nights_noise")
simulated = script("nights_simulated")


def cell(number: int, *, kind: str = "io", build: str = "1.13.27", **values: float) -> Any:
    return noises.Seen(
        folder="f", kind=kind, build=build, start_s=1e9 + 360.0 * number,
        values={"launch_cpu_s": 1.0, "base_mib": 100.0, **values},
    )  # fmt: skip


@pytest.fixture(scope="module")
def noise() -> Any:
    """Two kinds with six cells each, as real ones scatter."""
    draw = np.random.default_rng(1)
    kinds = []
    for kind in ("io", "cpu"):
        rows = draw.standard_normal((6, len(KEYS))) * SDS
        rows -= rows.mean(axis=0)
        kinds.append(
            noises.KindNoise(
                kind=kind, keys=KEYS, levels=LEVELS, residuals=tuple(map(tuple, rows.tolist())),
                drift_per_h=(0.05,) * len(KEYS), gap_h=0.1,
            )
        )  # fmt: skip
    return noises.Noise(sources=("a", "b"), cells=12, kinds=tuple(kinds))


class TestTheNoiseOfCells:
    def test_is_what_is_left_of_equal_cells_without_their_builds(self) -> None:
        cells = [
            cell(0, launch_cpu_s=1.1), cell(1, build="1.12.0", launch_cpu_s=2.2),
            cell(2, build="1.12.0", launch_cpu_s=2.0), cell(3, launch_cpu_s=1.0),
        ]  # fmt: skip
        (kind,) = noises.noise_of(cells, sources=["f"]).kinds
        rows = np.array(kind.residuals)
        assert kind.keys == ("launch_cpu_s", "base_mib")
        assert kind.levels == pytest.approx(((1.1 * 2.2 * 2.0 * 1.0) ** 0.25, 100.0))
        assert rows[0] + rows[3] == pytest.approx(0)
        assert rows[1] + rows[2] == pytest.approx(0)

    def test_has_the_variance_of_cells_and_not_of_what_is_left_of_them(self) -> None:
        draw = np.random.default_rng(3)
        variances = []
        for _ in range(300):
            logs = draw.normal(0.0, 0.1, 6)
            cells = [cell(n, launch_cpu_s=math.exp(log)) for n, log in enumerate(logs)]
            (kind,) = noises.noise_of(cells, sources=["f"]).kinds
            variances.append(float(np.mean(np.array(kind.residuals)[:, 0] ** 2)))
        assert np.mean(variances) == pytest.approx(0.01, rel=0.1)

    def test_drift_is_told_apart(self) -> None:
        cells = [cell(n, launch_cpu_s=math.exp(0.02 * n)) for n in range(6)]
        (kind,) = noises.noise_of(cells, sources=["f"]).kinds
        assert kind.drift_per_h[0] == pytest.approx(0.2)
        assert kind.gap_h == pytest.approx(0.1)
        assert np.array(kind.residuals) == pytest.approx(0)

    def test_leaves_out_a_key_that_few_cells_have_and_a_cell_that_lacks_a_common_one(self) -> None:
        cells = [cell(n, **{"launch_s@1": 1.0}) for n in range(5)]
        cells += [cell(5), cell(6, **{"launch_s@1": 1.0, "launch_s@7": 4.0})]
        (kind,) = noises.noise_of(cells, sources=["f"]).kinds
        assert kind.keys == ("launch_cpu_s", "base_mib", "launch_s@1")
        assert kind.left_out == ("launch_s@7",)
        assert len(kind.residuals) == 6

    def test_needs_equal_cells(self) -> None:
        with pytest.raises(StoredDataError, match="equal"):
            noises.noise_of([cell(n, build=f"1.{n}.0") for n in range(8)], sources=["f"])

    def test_is_read_from_real_results(self) -> None:
        cells = noises.cells_in(BASELINE)
        assert {each.kind.split()[0] for each in cells} == {"io", "cpu", "mixed"}
        assert all(each.values["launch_cpu_s"] > 1 and each.start_s > 1e9 for each in cells)
        assert any(key.startswith("throughput_runs_per_s@") for key in cells[0].values)
        with pytest.raises(StoredDataError):
            noises.noise_from([BASELINE])

    def test_survives_being_written(self, noise: Any) -> None:
        document = json.loads(json.dumps(noises.document_of(noise)))
        again = noises.noise_in(document)
        assert again.kinds[0].residuals[0] == pytest.approx(noise.kinds[0].residuals[0], rel=1e-4)
        assert noises.document_of(again) == document


class TestNightsMadeOfIt:
    def test_cells_scatter_as_the_real_ones_do_metrics_together(self, noise: Any) -> None:
        source = simulated.Source(noise.kinds[0])
        drawn = source.cells((40_000,), np.random.default_rng(2))
        rows = np.array(noise.kinds[0].residuals)
        wanted = rows.T @ rows / len(rows)
        scale = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
        assert np.cov(drawn.T) / scale == pytest.approx(wanted / scale, abs=0.03)

    def test_a_steady_drift_cancels_over_rounds_there_and_back(self) -> None:
        places = simulated._places(4, 2)
        assert places.sum(axis=0) == pytest.approx([0, 0])
        assert places.tolist()[0] == [-3.5, -2.5]
        assert places.tolist()[1] == [-0.5, -1.5]

    def test_what_a_night_has_in_common_cancels_in_its_ratios(self, noise: Any) -> None:
        calm, rough = (
            simulated.chains(noise, simulated.Setup(rounds=2, common_sd=sd), trials=1, seed=1)
            for sd in (0.0, 0.5)
        )
        for one, other in zip(calm[0], rough[0], strict=True):
            pairs = zip(one.figures, other.figures, strict=True)
            assert all(a.value == pytest.approx(b.value) for a, b in pairs)

    def test_figures_are_those_the_index_would_keep(self, noise: Any) -> None:
        kind = noise.kinds[0]
        logs = simulated.Source(kind).nights(
            simulated.Setup(rounds=4), 1, np.random.default_rng(5)
        )[0]
        for place, figure in enumerate(simulated.figures_of(logs, kind)):
            readings = [
                Reading(version=f"{side}", round=number, log=float(logs[number, side, place]))
                for number in range(4) for side in range(2)
            ]  # fmt: skip
            scatter = scatter_of(readings)
            assert scatter is not None
            assert (figure.free, figure.rounds) == (scatter.free, 4)
            assert figure.sd == pytest.approx(scatter.sd)
            ratio = logs[:, 1, place].mean() - logs[:, 0, place].mean()
            assert figure.value == pytest.approx(math.exp(ratio))

    def test_single_versions_have_values_and_no_baseline(self, noise: Any) -> None:
        setup = simulated.Setup(rounds=3, history=1, single=True)
        (chain,) = simulated.chains(noise, setup, trials=1, seed=1)
        assert [entry.baseline for entry in chain] == ["", ""]
        memory = [f for f in chain[0].figures if f.key == "base_mib"]
        assert [f.form for f in memory] == ["value", "value"]
        assert memory[0].value == pytest.approx(103.0, rel=0.05)

    def test_only_the_nights_after_the_history_regress(self, noise: Any) -> None:
        setup = simulated.Setup(rounds=4, history=3)
        options = {"trials": 1, "seed": 1, "after": 2}
        (plain,) = simulated.chains(noise, setup, **options)
        (slower,) = simulated.chains(
            noise, setup, injected=simulated.Injected(slower=0.1), **options
        )
        ratios = [
            after.figures[0].value / before.figures[0].value
            for before, after in zip(plain, slower, strict=True)
        ]
        assert ratios == pytest.approx([1, 1, 1, 1.1, 1.1])


class TestWhatIsInjected:
    def effect(self, noise: Any, **how: float) -> dict[str, float]:
        kind = noise.kinds[0]
        logs = simulated.Injected(**how).log_effect(kind)
        return dict(zip(kind.keys, np.exp(logs), strict=True))

    def test_slower_launches_take_more_cpu_and_time_and_let_less_through(self, noise: Any) -> None:
        found = self.effect(noise, slower=0.1)
        assert found["launch_cpu_s"] == found["launch_s@3"] == pytest.approx(1.1)
        assert found["run_rss_mib@3"] == found["base_mib"] == 1
        launching = 0.45 * 2.5 / 3  # of the runs in flight, by Little's law
        assert found["throughput_runs_per_s@3"] == pytest.approx(1 / (1 + 0.1 * launching))

    def test_more_memory_a_run_is_nothing_else(self, noise: Any) -> None:
        found = self.effect(noise, mib=10.0)
        assert found["run_rss_mib@3"] == pytest.approx(145 / 135)
        assert [found[key] for key in KEYS if key != "run_rss_mib@3"] == [1, 1, 1, 1]


class TestTheRates:
    def test_a_share_has_its_exact_interval(self) -> None:
        none = nights.share_of(0, 100)
        assert (none.share, none.low) == (0, 0)
        assert none.high == pytest.approx(1 - 0.025 ** (1 / 100))

    def test_found_within_more_nights_is_at_least_as_many(self, noise: Any) -> None:
        found = nights.found_within(
            noise, simulated.Setup(rounds=4), nights.REGRESSIONS["slow10"], trials=25, seed=1
        )
        shares = [found[key].share for key in ("1", "2", "3")]
        assert shares == sorted(shares)
        assert shares[2] >= 0.8

    def test_equal_nights_hardly_ever_turn_red(self, noise: Any) -> None:
        setup = simulated.Setup(rounds=3, history=5)
        assert nights.false_alarms(noise, setup, trials=150, seed=1).count <= 2

    def test_a_missed_bar_is_named(self) -> None:
        def case(false: float, found: float, **changes: Any) -> dict[str, Any]:
            setup = {"rounds": 4, "history": 14, "single": False, **changes}
            within = {"slow10": {"3": {"share": found}}}
            return {
                "setup": setup, "false_alarms": {"share": false}, "found_within": within
            }  # fmt: skip

        assert nights.missed([case(0.01, 0.95)]) == []
        assert nights.missed([case(0.011, 0.95)]) == ["4 rounds: 1.10% false alarms, bar 1%"]
        assert nights.missed([case(0, 0.9)]) == ["4 rounds: slow10 found in 90.0%, bar 95%"]
        for weak in ({"rounds": 2}, {"history": 0}, {"single": True}):
            assert nights.missed([case(0, 0.1, **weak)]) == []


class TestTheCommand:
    @pytest.fixture
    def file(self, noise: Any, tmp_path: Path) -> Path:
        path = tmp_path / "noise.json"
        path.write_text(json.dumps(noises.document_of(noise)), encoding="utf-8")
        return path

    def test_prints_all_rates_as_json_the_same_for_the_same_seed(
        self, file: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = [str(file), "--trials", "8", "--injections", "6", "--rounds", "4"]
        codes = [nights.main([*arguments, "--seed", "3"]) for _ in range(2)]
        told = capsys.readouterr()
        first, second = told.out.split("\n{\n")
        assert json.loads(first) == json.loads("{\n" + second)
        document = json.loads(first)
        assert (document["seed"], document["cells"], document["series"]) == (3, 12, 10)
        assert [nights.words(case["setup"]) for case in document["cases"]] == [
            "4 rounds", "4 rounds, first nights", "4 rounds, one version"
        ]  # fmt: skip
        case = document["cases"][0]
        assert case["false_alarms"]["trials"] == 8
        assert set(case["found_within"]) == {"slow10", "fat10"}
        expected = ExitCode.BREACH if document["missed"] else ExitCode.PASS
        assert codes == [expected, expected]
        assert "false alarms" in told.err

    def test_writes_a_noise_file_from_results(
        self, noise: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(nights, "noise_from", lambda _: noise)
        assert nights.main(["--noise-from", "a", "b"]) == ExitCode.PASS
        assert json.loads(capsys.readouterr().out) == noises.document_of(noise)

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}'])
    def test_says_what_is_no_noise_file(
        self, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "noise.json"
        path.write_text(text, encoding="utf-8")
        assert nights.main([str(path)]) == ExitCode.BAD_INPUT
        assert "noise file" in capsys.readouterr().err
