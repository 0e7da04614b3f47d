"""The networks of StyleGAN (Karras et al. 2019)."""

from stylegan.networks.discriminator import Discriminator
from stylegan.networks.generator import Generator

__all__ = ["Discriminator", "Generator"]
