"""Latents without a seed: kept by the digest of their numbers, in memory and on disk."""

import pytest
import torch
from safetensors.torch import save_file

from explorer.latent_store import LatentStore
from explorer.recipe import Stored
from explorer.values import RecipeError
from stylegan.errors import InputError


@pytest.mark.parametrize("shape", [(16,), (6, 16)])
def test_a_latent_comes_back_after_a_restart(tmp_path, shape):
    w = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    digest = LatentStore(tmp_path / "latents").keep(w)
    assert Stored(digest).latent == digest
    assert LatentStore(tmp_path / "latents").get(digest).equal(w)


def test_the_digest_is_of_the_numbers():
    store, w = LatentStore(), torch.arange(6.0)
    assert store.keep(w) == store.keep(w.double().requires_grad_()) == LatentStore().keep(w)
    assert len({store.keep(w), store.keep(w + 1), store.keep(w.reshape(2, 3)), store.keep(w.reshape(3, 2))}) == 4


def test_what_is_kept_is_a_copy():
    store, w = LatentStore(), torch.ones(4)
    digest = store.keep(w)
    w[:] = 0
    assert store.get(digest).equal(torch.ones(4))


@pytest.mark.parametrize(
    "w", [torch.tensor(1.0), torch.ones(0), torch.ones(1, 2, 3), torch.tensor([1.0, float("nan")]), torch.ones(1 << 19)]
)
def test_what_is_no_latent_is_refused(w):
    with pytest.raises(InputError, match="A latent to keep"):
        LatentStore().keep(w)


def test_unknown_and_damaged_ones(tmp_path):
    store = LatentStore(tmp_path)
    with pytest.raises(RecipeError, match="latent abababab, which is not kept here"):
        store.get("ab" * 16)
    (tmp_path / f"{'cd' * 16}.safetensors").write_bytes(b"no safetensors")
    (tmp_path / f"{'ee' * 16}.safetensors").write_bytes(bytes(3 << 20))
    save_file({"w": torch.ones(4)}, tmp_path / f"{'ff' * 16}.safetensors")  # not what its name says
    save_file({"v": torch.ones(4)}, tmp_path / f"{'aa' * 16}.safetensors")
    for name in ("cd", "ee", "ff", "aa"):
        with pytest.raises(RecipeError, match="not kept here"):
            store.get(name * 16)
