"""State dicts of the PyTorch ports, built from a generator that is known, give its pictures again."""

import os
import pickle
import zipfile

import pytest
import torch

import stylegan
from stylegan import Generator, GeneratorConfig
from stylegan.convert.ports import is_torch_file
from stylegan.convert.source import estimated_w_mean
from stylegan.errors import ConversionError, UnsafePickleError

SMALL = {"resolution": 32, "fmap_base": 128, "fmap_max": 16, "z_dim": 12, "w_dim": 20, "mapping_fmaps": 16}


def _generator(**changes):
    """Every tensor drawn, also those that training starts at zero."""
    G = Generator(GeneratorConfig(**{**SMALL, "mapping_layers": 3, **changes}), seed=5).eval().requires_grad_(False)
    rng = torch.Generator().manual_seed(7)
    for name, tensor in G.state_dict().items():
        if name.endswith(("bias", "noise_strength", "w_mean", "const")):
            tensor.copy_(torch.randn(tensor.shape, generator=rng))
    return G


def _blur():
    taps = torch.tensor([1.0, 2.0, 1.0])
    return (taps[:, None] * taps / 16)[None, None]


def _block(G, name, index):
    """The tensors of one resolution in the naming that both layouts share; `index` 0 is 4×4."""
    state = G.state_dict()
    layers = [f"synth.layers.{2 * index + k}" for k in (0, 1)]
    size = 4 << index
    out = {f"{name}.{'conv1' if index else 'conv'}.{key}": state[f"{layers[1]}.{ours}"] for key, ours in _CONV}
    if index:
        kernel = state[f"{layers[0]}.conv.weight"]
        out[f"{name}.conv0_up.weight"] = kernel.flip(2, 3) if size >= 128 else kernel  # as TensorFlow has it
        out[f"{name}.conv0_up.bias"] = state[f"{layers[0]}.bias"]
        out[f"{name}.conv0_up.intermediate.kernel"] = _blur()
    else:
        out[f"{name}.const"], out[f"{name}.bias"] = state["synth.const"], state[f"{layers[0]}.bias"]
    for k in (0, 1):
        out[f"{name}.epi{k + 1}.top_epi.noise.weight"] = state[f"{layers[k]}.noise_strength"]
        for key in ("weight", "bias"):
            out[f"{name}.epi{k + 1}.style_mod.lin.{key}"] = state[f"{layers[k]}.style.{key}"]
    return out


_CONV = (("weight", "conv.weight"), ("bias", "bias"))


def _by_size(G, mapping="g_mapping.", synthesis="g_synthesis."):
    state, finest = G.state_dict(), G.config.num_layers // 2 - 1
    out = {f"{mapping}dense{i}.{key}": state[f"map.layers.{i}.{key}"] for i in range(3) for key in ("weight", "bias")}
    out |= {f"{synthesis}torgb.{key}": state[f"synth.to_rgb.{finest}.{ours}"] for key, ours in _CONV}
    for i in range(finest + 1):
        out |= _block(G, f"{synthesis}blocks.{4 << i}x{4 << i}", i)
    return out


def _by_index(G):
    state, finest = G.state_dict(), G.config.num_layers // 2 - 1
    out = {f"g_mapping.map.dense{i}.{k}": state[f"map.layers.{i}.{k}"] for i in range(3) for k in ("weight", "bias")}
    out |= {
        f"g_synthesis.to_rgb.{i}.{key}": state[f"synth.to_rgb.{i}.{ours}"]
        for key, ours in _CONV
        for i in range(finest + 1)
    }
    out |= _block(G, "g_synthesis.init_block", 0)
    for i in range(1, finest + 1):
        out |= _block(G, f"g_synthesis.blocks.{i - 1}", i)
    return out | {"truncation.avg_latent": state["w_mean"]}


def _converted(tmp_path, state, **options):
    path = tmp_path / "port.pt"
    torch.save(state, path, **options)
    report = stylegan.convert(path, tmp_path / "port.safetensors")
    return stylegan.load(tmp_path / "port.safetensors"), " ".join(report.found)


