"""Measurements as curves: over kimg, over ψ, over mixed latents."""

from measure_toys import measurement

from explorer.measure_charts import charts, chosen, label_of
from explorer.measurement_store import MeasurementStore


def kept(folder, *items):
    store = MeasurementStore(folder)
    store.append(items)
    return store.all()


def over(kimg, value, name="cats", **more):
    return measurement(value=value, kimg=kimg, model_name=name, model=f"{int(kimg):064x}", **more)


def test_runs_over_their_training(tmp_path):
    items = [over(30, 5.0, low=4.0, high=6.0), over(10, 9.0), over(20, 7.0), over(10, 3.0, "dogs")]
    (chart,) = charts(kept(tmp_path, *items, over(10, 99.0, count=600)))
    assert chart["kind"] == "kimg"
    assert chart["note"] == "EfficientNet-Lite0; 500 samples, 500 pictures of photos"
    ((name, curves),) = [(run["name"], run["curves"]) for run in chart["runs"]]  # of dogs there is a single point
    assert name == "cats"
    assert curves == {
        "Fréchet distance": {"kimg": [10, 20, 30], "mean": [9, 7, 5], "low": [9, 7, 4], "high": [9, 7, 6]}
    }


def test_the_newest_of_several_counts(tmp_path):
    again = over(10, 1.0, when="2026-12-01T00:00:00+00:00")
    (chart,) = charts(kept(tmp_path, over(10, 9.0), over(20, 7.0), again))
    assert chart["runs"][0]["curves"]["Fréchet distance"]["mean"] == [1, 7]


def test_the_price_of_truncation(tmp_path):
    rows = [measurement(metric, psi, psi=psi) for psi in (1.0, 0.7, 0.5) for metric in ("frechet", "precision")]
    coarse = [measurement(value=psi, psi=psi, cutoff=4) for psi in (1.0, 0.7, 0.5)]
    (chart,) = charts(kept(tmp_path, *rows, *coarse, measurement("kid", 0.1, psi=0.5)))
    assert chart["kind"] == "psi"
    assert [run["name"] for run in chart["runs"]] == ["cats", "cats, ψ in 4 layers"]
    assert set(chart["runs"][0]["curves"]) == {"Fréchet distance", "Precision"}
    assert chart["runs"][0]["curves"]["Precision"]["kimg"] == [0.5, 0.7, 1.0]


def test_mixed_latents(tmp_path):
    rows = [measurement(value=n / 2, settings={"mixed": n}) for n in (1, 2, 3, 4)]
    (chart,) = charts(kept(tmp_path, *rows))
    assert (chart["kind"], chart["runs"][0]["curves"]["Fréchet distance"]["mean"]) == ("mixed", [0.5, 1, 1.5, 2])


def test_choosing_by_model_and_metric(tmp_path):
    data = measurement("frechet_halves", 1.0, model="", model_name="")
    some = kept(tmp_path, over(10, 1.0), measurement("precision", 0.5), data)
    assert {label_of(one.measurement) for one in some} == {"cats, 10 kimg", "cats", "–"}
    assert [one.measurement.metric for one in chosen(some, "cats")] == ["precision"]
    assert [one.measurement.value for one in chosen(some, metric="Precision")] == [0.5]
    assert len(chosen(some)) == 3
