"""Latents that come from no seed (a projected photograph), kept under the digest of their numbers for `Stored` sources.

In memory, and in a folder as `DIGEST.safetensors` where one is given. A file is trusted only if its numbers have the
digest that its name says.
"""

import hashlib
import threading
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from explorer.values import RecipeError
from stylegan.atomic import replacing
from stylegan.errors import InputError

DIGEST_LENGTH = 32  # hex digits
MAX_BYTES = 1 << 20  # of one latent: 18 layers of 512 floats are 36 KiB


class LatentStore:
    """w `[w_dim]` or `[L, w_dim]`, float32 on the CPU, by digest. Thread-safe."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept: dict[str, Tensor] = {}
        self._lock = threading.Lock()

    def keep(self, w: Tensor) -> str:
        """Keep `w` and return its digest; InputError where it is no finite w of one or two axes."""
        w = w.detach().to("cpu", torch.float32).contiguous().clone()
        if w.ndim not in (1, 2) or not w.numel() or w.nbytes > MAX_BYTES or not bool(torch.isfinite(w).all()):
            raise InputError(f"A latent to keep is finite numbers [w_dim] or [L, w_dim], not {list(w.shape)}.")
        digest = _digest(w)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._folder / f"{digest}.safetensors") as temporary:
                save_file({"w": w}, temporary)
        with self._lock:
            self._kept[digest] = w
        return digest

    def get(self, digest: str) -> Tensor:
        """The latent; RecipeError where none is kept under `digest` (hex digits, checked by `Stored`)."""
        with self._lock:
            if digest not in self._kept:
                self._kept[digest] = self._read(digest)
            return self._kept[digest]

    def _read(self, digest: str) -> Tensor:
        unknown = RecipeError(
            f"This picture starts from the stored latent {digest[:8]}, which is not kept here: "
            "it can be opened only where it was made."
        )
        file = None if self._folder is None else self._folder / f"{digest}.safetensors"
        if file is None or not file.is_file() or file.stat().st_size > 2 * MAX_BYTES:
            raise unknown
        try:
            w = load_file(file)["w"]
        except (SafetensorError, OSError, KeyError) as error:
            raise unknown from error
        if w.dtype != torch.float32 or _digest(w) != digest:
            raise unknown
        return w


def _digest(w: Tensor) -> str:
    return hashlib.sha256(f"{list(w.shape)}".encode() + w.numpy().tobytes()).hexdigest()[:DIGEST_LENGTH]
