"""The rendered portraits: an endless, licence-free data set of stylised heads with known attributes.

`portraits(seed, indices, resolution)` gives pictures and attributes; both depend on (seed, index) alone, on any device
and in any batch. What attributes do not tell (strands, freckles, wrinkles' places, cloth) comes from a noise stream of
its own: `render` draws the same attributes with other noise.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from stylegan.data.portraits.attributes import (
    ATTRIBUTES,
    GLASSES_SHAPES,
    HAIR_STYLES,
    NECKLINES,
    AttributeSpec,
    PortraitAttributes,
    attribute_matrix,
    attribute_names,
    from_matrix,
    sample,
)
from stylegan.data.portraits.compose import draw
from stylegan.data.portraits.noise import hash_ids
from stylegan.errors import InputError
from stylegan.images import to_uint8
from stylegan.seeds import check_seed

__all__ = [
    "ATTRIBUTES",
    "GLASSES_SHAPES",
    "HAIR_STYLES",
    "NECKLINES",
    "AttributeSpec",
    "PortraitAttributes",
    "attribute_matrix",
    "attribute_names",
    "from_matrix",
    "noise_ids",
    "portraits",
    "render",
    "sample_attributes",
]

_NOISE_STREAM = 0x5EED
_MAX_RESOLUTION = 1024
_CHUNK_SAMPLES = {"cpu": 1 << 17, "cuda": 1 << 23}  # sample points drawn at a time


def _check_indices(indices: Tensor | Sequence[int], device: torch.device | str) -> Tensor:
    try:
        index = torch.as_tensor(indices, device=device)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise InputError("indices are whole numbers from 0 on, such as [0, 1, 2].") from None
    if index.numel() == 0:
        index = index.to(torch.int64)
    if index.ndim != 1 or index.is_floating_point() or index.is_complex() or index.dtype == torch.bool:
        raise InputError(f"indices are a list of whole numbers, not {tuple(index.shape)} {index.dtype}.")
    return index.to(torch.int64)


def sample_attributes(
    seed: int, indices: Tensor | Sequence[int], device: torch.device | str = "cpu"
) -> PortraitAttributes:
    """Attributes of portraits `indices` (whole numbers, N of them) of data set `seed`: float32 `[N]` each.

    Raises:
        InputError: a seed outside 0 … 2³²−1, or indices that are no list of whole numbers.
    """
    return sample(check_seed(seed), _check_indices(indices, device))


def noise_ids(seed: int, indices: Tensor | Sequence[int], device: torch.device | str = "cpu") -> Tensor:
    """The noise that belongs to each portrait: int64 `[N]`, for `render`. Another `seed` gives other noise."""
    return hash_ids(check_seed(seed), _check_indices(indices, device), _NOISE_STREAM)


def render(attributes: PortraitAttributes, noise_ids: Tensor, resolution: int, supersample: int = 2) -> Tensor:
    """Draw portraits: float32 `[N, 3, R, R]` in [−1, 1], on the attributes' device.

    Args:
        attributes: N rows.
        noise_ids: int64 `[N]`, from `noise_ids`; the same attributes with other ids differ in stochastic detail only.
        resolution: R, 4 to 1024; the same portrait at another R is the same picture, finer.
        supersample: points per pixel and axis for colours and soft edges, 1 to 4.

    Raises:
        InputError: a size out of range, or a number of ids that is not the number of rows.
    """
    if isinstance(resolution, bool) or not isinstance(resolution, int) or not 4 <= resolution <= _MAX_RESOLUTION:
        raise InputError(f"resolution is a whole number from 4 to {_MAX_RESOLUTION}, not {resolution!r}.")
    if supersample not in (1, 2, 3, 4):
        raise InputError(f"supersample is 1, 2, 3 or 4, not {supersample!r}.")
    if noise_ids.shape != (len(attributes),) or noise_ids.dtype != torch.int64:
        raise InputError(f"{len(attributes)} portraits need as many noise ids (int64), not {tuple(noise_ids.shape)}.")
    samples = (resolution * supersample) ** 2
    size = max(1, _CHUNK_SAMPLES.get(noise_ids.device.type, 1 << 20) // samples)
    if not len(attributes):
        return torch.empty(0, 3, resolution, resolution, device=noise_ids.device)
    with torch.no_grad():
        parts = [
            draw(attributes[i : i + size], noise_ids[i : i + size], resolution, supersample)
            for i in range(0, len(attributes), size)
        ]
    return torch.cat(parts)


def portraits(
    seed: int, indices: Tensor | Sequence[int], resolution: int, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Portraits `indices` of data set `seed`: pictures uint8 `[N, R, R, 3]` and attributes float32 `[N, A]`.

    The columns are `attribute_names()`. Raises InputError as `sample_attributes` and `render` do.
    """
    attributes = sample_attributes(seed, indices, device)
    pictures = render(attributes, noise_ids(seed, indices, device), resolution)
    return to_uint8(pictures), attribute_matrix(attributes)
