"""PyTorch ports of the official networks: state dicts of generators, read with torch.load(weights_only=True).

Two layouts are common; both keep the official (unscaled) weights and conventions, kernels as [out, in, kh, kw]:

    sizes:    [g_]mapping.dense0.weight, [g_synthesis.]blocks.8x8.conv0_up.weight, …epi1.style_mod.lin.weight,
              torgb.weight
    indices:  g_mapping.map.dense0.weight, g_synthesis.init_block.const, g_synthesis.blocks.0.conv0_up.weight,
              g_synthesis.to_rgb.0.weight, truncation.avg_latent

The kernels of conv0_up are the official ones also at 128² and up, where these ports run the transposed convolution. The
first layout has one ToRGB, for the full resolution. Neither has noise images, and the first has no mean w.
"""

import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from stylegan.config import GeneratorConfig
from stylegan.convert.shapes import generator_options
from stylegan.convert.source import W_MEAN_COUNT, Source
from stylegan.errors import ConversionError, InputError, UnsafePickleError
from stylegan.model_file import About

ZIP_MAGIC = b"PK\x03\x04"
LEGACY_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the first number of a torch.save file before PyTorch 1.6
MAX_TENSORS = 4096


@dataclass(frozen=True)
class PortTensor:
    """A tensor of a port, seen in TensorFlow's layout."""

    tensor: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """[kh, kw, in, out] of a kernel, [in, out] of a dense layer, anything else as it is."""
        return tuple(self._turned().shape)

    def read(self) -> npt.NDArray[np.generic]:
        """The values."""
        return self._turned().detach().float().cpu().numpy()

    def _turned(self) -> Tensor:
        return self.tensor


class _Kernel(PortTensor):
    def _turned(self) -> Tensor:
        return self.tensor.permute(2, 3, 1, 0) if self.tensor.ndim == 4 else self.tensor


class _Dense(PortTensor):
    def _turned(self) -> Tensor:
        return self.tensor.T if self.tensor.ndim == 2 else self.tensor


def is_torch_file(path: Path) -> bool:
    """Whether the file begins as torch.save writes, now or before PyTorch 1.6."""
    with open(path, "rb") as file:
        head = file.read(2 + len(LEGACY_MAGIC))
    return head.startswith(ZIP_MAGIC) or head[2:] == LEGACY_MAGIC


def read_port(path: Path) -> tuple[list[Source], list[str]]:
    """The generator in a port's state dict, and what was found, in sentences.

    Raises:
        UnsafePickleError: the file asks for code. ConversionError: it is damaged, or of neither layout.
    """
    state = _state_dict(path)
    prefix = _prefix(path, state)
    outside = [key for key in state if not key.startswith(prefix)]
    variables: dict[str, PortTensor] = {}
    finest = _finest_to_rgb(state)
    kernels: list[Tensor] = []  # of the low-pass filters
    for key, tensor in state.items():
        local = key.removeprefix(prefix)
        if not key.startswith(prefix):
            continue
        if re.fullmatch(_BLOCK + r"conv0_up\.intermediate\.kernel", local):
            kernels.append(tensor)
            continue
        named = _official_name(local, finest)
        if named is None or named[0] in variables:
            what = "belongs to no port that is known here" if named is None else f"is {named[0]} for the second time"
            raise ConversionError(f"{path.name}: tensor {key[:80]!r} {what}.")
        variables[named[0]] = named[1](tensor)
    found = [f"The state dict of a PyTorch port, with {len(state)} tensors."]
    if outside:
        found.append(f"Left out: {len(outside)} tensors outside {prefix[:40]!r}, such as {outside[0][:60]!r}.")
    source = _source(path, variables, _blur_filter(kernels, found), found)
    source.check()
    return [source], found


