"""Networks that come as TorchScript files: Inception-v3 and VGG16 with LPIPS as StyleGAN2-ADA and later papers use
them, and any of one's own. They are given as a path, or fetched once, checked by SHA-256 before anything reads them.

Only with these Inception features is a Fréchet distance called FID, and comparable with papers. A TorchScript file is a
program: open none that you do not trust.

Names, hashes and options are those that public code states. The files themselves were not at hand where this project
is tested: its tests run stand-ins of the same interface, and no number here was held against a published FID yet.
"""

import hashlib
import http.client
import os
import urllib.request
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stylegan.atomic import replacing
from stylegan.data.cache import cache_root
from stylegan.errors import InputError
from stylegan.metrics.features import check_pictures
from stylegan.metrics.measurement import INCEPTION

_CDN = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/"
_TIMEOUT_SEC = 30.0
_BATCH = 16


@dataclass(frozen=True)
class Known:
    """A file of the field: its name beside numbers, where it comes from, and the hash of its bytes."""

    name: str
    file: str
    sha256: str
    width: int
    options: Mapping[str, bool] = field(default_factory=dict)


KNOWN = {
    "inception": Known(
        INCEPTION, "inception-2015-12-05.pt",
        "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4", 2048, {"return_features": True},
    ),
    "vgg16": Known(
        "VGG16", "vgg16.pt",
        "b437eb095feaeb0b83eb3fa11200ebca4548ee39a07fb944a417ddc516cc07c3", 4096, {"return_features": True},
    ),
}  # fmt: skip
LPIPS = "VGG16-LPIPS"


class ScriptedFeatures:
    """A TorchScript network as an extractor: uint8 `[N, 3, H, W]` → `[N, D]`, resized by the network itself."""

    def __init__(self, path: Path, name: str, options: Mapping[str, bool], device: str | torch.device = "cpu") -> None:
        """Raises InputError when the file cannot be read, or gives no vectors for pictures."""
        self.name = name
        self.digest = f"{_sha256(path)[:32]}-{'-'.join(sorted(options))}"
        self._device, self._options = torch.device(device), dict(options)
        self._net = _opened(path, self._device)
        self.width = self._call(torch.zeros(2, 64, 64, 3, dtype=torch.uint8)).shape[1]

    def features(self, pictures: Tensor) -> Tensor:
        """uint8 `[N, H, W, 3]` → float32 `[N, D]`."""
        check_pictures(pictures)
        parts = [self._call(part) for part in torch.split(pictures, _BATCH)]
        return torch.cat(parts) if parts else torch.zeros(0, self.width)

    def _call(self, pictures: Tensor) -> Tensor:
        x = pictures.to(self._device).permute(0, 3, 1, 2).contiguous()
        return _vectors(self.name, len(pictures), lambda: self._net(x, **self._options))


class ScriptedDistance:
    """LPIPS of a TorchScript VGG16 (Zhang et al. 2018): the squared distance of what it gives with `return_lpips`."""

    def __init__(self, path: Path, device: str | torch.device = "cpu") -> None:
        """Raises InputError as `ScriptedFeatures`."""
        self.name = LPIPS
        self.digest = _sha256(path)[:32]
        self._device = torch.device(device)
        self._net = _opened(path, self._device)

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Pictures `[N, 3, H, W]` from 0 to 255 → `[N]` on the CPU."""
        x = torch.cat([a, b]).to(self._device)

        def call() -> Any:
            return self._net(x, resize_images=False, return_lpips=True)

        first, second = _vectors(self.name, len(x), call).chunk(2)
        return (first - second).double().square().sum(dim=1).float()


def _vectors(name: str, count: int, call: Any) -> Tensor:
    try:
        with torch.inference_mode():
            found = call()
    except (RuntimeError, TypeError) as error:
        told = (str(error).strip().splitlines() or [""])[-1][:200]
        raise InputError(f"{name} cannot read these pictures: {told}") from error
    if not isinstance(found, Tensor) or found.ndim < 2 or len(found) != count:
        raise InputError(f"{name} does not give one vector for each picture [N, 3, H, W].")
    return found.flatten(1).float().cpu()


def _opened(path: Path, device: torch.device) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of TorchScript's future: papers' numbers are made with these
            return torch.jit.load(str(path), map_location=device).eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"{path.name} is not a TorchScript file that can be read.") from error


def find(key: str, given: str | os.PathLike[str] | None = None, cache: str | os.PathLike[str] | None = None) -> Path:
    """The file of `KNOWN[key]`: `given`, or the one in the cache, fetched first where there is a network.

    Raises:
        InputError: not there, another file, or no network; the message says where to put it.
    """
    known = KNOWN[key]
    if given is not None:
        path = Path(given)
        if not path.is_file():
            raise InputError(f"There is no file {path}.")
        _check(path, known)
        return path
    path = cache_root(cache).parent / "extractors" / known.file
    if not path.is_file():
        _fetch(known, path)
    _check(path, known)
    return path


def _fetch(known: Known, path: Path) -> None:
    """Bring the file, which stands at `path` only when it is whole and the right one."""
    hint = f"Put it there by hand ({_CDN}{known.file}), or give its path."
    seen = hashlib.sha256()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            urllib.request.urlopen(_CDN + known.file, timeout=_TIMEOUT_SEC) as answer,
            replacing(path) as temporary,
            open(temporary, "wb") as file,
        ):
            while part := answer.read(1 << 20):
                seen.update(part)
                file.write(part)
            if seen.hexdigest() != known.sha256:
                raise InputError(f"What came for {known.name} is another file or half of it (SHA-256 differs). {hint}")
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        reason = str(getattr(error, "reason", "") or getattr(error, "strerror", "") or error).rstrip(".")[:200]
        raise InputError(f"{known.name} is not at {path} and cannot be fetched ({reason}). {hint}") from error


def _check(path: Path, known: Known) -> None:
    if _sha256(path) != known.sha256:
        raise InputError(f"{path} is not the {known.name} that papers use (its SHA-256 differs): remove it.")


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
