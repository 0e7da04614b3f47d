"""Training presets: the paper's B … F, and `small` for laptops: frozen configs, all of which can be overridden.

`small` has fewer channels, short phases, small minibatches, a larger learning rate, which hardly holds for the noise
strengths, and an R1 weight that follows the resolution.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from stylegan.config import PAPER_PRESETS, DiscriminatorConfig, GeneratorConfig, generator_preset
from stylegan.errors import InputError
from stylegan.training.config import TrainConfig
from stylegan.training.schedule import PAPER_LEARNING_RATE, PAPER_MINIBATCH

PRESETS = ("small", *PAPER_PRESETS)
PAPER_KIMG, SMALL_KIMG = 25_000.0, 200.0
SMALL_NETWORK: dict[str, Any] = {
    "z_dim": 128, "w_dim": 128, "mapping_fmaps": 128, "fmap_base": 1024, "fmap_max": 128,
}  # fmt: skip
SMALL_GROWING = 0.27  # share of the run in which `small` grows


def preset(
    name: str,
    resolution: int,
    total_kimg: float | None = None,
    label_dim: int = 0,
    processes: int = 1,
    network: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> TrainConfig:
    """The training preset `small`, `b`, `c`, `d`, `e` or `f`, with overrides.

    Args:
        name: which one; case does not matter.
        resolution: of the pictures, a power of two from 8 to 1024.
        total_kimg: length in thousands of images; None = the preset's own.
        label_dim: number of classes of the data.
        processes: for the paper's presets, how many share a minibatch: decides its size as in the official code.
        network: overrides of GeneratorConfig and DiscriminatorConfig, each name going to those that know it.
        overrides: overrides of TrainConfig.

    Raises:
        InputError: an unknown preset or option, or a value out of range.
    """
    key = str(name).lower()
    if key not in PRESETS:
        raise InputError(f"preset {name!r} is unknown; known are {', '.join(PRESETS)}.")
    paper = "f" if key == "small" else key
    options = {**(SMALL_NETWORK if key == "small" else {}), **(network or {})}
    options |= {"resolution": resolution, "label_dim": label_dim}
    if {**PAPER_PRESETS[paper], **options}.get("mapping_layers") == 0:  # then w is z, with the label where there is one
        width = options.get("z_dim", GeneratorConfig.z_dim) * (2 if label_dim else 1)
        options["w_dim"] = (network or {}).get("w_dim", width)
    generator = generator_preset(paper, **_known(GeneratorConfig, options))
    discriminator = DiscriminatorConfig(**_known(DiscriminatorConfig, options))
    surplus = (set(options) - _names(GeneratorConfig, DiscriminatorConfig)) | (set(overrides) - _names(TrainConfig))
    if surplus:
        raise InputError(f"unknown options: {', '.join(sorted(surplus))}.")
    if key == "small":
        total = SMALL_KIMG if total_kimg is None else total_kimg
        settings = {**_small(generator, total), "total_kimg": total, **overrides}
    else:
        total = PAPER_KIMG if total_kimg is None else total_kimg
        settings = {**_paper(processes), "total_kimg": total, **overrides}
    return TrainConfig(generator, discriminator, **settings)


def _paper(processes: int) -> dict[str, Any]:
    """What differs from TrainConfig's defaults, which are the paper's where it has no tables."""
    minibatch, minibatch_base = PAPER_MINIBATCH[max(k for k in PAPER_MINIBATCH if k <= max(processes, 1))]
    rates, rate_base = PAPER_LEARNING_RATE
    return {
        "minibatch": minibatch,
        "minibatch_base": minibatch_base,
        "learning_rate": rates,
        "learning_rate_base": rate_base,
    }


def _small(generator: GeneratorConfig, total_kimg: float) -> dict[str, Any]:
    doublings = max(1, generator.log2_resolution - 3)
    phase = total_kimg * SMALL_GROWING / doublings / 2
    return {
        "lod_training_kimg": phase,
        "lod_transition_kimg": phase,
        "minibatch_base": 8,  # at every size: short runs want steps more than smooth gradients
        "learning_rate_base": 0.003,
        # Left to itself a generator that has seen some ten thousand pictures draws its detail with noise, which learns
        # in hundreds of steps, and not with styles: heads at 20 kimg were speckles around a blur without the noise.
        "noise_rate": 0.05,
        # γ weighs a sum over pixels. At 2 for 32² both players stayed level on portraits from the first thousand steps;
        # at a sixteenth of that the discriminator ran ahead (assets/PORTRAITS.md, attempts 1 and 2).
        "r1_gamma": 2.0 * (generator.resolution / 32) ** 2,
        "r1_interval": 4,
        "ema_kimg": min(10.0, total_kimg / 20),
        "ema_rampup": 0.05,
    }


def _names(*classes: type) -> set[str]:
    return {f.name for cls in classes for f in fields(cls)}


def _known(cls: type, options: Mapping[str, Any]) -> dict[str, Any]:
    names = _names(cls)
    return {name: value for name, value in options.items() if name in names}
