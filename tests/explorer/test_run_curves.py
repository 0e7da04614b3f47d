"""Curves: nothing that happened is lost, however few columns there are; several runs' settings side by side."""

import math

import numpy as np
import pytest

from explorer.run_compare import differing, settings
from explorer.run_curves import COLUMNS, curves
from stylegan.training import RunFacts, preset


def ticks(kimgs, value):
    return [{"event": "tick", "kimg": k, "sec": k, "generator_loss": value(k)} for k in kimgs]


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("last", [0.5, 40.0, 25_000.0])
def test_columns_hold_every_value(scale, last):
    kimgs = np.linspace(last / 5000, last, 5000)
    values = {k: math.sin(40 * k / last) for k in kimgs}
    spike = kimgs[1234]
    values[spike] = 99.0
    curve = curves(ticks(kimgs, values.get), scale)["generator_loss"]
    assert 30 < len(curve.kimg) <= COLUMNS
    assert list(curve.kimg) == sorted(curve.kimg)
    assert curve.kimg[-1] == kimgs[-1]
    assert all(low <= mean <= high for low, mean, high in zip(curve.low, curve.mean, curve.high, strict=True))
    assert max(curve.high) == 99.0
    assert min(curve.low) == min(values.values())
    edges = [-math.inf, *curve.kimg]  # each column against the plain mean of what lies in it
    for i, mean in enumerate(curve.mean):
        inside = [values[k] for k in kimgs if edges[i] < k <= edges[i + 1]]
        assert mean == pytest.approx(np.mean(inside), abs=1e-9)


def test_the_first_minute_is_seen_beside_millions_of_images():
    kimgs = [*np.linspace(0.01, 1, 20), *np.linspace(2, 25_000, 20_000)]
    linear, log = (curves(ticks(kimgs, float), scale)["generator_loss"] for scale in ("linear", "log"))
    assert sum(k <= 1 for k in linear.kimg) == 0
    assert sum(k <= 1 for k in log.kimg) >= 15


def test_what_is_no_number_is_left_out_and_measurements_come_along():
    events = [
        {"event": "started", "kimg": 0, "sec": 0, "processes": 1},
        {"event": "tick", "kimg": 1, "sec": 1, "generator_loss": 0.5, "penalty": None, "lod": True},
        {"event": "tick", "kimg": 2, "sec": 2, "generator_loss": "x", "penalty": 0.1, "lod": 2},
        {"event": "snapshot", "kimg": 2, "sec": 2, "snapshot": "000002.000.safetensors", "samples": "x"},
        {
            "event": "metrics", "kimg": 2, "sec": 2, "snapshot": "000002.000.safetensors",
            "values": {"frechet": 80.5, "kid": math.nan, "recall": 0.3}, "measurements": [{"value": 80.5, "count": 10}],
        },
        {"event": "metrics", "kimg": 3, "sec": 3, "values": {}, "measurements": [], "failed": "No memory."},
    ]  # fmt: skip
    found = curves(events)
    assert list(found) == ["generator_loss", "penalty", "lod", "frechet", "recall"]
    assert found["generator_loss"].mean == (0.5,)
    assert (found["frechet"].kimg, found["frechet"].mean) == ((2.0,), (80.5,))
    assert curves([]) == {}


def test_settings_that_differ():
    def facts(name, **options):
        return RunFacts(preset(name, 32, **options), {"name": "photos"}, {"preset": name})

    assert differing([facts("small"), facts("small")]) == []
    assert differing([facts("small"), facts("small", seed=3)]) == [("seed", ("0", "3"))]
    rows = dict(differing([facts("small"), facts("f")]))
    assert rows["preset"] == ("small", "f")
    assert rows["total_kimg"] == ("200", "25000")
    assert rows["generator.z_dim"] == ("128", "512")
    assert "generator.resolution" not in rows
    assert "discriminator.fmap_max" not in rows  # the same as the generator's, which is said
    assert settings(facts("f"))["mirror"] == "yes"
