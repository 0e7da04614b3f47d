"""Official pickles that cannot be converted: what is wrong with them is said in one line, and nothing is written."""

import numpy as np
import pytest
from official_pickles import generator_record, official_kwargs, record, refused, tf_variables

from stylegan import Generator, GeneratorConfig

SMALL = {"resolution": 16, "fmap_base": 64, "fmap_max": 8, "z_dim": 12, "w_dim": 12, "mapping_fmaps": 16}


@pytest.mark.parametrize(
    ("function", "version", "match"),
    [
        ("G_main", 4, "StyleGAN2 network, which is not supported yet"),
        ("D_stylegan2", 4, "StyleGAN2 network, which is not supported yet"),
        ("G_paper", 3, "Progressive GAN"),
        ("G_synthesis", 3, "one half of a generator"),
        ("inception", 3, "known are G_style and D_basic"),
        ("evil\nname", 3, "known are"),
    ],
)
def test_other_networks(tmp_path, function, version, match):
    refused(tmp_path, (record("N", function, {}, {"lod": np.float32(0)}, version=version),), match)


@pytest.mark.parametrize("tree", [None, 3, "text", [], (), {}, {"G": 1}, [[]], np.zeros(3), [np.zeros(3)]])
def test_pickles_without_networks(tmp_path, tree):
    refused(tmp_path, tree, "network")


def _broken(**state):
    G = Generator(GeneratorConfig(**SMALL, mapping_layers=2))
    network = generator_record(tf_variables(G), official_kwargs(G.config))
    network.__dict__.update(state)
    return network


def _with_variables(change):
    G = Generator(GeneratorConfig(**SMALL, mapping_layers=2))
    variables = tf_variables(G)
    change(variables)
    return generator_record(variables, official_kwargs(G.config))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda v: v.pop("G_synthesis/8x8/Conv1/bias"), "lacks the variable G_synthesis/8x8/Conv1/bias"),
        (lambda v: v.pop("G_synthesis/noise3"), "lacks the variable G_synthesis/noise3"),
        (lambda v: v.pop("dlatent_avg"), "lacks the variable dlatent_avg"),
        (lambda v: v.update({"G_mapping/Dense1/bias": np.zeros(5, np.float32)}), r"Dense1/bias has shape \[5\]"),
        (lambda v: v.update({"G_synthesis/4x4/Conv/weight": np.zeros((3, 3), np.float32)}), r"shape \[3, 3\]"),
        (lambda v: v.update({"G_mapping/Dense9/bias": np.zeros(5, np.float32)}), "'G_mapping/Dense9/bias'"),
        (lambda v: v.update({"G_synthesis/4x4/Const/bias": np.full(8, np.nan, np.float32)}), "not finite"),
        (lambda v: v.update({"dlatent_avg": np.full(12, np.inf, np.float32)}), "dlatent_avg .*not finite"),
        (lambda v: v.update({"dlatent_avg": "text"}), "a str, not an array"),
    ],
)
def test_broken_variables_are_named(tmp_path, change, match):
    refused(tmp_path, _with_variables(change), match)


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"resolution": 24}, "power of two"),
        ({"resolution": 32}, "lacks the variable"),
        ({"fmap_base": 1 << 40}, "fmap_base"),
        ({"fmap_max": 1 << 16, "fmap_base": 1 << 20}, "has shape"),
        ({"mapping_layers": 60}, r"Dense1/weight has shape \[16, 12\]; .* \[16, 16\]"),
        ({"nonlinearity": "swish"}, "nonlinearity"),
        ({"nonlinearity": None}, "nonlinearity"),
        ({"fused_scale": "sometimes"}, "fused_scale"),
        ({"blur_filter": [1, 2]}, "odd number"),
        ({"blur_filter": ["x"]}, "blur_filter"),
        ({"mapping_lrmul": float("nan")}, "mapping_lr_mul"),
        ({"truncation_psi": "most"}, "psi"),
        ({"label_size": 2}, "lacks the variable G_mapping/LabelConcat/weight"),
        ({"use_styles": []}, "use_styles"),
        ({"use_noise": 3}, "use_noise"),
        ({"resolution": True}, "resolution"),
    ],
)
def test_options_that_do_not_fit(tmp_path, kwargs, match):
    G = Generator(GeneratorConfig(**SMALL, mapping_layers=2))
    refused(tmp_path, generator_record(tf_variables(G), official_kwargs(G.config) | kwargs), match)


@pytest.mark.parametrize(
    ("state", "match"),
    [
        ({"version": 7}, "version 7"),
        ({"version": "x"}, "version 'x'"),
        ({"static_kwargs": []}, "static_kwargs"),
        ({"components": []}, "components"),
        ({"components": {"synthesis": 3}}, "no G_synthesis network"),
        ({"components": {"attention": 3}}, "'attention'"),
        ({"variables": {"lod": 1}}, "not an array"),
        ({"variables": [1]}, "no list of names"),
        ({"variables": 5}, "no list of names"),
        ({"variables": [("lod", np.zeros(2))]}, "lod"),
        ({"variables": [("lod", np.float32("nan"))]}, "lod is not finite"),
        ({"variables": [("lod", np.float32(0)), ("lod", np.float32(0))]}, "'lod' twice"),
    ],
)
def test_broken_records(tmp_path, state, match):
    refused(tmp_path, _broken(**state), match)
