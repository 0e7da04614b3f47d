"""What measurements are said to cost, in time and in error."""

from dataclasses import replace

import pytest

from explorer.measure_cost import Size, Speeds, data_units, duration, errors_of, features_key, units_of, width_of
from stylegan.metrics.measure import METRICS

SIZE = Size(("fid",), 1000, 1000, 64, "lite0", "lite0", True)


def test_what_metrics_share_is_counted_once():
    together = units_of(replace(SIZE, metrics=("fid", "kid", "pr")))
    assert together["fid"]["features lite0"] == 2000  # samples and data
    assert "features lite0" not in together["kid"]
    assert together["kid"] == {"kid": 4e6}
    assert "features lite0" not in units_of(replace(SIZE, metrics=("pr", "fid")))["fid"]
    assert units_of(SIZE, again=True)["fid"]["features lite0"] == 1000
    assert units_of(replace(SIZE, metrics=("fid", "psi")))["psi"]["pictures 64"] == 5000  # ψ = 1 is there already
    assert units_of(replace(SIZE, metrics=("psi",)))["psi"]["pictures 64"] == 6000
    assert units_of(replace(SIZE, metrics=("psi",), cutoffs=2))["psi"]["pictures 64"] == 11_000


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_a_cost_that_grows(metric, tmp_path):
    speeds = Speeds(tmp_path)
    few, many = (
        speeds.seconds(units_of(Size((metric,), n, n, 64, "lite0", "lite0", False))[metric]) for n in (500, 5000)
    )
    assert 0 < few < many


def test_speeds_are_learnt_and_kept(tmp_path):
    speeds = Speeds(tmp_path)
    assert not speeds.measured
    guess = speeds.seconds({"features lite0": 100})
    speeds.learn({"features lite0": [200, 20.0], "kid": [0, 1.0]})
    assert speeds.seconds({"features lite0": 100}) == pytest.approx(10)
    assert guess != pytest.approx(10)
    speeds.learn({"features lite0": [100, 40.0]})
    assert Speeds(tmp_path).seconds({"features lite0": 1}) == pytest.approx(0.2)  # between 0.1 and 0.4
    assert speeds.measured
    speeds.learn({"features": [10, 1.0]})
    assert features_key("/some/net.pt") == "features"


@pytest.mark.parametrize("text", ["", "[]", "5", '{"kid": "x"}', '{"kid": -1}', "\0"])
def test_a_damaged_file_of_speeds_is_as_none(tmp_path, text):
    (tmp_path / "speeds.json").write_text(text)
    assert Speeds(tmp_path).seconds({"kid": 1e6}) == pytest.approx(0.15)


def test_errors_are_told_before_anything_starts():
    (said,) = errors_of(SIZE)
    assert "1,000 pictures are fewer than the 1,280 dimensions of EfficientNet-Lite0" in said
    assert "FID" not in said
    (said,) = errors_of(replace(SIZE, count=2000, data_count=2000))
    assert "still comes out too high" in said
    assert list(errors_of(replace(SIZE, count=50_000, data_count=50_000))) == []
    assert list(errors_of(replace(SIZE, extractor="/my/net.pt"))) == []  # nobody knows its dimensions yet
    (said,) = errors_of(replace(SIZE, metrics=("pr",), count=400, data_count=400))
    assert "±0.049" in said  # 1.96·√(¼ / 400)
    assert width_of("inception") == 2048


def test_durations_are_no_finer_than_an_estimate():
    assert [duration(sec) for sec in (1, 43, 58, 700, 9000)] == [
        "about 5 s", "about 45 s", "about 1 min", "about 12 min", "about 2.5 h",
    ]  # fmt: skip


def test_data_are_prepared_at_their_own_speed():
    assert data_units(SIZE) == {"portraits": 1000}
    assert data_units(replace(SIZE, portraits=False)) == {"decoded": 1000}
