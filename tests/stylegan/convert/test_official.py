"""Official pickles: every option found in the file, the same numbers as the official code, clear refusals."""

import dataclasses
import os

import numpy as np
import pytest
import recipe
import torch
from official_networks import GOLDEN, Recipe, tf_shapes
from official_pickles import (
    discriminator_pickle,
    dumps,
    generator_pickle,
    generator_record,
    official_kwargs,
    record,
    refused,
    tf_variables,
)

import stylegan
from stylegan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig, generator_preset
from stylegan.convert import reader
from stylegan.convert.tf_names import generator_entries, to_state
from stylegan.errors import ConversionError, InputError

SMALL = {"resolution": 16, "fmap_base": 64, "fmap_max": 8, "z_dim": 12, "w_dim": 12, "mapping_fmaps": 16}
SMALL_D = {"resolution": 16, "fmap_base": 64, "fmap_max": 8}


def _write(tmp_path, tree, name="network.pkl", **options):
    path = tmp_path / name
    path.write_bytes(dumps(tree, **options))
    return path


def _drawn(config, seed=11):
    """A generator of the recipe's weights: no tensor is zero, one or alike."""
    G = Generator(config)
    entries = generator_entries(config)
    G.load_state_dict(to_state(entries, Recipe(tf_shapes(G, entries), seed)))
    return G.eval().requires_grad_(False)


def _same_network(a, b):
    assert a.config == b.config
    assert a.lod == b.lod
    for name, tensor in a.state_dict().items():
        assert torch.equal(tensor, b.state_dict()[name]), name


# The official numbers.


@pytest.mark.parametrize("name", ["sg1_tiny32", "sg1_tiny32_cond"])
def test_golden_pickles_give_the_official_numbers(golden, tmp_path, name):
    data = golden(name)
    report = stylegan.convert(GOLDEN / f"{name}.pkl", tmp_path / "net.safetensors")
    assert [file.name for file in report.files] == ["net.safetensors", "net.discriminator.safetensors"]
    assert sorted(os.listdir(tmp_path)) == sorted(file.name for file in report.files)
    text = " ".join(report.found)
    assert all(part in text for part in ("G (G_style), D (D_basic), Gs (G_style)", "Gs, the moving average", "32×32"))
    G = stylegan.load(tmp_path / "net.safetensors")
    D = stylegan.load_discriminator(tmp_path / "net.discriminator.safetensors")
    z = torch.from_numpy(recipe.latents(4, G.config.z_dim))
    labels = torch.from_numpy(recipe.onehot(4, G.config.label_dim)) if G.config.label_dim else None
    w = G.mapping(z, labels)
    torch.testing.assert_close(w[:, 0], data["w"], atol=6e-6, rtol=1e-5)
    torch.testing.assert_close(G.truncate(w, 0.7, 8), data["w_psi0.7_cut8"], atol=6e-6, rtol=1e-5)
    torch.testing.assert_close(G.synthesis(w), data["img_psi1"], atol=3e-4, rtol=0)
    torch.testing.assert_close(G.synthesis(w, lod=1.25), data["img_lod1.25"], atol=3e-4, rtol=0)
    torch.testing.assert_close(D(data["img_psi1"], labels), data["d_scores_of_img_psi1"], atol=1e-5, rtol=1e-4)
    assert (G.config.default_psi, G.config.default_cutoff) == (0.7, 8)


def test_loading_a_pickle_is_loading_what_it_converts_to(tmp_path):
    path = GOLDEN / "sg1_tiny32.pkl"
    stylegan.convert(path, tmp_path / "net.safetensors")
    assert stylegan.load(path).digest == stylegan.load(tmp_path / "net.safetensors").digest
    D = stylegan.load_discriminator(tmp_path / "net.discriminator.safetensors")
    assert stylegan.load_discriminator(path).digest == D.digest
    renamed = tmp_path / "renamed.safetensors"
    renamed.write_bytes(path.read_bytes())
    assert stylegan.load(renamed).digest == stylegan.load(path).digest


# Every option.