def _state_dict(path: Path) -> dict[str, Tensor]:
    _check_zip(path)
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch's reader makes of a hostile or damaged file
        text = " ".join(str(error).split())
        named = re.search(r"GLOBAL ([\w.]+)", text)
        if named:
            message = f"{path.name} asks for {named[1]}; only tensors are read. Nothing in it was run."
            raise UnsafePickleError(message) from error
        raise ConversionError(f"{path.name} is no whole PyTorch file: {text[:120] or type(error).__name__}.") from error
    if isinstance(data, Mapping) and isinstance(data.get("state_dict"), Mapping):
        data = data["state_dict"]
    if not isinstance(data, Mapping) or not data or len(data) > MAX_TENSORS:
        raise ConversionError(f"{path.name} holds a {type(data).__name__}, not a state dict of tensors.")
    state = {key: value for key, value in data.items() if isinstance(key, str) and isinstance(value, Tensor)}
    for key, tensor in state.items():
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta or tensor.is_complex():
            raise ConversionError(f"{path.name}: tensor {key[:80]!r} does not hold plain numbers.")
    if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) > path.stat().st_size:
        raise ConversionError(f"{path.name}: its tensors share their data, which no port's do.")
    return state


def _check_zip(path: Path) -> None:
    """Refuse archives that grow when they are read."""
    try:
        if not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ConversionError(f"{path.name} is no whole PyTorch file: {error}.") from error
    if total > path.stat().st_size:
        raise UnsafePickleError(f"{path.name} is packed: it would grow to {total} bytes. PyTorch packs nothing.")


def _prefix(path: Path, state: Mapping[str, Tensor]) -> str:
    """What stands before the generator's own names, such as `module.`."""
    for key in state:
        match = re.fullmatch(r"(|.*\.)(?:g_)?mapping\.(?:map\.)?dense0\.weight", key)
        if match:
            return match[1]
    raise ConversionError(
        f"{path.name} is a PyTorch file, but no state dict of a StyleGAN port that is known here: it has no "
        "mapping.dense0.weight, g_mapping.dense0.weight or g_mapping.map.dense0.weight."
    )


_SYNTHESIS = r"(?:g_synthesis\.|synthesis\.)?"
_BLOCK = _SYNTHESIS + r"(?:(?P<init>init_block)|blocks\.(?:(?P<size>\d{1,4})x(?P=size)|(?P<index>\d{1,2})))\."
_Turn = Callable[[Tensor], PortTensor]
# What follows the block → (what layer of the block, the variable of that layer, its layout)
_IN_BLOCK: list[tuple[str, int, str, _Turn]] = [
    (r"const", 0, "const", PortTensor),
    (r"bias", 0, "bias", PortTensor),
    (r"conv0_up\.weight", 0, "weight", _Kernel),
    (r"conv0_up\.bias", 0, "bias", PortTensor),
    (r"conv(?:1)?\.weight", 1, "weight", _Kernel),
    (r"conv(?:1)?\.bias", 1, "bias", PortTensor),
    *(
        entry
        for k in (0, 1)
        for entry in (
            (rf"epi{k + 1}\.top_epi\.noise\.weight", k, "Noise/weight", PortTensor),
            (rf"epi{k + 1}\.top_epi\.noise\.noise", k, "noise", PortTensor),
            (rf"epi{k + 1}\.style_mod\.lin\.weight", k, "StyleMod/weight", _Dense),
            (rf"epi{k + 1}\.style_mod\.lin\.bias", k, "StyleMod/bias", PortTensor),
        )
    ),
]


def _official_name(local: str, finest: int) -> tuple[str, _Turn] | None:
    """The official name of a port's tensor and its layout; None if it has none."""
    if match := re.fullmatch(r"(?:g_)?mapping\.(?:map\.)?dense(\d{1,2})\.(weight|bias)", local):
        return f"G_mapping/Dense{match[1]}/{match[2]}", _Dense if match[2] == "weight" else PortTensor
    if match := re.fullmatch(_SYNTHESIS + r"(?:torgb|to_rgb\.(\d{1,2}))\.(weight|bias)", local):
        lod = 0 if match[1] is None else finest - int(match[1])
        return f"G_synthesis/ToRGB_lod{lod}/{match[2]}", _Kernel if match[2] == "weight" else PortTensor
    if local in ("truncation.avg_latent", "dlatent_avg"):
        return "dlatent_avg", PortTensor
    if match := re.fullmatch(_BLOCK + r"(?P<rest>.+)", local):
        size = 4 if match["init"] else int(match["size"] or 0) or 8 << min(int(match["index"]), 16)
        return _in_block(size, match["rest"])
    return None


