"""NVIDIA's StyleGAN pickles: the tuple (G, D, Gs), or one network (FACTS §10).

Everything comes from the records in the file: build functions, options, variables. Gs, the moving average of G, is the
generator that pictures are made with; G is not read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stylegan.config import DiscriminatorConfig, GeneratorConfig
from stylegan.convert.options import Options, discriminator_config, generator_config
from stylegan.convert.source import Source, Variable
from stylegan.convert.stored import NetworkRecord, StoredArray
from stylegan.errors import ConversionError
from stylegan.model_file import About

GENERATOR, DISCRIMINATOR = "G_style", "D_basic"
VERSIONS = (2, 3, 4)  # of the record; 4 is what the StyleGAN2 code writes, also for networks of the first StyleGAN
MAX_NETWORKS = 64
Tree = Any


def read_official(path: Path, tree: Tree) -> tuple[list[Source], list[str]]:
    """The generator and the discriminator in `tree`, what `read_pickle` returned, and what was found, in sentences.

    Raises:
        ConversionError: no network in it, or one that is not of the first StyleGAN, or that its options do not fit.
    """
    records = [_Record(path, record) for record in _networks(path, tree)]
    names = ", ".join(f"{record.name} ({record.function})" for record in records)
    found = [f"An official pickle with {_counted(len(records), 'network')}: {names}."]
    generators = [record for record in records if record.function == GENERATOR]
    discriminators = [record for record in records if record.function == DISCRIMINATOR]
    others = [record for record in records if record.function not in (GENERATOR, DISCRIMINATOR)]
    if others and not generators:
        raise ConversionError(others[0].explain())
    sources = []
    if generators:
        averages = [record for record in generators if record.name == "Gs"]
        chosen = (averages or generators)[-1]
        if len(generators) > 1:
            found.append(f"The generator is {chosen.name}, the moving average of the weights.")
        sources.append(chosen.generator())
        found.append(_kept(sources[0].config))
    if discriminators:
        sources.append(discriminators[0].discriminator())
    found += [f"Left out: {record.name}, built by {record.function}." for record in others]
    for source in sources:
        source.check()
    return sources, found


def _networks(path: Path, tree: Tree) -> list[NetworkRecord]:
    items = [tree] if isinstance(tree, NetworkRecord) else tree
    if not isinstance(items, (tuple, list)) or not items:
        raise ConversionError(f"{path.name} holds {_kind(tree)}, not the networks of an official StyleGAN pickle.")
    if len(items) > MAX_NETWORKS or not all(isinstance(item, NetworkRecord) for item in items):
        stranger = next((item for item in items if not isinstance(item, NetworkRecord)), items)
        raise ConversionError(f"{path.name} holds {_kind(stranger)} where an official pickle has networks.")
    return list(items)


class _Record:
    """One network of the file, looked at with suspicion: every field may be missing or of any kind."""

    def __init__(self, path: Path, record: NetworkRecord) -> None:
        self.path, self.state = path, record.state
        self.name = self._text("name") or "unnamed"
        self.function = self._text("build_func_name").rpartition(".")[2]
        self.here = f"{path.name}, network {self.name!r}"

    def generator(self) -> Source:
        """A G_style network with its two parts."""
        self._check_version()
        parts = self._parts()
        variables = self._variables(self.state, (f"{self.name}/",))
        options = {}
        for key in ("synthesis", "mapping"):
            part = parts.get(key)
            options[key] = self._options(self.state if part is None else part, self.name if part is None else key)
            if part is not None:
                local = self._variables(part, (f"G_{key}/", f"{_text(part, 'name')}/"))
                variables |= {f"G_{key}/{name}": value for name, value in local.items()}
        style = self._options(self.state, self.name)
        lod = variables.pop("lod", None)
        variables.pop("G_synthesis/lod", None)  # set from the wrapper's own before every use
        shapes = {name: value.shape for name, value in variables.items()}
        config = generator_config(style, options["mapping"], options["synthesis"], shapes)
        if not config.use_noise:
            variables = {name: value for name, value in variables.items() if not name.startswith("G_synthesis/noise")}
        unscaled = [
            part
            for part, key in (("map.", "mapping"), ("synth.", "synthesis"))
            if not options[key].flag("use_wscale", True)
        ]
        fused = options["synthesis"].fused_resolution()
        return self._source(config, variables, lod, fused_resolution=fused, unscaled=tuple(unscaled))

    def discriminator(self) -> Source:
        """A D_basic network."""
        self._check_version()
        variables = self._variables(self.state, (f"{self.name}/",))
        lod = variables.pop("lod", None)
        options = self._options(self.state, self.name)
        config = discriminator_config(options, {name: value.shape for name, value in variables.items()})
        return self._source(config, variables, lod, unscaled=() if options.flag("use_wscale", True) else ("",))

    def explain(self) -> str:
        """Why a network that is not of the first StyleGAN cannot be converted."""
        if self.function in ("G_paper", "D_paper"):
            why = "it is a Progressive GAN of 2018, whose networks this project does not have"
        elif self.function in ("G_main", "G_mapping_stylegan2", "G_synthesis_stylegan2", "D_stylegan2", "D_stylegan"):
            why = "it is a StyleGAN2 network, which is not supported yet"
        elif self.function in ("G_mapping", "G_synthesis"):
            why = f"it is one half of a generator; save the whole {GENERATOR} network"
        else:
            why = f"known are {GENERATOR} and {DISCRIMINATOR}"
        return f"{self.here} was built by {_plain(self.function)}: {why}."

    def _check_version(self) -> None:
        version = self.state.get("version")
        if not isinstance(version, int) or version not in VERSIONS:
            known = ", ".join(map(str, VERSIONS))
            raise ConversionError(f"{self.here} has record version {_plain(version)}; known are {known}.")

    def _source(
        self,
        config: GeneratorConfig | DiscriminatorConfig,
        variables: dict[str, StoredArray],
        lod: StoredArray | None,
        fused_resolution: int = 0,
        unscaled: tuple[str, ...] = (),
    ) -> Source:
        total = sum(array.length for array in variables.values())
        if total > self.path.stat().st_size:
            raise ConversionError(f"{self.here}: its variables share their data, which no official file does.")
        about = About(
            name=self.path.stem,
            description=f"Network {self.name} ({self.function}) of an official StyleGAN pickle.",
        )
        plain: Mapping[str, Variable] = variables
        level = self._lod(lod, config.max_lod)
        return Source(self.path.name, self.name, config, plain, about, level, fused_resolution, unscaled)

    def _lod(self, stored: StoredArray | None, max_lod: int) -> float:
        """How far growing had come. The official blend clips, so values outside mean the ends."""
        if stored is None or stored.shape != ():
            raise ConversionError(f"{self.here} lacks the variable lod.")
        value = float(stored.read())
        if not np.isfinite(value):
            raise ConversionError(f"{self.here}: variable lod is not finite.")
        return min(max(value, 0.0), float(max_lod))

    def _parts(self) -> dict[str, dict[str, Any]]:
        """The states of the sub-networks; records of version 2 may have none, and all variables of their own."""
        components = self.state.get("components", {})
        if not isinstance(components, dict):
            raise ConversionError(f"{self.here}: its components are {_kind(components)}.")
        surplus = sorted(set(components) - {"synthesis", "mapping"})
        if surplus:
            raise ConversionError(f"{self.here} has a part that StyleGAN has not: {_plain(surplus[0])}.")
        for key, part in components.items():
            expected = f"G_{key}"
            if not isinstance(part, NetworkRecord) or _text(part.state, "build_func_name") != expected:
                raise ConversionError(f"{self.here}: its part {key} is no {expected} network.")
        return {key: part.state for key, part in components.items()}

    def _options(self, state: dict[str, Any], part: str) -> Options:
        kwargs = state.get("static_kwargs", {})
        if not isinstance(kwargs, dict):
            raise ConversionError(f"{self.here}: its static_kwargs are {_kind(kwargs)}.")
        where = self.here if part == self.name else f"{self.here}, part {part}"
        text = state.get("build_module_src")
        return Options(where, kwargs, text if isinstance(text, str) else "")

    def _variables(self, state: dict[str, Any], prefixes: tuple[str, ...]) -> dict[str, StoredArray]:
        """Local name → array, without a network's own name in front."""
        pairs = state.get("variables", [])
        if isinstance(pairs, dict):
            pairs = list(pairs.items())
        variables: dict[str, StoredArray] = {}
        for pair in pairs if isinstance(pairs, (list, tuple)) else [None]:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise ConversionError(f"{self.here}: its variables are no list of names and arrays.")
            name, value = pair
            if not isinstance(name, str) or not isinstance(value, StoredArray):
                raise ConversionError(f"{self.here}: variable {_plain(name)} is {_kind(value)}, not an array.")
            for prefix in prefixes:
                name = name.removeprefix(prefix)
            if name in variables:
                raise ConversionError(f"{self.here} has the variable {_plain(name)} twice.")
            variables[name] = value
        return variables

    def _text(self, key: str) -> str:
        return _text(self.state, key)


def _text(state: dict[str, Any], key: str) -> str:
    """A name in the record, fit for one line of a message."""
    value = state.get(key)
    return "".join(c if c.isprintable() else "?" for c in value[:60]) if isinstance(value, str) else ""


def _kind(value: object) -> str:
    return f"a {type(value).__name__}" if value is not None else "nothing"


def _plain(value: object) -> str:
    return repr(value)[:80] if isinstance(value, (str, int, float)) else _kind(value)


def _kept(config: GeneratorConfig | DiscriminatorConfig) -> str:
    noise = f" and {config.num_layers} noise images" if isinstance(config, GeneratorConfig) and config.use_noise else ""
    return f"Kept as they are: w̄{noise}."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
