"""Pictures that show how far a run has come: always the same seeds, without truncation, beside real ones."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from stylegan.atomic import replacing
from stylegan.data.dataset import TrainingData
from stylegan.images import grid
from stylegan.networks import Generator
from stylegan.seeds import seeds_to_z

MAX_SIDE_PX = 2048  # of a grid


def sample_count(resolution: int) -> int:
    """32 pictures, or as many as fit a grid of reasonable size."""
    return min(32, (MAX_SIDE_PX // resolution) ** 2)


@torch.inference_mode()
def sample_pictures(G: Generator, batch: int = 8) -> Tensor:
    """`[N, 3, R, R]` of seeds 0 … N−1 with stored noise at the generator's own lod; classes take turns."""
    config = G.config
    z = seeds_to_z(range(sample_count(config.resolution)), config.z_dim).to(G.w_mean.device)
    labels = G.one_hot([i % config.label_dim for i in range(len(z))]) if config.label_dim else None
    w = G.mapping(z, labels)
    return torch.cat([G.synthesis(part, lod=G.lod) for part in torch.split(w, batch)])


def real_pictures(data: TrainingData) -> Tensor:
    """uint8 `[N, R, R, 3]`: the first pictures that training will see."""
    images, _ = data.batch(0, sample_count(data.resolution), data.resolution, mirror=False)
    return images.permute(0, 2, 3, 1)


def write_grid(pictures: Tensor, path: Path) -> None:
    """Write uint8 `[N, R, R, 3]`, N a power of two, as one PNG: a square, or twice as wide as high."""
    columns = 1 << len(pictures).bit_length() // 2
    with replacing(path) as temporary:
        Image.fromarray(grid(pictures.cpu(), columns)).save(temporary, format="PNG")
