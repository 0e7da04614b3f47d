"""Picture measures that need no training: scores of any model's pictures, in place of an attribute scorer.

With Y the luma (Rec. 601) and colours from 0 to 1:

| score                | what it is                                                                                |
|----------------------|-------------------------------------------------------------------------------------------|
| brightness           | mean of Y                                                                                 |
| contrast             | standard deviation of Y                                                                   |
| colourfulness        | Hasler and Süsstrunk (2003), equation for M̂⁽³⁾, of colours from 0 to 1                     |
| warmth               | mean of red − blue                                                                        |
| hue cos, hue sin     | direction of the mean colour round the grey axis, red at 0°, green at 120°                 |
| symmetry             | 1 − mean of |Y − its mirror image|                                                        |
| sharpness            | log₁₀ of the mean absolute Laplacian of Y                                                 |
| centre x, centre y   | centre of what differs from the background, −1 … 1 to the right and down                  |
| background lightness | mean of Y along the upper edges                                                           |
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan.directions.storage import digest_of
from stylegan.directions.targets import Column
from stylegan.errors import InputError

_VERSION = 1  # another number wherever a score changes: it is what the digest is over
_NAMES = (
    "brightness", "contrast", "colourfulness", "warmth", "hue cos", "hue sin", "symmetry", "sharpness", "centre x",
    "centre y", "background lightness",
)  # fmt: skip
_LUMA = (0.299, 0.587, 0.114)
_EDGE = 8  # edges are 1/8 of the side wide
_TINY = 1e-6


class PictureMeasures:
    """The measures as a scorer."""

    columns = tuple(Column(name, "continuous") for name in _NAMES)
    digest = digest_of(["measures", _VERSION, *_NAMES], {})

    def score(self, pictures: Tensor) -> Tensor:
        """Pictures `[N, 1 or 3, R, R]`, about [−1, 1], R ≥ 8 → float32 `[N, 11]` on the CPU."""
        if pictures.ndim != 4 or pictures.shape[1] not in (1, 3) or min(pictures.shape[2:]) < _EDGE:
            raise InputError(f"Pictures are [N, 1 or 3, R, R], R from {_EDGE}, not {list(pictures.shape)}.")
        rgb = (pictures.detach().float().clamp(-1, 1).expand(-1, 3, -1, -1) + 1) / 2
        y = (rgb * rgb.new_tensor(_LUMA)[:, None, None]).sum(dim=1)
        columns = [y.mean(dim=(1, 2)), y.std(dim=(1, 2), unbiased=False), _colourfulness(rgb)]
        columns += [(rgb[:, 0] - rgb[:, 2]).mean(dim=(1, 2)), *_hue(rgb), 1 - (y - y.flip(2)).abs().mean(dim=(1, 2))]
        columns += [_sharpness(y), *_centre(rgb), _upper_edges(y).mean(dim=1)]
        return torch.stack(columns, dim=1).cpu()


def _colourfulness(rgb: Tensor) -> Tensor:
    red, green, blue = rgb.flatten(2).unbind(1)
    rg, yb = red - green, (red + green) / 2 - blue
    spread = (rg.var(dim=1, unbiased=False) + yb.var(dim=1, unbiased=False)).sqrt()
    return spread + 0.3 * torch.hypot(rg.mean(dim=1), yb.mean(dim=1))


def _hue(rgb: Tensor) -> tuple[Tensor, Tensor]:
    red, green, blue = rgb.mean(dim=(2, 3)).unbind(1)
    x, y = red - (green + blue) / 2, (green - blue) * 0.75**0.5
    length = torch.hypot(x, y).clamp_min(_TINY)  # grey pictures get 0, 0
    return x / length, y / length


def _sharpness(y: Tensor) -> Tensor:
    kernel = y.new_tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    return F.conv2d(y[:, None], kernel[None, None]).abs().mean(dim=(1, 2, 3)).clamp_min(_TINY).log10()


def _upper_edges(x: Tensor) -> Tensor:
    """`[N, …, R, R]` → the pixels of the top strip and of the upper halves of the side strips, `[N, …, P]`."""
    height, width = x.shape[-2:]
    edge_y, edge_x = height // _EDGE, width // _EDGE
    sides = torch.cat([x[..., edge_y : height // 2, :edge_x], x[..., edge_y : height // 2, -edge_x:]], dim=-1)
    return torch.cat([x[..., :edge_y, :].flatten(-2), sides.flatten(-2)], dim=-1)


def _centre(rgb: Tensor) -> tuple[Tensor, Tensor]:
    background = _upper_edges(rgb).median(dim=2).values[:, :, None, None]
    weight = (rgb - background).square().sum(dim=1) + _TINY
    total = weight.sum(dim=(1, 2))
    across = torch.linspace(-1, 1, rgb.shape[3], device=rgb.device)
    down = torch.linspace(-1, 1, rgb.shape[2], device=rgb.device)
    return (weight * across).sum(dim=(1, 2)) / total, (weight * down[:, None]).sum(dim=(1, 2)) / total
