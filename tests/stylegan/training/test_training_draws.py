"""Draws: determined by their key, sliceable, with the distribution that the paper says."""

import torch

from stylegan.config import GeneratorConfig
from stylegan.training.draws import draw, keyed_rng

CPU = torch.device("cpu")
CONFIG = GeneratorConfig(resolution=32, fmap_base=64, fmap_max=8, z_dim=8, w_dim=8, mapping_fmaps=8)


def test_the_key_decides_and_the_global_generator_rests():
    before = torch.get_rng_state()
    a, b, c = (
        draw(CONFIG, 4, 0.0, CPU, 0, "G", 7),
        draw(CONFIG, 4, 0.0, CPU, 0, "G", 7),
        draw(CONFIG, 4, 0.0, CPU, 0, "G", 8),
    )
    assert torch.equal(a.z, b.z)
    assert a.cutoff == b.cutoff
    assert all(torch.equal(x, y) for x, y in zip(a.noise, b.noise, strict=True))
    assert not torch.equal(a.z, c.z)
    assert torch.equal(torch.get_rng_state(), before)


def test_rows_are_a_part_of_the_whole():
    whole = draw(CONFIG, 6, 0.0, CPU, 3, "G", 0)
    part = whole.rows(2, 4)
    assert torch.equal(part.z, whole.z[2:4])
    assert part.cutoff == whole.cutoff
    assert (part.z2 is None) == (whole.z2 is None)
    assert all(torch.equal(x, y[2:4]) for x, y in zip(part.noise, whole.noise, strict=True))


def test_only_layers_in_use_take_noise():
    for lod, used in ((0.0, 8), (0.9, 8), (1.0, 6), (2.5, 4), (3.0, 2)):
        noise = draw(CONFIG, 2, lod, CPU, 0, "G", 0).noise
        assert [image is not None for image in noise] == [i < used for i in range(8)]
        assert all(
            n.shape == (2, 1, CONFIG.layer_resolution(i), CONFIG.layer_resolution(i))
            for i, n in enumerate(noise[:used])
        )
    silent = GeneratorConfig(**{**CONFIG.to_json(), "use_noise": False, "blur_filter": (1, 2, 1)})
    assert draw(silent, 2, 0.0, CPU, 0, "G", 0).noise == [None] * 8


def test_mixing_happens_as_often_and_where_it_should():
    draws = [draw(CONFIG, 1, 1.25, CPU, 0, "D", i) for i in range(2000)]
    mixed = [d.cutoff for d in draws if d.z2 is not None]
    assert abs(len(mixed) / len(draws) - 0.9) < 0.02  # 3 standard deviations
    counts = torch.tensor(mixed).bincount(minlength=7)
    assert counts[0] == counts[6] == 0  # 1 … cur − 1, cur = 8 − 2·⌊1.25⌋ = 6
    assert (counts[1:6] - len(mixed) / 5).abs().max() < 65  # 3.6 standard deviations
    assert all(d.cutoff == 6 for d in draws if d.z2 is None)


def test_no_mixing_without_styles_or_probability():
    never = GeneratorConfig(**{**CONFIG.to_json(), "style_mixing_prob": 0.0, "blur_filter": (1, 2, 1)})
    assert all(draw(never, 1, 0.0, CPU, 0, "G", i).z2 is None for i in range(50))


def test_generators_of_different_keys_differ():
    first = {keyed_rng("cpu", *key).initial_seed() for key in ((0, "a"), (0, "b"), (1, "a"), ("0", "a"))}
    assert len(first) == 4
