"""Synthesis network g: W → pictures (Karras et al. 2019, figure 1b), grown progressively through a continuous lod.

Every layer is: convolution (→ blur where it doubles the size) → + noise·strength → + bias → activation → normalisation
→ style. Layer 0 has no convolution: it works on the learned 4×4 constant.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from stylegan import ops
from stylegan.config import GeneratorConfig
from stylegan.networks.layers import SQRT2, EqualizedConv, EqualizedLinear, ToRGB, UpConv, activate


class SynthesisLayer(nn.Module):
    """One layer; `index` counts from 0 (on the 4×4 input) to L − 1, odd ones finish a resolution."""

    noise: Tensor

    def __init__(self, config: GeneratorConfig, index: int) -> None:
        super().__init__()
        self.config = config
        channels, size = config.layer_fmaps(index), config.layer_resolution(index)
        self.conv: UpConv | EqualizedConv | None = None
        if index > 0:
            fewer = config.layer_fmaps(index - 1)
            doubles = index % 2 == 0
            self.conv = UpConv(fewer, channels, config.blur_filter) if doubles else EqualizedConv(fewer, channels, 3)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.noise_strength = nn.Parameter(torch.zeros(channels)) if config.use_noise else None
        if config.use_noise:
            self.register_buffer("noise", torch.empty(1, 1, size, size))
        # The style, equation 1: scale − 1 and shift of every channel from w ("A" in figure 1b).
        self.style = EqualizedLinear(config.w_dim, 2 * channels) if config.use_styles else None

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """`x [N, C, H, W]`, `w [N, w_dim]`, `noise [1 or N, 1, H', W']` or None → `[N, C', H', W']`; `x` is kept."""
        return self._finish(self._convolve(x), w, noise)

    def _convolve(self, x: Tensor) -> Tensor:
        """Up to and with the bias, which commutes with the noise and is free inside a convolution."""
        if self.conv is None:
            return x + self.bias[:, None, None]
        return self.conv(x, self.bias)  # type: ignore[no-any-return]

    def _finish(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        config = self.config
        if noise is not None and self.noise_strength is not None:
            x = x.addcmul_(noise.to(x.dtype), self.noise_strength[:, None, None].to(x.dtype))
        x = activate(x, config.nonlinearity)
        if config.use_pixel_norm:
            x = ops.pixel_norm(x)
        if self.style is None:
            return ops.instance_norm(x) if config.use_instance_norm else x
        scale, shift = self.style(w).chunk(2, dim=1)
        if config.use_instance_norm:
            return ops.adain_(x, scale + 1, shift)
        return torch.addcmul(shift[:, :, None, None], x, (scale + 1)[:, :, None, None])


class SynthesisNetwork(nn.Module):
    """L layers from 4×4 to the full resolution, and a ToRGB for each resolution."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.layer_fmaps(0)
        self.const = nn.Parameter(torch.ones(1, channels, 4, 4)) if config.const_input else None
        self.input = None
        if not config.const_input:  # B and C start from w; layer 0 adds the bias
            self.input = EqualizedLinear(config.w_dim, channels * 16, gain=SQRT2 / 4, bias=False)
        self.layers = nn.ModuleList(SynthesisLayer(config, i) for i in range(config.num_layers))
        sizes = range(config.num_layers // 2)
        self.to_rgb = nn.ModuleList(ToRGB(config.layer_fmaps(2 * i), config.image_channels) for i in sizes)

    def start(self, w: Tensor) -> Tensor:
        """What layer 0 works on: `[N, C, 4, 4]` from `w [N, num_ws, w_dim]`."""
        if self.input is None:
            assert self.const is not None
            x = self.const.expand(len(w), -1, -1, -1)
        else:
            x = self.input(w[:, 0]).unflatten(1, (-1, 4, 4))
        return x.contiguous(memory_format=torch.channels_last)

    def activations(
        self,
        w: Tensor,
        noise: Sequence[Tensor | None],
        first: int = 0,
        x: Tensor | None = None,
        last: int | None = None,
    ) -> Iterator[Tensor]:
        """Yield the output of each layer from `first` to `last` (default: all); `x` is the output of layer first − 1.

        `w [N, num_ws, w_dim]`; `noise` holds one image (or None) for each of the network's layers.
        """
        if x is None:
            assert first == 0
            x = self.start(w)
        last = self.config.num_layers - 1 if last is None else last
        for i in range(first, last + 1):
            x = self.layers[i](x, w[:, i if self.config.use_styles else 0], noise[i])
            yield x

    def forward(self, w: Tensor, noise: Sequence[Tensor | None], lod: float = 0.0, full_size: bool = True) -> Tensor:
        """`w [N, num_ws, w_dim]` → pictures `[N, image_channels, R, R]`, about [−1, 1].

        At lod = k + f the picture of size R/2ᵏ is blended with the share f of the one half its size (Karras et al.
        2018, figure 2), then repeated to R, or left at R/2ᵏ where `full_size` is False. Finer layers are not run.
        """
        whole = int(lod)
        fade = lod - whole
        finest = self.config.num_layers // 2 - 1 - whole  # index of the finest resolution that takes part
        coarser: Tensor | None = None
        x = None
        for i, x in enumerate(self.activations(w, noise, last=2 * finest + 1)):
            if fade and i == 2 * finest - 1:
                coarser = self.to_rgb[finest - 1](x)
        image: Tensor = self.to_rgb[finest](x)
        if coarser is not None:
            coarser = ops.upsample(coarser).to(image.dtype)  # autocast has it in float32 on a GPU
            image = torch.lerp(image, coarser, fade)
        return ops.upsample(image, 2**whole) if full_size else image
