"""What a network is: frozen configs for the generator and the discriminator, the paper's presets, JSON round trip.

Feature maps follow the official rule (FACTS: Karras et al. 2019, appendix C): the block that works at size 2^(s+1) has
nf(s) = min(floor(fmap_base / 2^(s·fmap_decay)), fmap_max) channels.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

from stylegan.errors import InputError

Nonlinearity = Literal["lrelu", "relu"]
MIN_RESOLUTION, MAX_RESOLUTION = 8, 1024


@dataclass(frozen=True)
class _NetworkConfig:
    """What generator and discriminator have in common."""

    architecture: str = "stylegan"  # the family of networks; others may join
    resolution: int = 1024  # pixels per side: a power of two from 8 to 1024
    image_channels: int = 3  # colour channels of the picture
    label_dim: int = 0  # number of classes (length of the one-hot label); 0 = unconditional
    fmap_base: int = 8192  # overall multiplier of the feature maps
    fmap_decay: float = 1.0  # log2 of the reduction of feature maps when the resolution doubles
    fmap_max: int = 512  # most feature maps in any layer
    nonlinearity: Nonlinearity = "lrelu"  # activation of the convolutions; lrelu has slope 0.2
    blur_filter: tuple[float, ...] = (1.0, 2.0, 1.0)  # low-pass filter after up- and before down-sampling; () = none

    def __post_init__(self) -> None:
        _require(self.architecture == "stylegan", f"architecture {self.architecture!r} is unknown; known: 'stylegan'.")
        _whole(self, "resolution", MIN_RESOLUTION, MAX_RESOLUTION)
        _require(
            self.resolution & (self.resolution - 1) == 0,
            f"resolution is a power of two from {MIN_RESOLUTION} to {MAX_RESOLUTION}, not {self.resolution}.",
        )
        for name in ("image_channels", "fmap_base", "fmap_max"):
            _whole(self, name, 1, 1 << 20)
        _whole(self, "label_dim", 0, 1 << 16)
        _real(self, "fmap_decay", 0.0, 8.0)
        _choice(self, "nonlinearity")
        taps = self.blur_filter
        _require(
            isinstance(taps, tuple) and all(isinstance(t, (int, float)) and abs(t) <= 1e3 for t in taps),
            "blur_filter is a tuple of numbers from -1000 to 1000 such as (1, 2, 1), or () for none, "
            f"not {str(taps)[:80]}.",
        )
        _require(
            not taps or (len(taps) % 2 == 1 and len(taps) <= 15 and abs(sum(taps)) > 1e-3),
            "blur_filter has an odd number of taps, at most 15, and their sum is not 0.",
        )

    @property
    def log2_resolution(self) -> int:
        """5 for 32, 10 for 1024."""
        return self.resolution.bit_length() - 1

    @property
    def max_lod(self) -> int:
        """The lod at which only the 4×4 layers work: log2(resolution) − 2."""
        return self.log2_resolution - 2

    def fmaps(self, stage: int) -> int:
        """Channels nf(stage) of the block that works at 2^(stage+1)."""
        return max(1, min(int(self.fmap_base / 2.0 ** (stage * self.fmap_decay)), self.fmap_max))

    def to_json(self) -> dict[str, Any]:
        """Plain values only; `from_json` is its inverse."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; InputError for an unknown, missing or wrong value."""
        _require(isinstance(data, Mapping), f"a config is an object of options, not {str(data)[:40]}.")
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(data) - known)
        _require(not unknown, f"unknown options in the config: {', '.join(map(str, unknown))[:200]}.")
        values = dict(data)
        if isinstance(values.get("blur_filter"), list):
            values["blur_filter"] = tuple(values["blur_filter"])
        return cls(**values)


