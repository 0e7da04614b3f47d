"""Plans: from plain values to a config and to the command line and back; beginnings; what may change on resuming."""

import json
from dataclasses import fields

import pytest

import stylegan
from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.errors import InputError, NotAModelError
from stylegan.networks import Discriminator, Generator
from stylegan.training.config import TrainConfig
from stylegan.training.plan import OPTIONS, Plan, resumed
from stylegan.training.presets import preset

EVERYTHING = {
    "data": "photos",
    "resolution": 32,
    "preset": "small",
    "kimg": 12.5,
    "seed": 3,
    "count": 100,
    "cache": "/cache",
    "labels": False,
    "minibatch": 16,
    "microbatch": 8,
    "lr": 0.0015,
    "mirror": False,
    "ema_kimg": 2.0,
    "precision": "bf16",
    "loss": "wgan-gp",
    "r1_gamma": 1.0,
    "r1_interval": 2,
    "style_mixing": 0.5,
    "initial_resolution": 4,
    "lod_training_kimg": 1.0,
    "lod_transition_kimg": 2.0,
    "z_dim": 16,
    "w_dim": 24,
    "mapping_layers": 3,
    "fmap_base": 128,
    "fmap_max": 16,
    "adam_beta2": 0.9,
    "ema_rampup": None,
    "mbstd_group_size": 2,
    "blur_filter": [1, 3, 1],
    "drift_weight": 0.01,
    "metrics": "fid, pr",
    "metrics_count": 500,
    "metrics_extractor": "inception:i.pt",
}


def test_every_option_arrives():
    config = Plan.of(EVERYTHING).config(label_dim=2)
    g, d = config.generator, config.discriminator
    assert (g.resolution, g.label_dim, g.z_dim, g.w_dim, g.mapping_layers) == (32, 2, 16, 24, 3)
    assert (g.fmap_base, g.fmap_max, g.style_mixing_prob, g.blur_filter) == (128, 16, 0.5, (1, 3, 1))
    assert (d.fmap_base, d.fmap_max, d.blur_filter, d.mbstd_group_size) == (128, 16, (1, 3, 1), 2)
    assert (config.minibatch, config.minibatch_base, config.microbatch) == ({}, 16, 8)
    assert (config.learning_rate, config.learning_rate_base) == ({}, 0.0015)
    for name in ("seed", "mirror", "ema_kimg", "precision", "loss", "r1_gamma", "r1_interval", "initial_resolution"):
        assert getattr(config, name) == EVERYTHING[name]
    assert (config.total_kimg, config.adam_beta2, config.ema_rampup, config.drift_weight) == (12.5, 0.9, None, 0.01)
    assert (config.lod_training_kimg, config.lod_transition_kimg) == (1, 2)
    assert (config.metrics, config.metrics_count, config.metrics_extractor) == (("fid", "pr"), 500, "inception:i.pt")
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_plans_come_back_from_json():
    for plan in (Plan.of(EVERYTHING), Plan.of({"data": "portraits"}), Plan.of({"data": "x", "minibatch": {"8": 64}})):
        assert Plan.of(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_plan_that_asks_for_nothing_is_the_preset():
    assert Plan("portraits").config() == preset("f", 64)
    assert Plan.of({"data": "portraits", "lr": None, "kimg": None}) == Plan("portraits")
    assert Plan("portraits").config(processes=4).minibatch == preset("f", 64, processes=4).minibatch


def test_arguments_name_only_what_differs():
    assert Plan("portraits").arguments() == ["--data=portraits"]
    words = Plan.of(
        {"data": "-odd name", "labels": False, "mirror": True, "r1_gamma": 2.5, "adam_beta2": 0.5}
    ).arguments()
    assert sorted(words) == ["--data=-odd name", "--mirror", "--no-labels", "--r1-gamma=2.5", "--set=adam_beta2=0.5"]


def test_tables_by_resolution():
    config = Plan.of({"data": "x", "minibatch": {"8": 64, "64": 8}, "lr": {"64": 0.01}}).config()
    assert (config.minibatch, config.minibatch_base) == ({8: 64, 64: 8}, 4)  # what the table leaves out is the preset's
    assert config.learning_rate == {64: 0.01}
    for wrong in ({"a": 3}, {"8": "x"}, {"9": 4}, {"8": 7}):
        with pytest.raises(InputError):
            Plan.of({"data": "x", "minibatch": wrong}).config()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "--data says what to train on"),
        ({"data": "x", "colour": 1}, "There is no option 'colour'"),
        ({"data": "x", "generator": {}}, "There is no option 'generator'"),
        ({"data": "x", "label_dim": 3}, "There is no option 'label_dim'"),
        ({"data": "x", "total_kimg": 3}, "There is no option 'total_kimg'"),
        ({"data": "x", "kimg": "many"}, "kimg is a number"),
        ({"data": "x", "kimg": float("nan")}, "total_kimg is a number"),
        ({"data": "x", "kimg": 0, "preset": "small"}, "total_kimg is a number"),
        ({"data": "x", "resolution": 63}, "resolution is a power of two from 8 to 1024, not 63"),
        ({"data": "x", "resolution": "64"}, "resolution is a whole number"),
        ({"data": "x", "preset": "z"}, "preset 'z' is unknown"),
        ({"data": "x", "seed": -1}, "seed"),
        ({"data": "x", "style_mixing": 2}, "style_mixing_prob is a number from 0 to 1"),
        ({"data": "x", "mirror": "yes"}, "mirror is true or false"),
        ({"data": "x", "blur_filter": [1, 2]}, "blur_filter"),
        ({"data": "x", "loss": "hinge"}, "loss is logistic or wgan-gp"),
    ],
)
def test_wrong_plans_are_refused(values, said):
    with pytest.raises(InputError, match=said):
        Plan.of(values).config()