def _in_block(size: int, rest: str) -> tuple[str, _Turn] | None:
    layers = ("Const", "Conv") if size == 4 else ("Conv0_up", "Conv1")
    for pattern, k, variable, turn in _IN_BLOCK:
        if re.fullmatch(pattern, rest):
            if variable == "noise":
                return f"G_synthesis/noise{2 * (size.bit_length() - 3) + k}", turn
            return f"G_synthesis/{size}x{size}/{layers[k]}/{variable}", turn
    return None


def _finest_to_rgb(state: Mapping[str, Tensor]) -> int:
    numbers = [int(match[1]) for key in state if (match := re.search(r"to_rgb\.(\d{1,2})\.weight$", key))]
    return max(numbers, default=0)


def _blur_filter(kernels: list[Tensor], found: list[str]) -> tuple[float, ...]:
    """Taps of the low-pass filter, from the buffers that the ports keep it in."""
    if not kernels:
        found.append("It does not say how it blurs: taken to be the official filter 1, 2, 1.")
        return (1.0, 2.0, 1.0)
    rows = kernels[0].detach().float().flatten(0, -2).sum(dim=0) if kernels[0].ndim == 4 else kernels[0].new_zeros(1)
    smallest = rows.abs().min().clamp_min(1e-12)
    return tuple(round(float(tap), 4) for tap in rows / smallest)


def _source(path: Path, variables: dict[str, PortTensor], taps: tuple[float, ...], found: list[str]) -> Source:
    shapes: dict[str, Any] = {name: value.shape for name, value in variables.items()}
    options = generator_options(_completed(shapes))
    options["blur_filter"] = taps
    try:
        config = GeneratorConfig(**options)
    except InputError as error:
        raise ConversionError(f"{path.name}: {error}") from error
    fills = _fills(config, variables, found)
    about = About(name=path.stem, description="A PyTorch port's generator. " + " ".join(found[1:]))
    return Source(path.name, "generator", config, variables, about, fills=fills)


def _completed(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """`shapes` with the ToRGB layers and the mean w that a file may lack, so that sizes can be worked out."""
    sizes = [int(match[1]) for name in shapes if (match := re.match(r"G_synthesis/(\d+)x\1/", name))]
    shapes = dict(shapes)
    finest = max(sizes, default=4).bit_length() - 3
    colours = next((shape[3] for name, shape in shapes.items() if "ToRGB" in name and len(shape) == 4), 3)
    for lod in range(finest + 1):
        size = 4 << (finest - lod)
        layer = f"G_synthesis/{size}x{size}/{'Conv' if size == 4 else 'Conv1'}"
        widths = shapes.get(f"{layer}/weight") or shapes.get(f"{layer}/bias") or (1,)
        shapes.setdefault(f"G_synthesis/ToRGB_lod{lod}/weight", (1, 1, widths[-1], colours))
    layers = sum(1 for name in shapes if re.fullmatch(r"G_mapping/Dense\d+/weight", name))
    shapes.setdefault("dlatent_avg", shapes.get(f"G_mapping/Dense{layers - 1}/bias", (1,)))
    return shapes


def _fills(config: GeneratorConfig, variables: Mapping[str, PortTensor], found: list[str]) -> tuple[str, ...]:
    """Tensors of ours that the file lacks and that can be made up; each is said."""
    fills: list[str] = []
    coarser = range(1, config.max_lod + 1)
    if not any(f"G_synthesis/ToRGB_lod{lod}/weight" in variables for lod in coarser):
        for i in range(config.num_layers // 2 - 1):
            fills += [f"synth.to_rgb.{i}.conv.weight", f"synth.to_rgb.{i}.bias"]
        found.append("It has a ToRGB layer for the full resolution only: pictures at lod 1 and more are grey.")
    if config.use_noise and not any(name.startswith("G_synthesis/noise") for name in variables):
        fills += [f"synth.layers.{i}.noise" for i in range(config.num_layers)]
        found.append("It has no noise images: new ones were drawn, so the finest details are not the original's.")
    if "dlatent_avg" not in variables:
        fills.append("w_mean")
        found.append(f"It has no mean w: the mean over {W_MEAN_COUNT:,} latents drawn from seed 0 was taken.")
    return tuple(fills)