@pytest.mark.parametrize("preset", "bcdef")
@pytest.mark.parametrize("label_dim", [0, 3])
def test_presets_of_the_paper(tmp_path, preset, label_dim):
    widths = {} if preset != "b" else {"w_dim": 24 if label_dim else 12}
    overrides = {} if preset == "b" else {"mapping_layers": 3}
    G = _drawn(generator_preset(preset, **{**SMALL, **widths, **overrides, "label_dim": label_dim}))
    back = stylegan.load(_write(tmp_path, generator_pickle(G)))
    _same_network(G, back)
    # The same without any statement of options: the variables show them, but for the norms, training and truncation.
    hidden = ("use_pixel_norm", "use_instance_norm", "style_mixing_prob", "truncation_psi", "truncation_cutoff")
    kwargs = {name: value for name, value in official_kwargs(G.config).items() if name in hidden}
    seen = stylegan.load(_write(tmp_path, generator_record(tf_variables(G), kwargs)))
    unseen = {"mapping_fmaps": 512} if preset == "b" else {}
    assert seen.config == dataclasses.replace(G.config, **unseen)
    z, labels = stylegan.seeds_to_z([0, 1], 12), None if not label_dim else G.one_hot([0, 2])
    torch.testing.assert_close(G.synthesis(G.mapping(z, labels)), seen.synthesis(seen.mapping(z, labels)))


@pytest.mark.parametrize(
    "changes",
    [
        {"image_channels": 1},
        {"nonlinearity": "relu"},
        {"mapping_nonlinearity": "relu"},
        {"blur_filter": ()},
        {"blur_filter": (1.0, 3.0, 3.0, 3.0, 1.0)},
        {"fmap_decay": 0.5},
        {"normalize_z": False},
        {"use_pixel_norm": True},
        {"use_instance_norm": False},
        {"mapping_layers": 1, "mapping_fmaps": 512},
        {"mapping_lr_mul": 0.1},
        {"w_mean_beta": 0.9},
        {"style_mixing_prob": 0.5},
        {"default_psi": 0.5, "default_cutoff": 4},
        {"default_psi": 1.0, "default_cutoff": None},
        {"resolution": 8},
    ],
)
def test_options_of_the_generator(tmp_path, changes):
    G = _drawn(GeneratorConfig(**{**SMALL, "mapping_layers": 2, **changes}))
    _same_network(G, stylegan.load(_write(tmp_path, (generator_pickle(G),))))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"label_dim": 3},
        {"label_dim": 1},
        {"mbstd_group_size": 8, "mbstd_features": 2},
        {"mbstd_group_size": 0},
        {"blur_filter": ()},
        {"nonlinearity": "relu"},
        {"image_channels": 1},
        {"fmap_decay": 0.5},
    ],
)
def test_options_of_a_lone_discriminator(tmp_path, changes):
    D = Discriminator(DiscriminatorConfig(**{**SMALL_D, **changes}), seed=3).eval()
    path = _write(tmp_path, discriminator_pickle(D, lod=0.5))
    D.lod = 0.5
    report = stylegan.convert(path, tmp_path / "d.safetensors")
    assert [file.name for file in report.files] == ["d.safetensors"]
    _same_network(D, stylegan.load_discriminator(tmp_path / "d.safetensors"))
    with pytest.raises(ConversionError, match="no generator"):
        stylegan.load(path)


def test_official_spellings_of_off(tmp_path):
    G = _drawn(GeneratorConfig(**SMALL, mapping_layers=2, blur_filter=()))
    kwargs = official_kwargs(G.config)
    off = {"truncation_cutoff": None, "style_mixing_prob": None, "dlatent_avg_beta": None, "blur_filter": None}
    config = stylegan.load(_write(tmp_path, generator_record(tf_variables(G), {**kwargs, **off}))).config
    assert (config.default_psi, config.default_cutoff, config.style_mixing_prob, config.w_mean_beta) == (
        1.0,
        None,
        0,
        1,
    )
    assert config.blur_filter == ()
    zero = {**kwargs, "truncation_cutoff": 0}
    assert stylegan.load(_write(tmp_path, generator_record(tf_variables(G), zero))).config.default_psi == 1.0


def test_options_of_other_number_types(tmp_path):
    G = _drawn(GeneratorConfig(**SMALL, mapping_layers=2))
    kwargs = official_kwargs(G.config) | {"fmap_base": 64.0, "fmap_max": np.int64(8), "fmap_decay": 1, "use_noise": 1}
    assert stylegan.load(_write(tmp_path, generator_record(tf_variables(G), kwargs))).config == G.config