def test_options_describe_themselves():
    """For a form: limits are accepted by the config, and just outside they are not, where the config has any."""
    base = {"data": "x", "preset": "small", "resolution": 64}
    known = {f.name for cls in (TrainConfig, GeneratorConfig, DiscriminatorConfig) for f in fields(cls)}
    for name, option in OPTIONS.items():
        assert option.name == name
        assert option.help.endswith(".")
        assert name in known | {"lr", "style_mixing"}
        for choice in option.choices:
            Plan.of({**base, name: choice}).config()
        if option.kind == "number":
            Plan.of({**base, name: option.high}).config()
            with pytest.raises(InputError):
                Plan.of({**base, name: option.high * 1.1 + 1}).config()
            with pytest.raises(InputError):
                Plan.of({**base, name: option.low - 0.1}).config()


@pytest.fixture
def model(tmp_path):
    """`model(resolution, lod, …)`: the path of a generator, with its discriminator beside it."""

    def make(resolution=16, lod=0.0, name="model", **options):
        shared = {"resolution": resolution, "fmap_base": 64, "fmap_max": 8, **options}
        G = Generator(GeneratorConfig(**shared, z_dim=8, w_dim=8, mapping_fmaps=8, mapping_layers=2), seed=5)
        D = Discriminator(DiscriminatorConfig(**shared, mbstd_group_size=2), seed=6)
        G.lod = D.lod = lod
        stylegan.save(G, tmp_path / f"{name}.safetensors")
        stylegan.save(D, tmp_path / f"{name}.discriminator.safetensors")
        return tmp_path / f"{name}.safetensors"

    return make


def test_a_beginning_decides_channels_and_where_growing_begins(model):
    plan = Plan.of({"data": "x", "resolution": 64, "preset": "small", "init_from": model(16)})
    config = plan.config(beginning=plan.beginning())
    assert (config.generator.z_dim, config.generator.fmap_max, config.generator.resolution) == (8, 8, 64)
    assert (config.discriminator.fmap_max, config.discriminator.mbstd_group_size) == (8, 2)
    assert config.initial_resolution == 16
    assert config.phase(0).resolution == 16
    same = Plan.of({"data": "x", "resolution": 16, "preset": "small", "init_from": model(16)})
    assert same.config(beginning=same.beginning()).phase(0).lod == 0


