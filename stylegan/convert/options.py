"""Options of the official networks → this project's configs (FACTS §2–5).

An option that a file states counts; where it states none, what the shapes of the variables show; and else the official
default, which our configs share.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.convert.shapes import Shapes, discriminator_options, generator_options
from stylegan.convert.source import NEVER_FUSED
from stylegan.convert.stored import StoredArray
from stylegan.convert.tf_names import AUTO_FUSED_RESOLUTION
from stylegan.errors import ConversionError, InputError

SMALLEST_FUSED = 8  # fused_scale=True fuses from the first layer that doubles the size

_SHARED = {
    "num_channels": "image_channels",
    "resolution": "resolution",
    "label_size": "label_dim",
    "fmap_base": "fmap_base",
    "fmap_decay": "fmap_decay",
    "fmap_max": "fmap_max",
    "nonlinearity": "nonlinearity",
    "blur_filter": "blur_filter",
}
_SYNTHESIS = _SHARED | {
    "use_styles": "use_styles",
    "const_input_layer": "const_input",
    "use_noise": "use_noise",
    "use_pixel_norm": "use_pixel_norm",
    "use_instance_norm": "use_instance_norm",
}
_MAPPING = {
    "latent_size": "z_dim",
    "label_size": "label_dim",
    "dlatent_size": "w_dim",
    "mapping_layers": "mapping_layers",
    "mapping_fmaps": "mapping_fmaps",
    "mapping_lrmul": "mapping_lr_mul",
    "mapping_nonlinearity": "mapping_nonlinearity",
    "normalize_latents": "normalize_z",
}
_STYLE = {
    "style_mixing_prob": "style_mixing_prob",
    "dlatent_avg_beta": "w_mean_beta",
    "truncation_psi": "default_psi",
    "truncation_cutoff": "default_cutoff",
}
_DISCRIMINATOR = _SHARED | {"mbstd_group_size": "mbstd_group_size", "mbstd_num_features": "mbstd_features"}
_WITHOUT = {"style_mixing_prob": 0.0, "dlatent_avg_beta": 1.0, "blur_filter": ()}  # what None means

# These say how the official code computes or trains, not what: pictures do not depend on them.
_HARMLESS = {
    "func_name", "dtype", "structure", "randomize_noise", "dlatent_broadcast", "is_training", "is_validation",
    "is_template_graph", "force_clean_graph", "return_dlatents", "truncation_psi_val", "truncation_cutoff_val",
}  # fmt: skip
_HANDLED_HERE = {"use_wscale", "fused_scale"}
_KNOWN = {*_SYNTHESIS, *_MAPPING, *_STYLE, *_DISCRIMINATOR, *_HARMLESS, *_HANDLED_HERE}


@dataclass(frozen=True)
class Options:
    """The keyword arguments that one network, or one part of it, was built with."""

    where: str  # for messages
    values: Mapping[str, Any]
    source_text: str = ""  # the module that the network was built by, as far as the file has it; only searched

    def check(self) -> None:
        """ConversionError for an option that is not known here.

        The official functions ignore options that they do not have, so one that the network's own source text never
        mentions has no effect.
        """
        for name in self.values:
            if name in _KNOWN:
                continue
            if not self.source_text or re.search(rf"\b{re.escape(name)}\b", self.source_text):
                raise ConversionError(
                    f"{self.where} was built with the option {_shown(name)}, which is not known here: "
                    "its pictures would come out wrong."
                )

    def flag(self, name: str, default: bool) -> bool:
        """A yes-or-no option."""
        return bool(self._take(name, False)) if name in self.values else default

    def fused_resolution(self) -> int:
        """fused_scale: the output size from which up-sampling is a transposed convolution."""
        value = self._take("fused_scale", False) if self.values.get("fused_scale", "auto") != "auto" else "auto"
        choices = {"auto": AUTO_FUSED_RESOLUTION, True: SMALLEST_FUSED, False: NEVER_FUSED}
        if isinstance(value, (bool, str)) and value in choices:
            return choices[value]
        raise ConversionError(f"{self.where}: fused_scale is 'auto', True or False, not {_shown(value)}.")

    def stated(self, names: Mapping[str, str], kind: type) -> dict[str, Any]:
        """Those of the options `names` (official name → field of `kind`) that are stated, as fields."""
        defaults = {field.name: field.default for field in fields(kind)}
        return {ours: self._take(theirs, defaults[ours]) for theirs, ours in names.items() if theirs in self.values}

    def _take(self, name: str, like: object) -> Any:
        """A plain value of the type of `like`, a field's default."""
        value = self.values[name]
        if isinstance(value, StoredArray) and value.shape == ():
            value = value.read().item()
        if value is None and name in _WITHOUT:
            return _WITHOUT[name]
        if isinstance(like, tuple) and isinstance(value, (list, tuple)):
            return tuple(float(tap) if isinstance(tap, (int, float)) else tap for tap in value[:64])
        if isinstance(like, bool) and isinstance(value, int) and value in (0, 1):
            return bool(value)
        if isinstance(value, bool):
            raise ConversionError(f"{self.where}: the option {name} is not {value}.")
        if isinstance(like, int) and isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(like, float) and isinstance(value, int):
            return float(value)
        if isinstance(value, (int, float, str)):
            return value
        raise ConversionError(f"{self.where}: the option {name} is no {type(like).__name__}: {_shown(value)}.")


