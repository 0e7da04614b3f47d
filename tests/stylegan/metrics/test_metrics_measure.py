"""Whole measurements: what each metric gives, what is refused, the history and its table."""

import csv
import io
import json

import numpy as np
import pytest
import torch
from feature_toys import BlockMeans, RandomPictures
from lively_generators import TINY, lively

from stylegan.config import GeneratorConfig
from stylegan.directions.records import finish
from stylegan.directions.targets import Column
from stylegan.errors import InputError
from stylegan.metrics.attributes import histograms
from stylegan.metrics.measure import METRICS, Plan, Tools, measure, warnings
from stylegan.metrics.measurement import History, Measurement, from_json, to_csv
from stylegan.metrics.pictures import DataPictures, ModelPictures, Sampling, open_pictures
from stylegan.metrics.store import collect
from stylegan.networks import Generator


class Squares:
    name = "squares"

    def distance(self, a, b):
        return ((a.double() - b.double()) ** 2 / 255).mean(dim=(1, 2, 3))


class Brightness:
    columns = (Column("bright", "continuous"), Column("red", "continuous"))
    digest = "cd" * 32

    def score(self, pictures):
        return torch.stack([pictures.mean(dim=(1, 2, 3)), pictures[:, 0].mean(dim=(1, 2))], dim=1)


@pytest.fixture(scope="module")
def G():
    network = lively(Generator(GeneratorConfig(**TINY), seed=3))
    network.digest = "12" * 32
    return network


@pytest.fixture
def tools(tmp_path):
    return Tools(BlockMeans(), Squares, Brightness(), tmp_path)


PICTURES = RandomPictures(most=200, resolution=16)


def test_every_metric(G, tools):
    plan = Plan(METRICS, count=60, psis=(1.0, 0.5))
    found = finish(measure(G, PICTURES, plan, tools, name="tiny", kimg=1.5))
    by_metric = {}
    for item in found:
        by_metric.setdefault(item.metric, []).append(item)
        assert np.isfinite(item.value)
        assert item.when
        assert from_json(json.loads(json.dumps(item.to_json()))).value == item.value
    assert set(by_metric) == {
        "frechet", "kid", "precision", "recall", "ppl", "separability", "overlap", "frechet_halves",
    }  # fmt: skip
    distances = by_metric["frechet"]  # fid, two of psi, four of mixing
    assert [item.psi for item in distances] == [1, 1, 0.5, 1, 1, 1, 1]
    assert [item.settings.get("mixed") for item in distances[3:]] == [1, 2, 3, 4]
    assert distances[0].value == distances[1].value == distances[3].value
    assert distances[0].low < distances[0].value < distances[0].high
    assert [item.label for item in by_metric["ppl"]] == [
        "Path length Z full", "Path length W full", "Path length W end",
    ]  # fmt: skip
    assert by_metric["ppl"][0].data == ""
    assert by_metric["separability"][0].settings["bits"].keys() == {"bright", "red"}
    assert by_metric["frechet_halves"][0].model == ""
    assert 0 <= by_metric["overlap"][0].value < 1
    assert all(item.kimg == 1.5 for item in found if item.model)
    assert distances[0].conditions == distances[1].conditions


def test_the_same_again_and_from_kept_features(G, tools):
    plan = Plan(("fid", "kid", "pr"), count=60)
    first = finish(measure(G, PICTURES, plan, tools))
    seen = tools.extractor.seen
    again = finish(measure(G, PICTURES, plan, tools))
    assert [item.value for item in again] == [item.value for item in first]
    assert [item.low for item in again] == [item.low for item in first]
    assert tools.extractor.seen == seen


def test_a_model_against_itself_is_near(G, tools):
    same = ModelPictures(G, Sampling(first_seed=5))
    near, far = (
        finish(measure(G, pictures, Plan(("fid",), count=300), tools))[0].value
        for pictures in (same, RandomPictures(resolution=16))
    )
    assert near < far / 20


@pytest.mark.parametrize(
    ("plan", "pictures", "words"),
    [
        (Plan(("fid",), count=20), None, "say what to measure against"),
        (Plan(("fid",), count=20), RandomPictures(resolution=8), "makes 16²"),
        (Plan(("fid",), count=1), PICTURES, "from 2"),
        (Plan(("fid",), count=10, data_count=300), PICTURES, "has 200 pictures"),
    ],
)
def test_what_does_not_fit(G, tools, plan, pictures, words):
    with pytest.raises(InputError, match=words):
        finish(measure(G, pictures, plan, tools))


def test_a_tool_that_is_missing(G, tmp_path):
    with pytest.raises(InputError, match="scorer"):
        finish(measure(G, PICTURES, Plan(("ls",), count=30), Tools(BlockMeans(), cache=tmp_path)))
    with pytest.raises(InputError, match="Metrics are fid"):
        Plan(("is",))


def test_fewer_pictures_than_dimensions_are_told():
    assert "fewer than the 12 dimensions" in next(warnings(Plan(count=10), BlockMeans()))
    assert not list(warnings(Plan(count=12), BlockMeans()))


def test_histograms_of_the_same_and_of_others(tmp_path):
    columns = [Column("a", "continuous"), Column("b", "binary")]

    class Two:
        name, width = "two", 2

        def __init__(self, shift):
            self.shift, self.digest = shift, f"two-{shift}"

        def features(self, pictures):
            mean = pictures.float().mean(dim=(1, 2, 3)) + self.shift
            return torch.stack([mean, (mean > 100).float()], dim=1)

    def rows(shift):
        steps = collect(RandomPictures(), Two(shift), 200, cache=tmp_path)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    same = histograms(columns, rows(0), rows(0))
    assert [h.overlap for h in same] == pytest.approx([1, 1], abs=1e-4)
    apart = histograms(columns, rows(0), rows(500))
    assert apart[0].overlap < 0.1
    assert sum(apart[0].samples) == pytest.approx(1, abs=1e-4)


def test_a_history(tmp_path):
    history = History(tmp_path / "folder" / "measurements.jsonl")
    assert history.read() == ()
    items = [
        Measurement("frechet", 1.5, 1.0, 2.0, "E", model_name="=evil()", settings={"mixed": 2}),
        Measurement("kid", 0.1),
    ]
    history.append(items[:1])
    with open(history.path, "a") as file:
        file.write('{"metric": "kid"}\nnonsense\n{"metric": "kid", "value": NaN}\n')
    history.append(items[1:])
    assert history.read() == tuple(items)
    rows = list(csv.DictReader(io.StringIO(to_csv(items))))
    assert rows[0]["model_name"] == "'=evil()"
    assert float(rows[0]["value"]) == 1.5
    assert rows[1]["low"] == ""


def test_opening_what_is_named(tmp_path):
    def opened(spec, **options):
        steps = open_pictures(spec, 16, cache=tmp_path, **options)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    pictures = opened("portraits:12")
    assert isinstance(pictures, DataPictures)
    assert pictures.most == 12
    assert pictures.take(3, 2).shape == (2, 16, 16, 3)
    assert torch.equal(opened("portraits", count=12).take(0, 12), pictures.take(0, 12))
    for wrong in ("portraits:endless", "portraits:many"):
        with pytest.raises(InputError):
            opened(wrong)