def _same_pictures(G, back):
    z = stylegan.seeds_to_z([0, 1], 12)
    w = G.mapping(z)
    torch.testing.assert_close(back.mapping(z), w)
    torch.testing.assert_close(back.synthesis(w, "none"), G.synthesis(w, "none"))
    noise = [layer.noise for layer in G.synth.layers]
    torch.testing.assert_close(back.synthesis(w, noise), G.synthesis(w, noise))


@pytest.mark.parametrize("prefixes", [("g_mapping.", "g_synthesis."), ("mapping.", ""), ("mapping.", "synthesis.")])
def test_layout_by_size(tmp_path, prefixes):
    G = _generator()
    back, found = _converted(tmp_path, _by_size(G, *prefixes))
    _same_pictures(G, back)
    assert back.config == GeneratorConfig(**SMALL, mapping_layers=3)
    assert all(part in found for part in ("full resolution only", "no noise images", "no mean w"))
    assert "no noise images" in back.about.description
    # What the file lacks is made up alike every time: grey below the full size, the mean of many w, drawn noise.
    assert not back.synthesis(back.mapping(stylegan.seeds_to_z([0], 12)), lod=1).any()
    torch.testing.assert_close(back.w_mean, estimated_w_mean(G))
    assert float(back.synth.layers[5].noise.std()) == pytest.approx(1, abs=0.2)
    assert stylegan.load(tmp_path / "port.pt").digest == back.digest


def test_estimated_mean_is_the_mean():
    G = _generator()
    w = G.mapping(torch.randn(40_000, 12, generator=torch.Generator().manual_seed(0)))[:, 0]
    error = (estimated_w_mean(G) - w.mean(dim=0)) / w.std(dim=0)
    assert float(error.abs().max()) < 5 / 100  # five standard errors of a mean of 10,000


def test_layout_by_index(tmp_path):
    G = _generator()
    back, found = _converted(tmp_path, _by_index(G))
    _same_pictures(G, back)
    w = G.mapping(stylegan.seeds_to_z([3], 12))
    torch.testing.assert_close(back.synthesis(w, "none", lod=1.5), G.synthesis(w, "none", lod=1.5))
    assert torch.equal(back.w_mean, G.w_mean)
    assert "full resolution only" not in found
    assert "no mean w" not in found


@pytest.mark.parametrize("layout", [_by_size, _by_index])
def test_kernels_of_the_fused_path(tmp_path, layout):
    """The ports keep conv0_up as TensorFlow does, where 128² and up run the turned kernel."""
    G = _generator(resolution=128)
    back, _ = _converted(tmp_path, layout(G))
    assert torch.equal(back.synth.layers[10].conv.weight, G.synth.layers[10].conv.weight)
    w = G.mapping(stylegan.seeds_to_z([0], 12))
    torch.testing.assert_close(back.synthesis(w, "none"), G.synthesis(w, "none"))


def test_containers(tmp_path):
    G = _generator()
    state = _by_size(G)
    _same_pictures(G, _converted(tmp_path, state, _use_new_zipfile_serialization=False)[0])
    assert is_torch_file(tmp_path / "port.pt")
    _same_pictures(G, _converted(tmp_path, {"epoch": 3, "state_dict": state})[0])
    wrapped = {f"generator.{name}": value for name, value in state.items()}
    back, found = _converted(tmp_path, wrapped | {"discriminator.conv.weight": torch.zeros(3)})
    _same_pictures(G, back)
    assert "1 tensors outside 'generator.'" in found
    _same_pictures(G, _converted(tmp_path, {name: value.double() for name, value in state.items()})[0])


def test_blur(tmp_path):
    G = _generator()
    wide = torch.tensor([1.0, 3.0, 4.0, 3.0, 1.0])
    kernel = (wide[:, None] * wide / wide.sum() ** 2)[None, None]
    state = {name: kernel if name.endswith("kernel") else value for name, value in _by_size(G).items()}
    assert _converted(tmp_path, state)[0].config.blur_filter == (1, 3, 4, 3, 1)
    state = {name: value for name, value in _by_size(G).items() if not name.endswith("kernel")}
    back, found = _converted(tmp_path, state)
    assert back.config.blur_filter == (1, 2, 1)
    assert "does not say how it blurs" in found


