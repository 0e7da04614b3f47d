"""What noise does to a picture: the spread of realisations, and the influence of each layer."""

from dataclasses import replace

import numpy as np
import pytest
import tiny_models

from explorer import edits
from explorer.engine import Engine
from explorer.recipe import Noise, Recipe
from explorer.stochastic import grey_map, heat_map, influences, realisations
from explorer.values import RecipeError


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Engine:
    return tiny_models.engine(tmp_path_factory.mktemp("stochastic"))


@pytest.fixture
def recipe(engine) -> Recipe:
    return Recipe(engine.library.default, 3)


def test_the_spread_is_the_standard_deviation_of_the_grey_pictures(engine, recipe):
    records = list(realisations(engine, recipe, count=7, first_seed=5))
    pictures = [engine.render(replace(recipe, noise=Noise("random", 5 + i))) for i in range(7)]
    for n, record in enumerate(records, 1):
        np.testing.assert_array_equal(record.picture, pictures[n - 1])
        expected = np.stack(pictures[:n]).mean(axis=3).std(axis=0)
        np.testing.assert_allclose(record.std, expected, rtol=1e-5, atol=1e-5)
        assert (record.done, record.total, record.share) == (n, 7, n / 7)
    assert records[-1].std.max() > 1


def test_layers_that_are_off_stay_off(engine, recipe):
    still = edits.noise_off(recipe, range(6))
    assert not [record.std.any() for record in realisations(engine, still, count=3) if record.std.any()]


def test_maps():
    std = np.array([[0, 0.1, 1.0], [10.0, 63.7, 1000.0]], np.float32)
    assert grey_map(std).tolist() == [[0, 0, 4], [40, 255, 255]]  # 4·σ + 0.5, clipped, truncated
    colours = heat_map(std)
    assert colours.shape == (2, 3, 3)
    assert colours.dtype == np.uint8
    brightness = colours.sum(axis=2).ravel().tolist()
    assert brightness == sorted(brightness)
    assert brightness[0] < 10
    assert brightness[-1] > 600


def test_influence_is_the_mean_change_of_a_redraw(engine, recipe):
    recipe = edits.noise_off(edits.redraw_noise(recipe, [2], 8), [4])
    records = list(influences(engine, recipe, draws=2))
    assert [record.layer for record in records] == [4, 5, 3, 2, 1, 0]
    assert [record.share for record in records] == [i / 6 for i in range(1, 7)]
    own = engine.render(recipe).astype(float)
    for record in records:
        seeds = (9, 10) if record.layer == 2 else (1, 2)
        redrawn = [engine.render(edits.redraw_noise(recipe, [record.layer], seed)) for seed in seeds]
        assert record.change == pytest.approx(np.mean([np.abs(picture - own).mean() for picture in redrawn]))
    changes = {record.layer: record.change for record in records}
    assert changes[4] == 0
    assert all(change > 0 for layer, change in changes.items() if layer != 4)


def test_influences_run_each_layer_only_from_where_it_matters(engine, recipe):
    cold = Engine(engine.library, cache_mib=0)
    ran = []
    layers = cold.library.generator(recipe.model).synth.layers
    hooks = [layer.register_forward_hook(lambda *_, i=i: ran.append(i)) for i, layer in enumerate(layers)]
    list(influences(cold, recipe, draws=2))
    for hook in hooks:
        hook.remove()
    assert [ran.count(layer) for layer in range(6)] == [1 + 2 * (layer + 1) for layer in range(6)]


def test_the_device_is_free_between_two_records(engine, recipe):
    records = realisations(engine, recipe, count=3, visitor="figure")
    next(records)
    engine.render(replace(recipe, source=77), visitor="other")
    records.close()
    assert not engine._turns._newest


@pytest.mark.parametrize("count", [1, 0, 101, -1, 2.0, float("nan"), "3", True])
def test_impossible_numbers(engine, recipe, count):
    with pytest.raises(RecipeError, match="The number of realisations"):
        next(realisations(engine, recipe, count=count))
    if count != 1:
        with pytest.raises(RecipeError, match="The number of draws"):
            next(influences(engine, recipe, draws=count))


def test_a_model_without_noise(tmp_path):
    engine = tiny_models.engine(tmp_path, use_noise=False)
    for work in (realisations, influences):
        with pytest.raises(RecipeError, match="The tiny has no noise inputs"):
            next(work(engine, Recipe(engine.library.default)))
