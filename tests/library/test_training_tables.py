"""One command makes what a stored table needs: these runs, in this order, and no others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hybridpool.training.__main__ import main
from hybridpool.training.loop import Training
from hybridpool.training.records import RunSettings
from hybridpool.training.report import report
from hybridpool.training.results import read_folder
from hybridpool.training.tables import BLEND_RATES, TABLES, Table, in_order, runs_of
from tests.commands import run_until_ctrl_c, two_shades

ROOT = Path(__file__).resolve().parents[2]
TINY = RunSettings(epochs=1, train_pictures=24, batch_size=8, measured_pictures=0)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Its command line for two tiny tables, of two seeds and of one."""
    tables = {
        "tiny": Table(TINY, ("max", "frozen", "hybrid"), seeds=(0, 1)),
        "tiny-starts": Table(TINY, ("hybrid",), seeds=(1,), starts=(0.02, None)),
    }
    for name, table in tables.items():
        monkeypatch.setitem(TABLES, name, table)  # type: ignore[arg-type]
    data = two_shades(tmp_path / "shades.npz", train=24, test=24)

    def build(*names: str) -> list[str]:
        return [
            *("reproduce", *names, "--data", data, "--device", "cpu"),
            *("--threads", "1", "--output", str(tmp_path / "results")),
            *("--checkpoints", str(tmp_path / "checkpoints")),
        ]

    return build


def done(out: str) -> list[str]:
    """The runs of which a command said that they are done: arm and seed."""
    return re.findall(r"^small16-(\w+-24-seed\d)-\w+: [\d.]+% of the test", out, re.MULTILINE)


def test_a_table_is_run_once_seed_by_seed_and_printed(
    command: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(command("tiny", "tiny-starts"))
    out = capsys.readouterr().out
    # First everything of seed 0; frozen waits for hybrid, whose blend weights it holds.
    assert done(out)[:2] == ["max-24-seed0", "hybrid-24-seed0"]
    assert sorted(done(out)) == sorted(
        [f"{arm}-24-seed{seed}" for arm in ("max", "frozen", "hybrid") for seed in (0, 1)]
        + ["hybrid-24-seed1"] * 2
    )
    tables = {}
    for name in ("tiny", "tiny-starts"):
        tables[name], problems = read_folder(tmp_path / "results" / name)
        assert problems == []
    assert out.endswith(report(tables["tiny"]) + report(tables["tiny-starts"]))
    found = {(run.settings.arm, run.settings.seed): run for run in tables["tiny"]}
    for seed in (0, 1):
        held = found["frozen", seed].settings.frozen_at
        assert held == tuple(path[-1][0] for path in found["hybrid", seed].weights.values())
    assert {run.settings.blend_start for run in tables["tiny-starts"]} == {0.02, None}
    # Everything but the name of the pictures is what the table says.
    for run in tables["tiny"]:
        plain = replace(run.settings, data=TINY.data, frozen_at=())
        assert plain in list(TABLES["tiny"].runs(run.settings.seed))

    main(command("tiny", "tiny-starts"))
    assert done(capsys.readouterr().out) == []


def test_a_table_that_was_stopped_goes_on(
    command: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # The second step of the second run.
    run_until_ctrl_c(command("tiny", "--seeds", "0"), monkeypatch, step=5)
    assert done(capsys.readouterr().out) == ["max-24-seed0"]
    step, taken = Training._take_step, []

    def counted(training: Training, *args: object) -> float:
        taken.append(training.settings.arm)
        return step(training, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Training, "_take_step", counted)
    main(command("tiny", "--seeds", "0"))
    assert taken == ["hybrid", "frozen", "frozen", "frozen"]
    assert len(read_folder(tmp_path / "results")[0]) == 3


def test_a_table_for_other_pictures_than_there_are_is_one_sentence(
    command: Callable[..., list[str]],
) -> None:
    with pytest.raises(SystemExit, match=r"There are 24 training pictures, but 50000 were asked"):
        main(command("starts"))


def test_the_runs_of_every_table_differ_and_go_seed_by_seed() -> None:
    for name in TABLES:
        runs = [settings for _, settings in in_order([name])]
        assert len({run.name for run in runs}) == len(runs), name
        seeds = [run.seed for run in runs]
        assert seeds == sorted(seeds), name


@pytest.mark.parametrize(
    ("names", "seeds", "sentence"),
    [
        (("tiny",), ("9",), "tiny has the seeds 0, 1, not 9: choose among those"),
        (("tiny",), ("0", "9"), "tiny has the seeds 0, 1, not 9"),
        (("tiny", "tiny-starts"), ("0",), "tiny-starts has the seeds 1, not 0"),
        (("tiny", "tiny-starts"), ("0", "1"), ""),
    ],
)
def test_seeds_that_a_table_lacks_are_said_before_anything_is_learned(
    names: tuple[str, ...],
    seeds: tuple[str, ...],
    sentence: str,
    command: Callable[..., list[str]],
    tmp_path: Path,
) -> None:
    if sentence:
        with pytest.raises(SystemExit, match=sentence):
            main([*command(*names), "--seeds", *seeds])
        assert not list(tmp_path.glob("checkpoints"))
    else:
        assert [run.seed for _, run in runs_of(names, [int(seed) for seed in seeds])] == [
            *(0, 0, 0, 1, 1, 1, 1, 1),
        ]


def test_the_readme_names_every_table_and_the_command_for_it() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in TABLES if f"`{name}`" not in readme] == []
    named = re.findall(r"python -m hybridpool\.training reproduce ([\w-]+)", readme)
    assert named
    assert set(named) <= set(TABLES)


def test_the_rates_of_the_blends_follow_from_the_sweep_that_is_kept() -> None:
    runs, problems = read_folder(ROOT / "assets" / "results" / "sweep")
    assert problems == []
    assert all(run.settings.held_out == run.data["test"] == 5000 for run in runs)
    shares: dict[str, dict[tuple[str, float], float]] = {}
    for run in runs:
        settings = run.settings
        way = settings.blend_optimizer, settings.blend_rate
        shares.setdefault(settings.arm, {})[way] = run.measures.clean
    swept = {arm for arm in BLEND_RATES if arm != "hybrid_blur"}
    assert {arm for arm, ways in shares.items() if len(ways) == 3} == swept
    for arm in swept:
        best = max(shares[arm].values())
        tolerance = 2 * (2 * best * (1 - best) / 5000) ** 0.5
        near = [way for way, share in shares[arm].items() if share >= best - tolerance]
        assert BLEND_RATES[arm] == max(near, key=lambda way: way[1])
    assert BLEND_RATES["hybrid_blur"] == BLEND_RATES["hybrid"]
