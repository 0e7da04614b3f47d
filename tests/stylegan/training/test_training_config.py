"""Training configs: the paper's presets, JSON, and what is refused."""

import json
import math
from dataclasses import asdict, replace

import pytest

from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.errors import InputError
from stylegan.training.config import NUMBERS, TrainConfig
from stylegan.training.presets import PRESETS, preset
from stylegan.training.schedule import PAPER_MINIBATCH, grown_kimg, lod_at


@pytest.mark.parametrize("name", PRESETS)
def test_presets_come_back_from_json(name):
    config = preset(name, 32, label_dim=3)
    text = json.dumps(config.to_json(), allow_nan=False)
    assert TrainConfig.from_json(json.loads(text)) == config
    assert config.generator.label_dim == config.discriminator.label_dim == 3


def test_the_paper_s_numbers():
    f = preset("F", 1024)
    assert (f.generator, f.discriminator) == (GeneratorConfig(), DiscriminatorConfig())
    assert (f.total_kimg, f.r1_gamma, f.r1_interval, f.loss) == (25_000, 10, 1, "logistic")
    assert (f.adam_beta2, f.ema_kimg, f.ema_rampup, f.mirror) == (0.99, 10, None, True)
    assert (f.initial_resolution, f.lod_training_kimg, f.lod_transition_kimg) == (8, 600, 600)
    assert f.grown_kimg == 8400
    assert preset("e", 1024).generator.style_mixing_prob == 0
    assert not preset("b", 1024).generator.use_styles


@pytest.mark.parametrize(("processes", "row"), [(1, 1), (2, 2), (3, 2), (4, 4), (8, 8), (64, 8)])
def test_minibatch_follows_the_number_of_processes(processes, row):
    table, otherwise = PAPER_MINIBATCH[row]
    config = preset("f", 1024, processes=processes)
    assert config.minibatch_at(4) == table[4]
    assert config.minibatch_at(1024) == otherwise


def test_without_a_mapping_w_is_as_wide_as_its_input():
    assert preset("b", 32).generator.w_dim == 512
    assert preset("b", 32, label_dim=3).generator.w_dim == 1024
    assert preset("small", 32, label_dim=3, network={"mapping_layers": 0}).generator.w_dim == 256
    with pytest.raises(InputError, match="input width, 256"):
        preset("small", 32, label_dim=3, network={"mapping_layers": 0, "w_dim": 64})


def test_small_grows_in_the_first_part_of_any_run():
    for resolution in (8, 16, 64, 256):
        config = preset("small", resolution, total_kimg=30.0)
        assert config.grown_kimg <= 0.3 * 30
        assert config.phase(0).resolution == 8
        assert config.phase(30_000).lod == 0
    assert preset("small", 64).r1_gamma == pytest.approx(8)


def test_noise_learns_slowly_in_small_runs_only():
    assert preset("small", 64).noise_rate < 0.1
    assert all(preset(name, 64).noise_rate == 1 for name in "bcdef")
    old = {name: value for name, value in preset("f", 64).to_json().items() if name != "noise_rate"}
    assert TrainConfig.from_json(old).noise_rate == 1  # runs begun before there was such an option


def test_overrides_go_where_they_belong():
    config = preset("small", 16, network={"fmap_max": 8, "mbstd_group_size": 2, "z_dim": 5}, minibatch={}, seed=7)
    assert config.generator.fmap_max == config.discriminator.fmap_max == 8
    assert (config.generator.z_dim, config.discriminator.mbstd_group_size, config.seed) == (5, 2, 7)
    with pytest.raises(InputError, match="unknown options: colour"):
        preset("small", 16, colour=1)
    with pytest.raises(InputError, match="unknown options: depth"):
        preset("small", 16, network={"depth": 1})
    with pytest.raises(InputError, match="preset 'a' is unknown; known are small, b, c, d, e, f"):
        preset("a", 16)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        *[({name: math.nan}, name) for name in NUMBERS],
        *[({name: high * 1.01}, name) for name, (_, high) in NUMBERS.items()],
        ({"total_kimg": 0}, "total_kimg"),
        ({"total_kimg": True}, "total_kimg"),
        ({"total_kimg": "9"}, "total_kimg"),
        ({"learning_rate_base": 0.0}, "learning_rate_base"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"minibatch_base": 0}, "minibatch_base is a whole number"),
        ({"minibatch_base": 2.0}, "minibatch_base is a whole number"),
        ({"minibatch_base": 6}, "minibatch 6 gives each process 6 pictures, no multiple of the discriminator's group"),
        ({"minibatch": {12: 8}}, "12 is none"),
        ({"minibatch": {8: "x"}}, "minibatch is a whole number"),
        ({"learning_rate": {8: math.inf}}, "learning_rate is from"),
        ({"learning_rate": {8: 0}}, "learning_rate is from"),
        ({"r1_interval": 0}, "r1_interval"),
        ({"microbatch": 0}, "microbatch"),
        ({"microbatch": 6}, "microbatch 6 is not a multiple of the discriminator's group of 4"),
        ({"loss": "hinge"}, "loss is logistic or wgan-gp"),
        ({"precision": "fp8"}, "precision is fp32, bf16 or fp16"),
        ({"mirror": 1}, "mirror is true or false"),
        ({"initial_resolution": 32}, r"initial_resolution is one of \[4, 8, 16\]"),
        ({"initial_resolution": 8.0}, "initial_resolution"),
        ({"lod_training_kimg": 0, "lod_transition_kimg": 0}, "growing takes time"),
        ({"generator": GeneratorConfig(resolution=32)}, "generator and discriminator differ in resolution"),
    ],
)
def test_wrong_values_are_refused_in_a_sentence(tiny, change, said):
    with pytest.raises(InputError, match=said):
        replace(tiny(minibatch_base=16), **change)


def test_minibatches_are_shared_in_whole_groups(tiny):
    config = tiny(minibatch_base=24)
    for processes in (1, 2, 3, 6, 12, 24):
        config.check_shares(processes)  # 24, 12, 8, 4, 2, 1 pictures each
    with pytest.raises(InputError, match="A minibatch of 24 cannot be shared evenly by 5 processes"):
        config.check_shares(5)
    with pytest.raises(InputError, match="gives each process 6 pictures"):
        config.check_shares(4)
    unused = tiny(minibatch_base=8, minibatch={4: 6, 32: 7})  # sizes that this run never works at
    unused.check_shares(2)


@pytest.mark.parametrize(
    "change",
    [
        {"colour": 1},
        {"minibatch": 3},
        {"minibatch": {"x": 3}},
        {"generator": {"depth": 1}},
        {"generator": 5},
        {"seed": []},
    ],
)
def test_json_of_something_else(tiny, change):
    with pytest.raises(InputError):
        TrainConfig.from_json({**tiny().to_json(), **change})


def test_lod_without_a_fade_or_without_growing():
    assert [lod_at(n, 32, 8, 1.0, 0.0) for n in (0, 999, 1000, 1999, 2000, 9000)] == [2, 2, 1, 1, 0, 0]
    assert [lod_at(n, 32, 8, 0.0, 1.0) for n in (0, 500, 1000, 2000)] == [2, 1.5, 1, 0]
    assert lod_at(0, 32, 32, 0.0, 0.0) == 0
    assert grown_kimg(32, 8, 1.0, 0.5) == 3


def test_nothing_mutable_is_shared_between_configs():
    a, b = preset("f", 64), preset("f", 64)
    assert asdict(a) == asdict(b)
    assert TrainConfig().minibatch is not TrainConfig().minibatch
