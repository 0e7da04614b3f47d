"""What browsers may send to the Train tab's server functions: answers, or one sentence; an estimate from real steps."""

import json
from pathlib import Path

import pytest
import tiny_models
from run_folders import TINY, photos, written

from explorer.context import AppContext
from explorer.options import Options
from explorer.run_estimate import estimates
from stylegan.errors import InputError
from stylegan.training import Plan

NAMES = (
    "stop", "resume", "remove", "size", "run_curves", "sample", "run_settings", "log", "values", "uploaded", "look",
    "begin", "form_of", "start", "poll",
)  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    events = [{"event": "tick", "kimg": k / 10, "generator_loss": 1.0, "lod": 0.0} for k in range(1, 900)]
    written(folder / "runs" / "old", events)
    written(folder / "runs" / "newer", [], '{"format": 99}')
    options = Options(models=(tiny_models.make(folder),), folder=folder / "models", runs=folder / "runs")
    return AppContext.open(options)


@pytest.fixture(scope="module")
def call(app):
    from explorer.ui import shell

    training = next(
        block for block in shell.build(app).blocks.values() if getattr(block, "elem_id", None) == "training"
    )

    def call(function, data):
        answer = getattr(training, function)(data)
        json.dumps(answer, allow_nan=False)
        return answer

    return call


@pytest.mark.parametrize("function", NAMES)
@pytest.mark.parametrize(
    "data",
    [
        None, 5, [], {}, {"name": 3}, {"name": "../old"}, {"name": "x" * 10**6}, {"names": "old"}, {"names": [3]},
        {"names": ["../old"], "scale": "linear"}, {"name": "gone", "sample": "../config"}, {"form": 3},
        {"name": "newer", "names": ["newer"], "form": {}, "visitor": 5, "scale": "cubic", "sample": "reals"},
        {"files": [{"path": "/etc/passwd", "name": "a.png"}]}, {"files": [3]}, {"form": {"data": "folder"}},
    ],
    ids=lambda data: str(data)[:40],
)  # fmt: skip
def test_requests_of_no_shape_are_one_sentence(call, function, data):
    answer = call(function, data)
    if set(answer) != {"error"}:  # what is well meant by one of the names is answered by some
        assert function in ("size", "log", "poll", "start", "remove", "values", "stop", "look"), answer
        return
    assert "\n" not in answer["error"]
    assert "inside the app" not in answer["error"]


def test_a_list_with_unreadable_runs_and_curves_that_fit_a_screen(app, call):
    written(app.options.runs / "newest", [], '{"format": 99}')
    states = {run["name"]: run["state"] for run in call("runs_now", {})["runs"]}
    assert (states["old"], states["newest"]) == ("failed", "unreadable")
    (run,) = call("run_curves", {"names": ["old"], "scale": "log"})["runs"]
    assert {len(values) for values in run["curves"]["generator_loss"].values()} <= set(range(2, 151))
    assert len(call("run_settings", {"names": ["old"]})["rows"]) > 20
    assert "newer version" in call("run_settings", {"names": ["newest"]})["error"]
    assert call("sample", {"name": "old", "sample": "../config"}) == {"error": "There are no samples of then."}
    offered = call("choices", {})
    assert [group["title"] for group in offered["groups"]] == ["Steps", "Losses", "Growing", "Networks"]
    assert offered["data"] == ["portraits", "upload", "folder"]


def test_an_estimate_is_measured_and_a_wrong_plan_told(tmp_path):
    data = str(photos(tmp_path / "p"))
    plan = Plan.of({"data": data, "resolution": 8, "preset": "small", "kimg": 1000, **TINY})
    *early, last = estimates(plan, 1)
    assert all(estimate.found is None for estimate in early)
    assert last.share == 1
    assert last.found["measured"] == [8]
    assert last.found["seconds"] == pytest.approx(1e6 / last.found["images_per_sec"]["8"], rel=0.01)
    with pytest.raises(InputError, match="There is no device 'nonsense'"):
        list(estimates(plan, 1, "nonsense"))
    running = estimates(plan, 1)
    next(running)
    running.close()  # ends the process, too
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if f"--data={data}".encode() in _bytes(path)]


def _bytes(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""
