"""The StyleGAN library in PyTorch (Karras et al. 2019, arXiv 1812.04948)."""
