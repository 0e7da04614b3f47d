"""What the shapes of a network's variables say about its options, for files that do not state them.

Variables have their TensorFlow names and layouts: kernels [kh, kw, in, out], dense [in, out] (FACTS §10).
"""

import re
from collections.abc import Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]


def generator_options(shapes: Shapes) -> dict[str, Any]:
    """Fields of a `GeneratorConfig` that can be seen; those that cannot are left out."""
    options = _pyramid(shapes, "G_synthesis/ToRGB_lod", channels_axis=2, colours_axis=3)
    options["mapping_layers"] = _count(shapes, r"G_mapping/Dense\d+/weight")
    first = _shape(shapes, "G_mapping/Dense0/weight", 2)
    label = _shape(shapes, "G_mapping/LabelConcat/weight", 2)
    if label:
        options["label_dim"], options["z_dim"] = label
    elif first:
        options["z_dim"] = first[0]
    if first and options["mapping_layers"] > 1:
        options["mapping_fmaps"] = first[1]
    mean = _shape(shapes, "dlatent_avg", 1)
    if mean:
        options["w_dim"] = mean[0]
        if not options["mapping_layers"] and not label:
            options["z_dim"] = mean[0]
    options["const_input"] = "G_synthesis/4x4/Const/const" in shapes
    options["use_styles"] = _count(shapes, r"G_synthesis/.*/StyleMod/weight") > 0
    options["use_noise"] = _count(shapes, r"G_synthesis/.*/Noise/weight") > 0
    return options


def discriminator_options(shapes: Shapes) -> dict[str, Any]:
    """Fields of a `DiscriminatorConfig` that can be seen."""
    options = _pyramid(shapes, "FromRGB_lod", channels_axis=3, colours_axis=2)
    last = _shape(shapes, "4x4/Dense1/weight", 2)
    if last and last[1] > 1:
        options["label_dim"] = last[1]
    conv, bias = _shape(shapes, "4x4/Conv/weight", 4), _shape(shapes, "4x4/Conv/bias", 1)
    if conv and bias:
        extra = conv[2] - bias[0]
        options |= {"mbstd_features": extra} if extra > 0 else {"mbstd_group_size": 0}
    return options


def fit_fmaps(channels: Mapping[int, int]) -> dict[str, int]:
    """fmap_base and fmap_max, with decay 1, that give stage s `channels[s]` feature maps; empty if none do.

    nf(s) = min(floor(base / 2^s), max) bounds base by c·2^s ≤ base < (c + 1)·2^s at every stage below max.
    """
    if not channels:
        return {}
    most = max(channels.values())
    low = max(c << s for s, c in channels.items())
    high = min(((c + 1) << s for s, c in channels.items() if c < most), default=low + 1)
    return {"fmap_base": low, "fmap_max": most} if low < high else {}


def _pyramid(shapes: Shapes, prefix: str, channels_axis: int, colours_axis: int) -> dict[str, Any]:
    """Resolution, colours and feature maps from the 1×1 convolutions that each resolution has."""
    found: dict[int, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        match = re.fullmatch(re.escape(prefix) + r"(\d)/weight", name)
        if match and len(shape) == 4:
            found[int(match[1])] = shape
    if 0 not in found:
        return {}
    finest = max(found)  # the lod of 4×4
    stages = {finest + 1 - lod: shape[channels_axis] for lod, shape in found.items()}
    options: dict[str, Any] = {"resolution": 4 << finest, "image_channels": found[0][colours_axis]}
    paper = {stage: min(8192 >> stage, 512) for stage in stages}
    return options | ({} if stages == paper else fit_fmaps(stages))


def _shape(shapes: Shapes, name: str, axes: int) -> tuple[int, ...] | None:
    shape = shapes.get(name)
    return shape if shape and len(shape) == axes else None


def _count(shapes: Shapes, pattern: str) -> int:
    return sum(1 for name in shapes if re.fullmatch(pattern, name))
