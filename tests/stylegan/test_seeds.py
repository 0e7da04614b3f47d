"""Seeds to latents in the official convention, and lists of seeds and layers as people write them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylegan.errors import InputError
from stylegan.seeds import MAX_SEED, MAX_SEEDS, check_seed, format_ranges, parse_layers, parse_seeds, seeds_to_z

steady = settings(max_examples=100, derandomize=True, deadline=None)


class TestSeedsToZ:
    @pytest.mark.parametrize("seed", [0, 1, 91, 2**31, MAX_SEED])
    @pytest.mark.parametrize("z_dim", [1, 32, 512])
    def test_the_official_convention(self, seed, z_dim):
        z = seeds_to_z([seed], z_dim)
        assert z.dtype == torch.float32
        assert z.shape == (1, z_dim)
        assert np.array_equal(z[0].numpy(), np.random.RandomState(seed).randn(z_dim).astype(np.float32))

    def test_known_numbers(self):
        """numpy promises that RandomState never changes its stream: this is 0 in every StyleGAN script."""
        expected = [1.764052345967664, 0.4001572083672233, 0.9787379841057392, 2.240893199201458]
        assert np.allclose(seeds_to_z([0], 512)[0, :4], expected, atol=1e-7)

    def test_rows_stand_alone(self):
        both = seeds_to_z([7, 3], 16)
        assert torch.equal(both, torch.cat([seeds_to_z([7], 16), seeds_to_z([3], 16)]))
        assert not torch.equal(both[0], both[1])

    def test_none_at_all(self):
        assert seeds_to_z([], 16).shape == (0, 16)

    def test_any_iterable_of_whole_numbers(self):
        expected = seeds_to_z([0, 1, 2], 8)
        for seeds in (range(3), (0, 1, 2), np.arange(3), torch.arange(3), iter([0, 1, 2])):
            assert torch.equal(seeds_to_z(seeds, 8), expected)

    def test_the_global_generators_stay_as_they_are(self):
        before = torch.get_rng_state(), np.random.get_state()[1].copy()
        seeds_to_z([1, 2])
        assert torch.equal(before[0], torch.get_rng_state())
        assert np.array_equal(before[1], np.random.get_state()[1])

    @pytest.mark.parametrize("seed", [-1, MAX_SEED + 1, 10**30, 0.0, 1.5, "1", None, True, float("nan"), [1], 1j])
    def test_refuses_seeds(self, seed):
        with pytest.raises(InputError, match=f"A seed is a whole number from 0 to {MAX_SEED}, not"):
            seeds_to_z([0, seed])
        with pytest.raises(InputError, match="A seed is a whole number"):
            check_seed(seed)

    @pytest.mark.parametrize("seeds", [5, None, "0-3", b"01", 1.0])
    def test_refuses_what_is_no_list(self, seeds):
        with pytest.raises(InputError, match="seeds is a list of whole numbers"):
            seeds_to_z(seeds)

    @pytest.mark.parametrize("z_dim", [0, -1, 1.0, "512", None, True])
    def test_refuses_widths(self, z_dim):
        with pytest.raises(InputError, match="z_dim is a whole number ≥ 1"):
            seeds_to_z([0], z_dim)


class TestLists:
    @pytest.mark.parametrize(
        ("text", "seeds"),
        [
            ("0", [0]),
            ("0-8,12", [*range(9), 12]),
            (" 3 , 1 - 2 ", [3, 1, 2]),
            ("5-5", [5]),
            ("7,7", [7, 7]),
            (f"{MAX_SEED}", [MAX_SEED]),
            ("007", [7]),
        ],
    )
    def test_seeds(self, text, seeds):
        assert parse_seeds(text) == seeds

    def test_layers(self):
        assert parse_layers("0-3,8", 18) == [0, 1, 2, 3, 8]
        assert parse_layers("17", 18) == [17]

    @steady
    @given(st.lists(st.integers(0, 40), min_size=1, max_size=30))
    def test_format_is_the_inverse(self, values):
        assert parse_seeds(format_ranges(values)) == values

    def test_format(self):
        assert format_ranges([0, 1, 2, 3, 8]) == "0-3,8"
        assert format_ranges([]) == ""

    @pytest.mark.parametrize(
        "text", ["", ",", "1,", "a", "1.5", "-1", "1-", "--2", "1;2", "0x10", "٣", "1" * 13, "1 2"]
    )
    def test_refuses_what_is_no_list(self, text):
        with pytest.raises(InputError, match="seeds are written like 0-8,12"):
            parse_seeds(text)

    def test_refuses_ranges(self):
        with pytest.raises(InputError, match="the range 8-3 runs backwards"):
            parse_seeds("8-3")
        with pytest.raises(InputError, match=f"{MAX_SEED + 1} is too large; allowed are 0 to {MAX_SEED}"):
            parse_seeds(f"{MAX_SEED + 1}")
        with pytest.raises(InputError, match="layers: 18 is too large; allowed are 0 to 17"):
            parse_layers("0-18", 18)
        with pytest.raises(InputError, match=f"more than {MAX_SEEDS} asked for"):
            parse_seeds(f"0-{MAX_SEED}")
        with pytest.raises(InputError, match="more than 4 asked for"):
            parse_layers("0-3,0", 4)