@pytest.mark.parametrize(("lod", "grown"), [(0.0, 32), (0.25, 16), (1.0, 16), (1.5, 8)])
def test_a_size_that_was_fading_in_begins_anew(model, lod, grown):
    plan = Plan("x", resolution=64, init_from=model(32, lod))
    assert plan.beginning().resolution == grown
    assert plan.config(beginning=plan.beginning()).initial_resolution == grown


def test_beginnings_that_do_not_fit(model, tmp_path):
    larger = Plan("x", resolution=8, init_from=model(16))
    with pytest.raises(InputError, match="makes pictures of 16²: --resolution 8 is smaller"):
        larger.config(beginning=larger.beginning())
    with pytest.raises(NotAModelError, match="There is no file"):
        Plan("x", init_from=tmp_path / "none.safetensors").beginning()
    alone = model(16, name="alone")
    alone.with_name("alone.discriminator.safetensors").rename(tmp_path / "judge.safetensors")
    with pytest.raises(InputError, match=r"there is no alone\.discriminator\.safetensors: name it by --init-disc"):
        Plan("x", init_from=alone).beginning()
    named = Plan("x", resolution=16, init_from=alone, init_discriminator=tmp_path / "judge.safetensors")
    assert named.beginning().D.config.mbstd_group_size == 2


def test_an_official_pickle_is_a_beginning_too():
    from official_networks import GOLDEN

    plan = Plan("x", resolution=64, preset="small", init_from=GOLDEN / "sg1_tiny32.pkl")
    config = plan.config(beginning=plan.beginning())
    assert (config.generator.z_dim, config.generator.fmap_base, config.initial_resolution) == (32, 128, 32)


def test_what_may_change_on_resuming():
    begun = Plan.of({"data": "photos", "preset": "small", "resolution": 32, "lr": 0.001, "fmap_max": 16})
    stored = begun.config(label_dim=3)
    plan, config = resumed(begun, stored, {})
    assert (plan, config) == (begun, stored)
    plan, config = resumed(begun, stored, {"kimg": 400.0, "r1_gamma": 5.0, "microbatch": 8, "precision": "bf16"})
    assert (config.total_kimg, config.r1_gamma, config.microbatch, config.precision) == (400, 5, 8, "bf16")
    assert (config.learning_rate_base, config.generator) == (0.001, stored.generator)
    assert (plan.kimg, plan.data, plan.settings["lr"]) == (400, "photos", 0.001)
    again, same = resumed(plan, config, {"lr": 0.0005})
    assert (same.learning_rate_base, same.r1_gamma, same.total_kimg) == (0.0005, 5, 400)
    assert again.settings["r1_gamma"] == 5


def test_the_same_command_resumes():
    begun = Plan.of(EVERYTHING)
    stored = begun.config()
    given = {**EVERYTHING, "init_from": None}
    assert resumed(begun, stored, given) == (begun, stored)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"resolution": 64}, "resolution is 32 in this run and cannot become 64: begin a new run"),
        ({"preset": "f"}, "preset is small in this run"),
        ({"seed": 1}, "seed is 0 in this run"),
        ({"init_from": "other.safetensors"}, "init_from is None in this run"),
        ({"fmap_max": 32}, "fmap_max is 16 in this run"),
        ({"style_mixing": 0.1}, "style_mixing_prob is 0.9 in this run"),
        ({"mbstd_group_size": 8}, "mbstd_group_size is 4 in this run"),
        ({"lr": -1.0}, "learning_rate_base"),
        ({"kimg": -1.0}, "total_kimg"),
        ({"nonsense": 1}, "There is no option"),
    ],
)
def test_what_may_not_change_on_resuming(given, said):
    begun = Plan.of({"data": "photos", "preset": "small", "resolution": 32, "fmap_max": 16})
    with pytest.raises(InputError, match=said):
        resumed(begun, begun.config(), given)
