"""Generator: mapping and synthesis network with the truncation trick (Karras et al. 2019, figure 1b and appendix B)."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from stylegan.config import GeneratorConfig
from stylegan.errors import InputError
from stylegan.latents import truncate
from stylegan.networks import checks
from stylegan.networks.checks import Noise
from stylegan.networks.layers import EqualizedWeight
from stylegan.networks.mapping import MappingNetwork
from stylegan.networks.synthesis import SynthesisLayer, SynthesisNetwork
from stylegan.seeds import check_seed


class Generator(nn.Module):
    """z → w → picture. `w_mean [w_dim]` is the running mean of w, the picture that truncation draws towards."""

    w_mean: Tensor

    @torch.inference_mode(False)  # made there, weights could not be trained, and would not count their changes
    def __init__(self, config: GeneratorConfig, seed: int | None = 0) -> None:
        """Fresh weights drawn from `seed` (None: not drawn, for a network that will be loaded), in training mode."""
        super().__init__()
        if not isinstance(config, GeneratorConfig):
            raise InputError(f"A Generator is made from a GeneratorConfig, not from {type(config).__name__}.")
        self.config = config
        self.lod = 0.0  # how far progressive growing had come when this was saved: use it to show such a snapshot
        self.digest = ""  # identity of what was loaded; empty for a network that was not
        self.about: Any = None  # what the model file says of itself (model_file.About)
        self.map = MappingNetwork(config)
        self.synth = SynthesisNetwork(config)
        self.register_buffer("w_mean", torch.zeros(config.w_dim))
        if seed is not None:
            self.reset(seed)

    def reset(self, seed: int) -> None:
        """Draw all weights and stored noise anew from `seed`, 0 … 2³²−1."""
        rng = torch.Generator().manual_seed(check_seed(seed))
        if self.map.embed is not None:
            with torch.no_grad():
                self.map.embed.copy_(torch.randn(self.map.embed.shape, generator=rng))
        for module in self.modules():
            if isinstance(module, EqualizedWeight):
                module.reset(rng)
        for layer in self.synth.layers if self.config.use_noise else ():
            noise = cast(SynthesisLayer, layer).noise
            noise.copy_(torch.randn(noise.shape, generator=rng))

    def mapping(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """`z [N, z_dim]` → w `[N, L, w_dim]`, the same vector for all L layers, not truncated.

        Args:
            z: latents, as `seeds_to_z` makes them.
            labels: float `[N, label_dim]`, one-hot; None = zeros. Only for networks with classes.

        Raises:
            InputError: wrong shape, dtype or device.
        """
        config = self.config
        z = checks.latents(z, config.z_dim, self.w_mean)
        labels = checks.labels(labels, config.label_dim, len(z), self.w_mean)
        w: Tensor = self.map(z, labels)
        return w[:, None].expand(-1, config.num_ws, -1)

    def truncate(self, w: Tensor, psi: float = 0.7, cutoff: int | None = None) -> Tensor:
        """w̄ + ψ·(w − w̄) in the first `cutoff` layers (None = all), w itself in the others (appendix B).

        `w [N, L, w_dim]`; ψ = 1 changes nothing, 0 gives the mean picture, negative ones the opposite of w.

        Raises:
            InputError: ψ not finite, cutoff outside 0 … L, wrong shape.
        """
        w = checks.styles(w, self.config.num_ws, self.config.w_dim, self.w_mean)
        return truncate(w, self.w_mean, checks.psi(psi), checks.cutoff(cutoff, self.config.num_ws))

    def synthesis(
        self,
        w: Tensor,
        noise: Noise = "stored",
        lod: float = 0.0,
        rng: torch.Generator | None = None,
        full_size: bool = True,
    ) -> Tensor:
        """w `[N, L, w_dim]` → pictures `[N, 3, R, R]`, about [−1, 1], not clamped.

        Args:
            w: one w vector for each layer.
            noise: "stored": the network's own noise images, the same for every sample; "random": fresh ones for each
                sample, from `rng`; "none": no noise; or a list of an image `[1 or N, 1, H, W]` or None for each layer.
            lod: level of detail, 0 = full resolution; k + f blends in the share f of the next coarser one.
            rng: source of "random" noise, on the network's device; None = a new one, seeded by the system.
            full_size: repeat the picture to R also where lod ≥ 1; False returns R / 2^⌊lod⌋.

        Raises:
            InputError: wrong shapes, dtypes, noise or lod.
        """
        config = self.config
        w = checks.styles(w, config.num_ws, config.w_dim, self.w_mean)
        lod = checks.lod(lod, config.max_lod)
        images: Tensor = self.synth(w, self.noise_images(noise, len(w), rng), lod, full_size)
        return images

    def noise_images(self, noise: Noise, count: int, rng: torch.Generator | None = None) -> list[Tensor | None]:
        """The noise image of each layer for `synthesis`, which describes the arguments."""
        layers = [cast(SynthesisLayer, layer) for layer in self.synth.layers]
        sizes = [self.config.layer_resolution(i) for i in range(len(layers))]
        checked = checks.noise(noise, sizes, count, self.w_mean)
        if not self.config.use_noise or checked == "none":
            return [None] * len(layers)
        if checked == "stored":
            return [layer.noise for layer in layers]
        if checked == "random":
            rng = checks.generator(rng, self.w_mean.device)
            return [layer.noise.new_empty(count, *layer.noise.shape[1:]).normal_(generator=rng) for layer in layers]
        assert isinstance(checked, list)
        return checked

    def forward(self, z: Tensor, labels: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """Mapping, truncation and synthesis with stored noise in one go: `z [N, z_dim]` → `[N, 3, R, R]`."""
        return self.synthesis(self.truncate(self.mapping(z, labels), psi, cutoff), lod=self.lod)

    def one_hot(self, classes: list[int]) -> Tensor:
        """Labels `[N, label_dim]` of class numbers."""
        label_dim = self.config.label_dim
        for index in classes:
            if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < label_dim:
                known = f"from 0 to {label_dim - 1}" if label_dim else "not known to this model"
                raise InputError(f"Classes are {known}: {index!r} is none.")
        return nn.functional.one_hot(torch.tensor(classes, dtype=torch.int64), max(label_dim, 1)).to(self.w_mean)
