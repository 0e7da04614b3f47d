"""What pictures share: layers from the cache, one device, and the order of those who ask."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import tiny_models
import torch
from engine_kit import LAYERS, SMILE

from explorer import edits
from explorer.engine import Engine, Overtaken
from explorer.library import Library
from explorer.recipe import Recipe

pytestmark = pytest.mark.usefixtures("one_thread")


def test_callers_own_what_they_get(shared, plain):
    first = shared.render(plain)
    first[:] = 0
    w = shared.w(plain)
    w[:] = 0
    np.testing.assert_array_equal(shared.render(plain), Engine(shared.library, 0).render(plain))
    assert shared.w(plain).any()


def runs(engine: Engine, recipe: Recipe) -> list[int]:
    """The layers that a render runs."""
    G = engine.library.generator(recipe.model)
    ran = []
    hooks = [layer.register_forward_hook(lambda *_, i=i: ran.append(i)) for i, layer in enumerate(G.synth.layers)]
    engine.render(recipe)
    for hook in hooks:
        hook.remove()
    return ran


@pytest.mark.parametrize("layer", range(LAYERS))
@pytest.mark.parametrize(
    "edit",
    [
        lambda r, k: edits.mix_from(r, 9, [k]),
        lambda r, k: edits.with_layer_psi(r, [k], 0.1),
        lambda r, k: edits.redraw_noise(r, [k], 1),
        lambda r, k: edits.noise_off(r, [k]),
        lambda r, k: edits.with_edit(r, SMILE, 1.0, [k]),
        lambda r, k: edits.with_cutoff(edits.with_layer_psi(r, [k], 0.1), LAYERS),
    ],
)
def test_an_edit_at_layer_k_runs_the_layers_from_k_on(shared, plain, layer, edit):
    engine = Engine(shared.library, cache_mib=4)
    assert runs(engine, plain) == list(range(LAYERS))
    assert runs(engine, edit(plain, layer)) == list(range(layer, LAYERS))
    assert runs(engine, edit(plain, layer)) == []  # the picture itself is kept


def test_cells_share_their_layers(shared):
    engine = Engine(shared.library, cache_mib=0)
    G = engine.library.generator(engine.library.default)
    ran = []
    hooks = [layer.register_forward_hook(lambda *_, i=i: ran.append(i)) for i, layer in enumerate(G.synth.layers)]
    fine = [edits.mix_from(Recipe(engine.library.default, a), b, [4, 5]) for b in (7, 8, 9) for a in (0, 1)]
    engine.sheet(fine, 2, 16)
    for hook in hooks:
        hook.remove()
    assert sorted(ran) == sorted([0, 1, 2, 3] * 2 + [4, 5] * 6)


def test_a_budget_smaller_than_a_picture_keeps_its_coarse_layers(tmp_path):
    engine = tiny_models.engine(tmp_path, resolution=64, fmap_base=4096, fmap_max=64, cache_mib=1)
    plain = Recipe(engine.library.default)  # outputs of 4², 8², 16², 32²: 0.7 MiB; one of 64²: 1 MiB
    engine.render(plain)
    assert runs(engine, edits.mix_from(plain, 1, [9])) == [8, 9]
    assert runs(engine, edits.mix_from(plain, 1, [3])) == list(range(3, 10))
    assert engine._outputs._cache.used_bytes <= 7 << 17


def test_small_models_are_drawn_by_one_thread_and_large_ones_by_all(tmp_path):
    torch.set_num_threads(3)
    large = tiny_models.make(tmp_path, "large", resolution=256, fmap_base=8, fmap_max=2)
    engine = Engine(Library([tiny_models.make(tmp_path), large]))
    seen = []
    for card in engine.library.cards():
        layer = engine.library.generator(card.digest).synth.layers[0]
        layer.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
        engine.render(Recipe(card.digest))
        assert torch.get_num_threads() == 3
    assert seen == [1, 3]
    torch.set_num_threads(1)


def test_a_newer_request_overtakes_one_that_runs_and_one_that_waits(shared, plain):
    engine = Engine(shared.library)
    G = engine.library.generator(plain.model)
    inside, go = threading.Event(), threading.Event()

    def block(*_):
        inside.set()
        assert go.wait(10)

    hook = G.synth.layers[2].register_forward_hook(block)
    ended = {}

    def ask(name, seed):
        try:
            ended[name] = engine.render(replace(plain, source=seed), visitor="me")
        except Overtaken as error:
            ended[name] = error

    threads = [threading.Thread(target=ask, args=(name, seed)) for seed, name in enumerate(("runs", "waits", "new"))]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    _until(lambda: engine._turns._line)
    threads[2].start()
    _until(lambda: "waits" in ended)
    go.set()
    for thread in threads:
        thread.join(10)
    hook.remove()
    assert isinstance(ended["runs"], Overtaken)
    assert isinstance(ended["waits"], Overtaken)
    np.testing.assert_array_equal(ended["new"], shared.render(replace(plain, source=2)))


def _until(condition) -> None:
    """Wait for a condition that another thread brings about."""
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came")


def test_many_threads_get_the_same_bytes(shared, plain):
    engine = Engine(shared.library, cache_mib=1)
    recipes = [edits.mix_from(replace(plain, source=i % 3), 5, [i % LAYERS]) for i in range(24)]
    expected = [shared.render(recipe) for recipe in recipes]
    got = {}

    def ask(worker):
        for i in range(len(recipes)):
            i = (i + 7 * worker) % len(recipes)
            got[worker, i] = engine.render(recipes[i], visitor=str(worker))

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(got) == 4 * len(recipes)
    for (_, i), picture in got.items():
        np.testing.assert_array_equal(picture, expected[i])
