"""Mapping network f: Z → W (Karras et al. 2019, §2 and appendix C)."""

import torch
from torch import Tensor, nn

from stylegan import ops
from stylegan.config import GeneratorConfig
from stylegan.networks.layers import SQRT2, EqualizedLinear, activate


class MappingNetwork(nn.Module):
    """`mapping_layers` fully connected layers with activations, also after the last, at a slow learning rate."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        # Labels: a plain matrix, N(0, 1), no bias, no equalised learning rate; its row is joined to z.
        self.embed = nn.Parameter(torch.empty(config.label_dim, config.z_dim)) if config.label_dim else None
        width = config.z_dim * (2 if config.label_dim else 1)
        self.layers = nn.ModuleList()
        for i in range(config.mapping_layers):
            out = config.w_dim if i == config.mapping_layers - 1 else config.mapping_fmaps
            self.layers.append(EqualizedLinear(width, out, gain=SQRT2, lr_mul=config.mapping_lr_mul))
            width = out

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """`z [N, z_dim]`, `labels [N, label_dim]` (None = zeros) → w `[N, w_dim]`, one vector a sample."""
        x = z
        if self.embed is not None:
            embedded = z.new_zeros(z.shape) if labels is None else labels @ self.embed
            x = torch.cat([z, embedded], dim=1)
        if self.config.normalize_z:
            x = ops.pixel_norm(x)  # over z and label together
        for layer in self.layers:
            x = activate(layer(x), self.config.mapping_nonlinearity)
        return x
