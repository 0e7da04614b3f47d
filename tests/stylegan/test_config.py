"""Configs: JSON round trip, presets, feature maps, and a sentence for every value that is refused."""

import dataclasses
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylegan import DiscriminatorConfig, GeneratorConfig, generator_preset
from stylegan.config import PAPER_PRESETS
from stylegan.errors import InputError

steady = settings(max_examples=60, derandomize=True, deadline=None)
reals = st.floats(0, 1, allow_nan=False)
taps = st.sampled_from([(), (1.0,), (1.0, 2.0, 1.0), (1, 4, 6, 4, 1), (0.25, 0.5, 0.5)])
shared = {
    "resolution": st.sampled_from([8, 16, 32, 64, 128, 256, 512, 1024]),
    "image_channels": st.integers(1, 4),
    "label_dim": st.integers(0, 1000),
    "fmap_base": st.integers(1, 1 << 16),
    "fmap_decay": st.floats(0, 8),
    "fmap_max": st.integers(1, 2048),
    "nonlinearity": st.sampled_from(["lrelu", "relu"]),
    "blur_filter": taps,
}
generators = st.builds(
    GeneratorConfig,
    **shared,
    z_dim=st.integers(1, 2048),
    w_dim=st.integers(1, 2048),
    mapping_layers=st.integers(1, 64),
    mapping_fmaps=st.integers(1, 2048),
    mapping_lr_mul=st.floats(1e-6, 1e3),
    mapping_nonlinearity=st.sampled_from(["lrelu", "relu"]),
    normalize_z=st.booleans(),
    const_input=st.booleans(),
    use_styles=st.booleans(),
    use_noise=st.booleans(),
    use_pixel_norm=st.booleans(),
    use_instance_norm=st.booleans(),
    style_mixing_prob=reals,
    w_mean_beta=reals,
    default_psi=st.floats(-100, 100),
    default_cutoff=st.none() | st.integers(0, 64),
)
discriminators = st.builds(DiscriminatorConfig, **shared, mbstd_group_size=st.integers(0, 64))


class TestJson:
    @steady
    @given(generators | discriminators)
    def test_round_trip(self, config):
        text = json.dumps(config.to_json(), allow_nan=False)
        again = type(config).from_json(json.loads(text))
        assert again == config
        assert hash(again) == hash(config)
        assert json.dumps(again.to_json()) == text

    @steady
    @given(generators)
    def test_derived_numbers(self, config):
        assert 2**config.log2_resolution == config.resolution
        assert config.max_lod == config.log2_resolution - 2
        sizes = [config.layer_resolution(i) for i in range(config.num_layers)]
        assert sizes == [s for k in range(2, config.log2_resolution + 1) for s in (2**k, 2**k)]
        assert config.num_ws == (config.num_layers if config.use_styles else 1)
        fmaps = [config.layer_fmaps(i) for i in range(config.num_layers)]
        assert all(1 <= f <= config.fmap_max for f in fmaps)
        assert fmaps == sorted(fmaps, reverse=True)

    def test_feature_maps_of_the_paper(self):
        config = GeneratorConfig()
        widths = {config.layer_resolution(i): config.layer_fmaps(i) for i in range(config.num_layers)}
        assert widths == {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}
        assert config.num_ws == 18

    def test_defaults_fill_in(self):
        assert GeneratorConfig.from_json({}) == GeneratorConfig()
        assert DiscriminatorConfig.from_json({"resolution": 64}) == DiscriminatorConfig(resolution=64)

    @pytest.mark.parametrize("data", [None, [], "text", 5, [("resolution", 8)]])
    def test_what_is_no_object(self, data):
        with pytest.raises(InputError, match="a config is an object of options"):
            GeneratorConfig.from_json(data)

    def test_unknown_options(self):
        with pytest.raises(InputError, match=r"unknown options in the config: colour, psi\."):
            GeneratorConfig.from_json({"psi": 0.7, "colour": "red", "resolution": 64})
        with pytest.raises(InputError, match="unknown options"):
            DiscriminatorConfig.from_json({"z_dim": 64})

    def test_frozen(self):
        with pytest.raises(dataclasses.FrozenInstanceError):
            GeneratorConfig().resolution = 8


class TestPresets:
    def test_f_is_the_default(self):
        assert generator_preset("f") == generator_preset("F") == GeneratorConfig()

    def test_what_table_1_takes_away(self):
        presets = {name: generator_preset(name) for name in PAPER_PRESETS}
        assert [presets[n].style_mixing_prob for n in "bcdef"] == [0, 0, 0, 0, 0.9]
        assert [presets[n].use_noise for n in "bcdef"] == [False, False, False, True, True]
        assert [presets[n].const_input for n in "bcdef"] == [False, False, True, True, True]
        assert [presets[n].use_styles for n in "bcdef"] == [False, True, True, True, True]
        assert [presets[n].mapping_layers for n in "bcdef"] == [0, 8, 8, 8, 8]
        b = presets["b"]
        assert (b.use_pixel_norm, b.use_instance_norm, b.num_ws) == (True, False, 1)

    def test_overrides(self):
        assert generator_preset("e", resolution=64, fmap_max=128) == GeneratorConfig(
            resolution=64, fmap_max=128, style_mixing_prob=0.0
        )

    @pytest.mark.parametrize("name", ["a", "A", "g", "", "ff", None, 6])
    def test_unknown(self, name):
        with pytest.raises(InputError, match="known are b, c, d, e and f"):
            generator_preset(name)


