"""From what people type to what measures: extractors, distances and scorers by name or path."""

import os
from pathlib import Path

import torch

from stylegan.directions.attribute_net import ENDING, load_scorer
from stylegan.directions.scores import Scorer
from stylegan.errors import InputError
from stylegan.metrics import features, scripted
from stylegan.metrics.features import Extractor, Lite0Features
from stylegan.metrics.perceptual import Distance, Lite0Distance

EXTRACTORS = (features.DEFAULT, *scripted.KNOWN)


def open_extractor(
    spec: str, device: str | torch.device = "cpu", cache: str | os.PathLike[str] | None = None
) -> Extractor:
    """`lite0`; `inception` or `vgg16`, fetched once or `inception:FILE`; or the path of any TorchScript file.

    Raises:
        InputError: unknown, missing, or not what it should be.
    """
    name, _, given = spec.partition(":")
    if spec == features.DEFAULT:
        return Lite0Features(device)
    if name in scripted.KNOWN:
        known = scripted.KNOWN[name]
        path = scripted.find(name, given or None, cache)
        return scripted.ScriptedFeatures(path, known.name, known.options, device)
    path = Path(spec)
    if not path.is_file():
        raise InputError(f"An extractor is {', '.join(EXTRACTORS)} or the path of a TorchScript file, not {spec!r}.")
    return scripted.ScriptedFeatures(path, f"TorchScript {path.stem}", {}, device)


def open_distance(
    spec: str, device: str | torch.device = "cpu", cache: str | os.PathLike[str] | None = None
) -> Distance:
    """`lite0`, or `vgg16` / `vgg16:FILE` for LPIPS as papers use it. Raises InputError as `open_extractor`."""
    name, _, given = spec.partition(":")
    if spec == features.DEFAULT:
        return Lite0Distance(device)
    if name == "vgg16":
        return scripted.ScriptedDistance(scripted.find(name, given or None, cache), device)
    raise InputError(f"A perceptual distance is {features.DEFAULT}, vgg16 or vgg16:FILE, not {spec!r}.")


def scorer_beside(model: Path) -> Path | None:
    """NAME.attributes.safetensors beside the model NAME, where there is one."""
    path = model.with_name(model.name.removesuffix(".safetensors") + ENDING)
    return path if path.is_file() else None


def open_scorer(given: Path | None, model: Path, device: str | torch.device = "cpu") -> Scorer | None:
    """The scorer `given`, or the one beside the model; None where there is none."""
    path = given or scorer_beside(model)
    return load_scorer(path, device) if path else None
