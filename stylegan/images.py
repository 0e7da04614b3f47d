"""The only place where float images become uint8 and back, and where pictures are laid out in a grid."""

import numpy as np
import numpy.typing as npt
import torch

from stylegan.errors import InputError

Picture = npt.NDArray[np.uint8]


def to_uint8(x: torch.Tensor) -> torch.Tensor:
    """`[N, 3, H, W]` float, about [−1, 1] → uint8 `[N, H, W, 3]`.

    The official conversion: x·127.5 + 128, clamped to 0 … 255 and truncated (convert_images_to_uint8). NaN becomes 0.
    """
    if not isinstance(x, torch.Tensor) or x.ndim != 4 or not x.is_floating_point():
        got = f"{tuple(x.shape)} {x.dtype}" if isinstance(x, torch.Tensor) else type(x).__name__
        raise InputError(f"to_uint8 takes a float tensor [N, C, H, W], not {got}.")
    scaled = (x.detach().float() * 127.5 + 128).clamp(0, 255).nan_to_num(0.0)
    return scaled.permute(0, 2, 3, 1).to(torch.uint8).contiguous()


def from_uint8(u: torch.Tensor) -> torch.Tensor:
    """uint8 `[N, H, W, 3]` → float32 `[N, 3, H, W]` in [−1, 1]: u·2/255 − 1, the training convention."""
    if not _is_uint8(u):
        got = f"{tuple(u.shape)} {u.dtype}" if isinstance(u, torch.Tensor) else type(u).__name__
        raise InputError(f"from_uint8 takes a uint8 tensor [N, H, W, C], not {got}.")
    return u.permute(0, 3, 1, 2).float() * (2 / 255) - 1


def grid(pictures: torch.Tensor, columns: int | None = None, pad_px: int = 0, background: int = 255) -> Picture:
    """uint8 `[N, H, W, 3]` → one picture uint8 `[rows·H + …, columns·W + …, 3]`, row by row, `pad_px` between cells.

    `columns` None lays the cells out as squarely as it can, wider than high. Cells left over show `background`.
    """
    if not _is_uint8(pictures) or not pictures.numel():
        raise InputError("A grid takes at least one picture: uint8 [N, H, W, 3].")
    n, h, w, c = pictures.shape
    columns = int(np.ceil(np.sqrt(n))) if columns is None else columns
    _check_whole("columns", columns, 1, 1 << 16)
    _check_whole("pad_px", pad_px, 0, 4096)
    _check_whole("background", background, 0, 255)
    rows = -(-n // columns)
    shape = (rows * (h + pad_px) - pad_px, columns * (w + pad_px) - pad_px, c)
    canvas = np.full(shape, background, dtype=np.uint8)
    for i, picture in enumerate(pictures.cpu().numpy()):
        y, x = (i // columns) * (h + pad_px), (i % columns) * (w + pad_px)
        canvas[y : y + h, x : x + w] = picture
    return canvas


def _is_uint8(u: object) -> bool:
    return isinstance(u, torch.Tensor) and u.ndim == 4 and u.dtype == torch.uint8


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} of a grid is a whole number from {low} to {high}, not {value!r}.")