def generator_config(style: Options, mapping: Options, synthesis: Options, shapes: Shapes) -> GeneratorConfig:
    """The config of a G_style network from its own options and those of its two parts."""
    for part in (style, mapping, synthesis):
        part.check()
    seen = generator_options(shapes)
    if any(name in synthesis.values for name in ("fmap_base", "fmap_decay", "fmap_max")):
        seen = {name: value for name, value in seen.items() if not name.startswith("fmap_")}
    stated = mapping.stated(_MAPPING, GeneratorConfig) | synthesis.stated(_SYNTHESIS, GeneratorConfig)
    truncation = _truncation(style)
    training = {k: v for k, v in _STYLE.items() if not k.startswith("truncation")}
    stated |= style.stated(training, GeneratorConfig) | truncation
    config = _made(GeneratorConfig, seen | stated, style.where)
    assert isinstance(config, GeneratorConfig)
    return config


def discriminator_config(options: Options, shapes: Shapes) -> DiscriminatorConfig:
    """The config of a D_basic network."""
    options.check()
    seen = discriminator_options(shapes)
    if any(name in options.values for name in ("fmap_base", "fmap_decay", "fmap_max")):
        seen = {name: value for name, value in seen.items() if not name.startswith("fmap_")}
    config = _made(DiscriminatorConfig, seen | options.stated(_DISCRIMINATOR, DiscriminatorConfig), options.where)
    assert isinstance(config, DiscriminatorConfig)
    return config


def _truncation(style: Options) -> dict[str, Any]:
    """ψ and cutoff of the published model. In the official code None, or a cutoff of 0, means no truncation at all."""
    values = {"truncation_psi": 0.7, "truncation_cutoff": 8} | dict(style.values)
    off = values["truncation_psi"] is None or values["truncation_cutoff"] is None
    stated = {} if off else style.stated({k: v for k, v in _STYLE.items() if k.startswith("trunc")}, GeneratorConfig)
    cutoff = stated.get("default_cutoff", 8)
    if off or (isinstance(cutoff, int) and cutoff <= 0):
        return {"default_psi": 1.0, "default_cutoff": None}
    return stated


def _made(kind: type, values: dict[str, Any], where: str) -> GeneratorConfig | DiscriminatorConfig:
    try:
        config = kind(**values)
    except InputError as error:
        raise ConversionError(f"{where}: {error}") from error
    assert isinstance(config, (GeneratorConfig, DiscriminatorConfig))
    return config


def _shown(value: object) -> str:
    """A value from the file, fit for one line of a message: containers are only named."""
    return repr(value)[:60] if isinstance(value, (str, int, float, bool, type(None))) else f"a {type(value).__name__}"
