"""What may be asked to be measured: an order, or one sentence."""

import json

import measure_toys
import pytest
import tiny_models
from run_folders import photos, written

from explorer.library import Library
from explorer.measure_form import Counter
from explorer.runs import Runs
from explorer.values import show
from stylegan.errors import StyleGANError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measure")
    tiny_models.make(folder)
    snapshots = [{"event": "snapshot", "kimg": k / 1} for k in range(1, 8)]
    run = written(folder / "runs" / "cats", snapshots)
    for k in range(1, 8):
        (run / "snapshots" / f"{k:06d}.000.safetensors").write_bytes(b"")
    written(folder / "runs" / "new", [])
    photos(folder / "photos")
    (folder / "empty").mkdir()
    measure_toys.extractor(folder)
    return folder


@pytest.fixture
def counter(folder):
    return Counter(Library([folder / "tiny.safetensors"]), Runs(folder / "runs"), local=True)


@pytest.fixture
def form(counter, folder):
    return {
        "models": [f"model:{counter.library.default}"], "data": "folder", "folder": str(folder / "photos"),
        "metrics": ["fid"], "count": 10,
    }  # fmt: skip


def test_an_order_says_all_that_a_measurement_takes(counter, form, folder):
    order = counter.order(form)
    assert (order.data, order.metrics, order.count, order.data_count) == (str(folder / "photos"), ("fid",), 10, None)
    (subject,) = order.subjects
    assert (subject.path, subject.name, subject.kimg, subject.scorer) == (
        (folder / "tiny.safetensors").absolute(), "The tiny", None, None,
    )  # fmt: skip
    assert counter.order({**form, "cutoffs": "all, 8,4, 8"}).cutoffs == (None, 8, 4)
    assert (order.psi, order.cutoff, order.seed, order.extractor) == (1.0, None, 0, "lite0")


def test_snapshots_of_a_run_are_chosen_one_some_all(counter, form):
    def kimg(which):
        return [one.kimg for one in counter.order({**form, "models": [f"run:cats:{which}"]}).subjects]

    assert kimg("newest") == [7]
    assert kimg("all") == [1, 2, 3, 4, 5, 6, 7]
    assert kimg("some") == [1, 3, 4, 5, 7]
    assert kimg("000002.000") == [2]
    both = counter.order({**form, "models": [*form["models"], "run:cats:newest", "run:cats:000007.000"]})
    assert [one.label for one in both.subjects] == ["The tiny", "cats, 7 kimg"]


def test_data_of_a_run_are_what_it_was_trained_on(counter, form, folder):
    run = {**form, "data": "run", "run": "cats"}
    for data, more, wanted in (
        ("portraits", {"count": 300}, "portraits:300"), ("portraits:endless", {}, "portraits:10"),
        (str(folder / "photos"), {}, str(folder / "photos")),
    ):  # fmt: skip
        config = folder / "runs" / "cats" / "config.json"
        text = json.loads(config.read_text())
        config.write_text(json.dumps({**text, "plan": {**text["plan"], "data": data, "count": None, **more}}))
        assert counter.order(run).data == wanted
    assert counter.order({**form, "data": "portraits"}).data == "portraits:10"
    assert counter.order({**form, "metrics": ["ppl"], "folder": "nowhere"}).data is None  # it takes none


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"count": 0}, "The number of samples is from 2 to 100,000, not 0"),
        ({"count": 1}, "from 2 to 100,000, not 1"),
        ({"count": 10**9}, "from 2 to 100,000"),
        ({"count": 10**5000}, "a huge number"),
        ({"count": 2.5}, "not 2.5"),
        ({"count": "many"}, "not 'many'"),
        ({"count": True}, "not True"),
        ({"data_count": 1}, "pictures of the data"),
        ({"metrics": []}, "Choose what to measure"),
        ({"metrics": "fid"}, "list of metrics"),
        ({"metrics": ["is"]}, "A metric is one of"),
        ({"metrics": [["fid"]]}, "A metric is one of"),
        ({"metrics": ["pr"], "count": 3}, "Precision and recall takes at least 4"),
        ({"metrics": ["ls"]}, "at least 20"),
        ({"metrics": ["attributes"]}, "The tiny has no attribute scorer"),
        ({"metrics": ["attributes"], "scorer": "abcdefab"}, "is not here"),
        ({"models": []}, "Choose at least one model"),
        ({"models": None}, "list of models"),
        ({"models": [5]}, "There is no model 5"),
        ({"models": ["/etc/passwd"]}, "There is no model '/etc/passwd'"),
        ({"models": ["model:../x"]}, "is not here"),
        ({"models": ["run:dogs:all"]}, "There is no run 'dogs'"),
        ({"models": ["run:../measure:all"]}, "There is no run"),
        ({"models": ["run:cats:../../config"]}, "no snapshot '../../config'"),
        ({"models": ["run:new:newest"]}, "new has no snapshot yet"),
        ({"data": "everything"}, "The data is one of"),
        ({"data": "run", "run": "dogs"}, "There is no run"),
        ({"data": "run", "run": None}, "There is no run"),
        ({"folder": ""}, "Type the path"),
        ({"folder": "\0"}, "Type the path"),
        ({"folder": "/nowhere/at/all"}, "/nowhere/at/all"),
        ({"folder": "EMPTY"}, "no image"),
        ({"extractor": "resnet"}, "The extractor is one of"),
        ({"extractor": "file", "file": "/nowhere.pt"}, "There is no file /nowhere.pt"),
        ({"extractor": "file"}, "Type the path"),
        ({"distance": "l2"}, "perceptual distance"),
        ({"psi": "x"}, "ψ is a number"),
        ({"psi": float("nan")}, "ψ is a number"),
        ({"cutoff": -1}, "cutoff"),
        ({"seed": -1}, "seed"),
        ({"cutoffs": "all, x"}, "Cutoffs are at most 6"),
        ({"cutoffs": 8}, "Cutoffs are at most 6"),
        ({"cutoffs": "1,2,3,4,5,6,7"}, "Cutoffs are at most 6"),
    ],
    ids=lambda value: show(value)[:40],
)
def test_what_cannot_be_measured_is_one_sentence(counter, form, folder, change, words):
    change = {key: str(folder / "empty") if value == "EMPTY" else value for key, value in change.items()}
    with pytest.raises(StyleGANError) as caught:
        counter.order({**form, **change})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_on_a_server_nobody_names_its_files(folder, form):
    away = Counter(Library([folder / "tiny.safetensors"]), Runs(folder / "runs"), local=False)
    for change in ({}, {"data": "portraits", "extractor": "file", "file": str(folder / "means.pt")}):
        with pytest.raises(StyleGANError, match="on the machine itself only"):
            away.order({**form, **change})
    assert not away.offered()["local"]


def test_what_is_offered(counter):
    offered = counter.offered()
    json.dumps(offered)
    assert [model["name"] for model in offered["models"]] == ["The tiny · 16²"]
    assert [(run["name"], len(run["snapshots"])) for run in offered["runs"]] == [("cats", 7)]
