"""The random numbers of one step, each a function of (seed, purpose, step): nothing to store for an exact resume, and
K processes that each take a slice of the minibatch draw what one process would.
"""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from stylegan.config import GeneratorConfig


@dataclass(frozen=True)
class Draws:
    """What the generator takes for one batch: `z [N, z_dim]`, with style mixing a second one that holds from layer
    `cutoff` on (a number, or an integer tensor `[]`), and a noise image `[N, 1, H, W]` for each layer that runs (None
    for the others).
    """

    z: Tensor
    z2: Tensor | None
    cutoff: int | Tensor
    noise: list[Tensor | None]

    def rows(self, start: int, stop: int) -> "Draws":
        """The same for samples `start` … `stop` − 1."""
        z2 = None if self.z2 is None else self.z2[start:stop]
        noise = [None if image is None else image[start:stop] for image in self.noise]
        return Draws(self.z[start:stop], z2, self.cutoff, noise)


def keyed_rng(device: torch.device | str, *key: object) -> torch.Generator:
    """A generator whose numbers depend on `key` alone (and on the kind of device)."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def draw(config: GeneratorConfig, count: int, lod: float, device: torch.device, *key: object) -> Draws:
    """Latents, mixing and noise of `count` samples, determined by `key` (Karras et al. 2019, §3.1; FACTS §3).

    One draw decides for the batch: with probability `style_mixing_prob` the layers from a cutoff on, uniform in
    1 … cur − 1, take a second latent; cur is the number of layers in use at this lod.
    """
    rng, coin = keyed_rng(device, *key), keyed_rng("cpu", *key, "mixing")  # the coin is read here: not from a GPU
    z = torch.randn(count, config.z_dim, generator=rng, device=device)
    layers_in_use = config.num_layers - 2 * int(lod)
    z2, cutoff = None, layers_in_use
    if config.use_styles and layers_in_use > 1 and torch.rand((), generator=coin) < config.style_mixing_prob:
        z2 = torch.randn(count, config.z_dim, generator=rng, device=device)
        cutoff = int(torch.randint(1, layers_in_use, (), generator=coin))
    noise: list[Tensor | None] = [None] * config.num_layers
    for i in range(layers_in_use if config.use_noise else 0):
        size = config.layer_resolution(i)
        noise[i] = torch.randn(count, 1, size, size, generator=rng, device=device)
    return Draws(z, z2, cutoff, noise)
