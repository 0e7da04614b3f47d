"""Shared by all tests: threads, golden files, a tiny network."""

from typing import Any

import pytest
import torch
from official_networks import Golden

from stylegan.config import GeneratorConfig


@pytest.fixture(autouse=True, scope="session")
def _two_threads() -> None:
    torch.set_num_threads(min(2, torch.get_num_threads()))


@pytest.fixture(scope="session")
def golden() -> Any:
    """`golden(name)`: a golden file, read once."""
    cache: dict[str, Golden] = {}

    def read(name: str) -> Golden:
        if name not in cache:
            cache[name] = Golden(name)
        return cache[name]

    return read


@pytest.fixture
def tiny_config() -> GeneratorConfig:
    """A generator small enough for any test: 16², 8 channels, 16-wide latents."""
    return GeneratorConfig(
        resolution=16, fmap_base=64, fmap_max=8, z_dim=16, w_dim=16, mapping_fmaps=16, mapping_layers=2
    )
