"""What trainers measured of their snapshots stands beside what was measured in the app."""

from measure_toys import measurement
from run_folders import written

from explorer.measure_charts import charts, label_of
from explorer.measured_runs import MeasuredRuns
from explorer.runs import Runs


def event(kimg, *items, **more):
    return {"event": "metrics", "kimg": kimg, "measurements": [item.to_json() for item in items], **more}


def test_measurements_in_the_events_of_runs(tmp_path):
    values = [measurement(value=9.0, model_name="whatever"), measurement("precision", 0.5)]
    written(tmp_path / "cats", [event(10, *values), event(20, measurement(value=7.0, when="2026-12-01")), event(30)])
    broken = [{"event": "metrics", "kimg": 1, "measurements": [5, {"metric": "x"}]}, {"event": "x", "kimg": 2}]
    written(tmp_path / "dogs", [*broken, {"event": "metrics", "kimg": 2, "measurements": "none", "failed": "NaN."}])
    runs = MeasuredRuns(Runs(tmp_path))
    kept = runs.all()
    told = [(label_of(one.measurement), one.measurement.value) for one in kept]
    assert told == [
        ("cats, 10 kimg", 9.0), ("cats, 10 kimg", 0.5), ("cats, 20 kimg", 7.0),
    ]  # fmt: skip
    assert all(one.of_run for one in kept)
    (chart,) = charts(kept)
    assert chart["runs"][0]["curves"]["Fréchet distance"]["mean"] == [9, 7]
    written(tmp_path / "birds", [event(10, measurement())])
    assert len(runs.all()) == 4  # runs that come later are seen