def test_harmless_options_and_those_the_source_never_mentions(tmp_path):
    G = _drawn(GeneratorConfig(**SMALL, mapping_layers=2))
    harmless = {"dtype": "float16", "structure": "fixed", "randomize_noise": False, "truncation_psi_val": None}
    kwargs = {**official_kwargs(G.config), **harmless}
    _same_network(G, stylegan.load(_write(tmp_path, generator_record(tf_variables(G), kwargs))))
    kwargs["attention"] = True
    refused(tmp_path, generator_record(tf_variables(G), kwargs), "option 'attention'")
    uses = {"build_module_src": "def G_style(attention=False): ..."}
    tree = generator_record(tf_variables(G), kwargs, **uses)
    refused(tmp_path, tree, "option 'attention'")
    plain = {"build_module_src": "def G_style(**_kwargs): ..."}
    tree = generator_record(tf_variables(G), kwargs, **plain)
    for part in tree.components.values():
        part.build_module_src = plain["build_module_src"]
    _same_network(G, stylegan.load(_write(tmp_path, tree)))


def test_weights_without_equalised_learning_rate(tmp_path):
    """use_wscale=False stores weight·he: the same pictures come out."""
    G = _drawn(GeneratorConfig(**SMALL, mapping_layers=2))
    D = Discriminator(DiscriminatorConfig(**SMALL_D), seed=1).eval()
    scaled = []
    for network in (G, D):
        variables = tf_variables(network)
        for name, value in variables.items():
            if name.endswith("weight") and not name.endswith("Noise/weight"):
                style, rgb, last = "StyleMod" in name, "ToRGB" in name, name == "4x4/Dense1/weight"
                gain = 1.0 if style or rgb or last else np.sqrt(2)
                variables[name] = (value * gain / np.sqrt(np.prod(value.shape[:-1]))).astype(np.float32)
        scaled.append((variables, {**official_kwargs(network.config), "use_wscale": False}))
    tree = (generator_record(*scaled[0]), record("D", "D_basic", scaled[1][1], {"lod": np.float32(0), **scaled[1][0]}))
    path = _write(tmp_path, tree)
    back, judge = stylegan.load(path), stylegan.load_discriminator(path)
    z = stylegan.seeds_to_z([0, 1, 2], 12)
    images = G.synthesis(G.mapping(z))
    torch.testing.assert_close(back.synthesis(back.mapping(z)), images, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(judge(images), D(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("fused", "from_size"), [("auto", 128), (True, 8), (False, 1 << 20)])
def test_fused_scale(tmp_path, fused, from_size):
    """Where it fuses, the official network is the unfused one with the kernel turned by 180° (FACTS §1)."""
    G = _drawn(GeneratorConfig(**{**SMALL, "mapping_layers": 2}))
    kwargs = {**official_kwargs(G.config), "fused_scale": fused}
    back = stylegan.load(_write(tmp_path, generator_record(tf_variables(G, from_size), kwargs)))
    _same_network(G, back)
    stored = tf_variables(G, from_size)["G_synthesis/8x8/Conv0_up/weight"]
    weight = back.synth.layers[2].conv.weight.numpy().transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(stored[::-1, ::-1] if fused is True else stored, weight)


@pytest.mark.parametrize(("stored", "lod"), [(0.0, 0.0), (1.25, 1.25), (9.0, 2.0), (-1.0, 0.0)])
def test_lod(tmp_path, stored, lod):
    G = _drawn(GeneratorConfig(**SMALL, mapping_layers=2))
    stylegan.convert(_write(tmp_path, generator_pickle(G, lod=stored)), tmp_path / "g.safetensors")
    assert stylegan.load(tmp_path / "g.safetensors").lod == lod


# Other shapes of the same format.


def test_lists_lone_networks_and_records_of_version_2(tmp_path):
    G, D = _drawn(GeneratorConfig(**SMALL, mapping_layers=2)), Discriminator(DiscriminatorConfig(**SMALL_D))
    whole = generator_pickle(G)
    for tree in (whole, [whole], (whole, discriminator_pickle(D)), [discriminator_pickle(D), whole]):
        _same_network(G, stylegan.load(_write(tmp_path, tree)))
    flat = record("Gs", "G_style", official_kwargs(G.config), {"lod": np.float32(0), **tf_variables(G)}, version=2)
    del flat.components
    _same_network(G, stylegan.load(_write(tmp_path, flat)))
    prefixed = {f"Gs/{name}": value for name, value in {"lod": np.float32(0), **tf_variables(G)}.items()}
    _same_network(G, stylegan.load(_write(tmp_path, record("Gs", "G_style", official_kwargs(G.config), prefixed))))


def test_the_moving_average_is_taken(tmp_path):
    config = GeneratorConfig(**SMALL, mapping_layers=2)
    G, Gs, D = _drawn(config, 33), _drawn(config, 11), Discriminator(DiscriminatorConfig(**SMALL_D))
    first = generator_record(tf_variables(G), official_kwargs(config), name="G")
    path = _write(tmp_path, (first, discriminator_pickle(D), generator_pickle(Gs)))
    _same_network(Gs, stylegan.load(path))
    path = _write(tmp_path, (generator_pickle(Gs), discriminator_pickle(D), first))
    _same_network(Gs, stylegan.load(path))


def test_the_name_of_the_file_means_nothing(tmp_path):
    G = _drawn(GeneratorConfig(**SMALL, mapping_layers=2))
    _same_network(G, stylegan.load(_write(tmp_path, generator_pickle(G), name="karras2019stylegan-ffhq-1024x1024.pkl")))


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_protocols(tmp_path, protocol):
    G = _drawn(GeneratorConfig(**SMALL, mapping_layers=2))
    _same_network(G, stylegan.load(_write(tmp_path, generator_pickle(G), protocol=protocol)))


def test_variables_that_share_one_array(tmp_path):
    """A small file cannot stand for a large network."""
    config = GeneratorConfig(**SMALL, mapping_layers=40)
    variables = tf_variables(Generator(config))
    weight = variables["G_mapping/Dense5/weight"]
    for i in range(1, 39):
        variables[f"G_mapping/Dense{i}/weight"] = weight
    refused(tmp_path, generator_record(variables, official_kwargs(config)), "share their data")


# What `convert` does to the disk.


def test_nothing_is_written_unless_everything_is(tmp_path):
    G, D = Generator(GeneratorConfig(**SMALL, mapping_layers=2)), Discriminator(DiscriminatorConfig(**SMALL_D))
    with torch.no_grad():
        D.bias.fill_(float("nan"))
    refused(tmp_path, (generator_pickle(G), discriminator_pickle(D)), "not finite")


def test_destinations(tmp_path):
    source = GOLDEN / "sg1_tiny32.pkl"
    (tmp_path / "folder.safetensors").mkdir()
    for name in ("net.pkl", "missing/net.safetensors", "folder.safetensors", "net"):
        with pytest.raises(InputError):
            stylegan.convert(source, tmp_path / name)
    model = tmp_path / "net.safetensors"
    stylegan.convert(source, model)
    digest = stylegan.load(model).digest
    with pytest.raises(ConversionError, match="nothing to convert"):
        stylegan.convert(model, tmp_path / "again.safetensors")
    with pytest.raises(ConversionError, match="no file"):
        stylegan.convert(tmp_path / "missing.pkl", model)
    stylegan.convert(GOLDEN / "sg1_tiny32_cond.pkl", model)  # replaces both
    assert stylegan.load(model).digest != digest
    assert sorted(os.listdir(tmp_path)) == ["folder.safetensors", "net.discriminator.safetensors", "net.safetensors"]


def test_what_is_a_model_file(tmp_path):
    stylegan.convert(GOLDEN / "sg1_tiny32.pkl", tmp_path / "net.safetensors")
    assert reader.is_model_file(tmp_path / "net.safetensors")
    other = tmp_path / "net.bin"
    other.write_bytes((tmp_path / "net.safetensors").read_bytes())
    assert reader.is_model_file(other)
    assert stylegan.load(other).digest
    assert not reader.is_model_file(GOLDEN / "sg1_tiny32.pkl")
    for data in (b"", b"\x00" * 4, b"junk" * 10):
        (tmp_path / "x.safetensors").write_bytes(data)
        assert reader.is_model_file(tmp_path / "x.safetensors")
        (tmp_path / "x.pkl").write_bytes(data)
        assert not reader.is_model_file(tmp_path / "x.pkl")
