"""Small generators."""

import pytest
from lively_generators import TINY, lively

from stylegan import Generator, GeneratorConfig, generator_preset

PRESETS = {name: ({"mapping_layers": 0} if name == "b" else {"mapping_layers": 2}) for name in "bcdef"}


@pytest.fixture(params=[*PRESETS, "labels", "extras"])
def G(request):
    """The paper's configurations in miniature, one with classes, and one with everything unusual at once."""
    if request.param == "labels":
        return lively(Generator(GeneratorConfig(**TINY, mapping_layers=2, label_dim=3)))
    if request.param == "extras":
        odd = {"w_dim": 12, "image_channels": 1, "nonlinearity": "relu", "mapping_nonlinearity": "relu"}
        odd |= {"blur_filter": (1.0, 4.0, 6.0, 4.0, 1.0), "use_pixel_norm": True, "normalize_z": False}
        return lively(Generator(GeneratorConfig(**{**TINY, **odd}, fmap_decay=0.7)))
    return lively(Generator(generator_preset(request.param, **TINY, **PRESETS[request.param])))


@pytest.fixture
def plain():
    return lively(Generator(GeneratorConfig(**TINY, mapping_layers=2)))
