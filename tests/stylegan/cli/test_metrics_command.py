"""`python -m stylegan metrics`: every metric on a tiny network, files, bad input, an interrupted run, two processes."""

import csv
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import stylegan
from stylegan.cli.app import app
from stylegan.directions import AttributeScorer, save_scorer
from stylegan.directions.attribute_net import AttributeNet, ScorerConfig
from stylegan.directions.targets import Target
from stylegan.metrics import store
from stylegan.metrics.measurement import History
from stylegan.networks import Generator

ROOT = Path(stylegan.__file__).parents[1]
METRICS = "fid,kid,pr,halves,ppl,ls,psi,mixing,attributes"


class Means(torch.nn.Module):
    """12 block means: an extractor that is quick and whose covariances are small."""

    def forward(self, x):
        return torch.nn.functional.adaptive_avg_pool2d(x.float(), 2).flatten(1)


@pytest.fixture
def place(tmp_path, tiny_config, monkeypatch):
    """A folder with a model and its scorer, 40 photos, and an extractor of 12 dimensions."""
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "cache"))
    stylegan.save(Generator(tiny_config, seed=1), tmp_path / "net.safetensors")
    torch.manual_seed(0)
    config = ScorerConfig((Target("age", "continuous"), Target("glasses", "binary")), 32, (4, 4, 4, 4))
    save_scorer(AttributeScorer(AttributeNet(config), {}), tmp_path / "net.attributes.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(Means()).save(str(tmp_path / "means.pt"))
    (tmp_path / "photos").mkdir()
    for i in range(40):
        picture = np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(picture).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path


def _arguments(place, *more):
    return ["metrics", "--model", place / "net.safetensors", "--data", place / "photos", "--count=40", *more]


def _run(place, *more, extractor=True):
    tools = ["--extractor", place / "means.pt"] if extractor else []
    return CliRunner().invoke(app, list(map(str, _arguments(place, *tools, *more))))


def _failed(result, said):
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_every_metric_and_a_file_of_all(place):
    out = place / "found.jsonl"
    result = _run(place, "--metrics", METRICS, "--psis=1,0.5", "--cutoffs=all,2", "--out", out)
    assert result.exit_code == 0, result.output
    found = History(out).read()
    lines = result.stdout.splitlines()
    assert len(lines) == len(found)
    assert all(line.startswith(item.label) for line, item in zip(lines, found, strict=True))
    kinds = [item.metric for item in found]
    assert kinds[:5] == ["frechet", "kid", "precision", "recall", "frechet_halves"]
    assert kinds.count("ppl") == 3
    assert kinds.count("separability") == 2
    assert kinds[-1] == "overlap"
    curve = [item for item in found[10:-5] if item.metric == "frechet"]
    assert [(item.psi, item.cutoff) for item in curve] == [(1, None), (0.5, None), (1, 2), (0.5, 2)]
    assert curve[0].value == curve[2].value == found[0].value  # ψ = 1 reaches no layer
    assert len({item.value for item in curve}) == 3
    assert "ψ 0.5 in 2 layers" in curve[3].label
    mixed = [item for item in found if "mixed" in item.settings]
    assert [item.settings["mixed"] for item in mixed] == [1, 2, 3, 4]
    assert all(item.low < item.value < item.high for item in [*curve, *mixed])
    assert {item.extractor for item in curve} == {"TorchScript means"}
    assert "bits an attribute" in result.stdout
    again = _run(place, "--metrics=kid", "--out", out)
    assert again.exit_code == 0
    assert again.stderr == ""  # 40 pictures are more than 12 dimensions
    assert [item.metric for item in History(out).read()] == [*kinds, "kid"]
    assert History(out).read()[-1].value == found[1].value


def test_a_table(place):
    out = place / "found.csv"
    for metric in ("kid", "pr"):
        assert _run(place, f"--metrics={metric}", "--out", out, "--psi=0.7").exit_code == 0
    with open(out, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["metric"] for row in rows] == ["kid", "precision", "recall"]
    assert {(row["psi"], row["count"], row["extractor"]) for row in rows} == {("0.7", "40", "TorchScript means")}
    assert float(rows[0]["low"]) <= float(rows[0]["value"]) <= float(rows[0]["high"])
    out.write_text("a,b\n1,2\n")
    _failed(_run(place, "--metrics=kid", "--out", out), "a table with other columns")
    assert out.read_text() == "a,b\n1,2\n"


def test_an_interrupted_run_goes_on_from_kept_features(place, monkeypatch):
    computed = []
    compute = store._compute

    def counted(pictures, extractor, first):
        if len(computed) == 10:
            raise KeyboardInterrupt
        computed.append((pictures.name, first))
        return compute(pictures, extractor, first)

    monkeypatch.setattr(store, "_compute", counted)
    assert _run(place, "--metrics=kid").exit_code == 130
    assert computed[-1] == ("net", 32)
    assert {name for name, _ in computed[:8]} == {"photos"}
    monkeypatch.setattr(store, "_compute", lambda *given: computed.append((given[0].name, given[2])) or compute(*given))
    assert _run(place, "--metrics=kid").exit_code == 0
    assert {name for name, _ in computed[10:]} == {"net"}


BAD = [
    (["--metrics=is"], "Metrics are fid, kid, pr"),
    (["--metrics="], "nothing is none"),
    (["--count=1"], "from 2 to 1000000, not 1: one has no spread"),
    (["--count=41", "--data-count=41"], "photos has 40 pictures, fewer than the 41 asked for"),
    (["--metrics=pr", "--count=3"], "more than k = 3 pictures"),
    (["--metrics=ls", "--count=10"], "at least 20 samples"),
    (["--psi=nan"], "psi"),
    (["--cutoff=99"], "cutoff"),
    (["--metrics=psi", "--psis=1,x"], "--psis are numbers such as 1,0.7,0.5"),
    (["--metrics=psi", "--cutoffs=some"], "--cutoffs are numbers of layers such as all,8,4"),
    (["--metrics=psi", "--cutoffs=99"], "cutoff"),
    (["--class=1"], "not known to this model"),
    (["--seed=-1"], "seed"),
    (["--first-seed=-1"], "seed"),
    (["--out=nowhere/found.jsonl"], "in a folder that exists"),
    (["--out=found.txt"], "FILE.jsonl or FILE.csv"),
    (["--extractor=resnet"], "An extractor is lite0, inception, vgg16 or the path of a TorchScript file"),
    (["--metrics=ppl", "--distance=inception"], "A perceptual distance is lite0, vgg16 or vgg16:FILE"),
    (["--data=nowhere"], "nowhere"),
    (["--data=portraits:endless"], "An endless stream cannot be measured against"),
    (["--model=nowhere.safetensors"], "There is no file nowhere.safetensors"),
    (["--scorer=nowhere.safetensors"], "nowhere.safetensors"),
    (["--device=abacus"], "There is no device 'abacus'"),
]


@pytest.mark.parametrize(("options", "said"), BAD, ids=[" ".join(options) for options, _ in BAD])
def test_bad_input_is_one_line(place, monkeypatch, options, said):
    monkeypatch.chdir(place)
    _failed(_run(place, *options), said)


def test_without_a_scorer(place):
    (place / "net.attributes.safetensors").unlink()
    _failed(_run(place, "--metrics=attributes"), "need a scorer, NAME.attributes.safetensors")


def test_without_a_network_it_says_where_to_put_the_file(place, monkeypatch):
    monkeypatch.setattr("stylegan.metrics.scripted._CDN", "http://127.0.0.1:9/")  # where nothing answers
    result = _run(place, "--extractor=inception")
    _failed(result, "Inception-v3 is not at ")
    assert f"{place / 'cache' / 'extractors' / 'inception-2015-12-05.pt'} and cannot be fetched" in result.stderr
    assert "Put it there by hand" in result.stderr


def test_fewer_samples_than_dimensions_are_noted(place):
    result = _run(place, "--metrics=fid", "--count=8")
    assert result.exit_code == 0
    assert result.stderr.startswith("note: 8 pictures are fewer than the 12 dimensions of TorchScript means's features")
    assert "or take KID" in result.stderr
    assert _run(place, "--metrics=kid", "--count=8").stderr == ""


def test_pictures_of_another_size_or_model(place, tiny_config):
    from dataclasses import replace

    other = Generator(replace(tiny_config, resolution=32), seed=2)
    stylegan.save(other, place / "large.safetensors")
    _failed(_run(place, "--data", place / "large.safetensors"), "net makes 16² and large has 32²")
    stylegan.save(Generator(replace(tiny_config, image_channels=1), seed=2), place / "grey.safetensors")
    _failed(_run(place, "--model", place / "grey.safetensors"), "Features need colour pictures of 8² or more")


def test_a_model_that_gives_nan(place, tiny_config):
    G = Generator(tiny_config, seed=1)
    with torch.no_grad():
        for parameter in G.synth.parameters():
            parameter.mul_(1e30)
    stylegan.save(G, place / "net.safetensors")
    _failed(_run(place, "--metrics=kid"), "gives pictures that are not numbers (NaN): it has diverged")


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="this PyTorch has no gloo")
def test_two_processes_give_the_numbers_of_one(place):
    names = "fid,kid,pr,halves,ls,psi,mixing,attributes"  # ppl: test_training_processes
    words = _arguments(place, "--extractor", place / "means.pt", "--metrics", names, "--psis=0.5", "--count=300")
    words += ["--data", place / "net.safetensors", "--psi=0.9"]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "stylegan"]
    both = [*words, "--device=cpu", "--out", place / "both.jsonl", "--cache", place / "others"]
    command = [sys.executable, *torchrun, *map(str, both)]
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    alone = CliRunner().invoke(app, list(map(str, [*words, "--out", place / "alone.jsonl"])))
    assert alone.exit_code == 0, alone.output

    def numbers(name):
        rows = [json.loads(line) for line in (place / name).read_text().splitlines()]
        return [{key: value for key, value in row.items() if key not in ("sec", "when")} for row in rows]

    assert numbers("both.jsonl") == numbers("alone.jsonl")
    assert result.stdout == alone.stdout  # one of the two speaks
