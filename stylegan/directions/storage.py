"""The safetensors files of this package: tensors, and one JSON document in the metadata key `stylegan`.

The document always has `format` and `kind`; what else it holds is the caller's. Nothing is ever unpickled.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from stylegan.atomic import replacing
from stylegan.errors import InputError, NewerFormatError, NotAModelError, WeightsError
from stylegan.model_file import FORMAT, MAX_METADATA_BYTES, METADATA_KEY

Path_ = str | os.PathLike[str]


def check_name(path: Path_, ending: str) -> Path:
    """`path` if a file NAME`ending` can be written there, else InputError."""
    path = Path(path)
    if not path.name.endswith(ending) or path.name == ending:
        raise InputError(f"This file is called NAME{ending}, not {path.name}.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent} to write {path.name} to.")
    return path


def write(path: Path, kind: str, document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write `tensors` (float32) and `document` in one step; WeightsError where a number is not finite."""
    state = {name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}
    _check_finite(state, path.name)
    text = json.dumps({"format": FORMAT, "kind": kind, **document}, sort_keys=True, allow_nan=False)
    with replacing(path) as temporary:
        save_file(state, temporary, metadata={METADATA_KEY: text})


def read(path: Path_, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The document (without `format` and `kind`) and the tensors of a file of this `kind`.

    Raises:
        NotAModelError: not a whole safetensors file, not one of ours, or of another kind.
        NewerFormatError: from a newer version of this project.
        WeightsError: a tensor is not float32, or not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise NotAModelError(f"There is no file {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise NotAModelError(f"{path.name} is not a whole safetensors file.") from error
    document = _document(path.name, text, kind)
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float32:
            raise WeightsError(f"{path.name}: tensor {name[:80]} is {tensor.dtype}, and only float32 is known here.")
    _check_finite(tensors, path.name)
    return document, tensors


def _document(name: str, text: str | None, kind: str) -> dict[str, Any]:
    if text is None or len(text) > MAX_METADATA_BYTES:
        raise NotAModelError(f"{name} is a safetensors file, but not one of this project (no metadata of ours).")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAModelError(f"{name}: its metadata is damaged (no JSON).") from error
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise NotAModelError(f"{name}: its metadata is damaged (no format).")
    version, found = document.pop("format"), document.pop("kind", None)
    if version > FORMAT:
        raise NewerFormatError(
            f"{name} has format {version}; this version reads up to {FORMAT}. Update this project to open it."
        )
    if found != kind:
        raise NotAModelError(f"{name} holds {str(found)[:40]}, not {kind}.")
    return document


def digest_of(document: object, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over canonical JSON and float32 tensors, hexadecimal."""
    sha = hashlib.sha256(json.dumps(document, sort_keys=True, allow_nan=False).encode())
    for name in sorted(tensors):
        array = tensors[name].detach().float().cpu().contiguous().numpy()
        sha.update(f"{name}{list(array.shape)}".encode() + array.tobytes())
    return sha.hexdigest()


def _check_finite(tensors: Mapping[str, Tensor], name: str) -> None:
    for key, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{name}: tensor {key[:80]} holds values that are not finite (NaN or infinity).")
