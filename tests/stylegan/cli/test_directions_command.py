"""`python -m stylegan directions`: fit (by default), measure, decouple, train-scorer."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import stylegan
from stylegan.cli import app as app_module
from stylegan.directions import AttributeScorer, load_directions, load_scorer, save_directions, save_scorer
from stylegan.directions.attribute_net import AttributeNet, ScorerConfig
from stylegan.directions.targets import Target
from stylegan.networks import Generator

RUNNER = CliRunner()


@pytest.fixture
def model(tmp_path, tiny_config):
    path = tmp_path / "net.safetensors"
    stylegan.save(Generator(tiny_config, seed=1), path)
    return path


def _run(*arguments):
    return RUNNER.invoke(app_module.app, ["directions", *map(str, arguments)])


def _failed(result, said):
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.stderr


def test_fit_is_what_it_does_without_a_sub_command(model, tmp_path):
    out = tmp_path / "net.directions.safetensors"
    rest = (
        "--model",
        model,
        "--scorer",
        "measures",
        "--attributes",
        "brightness, warmth",
        "--count",
        200,
        "--out",
        out,
    )
    result = _run(*rest)
    assert result.exit_code == 0, result.output
    found = load_directions(out)
    assert [d.name for d in found.directions] == ["brightness", "warmth"]
    assert found.model == stylegan.load(model).digest
    assert found.directions[0].facts.samples == 200
    assert found.directions[0].facts.seed == 100_000
    assert found.directions[0].facts.w.accuracy > 0.8  # of an untrained network: colours hang on w
    assert "brightness" in result.stdout
    assert f"Wrote {out} (2 directions" in result.stdout
    before = out.read_bytes()
    assert _run("fit", *rest).exit_code == 0
    assert out.read_bytes() == before


def test_fit_with_a_table_of_scores_finds_the_direction_it_was_made_from(model, tmp_path):
    G = stylegan.load(model)
    seeds = range(3000)
    w = G.mapping(stylegan.seeds_to_z(seeds, 16))[:, 0].numpy()
    known = np.random.RandomState(0).randn(16)
    known /= np.linalg.norm(known)
    table = tmp_path / "happy.csv"
    table.write_text("".join(f"{seed},{value}\n" for seed, value in zip(seeds, w @ known, strict=True)))
    out = tmp_path / "net.directions.safetensors"
    for method in ("svm", "ridge"):
        result = _run("--model", model, "--scorer", table, "--out", out, "--method", method)
        assert result.exit_code == 0, result.output
        (direction,) = load_directions(out).directions
        assert direction.name == "happy"
        assert direction.vector.numpy() @ known > np.cos(np.radians(5))


def test_fit_leaves_out_what_the_scorer_reads_badly_unless_it_is_named(model, tmp_path):
    targets = (Target("good", "continuous"), Target("bad", "continuous"), Target("worn", "binary"))
    net = AttributeNet(ScorerConfig(targets, 32, (4, 4, 8, 8)), seed=1).eval()
    quality = {"good": {"r2": 0.9}, "bad": {"r2": 0.1}, "worn": {"accuracy": 0.9, "auc": 0.7}}
    scorer = tmp_path / "net.attributes.safetensors"
    save_scorer(AttributeScorer(net, quality), scorer)
    out = tmp_path / "net.directions.safetensors"
    assert _run("--model", model, "--scorer", scorer, "--count", 200, "--out", out).exit_code == 0
    assert [d.name for d in load_directions(out).directions] == ["good"]
    named = _run("--model", model, "--scorer", scorer, "--count", 200, "--out", out, "--attributes", "bad")
    assert named.exit_code == 0
    assert [d.name for d in load_directions(out).directions] == ["bad"]


def test_measure_writes_the_matrix(model, tmp_path):
    out, table = tmp_path / "net.directions.safetensors", tmp_path / "m.csv"
    fit = ("--model", model, "--scorer", "measures", "--attributes", "brightness,warmth", "--count", 200, "--out", out)
    assert _run(*fit).exit_code == 0
    measured = ("measure", "--model", model, "--scorer", "measures", "--directions", out, "--out", table, "--seeds", 20)
    for more, space, locks in (
        ((), "w", ""),
        (("--lock", "all"), "w", "brightness; warmth"),
        (("--space", "z"), "z", ""),
        (("--lock", "warmth"), "w", "warmth"),
    ):
        result = _run(*measured, *more)
        assert result.exit_code == 0, result.output
        rows = list(csv.DictReader(io.StringIO(table.read_text())))
        assert len(rows) == 2 * 11
        assert {row["space"] for row in rows} == {space}
        assert {row["locks"] for row in rows} == {locks}
        own = {row["direction"]: float(row["change"]) for row in rows if row["direction"] == row["score"]}
        assert own["brightness"] > 0.1


def test_decouple_mixes_into_another_file(model, tmp_path):
    common = ("--model", model, "--scorer", "measures")
    every, some, out = (tmp_path / f"{name}.directions.safetensors" for name in ("every", "some", "out"))
    names = ("--attributes", "brightness,warmth,contrast")
    assert _run(*common, *names, "--c", 0.01, "--count", 200, "--out", every).exit_code == 0
    assert _run(*common, "--attributes", "colourfulness,warmth", "--count", 200, "--out", some).exit_code == 0
    mixing = ("decouple", *common, "--directions", every, "--seeds", 10, "--out", out)
    result = _run(*mixing, "--attributes", "warmth,contrast", "--into", some)
    assert result.exit_code == 0, result.output
    assert "3 directions" in result.stdout
    found, before = load_directions(out), load_directions(some)
    assert [d.name for d in found.directions] == ["colourfulness", "warmth", "contrast"]
    assert found.named("colourfulness").digest == before.named("colourfulness").digest
    assert found.named("warmth").digest != before.named("warmth").digest
    assert "mixture of 3" in found.named("warmth").facts.note
    assert _run(*mixing).exit_code == 0
    assert [d.name for d in load_directions(out).directions] == ["brightness", "warmth", "contrast"]
    save_directions(replace(before, model="ab" * 16), some)
    assert "note: " in _run(*mixing, "--into", some).stderr


def test_train_scorer_from_a_folder(tmp_path):
    folder = tmp_path / "squares"
    folder.mkdir()
    rng = np.random.RandomState(0)
    rows = ["file,lightness"]
    for i in range(120):
        value = rng.randint(0, 255)
        Image.new("RGB", (32, 32), (value, value, value)).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{value}")
    (folder / "attributes.csv").write_text("\n".join(rows))
    out = tmp_path / "net.attributes.safetensors"
    common = ("--resolution", 32, "--epochs", 3, "--cache", tmp_path / "cache", "--device", "cpu")
    result = _run("train-scorer", "--data", folder, "--out", out, *common)
    assert result.exit_code == 0, result.output
    assert "lightness" in result.stdout
    assert f"Wrote {out}" in result.stdout
    scorer = load_scorer(out)
    assert scorer.about["data"] == "squares"
    assert "r2" in scorer.quality["lightness"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing command"),
        (("frobnicate",), "frobnicate"),
        (("--frobnicate",), "--frobnicate"),
        (("--model", "MODEL"), "--scorer"),
        (("--model", "MODEL", "--scorer", "measures", "--out", "x.safetensors"), "NAME.directions.safetensors"),
        (("--model", "MODEL", "--scorer", "no.csv", "--out", "OUT"), "no scores file"),
        (("--model", "MODEL", "--scorer", "MODEL", "--out", "OUT"), "holds generator, not attributes"),
        (("--model", "no", "--scorer", "measures", "--out", "OUT"), "no"),
        (("--model", "MODEL", "--scorer", "measures", "--out", "OUT", "--attributes", "smile"), "has no 'smile'"),
        (("--model", "MODEL", "--scorer", "measures", "--out", "OUT", "--count", "0"), "number of samples"),
        (("--model", "MODEL", "--scorer", "measures", "--out", "OUT", "--count", "30"), "None of the scores"),
        (("--model", "MODEL", "--scorer", "measures", "--out", "OUT", "--batch", "0"), "--batch"),
        (("--model", "MODEL", "--scorer", "measures", "--out", "OUT", "--keep", "2"), "share to keep"),
        (("--model", "MODEL", "--scorer", "measures", "--out", "OUT", "--class", "1"), "no classes"),
        (("--model", "MODEL", "--scorer", "measures", "--out", "OUT", "--device", "tpu"), "--device"),
        (("measure", "--model", "MODEL", "--scorer", "measures", "--directions", "MODEL", "--out", "m.csv"), "holds"),
        (("measure", "--model", "MODEL", "--scorer", "measures", "--directions", "MODEL", "--out", "m"), "FILE.csv"),
        (("--model", "MODEL", "--scorer", "measures", "--out", "OUT", "--c", "0"), "C is above 0"),
        (("decouple", "--model", "MODEL", "--scorer", "measures", "--directions", "MODEL", "--out", "OUT"), "holds"),
        (("decouple", "--model", "MODEL", "--scorer", "measures", "--directions", "MODEL", "--out", "x"), "NAME."),
        (("train-scorer", "--data", "portraits", "--out", "x"), "NAME.attributes.safetensors"),
        (("train-scorer", "--data", "portraits:endless", "--out", "SCORER"), "beforehand"),
        (("train-scorer", "--data", "no such folder", "--out", "SCORER"), "no such folder"),
        (("train-scorer", "--data", "portraits", "--out", "SCORER", "--epochs", "0"), "epochs"),
        (("train-scorer", "--data", "portraits", "--out", "SCORER", "--threads", "0"), "--threads"),
    ],
)
def test_mistakes_end_with_one_line_and_exit_code_2(model, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    places = {"MODEL": model, "OUT": "x.directions.safetensors", "SCORER": "x.attributes.safetensors"}
    _failed(_run(*(places.get(a, a) for a in arguments)), said)
    assert not list(tmp_path.glob("x.*"))


def test_a_table_of_scores_cannot_measure(model, tmp_path):
    (tmp_path / "s.csv").write_text("1,2\n")
    out = tmp_path / "m.csv"
    _failed(
        _run("measure", "--model", model, "--scorer", tmp_path / "s.csv", "--directions", "x", "--out", out),
        "tells nothing of new pictures",
    )
