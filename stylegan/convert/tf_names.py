"""TensorFlow variables of the official StyleGAN → state dicts of this project's networks (FACTS §10).

TensorFlow stores kernels `[kh, kw, in, out]` and dense weights `[in, out]`; PyTorch wants `[out, in, kh, kw]` and
`[out, in]`. One more difference: for outputs of 128² and up the official network runs a transposed convolution, which
equals nearest up-sampling and the correlation with the kernel turned by 180°; those kernels are turned here, once.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from stylegan.config import DiscriminatorConfig, GeneratorConfig

FloatArray = npt.NDArray[np.float32]
Variables = Mapping[str, FloatArray]  # local TensorFlow name → array
AUTO_FUSED_RESOLUTION = 128  # fused_scale='auto' fuses up-sampling for outputs of this size and more

# (name in our state dict, name in TensorFlow, how to turn one into the other)
Entry = tuple[str, str, Callable[[FloatArray], FloatArray]]


def _same(a: FloatArray) -> FloatArray:
    return a


def _dense(a: FloatArray) -> FloatArray:
    return a.T


def _conv(a: FloatArray) -> FloatArray:
    return a.transpose(3, 2, 0, 1)


def _turned_conv(a: FloatArray) -> FloatArray:
    return a[::-1, ::-1].transpose(3, 2, 0, 1)


def generator_entries(config: GeneratorConfig, fused_resolution: int = AUTO_FUSED_RESOLUTION) -> list[Entry]:
    """Every tensor of a generator with its TensorFlow variable."""
    entries: list[Entry] = [("w_mean", "dlatent_avg", _same)]
    if config.label_dim:
        entries.append(("map.embed", "G_mapping/LabelConcat/weight", _same))
    for i in range(config.mapping_layers):
        entries.append((f"map.layers.{i}.weight", f"G_mapping/Dense{i}/weight", _dense))
        entries.append((f"map.layers.{i}.bias", f"G_mapping/Dense{i}/bias", _same))
    if config.const_input:
        entries.append(("synth.const", "G_synthesis/4x4/Const/const", _same))
    else:
        entries.append(("synth.input.weight", "G_synthesis/4x4/Dense/weight", _dense))
    for i in range(config.num_layers):
        entries += _layer_entries(config, i, fused_resolution)
    for i in range(config.num_layers // 2):
        name = f"G_synthesis/ToRGB_lod{config.max_lod - i}"
        entries.append((f"synth.to_rgb.{i}.conv.weight", f"{name}/weight", _conv))
        entries.append((f"synth.to_rgb.{i}.bias", f"{name}/bias", _same))
    return entries


def layer_name(config: GeneratorConfig, index: int) -> str:
    """`4x4/Const`, `4x4/Conv`, `8x8/Conv0_up`, `8x8/Conv1`, …; `4x4/Dense` for the traditional input."""
    size = config.layer_resolution(index)
    first = "Const" if config.const_input else "Dense"
    kind = (first, "Conv")[index] if index < 2 else ("Conv0_up", "Conv1")[index % 2]
    return f"{size}x{size}/{kind}"


def _layer_entries(config: GeneratorConfig, index: int, fused_resolution: int) -> list[Entry]:
    ours, theirs = f"synth.layers.{index}", f"G_synthesis/{layer_name(config, index)}"
    entries: list[Entry] = [(f"{ours}.bias", f"{theirs}/bias", _same)]
    if index:
        turned = index % 2 == 0 and config.layer_resolution(index) >= fused_resolution
        entries.append((f"{ours}.conv.weight", f"{theirs}/weight", _turned_conv if turned else _conv))
    if config.use_noise:
        entries.append((f"{ours}.noise_strength", f"{theirs}/Noise/weight", _same))
        entries.append((f"{ours}.noise", f"G_synthesis/noise{index}", _same))
    if config.use_styles:
        entries.append((f"{ours}.style.weight", f"{theirs}/StyleMod/weight", _dense))
        entries.append((f"{ours}.style.bias", f"{theirs}/StyleMod/bias", _same))
    return entries


def discriminator_entries(config: DiscriminatorConfig) -> list[Entry]:
    """Every tensor of a discriminator with its TensorFlow variable."""
    entries: list[Entry] = []
    for i in range(config.log2_resolution - 1):
        name = f"FromRGB_lod{config.max_lod - i}"
        entries.append((f"from_rgb.{i}.conv.weight", f"{name}/weight", _conv))
        entries.append((f"from_rgb.{i}.bias", f"{name}/bias", _same))
    for i in range(config.log2_resolution - 2):
        size = 2 ** (i + 3)
        for k, name in enumerate(("Conv0", "Conv1_down")):
            entries.append((f"blocks.{i}.conv{k}.weight", f"{size}x{size}/{name}/weight", _conv))
            entries.append((f"blocks.{i}.bias{k}", f"{size}x{size}/{name}/bias", _same))
    entries += [("conv.weight", "4x4/Conv/weight", _conv), ("bias", "4x4/Conv/bias", _same)]
    for k in range(2):
        entries.append((f"dense{k}.weight", f"4x4/Dense{k}/weight", _dense))
        entries.append((f"dense{k}.bias", f"4x4/Dense{k}/bias", _same))
    return entries


def to_state(entries: list[Entry], variables: Variables) -> dict[str, Tensor]:
    """The state dict of `entries`, float32; KeyError names a variable that is missing."""
    return {
        ours: torch.from_numpy(np.array(turn(np.asarray(variables[theirs], np.float32)), order="C"))
        for ours, theirs, turn in entries
    }
