"""What browsers and programs may send to the Measure tab: answers, or one sentence; and what strangers get of it."""

import gc
import json

import measure_toys
import pytest
import tiny_models
from app_server import serve
from gradio_client import Client
from gradio_client.exceptions import AppError
from measure_toys import measurement
from run_folders import photos

from explorer.context import AppContext
from explorer.options import Options

LOOKS = ("measurements", "detail", "csv")
ACTS = ("offered", "cost", "measure", "now", "cancel", "go_on", "forget", "remove", "read_in")


def component(app):
    from explorer.ui import shell

    page = shell.build(app)
    found = next(block for block in page.blocks.values() if getattr(block, "elem_id", None) == "measuring")
    return page, found


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    options = Options(
        models=(tiny_models.make(folder),), folder=folder / "models", runs=folder / "runs", measurements=folder / "kept"
    )
    app = AppContext.open(options)
    app.measurer.store.append(
        [measurement(), measurement("precision", 0.5), measurement(model_name="dogs", model="ef" * 32)]
    )
    return app


@pytest.fixture(scope="module")
def call(app):
    _, measuring = component(app)

    def call(function, data):
        answer = getattr(measuring, function)(data)
        json.dumps(answer, allow_nan=False)
        return answer

    return call


@pytest.mark.parametrize("function", [*LOOKS, *ACTS])
@pytest.mark.parametrize(
    "data",
    [
        None, 5, [], {}, {"model": 5}, {"model": "x" * 10**6, "metric": ""}, {"id": "../x"}, {"id": 5}, {"form": 3},
        {"form": {}}, {"form": {"models": [], "metrics": ["fid"]}}, {"file": "%%%"}, {"file": "bm8="},
        {"form": {"models": ["model:x"], "metrics": ["fid"], "count": 0}},
    ],
    ids=lambda data: str(data)[:40],
)  # fmt: skip
def test_requests_of_no_shape_are_one_sentence(call, function, data):
    answer = call(function, data)
    if set(answer) != {"error"}:
        assert function in ("offered", "now", "cancel", "forget"), answer
        return
    assert "\n" not in answer["error"]
    assert "inside the app" not in answer["error"]


def test_rows_filters_and_csv(app, call):
    told = call("measurements", {"model": "", "metric": ""})
    assert (told["total"], told["models"], told["metrics"]) == (
        3, ["cats", "dogs"], ["Fréchet distance", "Precision"],
    )  # fmt: skip
    assert {row["extractor"] for row in told["rows"]} == {"EfficientNet-Lite0"}
    (row,) = call("measurements", {"model": "cats", "metric": "Precision"})["rows"]
    assert (row["of"], row["value"]) == ("cats", 0.5)
    assert call("measurements", {"model": "nobody", "metric": ""})["rows"] == []
    header, *lines = call("csv", {"model": "cats", "metric": ""})["csv"].splitlines()
    assert header.startswith("metric,value,low,high,extractor,model,")
    assert len(lines) == 2
    kept = app.measurer.version
    assert call("now", {})["kept"] == kept
    call("remove", {"id": row["id"]})
    assert call("now", {})["kept"] != kept
    assert call("measurements", {"model": "", "metric": ""})["total"] == 2


@pytest.mark.parametrize("options", [{"share": True}, {"host": "0.0.0.0"}, {"read_only": True}])
def test_strangers_may_read_and_nothing_that_starts_is_built(app, options):
    page, measuring = component(AppContext.open(Options(**{**vars(app.options), **options})))
    assert measuring.measurements({"model": "", "metric": ""})["rows"]
    assert "error" not in measuring.csv({"model": "", "metric": ""})
    assert "ask" not in measuring.html_template
    for name in ACTS:
        assert not callable(getattr(measuring, name, None)), name
    endpoints = set(page.get_api_info()["named_endpoints"])
    assert "/measurements" in endpoints
    assert "/measure" not in endpoints


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # gradio_client leaves loops and sockets
def test_programs_measure_and_list(tmp_path, monkeypatch):
    monkeypatch.setenv("STYLEGAN_CACHE", str(tmp_path / "cache"))
    photos(tmp_path / "photos")
    net = str(measure_toys.extractor(tmp_path))
    with serve(tmp_path) as server:
        client = Client(server.url, verbose=False, download_files=str(tmp_path))
        given = {"metrics": "fid, pr", "data": str(tmp_path / "photos"), "count": 12, "extractor": net}
        made = client.predict(**given, api_name="/measure")
        assert [row["metric"] for row in made] == ["frechet", "precision", "recall"]
        assert {row["extractor"] for row in made} == {"TorchScript means"}
        listed = client.predict(metric="Precision", api_name="/measurements")
        assert [row["id"] for row in listed] == [made[1]["id"]]
        for wrong, said in (
            ({"count": 1}, "from 2 to"), ({"count": 10**9}, "from 2 to"), ({"metrics": "is"}, "A metric is one of"),
            ({"model": "none"}, "There is no model"), ({"extractor": "resnet"}, "There is no file"),
            ({"data": "nowhere"}, "nowhere"), ({"data": "run:gone"}, "There is no run"), ({"metrics": 5}, "are text"),
        ):  # fmt: skip
            with pytest.raises(AppError, match=said):
                client.predict(**{**given, **wrong}, api_name="/measure")
        client.close()
    gc.collect()  # what it left, before the next test
