"""What the networks accept: each function returns its argument ready for use, or raises InputError with one sentence.

`like` is a parameter of the network: arguments come to its dtype; its device is not changed silently.
"""

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Literal, Protocol

import torch
from torch import Tensor

from stylegan.errors import InputError

Noise = Literal["stored", "random", "none"] | Sequence[Tensor | None]


class _ShapeTest(Protocol):
    def __call__(self, shape: tuple[int, ...], /) -> bool: ...


def lod(value: float, max_lod: int) -> float:
    """A level of detail from 0 (finest) to `max_lod` (4×4)."""
    number = _real(value, "lod")
    if not 0 <= number <= max_lod:
        raise InputError(f"lod is from 0 (full resolution) to {max_lod} (4×4), not {value!r}.")
    return number


def psi(value: float) -> float:
    """Truncation ψ: any finite number."""
    return _real(value, "psi")


def cutoff(value: int | None, num_ws: int) -> int:
    """How many layers truncation touches; None = all."""
    if value is None:
        return num_ws
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= value <= num_ws:
        raise InputError(f"cutoff is a number of layers from 0 to {num_ws}, or None for all, not {value!r}.")
    return int(value)


def latents(z: Tensor, z_dim: int, like: Tensor) -> Tensor:
    """z `[N, z_dim]`."""
    return _floats(z, f"z is a float tensor [N, {z_dim}]", like, lambda s: len(s) == 2 and s[1] == z_dim)


def styles(w: Tensor, num_ws: int, w_dim: int, like: Tensor) -> Tensor:
    """w `[N, num_ws, w_dim]`."""
    wanted = f"w is a float tensor [N, {num_ws}, {w_dim}], as mapping returns it"
    return _floats(w, wanted, like, lambda s: len(s) == 3 and s[1:] == (num_ws, w_dim))


def images(x: Tensor, channels: int, sizes: Sequence[int], like: Tensor) -> Tensor:
    """Pictures `[N, channels, R, R]` with R one of `sizes`, N ≥ 1."""
    wanted = " or ".join(f"[N, {channels}, {r}, {r}]" for r in dict.fromkeys(sizes))
    allowed = [(channels, r, r) for r in sizes]
    return _floats(x, f"images is a float tensor {wanted}", like, lambda s: s[:1] != (0,) and s[1:] in allowed)


def labels(value: Tensor | None, label_dim: int, count: int, like: Tensor) -> Tensor | None:
    """Labels `[N, label_dim]`, zeros for None; None where the network has no classes."""
    if label_dim == 0:
        if value is not None and not (isinstance(value, Tensor) and value.numel() == 0):
            raise InputError("This network has no classes: leave labels out.")
        return None
    if value is None:
        return like.new_zeros(count, label_dim)
    wanted = f"labels is a float tensor [{count}, {label_dim}], one row a sample"
    return _floats(value, wanted, like, lambda s: s == (count, label_dim))


def noise(value: Noise, sizes: Sequence[int], count: int, like: Tensor) -> str | list[Tensor | None]:
    """One of the three words, or a list with a noise image `[1 or N, 1, H, W]`, or None, for each layer.

    `sizes` are the layers' H = W.
    """
    if isinstance(value, str) and value in ("stored", "random", "none"):
        return value
    if isinstance(value, (str, Tensor)) or not isinstance(value, Sequence) or len(value) != len(sizes):
        raise InputError(f"noise is 'stored', 'random', 'none', or a list of {len(sizes)} tensors, one a layer.")
    checked: list[Tensor | None] = []
    for i, (image, size) in enumerate(zip(value, sizes, strict=True)):
        wanted = f"noise of layer {i} is a float tensor [1 or {count}, 1, {size}, {size}], or None"
        shapes = {(1, 1, size, size), (count, 1, size, size)}
        checked.append(None if image is None else _floats(image, wanted, like, shapes.__contains__))
    return checked


def generator(rng: torch.Generator | None, device: torch.device) -> torch.Generator:
    """A source of random numbers on `device`; a new one, seeded by the system, for None."""
    if rng is None:
        rng = torch.Generator(device=device)
        rng.seed()
    if not isinstance(rng, torch.Generator) or rng.device.type != device.type:
        raise InputError(f"rng is a torch.Generator on {device}, like the network, or None, not {rng!r}.")
    return rng


def device(value: str | torch.device) -> torch.device:
    """A device that this machine has."""
    try:
        found = torch.device(value)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device is 'cpu', 'cuda' or the like; {value!r} is not to be had here: {reason}") from error
    return found


def _real(value: object, name: str) -> float:
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{name} is a finite number, not {str(value)[:40]}.")
    return number


def _floats(x: object, wanted: str, like: Tensor, fits: _ShapeTest) -> Tensor:
    if not isinstance(x, Tensor):
        raise InputError(f"{wanted}, not {type(x).__name__}.")
    if not x.is_floating_point() or not fits(tuple(x.shape)):
        raise InputError(f"{wanted}, not {str(x.dtype).removeprefix('torch.')} {list(x.shape)}.")
    if x.device != like.device:
        raise InputError(f"{wanted}, on {like.device} like the network, not on {x.device}.")
    return x if torch.is_autocast_enabled(x.device.type) else x.to(like.dtype)