@dataclass(frozen=True)
class GeneratorConfig(_NetworkConfig):
    """Mapping and synthesis network (Karras et al. 2019, §2, appendix C). The defaults are the paper's F at 1024²."""

    z_dim: int = 512  # width of the input latent z
    w_dim: int = 512  # width of the intermediate latent w
    mapping_layers: int = 8  # fully connected layers from z to w; 0 = w is the normalised z
    mapping_fmaps: int = 512  # width of the hidden mapping layers
    mapping_lr_mul: float = 0.01  # learning-rate multiplier of the mapping network
    mapping_nonlinearity: Nonlinearity = "lrelu"
    normalize_z: bool = True  # pixel norm on the mapping network's input
    const_input: bool = True  # start from a learned 4×4 constant (D…F) rather than from w (B, C)
    use_styles: bool = True  # AdaIN styles in every layer (C…F)
    use_noise: bool = True  # noise inputs in every layer (E, F)
    use_pixel_norm: bool = False  # normalise over channels after every activation (B)
    use_instance_norm: bool = True  # normalise every feature map before its style (C…F)
    style_mixing_prob: float = 0.9  # share of training batches that mix two latents (F); 0 = never
    w_mean_beta: float = 0.995  # how much of w̄ each training batch keeps
    default_psi: float = 0.7  # truncation ψ that the model was published with; 1 = none
    default_cutoff: int | None = 8  # layers that truncation touches, from the coarsest; None = all

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("z_dim", "w_dim", "mapping_fmaps"):
            _whole(self, name, 1, 1 << 16)
        _whole(self, "mapping_layers", 0, 64)
        _choice(self, "mapping_nonlinearity")
        flags = ("normalize_z", "const_input", "use_styles", "use_noise", "use_pixel_norm", "use_instance_norm")
        for name in flags:
            _require(isinstance(getattr(self, name), bool), f"{name} is true or false.")
        _real(self, "mapping_lr_mul", 1e-6, 1e3)
        _real(self, "style_mixing_prob", 0.0, 1.0)
        _real(self, "w_mean_beta", 0.0, 1.0)
        _real(self, "default_psi", -100.0, 100.0)
        if self.default_cutoff is not None:
            _whole(self, "default_cutoff", 0, 64)
        if self.mapping_layers == 0:
            width = self.z_dim * (2 if self.label_dim else 1)
            _require(self.w_dim == width, f"without mapping layers w_dim equals the mapping's input width, {width}.")

    @property
    def num_layers(self) -> int:
        """Layers of the synthesis network: two per resolution from 4² up."""
        return 2 * self.log2_resolution - 2

    @property
    def num_ws(self) -> int:
        """L: how many w vectors a picture takes; one per layer, or a single one without styles."""
        return self.num_layers if self.use_styles else 1

    def layer_resolution(self, layer: int) -> int:
        """Pixels per side at which `layer` works: 4, 4, 8, 8, 16, …"""
        return int(2 ** (layer // 2 + 2))

    def layer_fmaps(self, layer: int) -> int:
        """Output channels of `layer`."""
        return self.fmaps(layer // 2 + 1)


@dataclass(frozen=True)
class DiscriminatorConfig(_NetworkConfig):
    """Discriminator (Karras et al. 2018 with the blur of 2019). The defaults are the paper's at 1024²."""

    mbstd_group_size: int = 4  # samples whose standard deviation is compared; ≤ 1 = no such layer
    mbstd_features: int = 1  # feature maps that it adds

    def __post_init__(self) -> None:
        super().__post_init__()
        _whole(self, "mbstd_group_size", 0, 1 << 16)
        _whole(self, "mbstd_features", 1, 1 << 16)
        _require(
            self.mbstd_group_size <= 1 or self.fmaps(1) % self.mbstd_features == 0,
            f"mbstd_features divides the {self.fmaps(1)} feature maps at 4×4: {self.mbstd_features} does not.",
        )


# Table 1 of the paper, as differences from F (FACTS §7). A is not one of them: it is the Progressive GAN of 2018, other
# networks (labels joined to z, no blur, pixel norm, no mapping, trained with WGAN-GP), not these with options off.
PAPER_PRESETS: dict[str, dict[str, Any]] = {
    "b": {
        "const_input": False, "use_styles": False, "use_noise": False, "use_pixel_norm": True,
        "use_instance_norm": False, "mapping_layers": 0, "style_mixing_prob": 0.0,
        "default_psi": 1.0, "default_cutoff": None,
    },
    "c": {"const_input": False, "use_noise": False, "style_mixing_prob": 0.0},
    "d": {"use_noise": False, "style_mixing_prob": 0.0},
    "e": {"style_mixing_prob": 0.0},
    "f": {},
}  # fmt: skip


def generator_preset(name: str, **overrides: Any) -> GeneratorConfig:
    """The paper's configuration B, C, D, E or F (case does not matter), with `overrides`."""
    key = str(name).lower()
    if key not in PAPER_PRESETS:
        raise InputError(f"preset {name!r} is unknown; known are b, c, d, e and f (A is the Progressive GAN of 2018).")
    return GeneratorConfig(**{**PAPER_PRESETS[key], **overrides})


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(message)


def _whole(config: object, name: str, low: int, high: int) -> None:
    value = getattr(config, name)
    fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    _require(fits, f"{name} is a whole number from {low} to {high}, not {value!r}.")


def _real(config: object, name: str, low: float, high: float) -> None:
    value = getattr(config, name)
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    _require(fits, f"{name} is a number from {low:g} to {high:g}, not {value!r}.")


def _choice(config: object, name: str) -> None:
    value = getattr(config, name)
    _require(value in ("lrelu", "relu"), f"{name} is 'lrelu' or 'relu', not {value!r}.")
