"""StyleGAN in PyTorch: networks, weights, latents (Karras et al. 2019, arXiv 1812.04948).

G = stylegan.load("assets/portraits.safetensors")
w = G.truncate(G.mapping(stylegan.seeds_to_z([0, 1, 2], G.config.z_dim)), psi=0.7)
pictures = stylegan.to_uint8(G.synthesis(w))  # uint8 [3, R, R, 3]
"""

from stylegan.config import DiscriminatorConfig, GeneratorConfig, generator_preset
from stylegan.errors import StyleGANError
from stylegan.images import from_uint8, grid, to_uint8
from stylegan.model_file import About, save
from stylegan.networks import Discriminator, Generator
from stylegan.opening import convert, load, load_discriminator
from stylegan.seeds import seeds_to_z

__all__ = [
    "About",
    "Discriminator",
    "DiscriminatorConfig",
    "Generator",
    "GeneratorConfig",
    "StyleGANError",
    "convert",
    "from_uint8",
    "generator_preset",
    "grid",
    "load",
    "load_discriminator",
    "save",
    "seeds_to_z",
    "to_uint8",
]