COMMON = [
    ("architecture", "stylegan9", "architecture 'stylegan9' is unknown"),
    *(("resolution", r, "resolution is") for r in (0, 4, 7, 12, 100, 1023, 2048, -8, 64.0, "64", True, None)),
    *(("image_channels", n, "image_channels is a whole number from 1") for n in (0, -1, 1.5, "3", None, 1 << 30)),
    *(("fmap_base", n, "fmap_base is a whole number") for n in (0, 1.0, "x", 1 << 30)),
    *(("fmap_max", n, "fmap_max is a whole number") for n in (0, 1.0, None)),
    *(("label_dim", n, "label_dim is a whole number") for n in (-1, 0.5, None, 1 << 20)),
    *(("fmap_decay", n, "fmap_decay is a number from 0 to 8") for n in (-1, 9, math.nan, math.inf, "1", None, 10**400)),
    *(("nonlinearity", n, "nonlinearity is 'lrelu' or 'relu'") for n in ("gelu", "", None, 1)),
    *(("blur_filter", n, "blur_filter") for n in ([1, 2, 1], (1, 2), (0,), (1, -1, 0), "121", None, (1,) * 17)),
    *(("blur_filter", n, "blur_filter") for n in ((math.nan,), (math.inf, 1, 1), (1, "2", 1), (1e-200,), (10**400,))),
]
GENERATOR = [
    *(
        (name, n, f"{name} is a whole number from 1")
        for name in ("z_dim", "w_dim", "mapping_fmaps")
        for n in (0, 1.0, None)
    ),
    *(("mapping_layers", n, "mapping_layers is a whole number from 0 to 64") for n in (-1, 65, 1.5, "8")),
    *(("mapping_lr_mul", n, "mapping_lr_mul is a number") for n in (0, -1, math.nan, math.inf, "1")),
    ("mapping_nonlinearity", "tanh", "mapping_nonlinearity is 'lrelu' or 'relu'"),
    *((name, 1, f"{name} is true or false") for name in ("normalize_z", "const_input", "use_styles", "use_noise")),
    *((name, None, f"{name} is true or false") for name in ("use_pixel_norm", "use_instance_norm")),
    *(
        ("style_mixing_prob", n, "style_mixing_prob is a number from 0 to 1")
        for n in (-0.1, 1.1, math.nan, "0.9", True)
    ),
    *(("w_mean_beta", n, "w_mean_beta is a number from 0 to 1") for n in (-1, 2, math.nan)),
    *(("default_psi", n, "default_psi is a number") for n in (math.nan, math.inf, "0.7", None)),
    *(("default_cutoff", n, "default_cutoff is a whole number") for n in (-1, 65, 1.0, "8")),
]
DISCRIMINATOR = [
    *(("mbstd_group_size", n, "mbstd_group_size is a whole number") for n in (-1, 4.0, None)),
    *(("mbstd_features", n, "mbstd_features is a whole number from 1") for n in (0, 1.0, None)),
    ("mbstd_features", 3, "mbstd_features divides the 512 feature maps"),
]


class TestRefusals:
    @pytest.mark.parametrize("kind", [GeneratorConfig, DiscriminatorConfig])
    @pytest.mark.parametrize(("name", "value", "sentence"), COMMON)
    def test_common(self, kind, name, value, sentence):
        with pytest.raises(InputError, match=sentence):
            kind(**{name: value})

    @pytest.mark.parametrize(("name", "value", "sentence"), GENERATOR)
    def test_generator(self, name, value, sentence):
        with pytest.raises(InputError, match=sentence):
            GeneratorConfig(**{name: value})

    @pytest.mark.parametrize(("name", "value", "sentence"), DISCRIMINATOR)
    def test_discriminator(self, name, value, sentence):
        with pytest.raises(InputError, match=sentence):
            DiscriminatorConfig(**{name: value})

    def test_without_mapping_layers_the_widths_agree(self):
        assert GeneratorConfig(mapping_layers=0, z_dim=64, w_dim=64).w_dim == 64
        assert GeneratorConfig(mapping_layers=0, z_dim=64, w_dim=128, label_dim=5).w_dim == 128
        for wrong in ({"z_dim": 64, "w_dim": 65}, {"z_dim": 64, "w_dim": 64, "label_dim": 5}):
            with pytest.raises(InputError, match="w_dim equals the mapping's input width"):
                GeneratorConfig(mapping_layers=0, **wrong)