def test_noise_images_where_a_port_keeps_them(tmp_path):
    G = _generator()
    noise = {
        f"g_synthesis.blocks.{4 << i}x{4 << i}.epi{k + 1}.top_epi.noise.noise": G.synth.layers[2 * i + k].noise
        for i in range(4)
        for k in (0, 1)
    }
    back, found = _converted(tmp_path, _by_size(G) | noise)
    assert all(torch.equal(a.noise, b.noise) for a, b in zip(back.synth.layers, G.synth.layers, strict=True))
    assert "no noise images" not in found


# What cannot be read.


def _refused(tmp_path, match, kind=ConversionError):
    with pytest.raises(kind, match=match) as caught:
        stylegan.convert(tmp_path / "port.pt", tmp_path / "out.safetensors")
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["port.pt"]


def _without(state, name):
    return {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: _without(s, "g_mapping.dense0.weight"), "no state dict of a StyleGAN port"),
        (lambda s: _without(s, "g_mapping.dense1.weight"), "G_mapping/Dense"),
        (lambda s: _without(s, "g_synthesis.torgb.bias"), "lacks the variable G_synthesis/ToRGB_lod0/bias"),
        (lambda s: _without(s, "g_synthesis.blocks.8x8.conv1.bias"), "8x8/Conv1"),
        (lambda s: _without(s, "g_synthesis.blocks.16x16.epi1.top_epi.noise.weight"), "16x16/Conv0_up/Noise/weight"),
        (lambda s: s | {"g_synthesis.attention.weight": torch.zeros(3)}, "'g_synthesis.attention.weight' belongs"),
        (lambda s: s | {"g_synthesis.blocks.8x8.bias": torch.zeros(3)}, "second time"),
        (lambda s: s | {"g_mapping.dense2.bias": torch.zeros(3)}, "shape"),
        (lambda s: s | {"g_mapping.dense2.bias": torch.full((20,), torch.nan)}, "not finite"),
        (lambda s: s | {"g_mapping.dense2.bias": torch.zeros(20, dtype=torch.complex64)}, "plain numbers"),
        (lambda s: s | {"g_mapping.dense1.weight": torch.zeros(1).expand(16384, 16384)}, "share their data"),
        (lambda s: [1, 2], "holds a list"),
        (lambda s: {}, "holds a"),
        (lambda s: {1: 2}, "no state dict of a StyleGAN port"),
        (lambda s: {f"x{i}": torch.zeros(1) for i in range(5000)}, "holds a"),
    ],
)
def test_state_dicts_that_are_none(tmp_path, change, match):
    torch.save(change(_by_size(_generator())), tmp_path / "port.pt")
    _refused(tmp_path, match)


class _Command:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize("new", [True, False])
def test_code_in_torch_files(tmp_path, new):
    torch.save({"g": _Command()}, tmp_path / "port.pt", _use_new_zipfile_serialization=new)
    _refused(tmp_path, f"{os.system.__module__}.system", UnsafePickleError)


def test_archives_that_grow(tmp_path):
    with zipfile.ZipFile(tmp_path / "port.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
        archive.writestr("archive/data/0", bytes(100_000_000))
    _refused(tmp_path, "packed", UnsafePickleError)


@pytest.mark.parametrize("new", [True, False])
def test_damage(tmp_path, new):
    path = tmp_path / "port.pt"
    torch.save(_by_size(_generator(resolution=8)), path, _use_new_zipfile_serialization=new)
    data = path.read_bytes()
    for length in [*range(20, 200, 13), *range(200, len(data) - 1, len(data) // 40)]:
        path.write_bytes(data[:length])
        _refused(tmp_path, r"port\.pt")
    path.write_bytes(b"PK\x03\x04" + b"junk" * 100)
    _refused(tmp_path, "no whole PyTorch file")
