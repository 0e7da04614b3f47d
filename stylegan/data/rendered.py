"""The portraits as training data: rendered once into a cached pyramid, or endlessly as they are asked for.

Rendering happens at full resolution; the coarser levels are box means of that, as for photographs.
"""

import hashlib
import importlib.resources
import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

import torch

from stylegan.data.cache import FORMAT, Facts, cache_root, cached
from stylegan.data.dataset import Batch, Dataset, TrainingData
from stylegan.data.labels import Labels
from stylegan.data.pyramid import PyramidWriter, sides
from stylegan.data.records import Progress
from stylegan.data.renderers import rendered
from stylegan.data.sampling import ShuffledIndices
from stylegan.errors import InputError
from stylegan.images import Picture
from stylegan.seeds import check_seed

PORTRAITS, ENDLESS = "portraits", "portraits:endless"
DEFAULT_COUNT = 50_000
MAX_COUNT = 1_000_000
HEADS_SEED = 0  # of heads rendered beforehand: the same for every training seed, so that runs share a cache

_CPU_PIXELS, _GPU_PIXELS = 1 << 16, 1 << 21  # pictures are rendered together up to this many pixels
_ALONE_PIXELS = 1 << 22  # up to so many it is not worth while to start further processes
_COINS = 4096


def prepare_portraits(
    spec: str,
    resolution: int,
    count: int | None = None,
    *,
    seed: int = 0,
    cache: str | os.PathLike[str] | None = None,
    device: str | torch.device = "cpu",
) -> Generator[Progress, None, TrainingData]:
    """`portraits`: `count` of them from the cache, rendered first where they are missing; `portraits:endless`: live.

    Rendering that was killed goes on where it was. Raises as `prepare`.
    """
    if spec not in (PORTRAITS, ENDLESS):
        raise InputError(f"The portraits are called {PORTRAITS} or {ENDLESS}, not {spec!r}.")
    if spec == ENDLESS:
        if count is not None:
            raise InputError(f"{ENDLESS} has no count: take {PORTRAITS}, or leave the count out.")
        return PortraitsData(resolution, seed, device)
    count = DEFAULT_COUNT if count is None else count
    if not 1 <= count <= MAX_COUNT:
        raise InputError(f"The count of portraits is from 1 to {MAX_COUNT}, not {count}.")

    def build(writer: PyramidWriter) -> Generator[Progress, None, Facts]:
        return (yield from _render_into(writer, resolution, count, device))

    key = _digest(FORMAT, resolution, count)
    folder = f"portraits-{resolution}-{count}-{key[:24]}"
    pyramid, _ = yield from cached(cache_root(cache), folder, resolution, count, build, resumable=True)
    return Dataset(pyramid, _truth(count), name=PORTRAITS, digest=key, seed=seed)


class PortraitsData:
    """An endless stream of portraits that never repeats, rendered on `device` when a batch is asked for."""

    name = ENDLESS
    label_dim = 0

    def __init__(self, resolution: int, seed: int, device: str | torch.device = "cpu") -> None:
        self.resolution = resolution
        self._seed = check_seed(seed)
        self._device = torch.device(device)
        self._coins = ShuffledIndices(_COINS, seed)

    @property
    def digest(self) -> str:
        """Identity of the stream."""
        return _digest(FORMAT, self.resolution, "endless", self._seed)

    def to_memory(self, device: str | torch.device) -> None:
        """From now on render on `device`."""
        self._device = torch.device(device)

    def batch(self, position: int, count: int, resolution: int, mirror: bool) -> Batch:
        """As `TrainingData.batch`; picture number `position` of the stream is portrait (seed, position)."""
        if resolution not in sides(self.resolution):
            raise InputError(f"{self.name} has the resolutions {sides(self.resolution)}, not {resolution}.")
        coins = torch.from_numpy(self._coins.mirrored(position, count)).to(self._device)  # checks the arguments too
        stretch, step = range(position, position + count), _together(self.resolution, self._device)
        parts = [
            shrink(render(self._seed, stretch[i : i + step], self.resolution, self._device), resolution)
            for i in range(0, count, step)
        ]
        x = torch.cat(parts).permute(0, 3, 1, 2).contiguous()
        if mirror:
            x = torch.where(coins[:, None, None, None], x.flip(3), x)
        return x, torch.zeros(count, 0, device=x.device)


def render(seed: int, indices: range, resolution: int, device: str | torch.device) -> torch.Tensor:
    """Portraits number `indices` of `seed`: uint8 `[n, resolution, resolution, 3]` on `device`."""
    from stylegan.data.portraits import portraits  # here, because most training needs no renderer

    numbers = torch.arange(indices.start, indices.stop, device=device)
    return portraits(seed, numbers, resolution, device)[0]


def render_all(
    seed: int, indices: range, resolution: int, device: str | torch.device
) -> Generator[Picture, None, None]:
    """Many portraits in turn, uint8 `[n, R, R, 3]`, n as is quick: on the CPU by as many processes as PyTorch may use
    threads. Close it when you stop early.
    """
    step = _together(resolution, device)
    stretches = [indices[i : i + step] for i in range(0, len(indices), step)]
    alone = torch.device(device).type != "cpu" or len(indices) * resolution**2 <= _ALONE_PIXELS
    processes = 1 if alone else min(torch.get_num_threads(), len(stretches))
    if processes > 1:
        yield from rendered(seed, stretches, resolution, processes)
    else:
        for stretch in stretches:
            yield render(seed, stretch, resolution, device).cpu().numpy()


def _truth(count: int) -> Labels:
    """The attributes that the portraits were drawn from; no classes."""
    from stylegan.data.portraits import attribute_matrix, attribute_names, sample_attributes

    values = attribute_matrix(sample_attributes(HEADS_SEED, torch.arange(count)))
    return replace(Labels.none(count), attribute_names=attribute_names(), attributes=values.numpy())


def shrink(pictures: torch.Tensor, resolution: int) -> torch.Tensor:
    """uint8 `[n, R, R, 3]` → `[n, resolution, resolution, 3]`, on any device: one level of `pyramid.box_levels`."""
    factor = pictures.shape[1] // resolution
    if factor == 1:
        return pictures
    exact = pictures.permute(0, 3, 1, 2).float()  # sums of up to 2^16 bytes are exact in float32
    means = torch.nn.functional.avg_pool2d(exact, factor)
    return means.round().to(torch.uint8).permute(0, 2, 3, 1)


def _render_into(
    writer: PyramidWriter, resolution: int, count: int, device: str | torch.device
) -> Generator[Progress, None, Facts]:
    with closing(render_all(HEADS_SEED, range(writer.count, count), resolution, device)) as parts:
        yield Progress("rendering", writer.count, count)
        for pictures in parts:
            writer.append(pictures)
            yield Progress("rendering", writer.count, count)
    return {}


def _together(resolution: int, device: str | torch.device) -> int:
    return max(1, (_CPU_PIXELS if torch.device(device).type == "cpu" else _GPU_PIXELS) // resolution**2)


def _digest(*parts: object) -> str:
    """Hexadecimal SHA-256 of `parts` and of the renderer's source: other code may mean other heads."""
    total = hashlib.sha256(repr(parts).encode())
    files = importlib.resources.files("stylegan.data.portraits").iterdir()
    for file in sorted(files, key=lambda file: file.name):
        if file.name.endswith(".py"):
            total.update(file.name.encode() + file.read_text(encoding="utf-8").encode())
    return total.hexdigest()
