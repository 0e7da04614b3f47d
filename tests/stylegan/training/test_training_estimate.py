"""Estimates of memory and time, and the time left."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from stylegan.networks import Discriminator, Generator
from stylegan.training import estimate
from stylegan.training.meter import COST_PER_DOUBLING, growing_sec, peak_memory_mib, remaining_sec
from stylegan.training.presets import preset

CPU = torch.device("cpu")


def test_memory_counts_what_is_kept():
    small = preset("small", 64, network={"fmap_base": 2048}, minibatch_base=16)
    whole = estimate.memory_mib(small)
    assert 500 < whole < 1200  # 863 MiB were measured
    halved, quarter = (estimate.memory_mib(replace(small, microbatch=n)) for n in (8, 4))
    assert whole - halved == pytest.approx(2 * (halved - quarter), rel=0.02)  # in proportion to the pictures
    assert estimate.memory_mib(small, processes=2) == pytest.approx(halved, rel=0.01)
    assert estimate.memory_mib(preset("f", 256)) > 2 * whole


def test_parameters_are_those_of_the_networks(tiny):
    config = tiny()
    wanted = tuple(
        sum(p.numel() for p in network.parameters())
        for network in (Generator(config.generator), Discriminator(config.discriminator))
    )
    assert estimate.parameter_counts(config) == wanted
    assert estimate.parameter_counts(preset("f", 1024)) == (26_219_627, 23_087_249)  # as the official code counts


def test_speeds_are_measured_as_far_as_the_time_allows(tiny):
    config = tiny(resolution=32, r1_interval=3)
    found = list(estimate.speeds(config, CPU, budget_sec=60))
    assert [(s.resolution, s.measured) for s in found] == [(8, True), (16, True), (32, True)]
    assert all(s.images_per_sec > 0 for s in found)
    hasty = list(estimate.speeds(config, CPU, budget_sec=0))
    assert [s.measured for s in hasty] == [True, False, False]
    assert hasty[2].images_per_sec == pytest.approx(hasty[0].images_per_sec / COST_PER_DOUBLING**2)


def test_time_of_a_growing_run(tiny):
    config = tiny(resolution=32, total_kimg=1.0, lod_training_kimg=0.2, lod_transition_kimg=0.1)
    # 8² until 200 images, 16² until 500, 32² for the rest.
    seconds = growing_sec(config, 0, {8: 1.0, 16: 2.0, 32: 5.0})
    assert seconds == pytest.approx(200 + 300 * 2 + 500 * 5, rel=0.01)
    assert growing_sec(config, 1000, {8: 1.0, 16: 2.0, 32: 5.0}) == 0
    found = [estimate.Speed(8, 1.0, True), estimate.Speed(16, 0.5, True), estimate.Speed(32, 0.2, False)]
    assert estimate.total_sec(config, found) == pytest.approx(seconds)


def test_time_left(tiny):
    config = tiny(resolution=32, total_kimg=1.0, lod_training_kimg=0.2, lod_transition_kimg=0.1)
    assert remaining_sec(config, 600, images_per_sec=2.0) == pytest.approx(200, rel=0.01)
    wanted = 200 + 300 * COST_PER_DOUBLING + 500 * COST_PER_DOUBLING**2
    assert remaining_sec(config, 0, images_per_sec=1.0) == pytest.approx(wanted, rel=0.01)
    assert remaining_sec(config, 2000, images_per_sec=1.0) == 0
    assert remaining_sec(config, 0, images_per_sec=0.0) == 0


def test_peak_memory_is_that_of_this_process(monkeypatch):
    found = peak_memory_mib(CPU)
    assert 50 < found < 100_000
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # as on Windows
    assert peak_memory_mib(CPU) is None


@pytest.mark.parametrize(
    ("metrics", "times"), [((), 0), (("fid",), 1), (("fid", "pr"), 1), (("ppl",), 2), (("fid", "ppl"), 3)]
)
def test_measuring_takes_as_long_as_its_samples(monkeypatch, metrics, times):
    """On a clock that goes on by a second at every look."""
    from stylegan.metrics import tools

    seen = []

    class Counting:
        def features(self, pictures):
            seen.append(len(pictures))

    clock = itertools.count()
    monkeypatch.setattr(tools, "open_extractor", lambda *_: Counting())
    monkeypatch.setattr(estimate, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    config = preset("small", 16, metrics=metrics, metrics_count=320)
    assert estimate.metrics_sec(config, torch.device("cpu")) == times * 320 / estimate.METRICS_TRIAL
    assert seen == [estimate.METRICS_TRIAL] * (2 if metrics else 0)
