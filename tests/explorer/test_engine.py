"""Recipe → pixels: what the picture is, that caches never show in it, and what is refused."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from recipe_strategies import reals, steady

import stylegan
from explorer import edits
from explorer.engine import Engine, Overtaken
from explorer.library import Library
from explorer.recipe import Blend, Direction, Edit, Mix, Noise, Recipe, RecipeError, Stored
from explorer.script import as_python
from explorer.vectors import DirectionVector
from stylegan.errors import InputError

LAYERS = 6  # of the tiny model

SMILE, AGE = Direction("smile", "5a" * 16), Direction("age", "a6" * 16)


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Threads of a network this small only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def shared(folder) -> Engine:
    """One engine for all examples, so that its caches hold what earlier ones left."""
    engine = tiny_models.engine(folder)
    rng = np.random.RandomState(0)
    vectors = []
    for direction, sigma in ((SMILE, 1.5), (AGE, 0.5)):
        v = rng.randn(16)
        vector = torch.tensor(v / np.linalg.norm(v), dtype=torch.float32)
        vectors.append(DirectionVector(direction.name, direction.digest, vector, sigma))
    engine.library.add_directions(engine.library.default, vectors)
    engine.latents.keep(torch.linspace(-1, 1, 16))
    return engine


@pytest.fixture
def plain(shared) -> Recipe:
    return Recipe(shared.library.default, source=3)


def naive(engine: Engine, recipe: Recipe) -> np.ndarray:
    """The picture by the steps at the head of explorer/recipe.py, one after the other, with the public library."""
    G = engine.library.generator(recipe.model)
    L = G.config.num_ws

    def z(source):
        if isinstance(source, int):
            return stylegan.seeds_to_z([source], G.config.z_dim)
        a, b, t = z(source.a), z(source.b), source.amount
        return stylegan.latents.slerp(a, b, t) * a.norm() ** (1 - t) * b.norm() ** t

    def w(source):
        if isinstance(source, Stored):
            return engine.latents.get(source.latent).expand(L, -1)
        if isinstance(source, Blend) and source.space == "w":
            return torch.lerp(w(source.a), w(source.b), source.amount)
        labels = None if recipe.label is None else G.one_hot([recipe.label])
        return G.mapping(z(source), labels)[0]

    def truncated(source):
        return torch.stack([G.w_mean + recipe.psi_of(i) * (w(source)[i] - G.w_mean) for i in range(L)])

    x = truncated(recipe.source)
    for mix in recipe.mixes:
        for layer, amount in mix.layers:
            x[layer] = torch.lerp(x[layer], truncated(mix.source)[layer], amount)
    known = engine.library.directions(recipe.model)
    for edit in recipe.edits:
        v = known[edit.direction.digest].vector.double()
        for lock in edit.locks:  # one lock: Gram-Schmidt is all there is to it
            held = known[lock.digest].vector.double()
            v = v - (v @ held) * held
        for layer in range(L) if edit.layers is None else edit.layers:
            x[layer] += edit.strength * known[edit.direction.digest].sigma * (v / v.norm()).float()
    noise = []
    for i, stored in enumerate(G.noise_images("stored", 1)):
        seed = recipe.noise.seed_of(i)
        if stored is None or (seed is None and recipe.noise.mode == "none"):
            noise.append(None)
            continue
        if seed is not None:
            field = np.random.RandomState([seed, i]).randn(*stored.shape).astype(np.float32)
            stored = torch.from_numpy(field)
        noise.append(stored * recipe.noise.strength_of(i))
    return stylegan.to_uint8(G.synthesis(x[None], noise=noise, lod=G.lod))[0].numpy()


def assert_close(a: np.ndarray, b: np.ndarray) -> None:
    """Equal but for the last unit, which the order of additions may decide."""
    assert a.shape == b.shape
    assert a.dtype == b.dtype == np.uint8
    assert np.abs(a.astype(int) - b.astype(int)).max() <= 1


# Recipes whose parts collide often, so that the cache is hit at every depth

few = st.integers(0, 3)
layers = st.integers(0, LAYERS - 1)
amounts = st.sampled_from([0.0, 0.25, 1.0]) | reals(-1.5, 1.5)
z_sources = few | st.builds(Blend, few, few, amounts, st.just("z"))
stored = st.just(Stored("0" * 32))  # replaced by the digest of the one that is kept
sources = z_sources | stored | st.builds(Blend, z_sources | stored, z_sources, amounts, st.just("w"))


def pairs(values, min_size=0):
    return st.dictionaries(layers, values, min_size=min_size, max_size=3).map(lambda d: tuple(d.items()))


@st.composite
def noises(draw):
    mode = draw(st.sampled_from(["stored", "random", "none"]))
    strengths = draw(pairs(st.sampled_from([0.0, 0.5, 3.0])))
    return Noise(mode, draw(few) if mode == "random" else 0, draw(pairs(few)), strengths)


changes = {
    "source": sources,
    "psi": amounts,
    "cutoff": st.none() | st.integers(0, LAYERS),
    "layer_psi": pairs(amounts),
    "mixes": st.lists(st.builds(Mix, sources, pairs(st.sampled_from([0.3, 1.0]), 1)), max_size=2).map(
        lambda mixes: tuple({mix.source: mix for mix in mixes}.values())
    ),
    "edits": st.sampled_from(
        [(), (Edit(SMILE, 2.0),), (Edit(SMILE, -1.0, (4, 5)),), (Edit(SMILE, 1.0, None, (AGE,)), Edit(AGE, -0.5, (1,)))]
    ),
    "noise": noises(),
}
change = st.sampled_from(sorted(changes)).flatmap(lambda name: st.tuples(st.just(name), changes[name]))


def apply(engine: Engine, recipe: Recipe, name: str, value) -> Recipe:
    text = replace(recipe, **{name: value}).json.replace("0" * 32, engine.latents.keep(torch.linspace(-1, 1, 16)))
    return Recipe.from_json(text)


@steady
@given(st.lists(change, min_size=1, max_size=6))
def test_a_picture_after_any_edits_has_the_bytes_of_one_made_from_nothing(shared, changed):
    cold = Engine(shared.library, cache_mib=0)
    cold.latents = shared.latents
    recipe = Recipe(shared.library.default)
    for name, value in changed:
        recipe = apply(shared, recipe, name, value)
        np.testing.assert_array_equal(shared.render(recipe), cold.render(recipe))
    assert_close(shared.render(recipe), naive(shared, recipe))


@steady
@given(st.lists(st.lists(change, max_size=3), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_cell_of_a_sheet_has_the_bytes_of_the_picture(shared, changed, random):
    cold = Engine(shared.library, cache_mib=random.choice([0, 1]))
    cold.latents = shared.latents
    recipes = []
    for steps in changed:
        recipe = Recipe(shared.library.default)
        for name, value in steps:
            recipe = apply(shared, recipe, name, value)
        recipes.append(recipe)
    recipes.append(random.choice(recipes))
    sheet = cold.sheet(recipes, 1, 16, pad_px=3)
    for i, recipe in enumerate(recipes):
        np.testing.assert_array_equal(sheet[19 * i : 19 * i + 16], shared.render(recipe))
    np.testing.assert_array_equal(cold.sheet(recipes, 1, 16, pad_px=3), sheet)


@pytest.mark.parametrize(
    "options",
    [
        {"lod": 0.4},
        {"lod": 1.0},
        {"lod": 1.25},
        {"lod": 2.0},
        {"use_noise": False},
        {"image_channels": 1},
        {"use_styles": False, "const_input": False},
        {"const_input": False},
    ],
    ids=str,
)
def test_other_networks(tmp_path, options):
    engine = tiny_models.engine(tmp_path, **options)
    styles = engine.library.card(engine.library.default).num_ws
    recipe = Recipe(engine.library.default, 1)
    for step in (
        lambda r: edits.mix_from(r, 2, [styles - 1]),
        lambda r: edits.with_layer_psi(r, [0], 0.3),
        lambda r: edits.mix_from(r, 3, [styles // 2]),
    ):
        recipe = step(recipe)
        picture = engine.render(recipe)
        assert_close(picture, np.broadcast_to(naive(engine, recipe), (16, 16, 3)))
        np.testing.assert_array_equal(picture, Engine(engine.library, cache_mib=0).render(recipe))


def test_classes(tmp_path):
    engine = tiny_models.engine(tmp_path, label_dim=3)
    pictures = [engine.render(Recipe(engine.library.default, 1, label)) for label in (None, 0, 2)]
    for picture, label in zip(pictures, (None, 0, 2), strict=True):
        assert_close(picture, naive(engine, Recipe(engine.library.default, 1, label)))
    assert all((pictures[0] != other).any() for other in pictures[1:])
    with pytest.raises(RecipeError, match="class 3, but this model has classes 0 to 2"):
        engine.render(Recipe(engine.library.default, 1, 3))


def test_the_script_of_a_recipe_makes_the_same_bytes(shared, folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    recipe = Recipe(
        shared.library.default,
        Blend(3, 4, 0.3, "z"),
        psi=0.6,
        cutoff=4,
        layer_psi=((0, 0.2),),
        mixes=(Mix(7, ((1, 0.5), (2, 1.0))),),
        noise=Noise("random", 5, strengths=((3, 2.0), (4, 0.0))),
    )
    exec(as_python(recipe, str(folder / "tiny.safetensors")), {})
    np.testing.assert_array_equal(np.asarray(Image.open("picture.png")), shared.render(recipe))


def test_rendering_changes_no_weight_and_no_random_state(shared, plain):
    G = shared.library.generator(plain.model)
    before = {name: tensor.clone() for name, tensor in G.state_dict().items()}
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    shared.render(replace(plain, noise=Noise("random", 9), psi=0.3, mixes=(Mix(8, ((2, 0.5),)),)))
    shared.sheet([plain, replace(plain, source=4)], 2, 16)
    assert all(torch.equal(tensor, before[name]) for name, tensor in G.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert not G.training


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


def test_sizes(shared, plain):
    own = shared.render(plain)
    np.testing.assert_array_equal(shared.render(plain, 16), own)
    np.testing.assert_array_equal(shared.render(plain, 48), own.repeat(3, 0).repeat(3, 1))
    assert shared.render(plain, 50, smooth=True).shape == (50, 50, 3)
    boxes = own.reshape(8, 2, 8, 2, 3).mean((1, 3))
    assert np.abs(shared.render(plain, 8) - boxes).max() <= 1
    for size in (0, -1, 1e3, 1 << 20, True, "64", float("nan")):
        with pytest.raises(InputError, match="size of a picture"):
            shared.render(plain, size)


def test_w(shared, plain):
    G = shared.library.generator(plain.model)
    expected = G.truncate(G.mapping(stylegan.seeds_to_z([3], 16)), 0.7)[0]
    torch.testing.assert_close(shared.w(plain), expected)
    assert shared.w(replace(plain, psi=0)).equal(G.w_mean.expand(LAYERS, -1))


def test_stored_latents(shared, plain):
    per_layer = torch.randn(LAYERS, 16, generator=torch.Generator().manual_seed(1))
    recipe = replace(plain, source=Stored(shared.latents.keep(per_layer)), psi=1)
    assert shared.w(recipe).equal(per_layer)
    assert_close(shared.render(recipe), naive(shared, recipe))
    foreign = replace(plain, source=Blend(1, Stored(shared.latents.keep(torch.ones(512))), 0.5))
    with pytest.raises(RecipeError, match="of another model"):
        shared.render(foreign)
    with pytest.raises(RecipeError, match="latent abababab, which is not kept here"):
        shared.render(replace(plain, mixes=(Mix(Stored("ab" * 16), ((0, 1.0),)),)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": "f" * 64}, "The model 'ffff.*is not here"),
        ({"label": 0}, "no classes"),
        ({"cutoff": 7}, "only 6 layers"),
        ({"layer_psi": ((6, 1.0),)}, "layer 6: this model has layers 0 to 5"),
        ({"mixes": (Mix(1, ((17, 1.0),)),)}, "layer 17"),
        ({"noise": Noise(seeds=((6, 1),))}, "layer 6"),
        ({"edits": (Edit(Direction("hat", "ab" * 8), 1),)}, "no direction hat"),
        ({"edits": (Edit(SMILE, 1, None, (Direction("hat", "ab" * 8),)),)}, "no direction hat"),
    ],
)
def test_what_does_not_fit_the_model_is_refused_in_one_sentence(shared, plain, change, says):
    for call in (shared.check, shared.render, shared.w, lambda r: shared.sheet([plain, r], 2, 16)):
        with pytest.raises(InputError, match=says) as error:
            call(replace(plain, **change))
        assert "\n" not in str(error.value)
    shared.render(plain)


def test_a_direction_cannot_move_when_held_by_its_locks(shared, plain):
    twin = Direction("twin", "77" * 16)
    smile = shared.library.directions(plain.model)[SMILE.digest]
    shared.library.add_directions(plain.model, [replace(smile, name="twin", digest=twin.digest)])
    with pytest.raises(RecipeError, match="smile cannot move while twin is held still"):
        shared.render(replace(plain, edits=(Edit(SMILE, 1, None, (twin,)),)))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, 2, 16), "1 to 400 pictures, not 0"),
        ((401, 2, 16), "1 to 400 pictures, not 401"),
        ((4, 0, 16), "1 to 400 columns"),
        ((4, 2.0, 16), "1 to 400 columns"),
        ((4, 2, 16, -1), "0 to 256 pixels between"),
        ((100, 10, 4096), "too large"),
        ((4, 2, 0), "size of a picture"),
    ],
)
def test_impossible_sheets(shared, plain, arguments, says):
    count, *rest = arguments
    with pytest.raises(InputError, match=says):
        shared.sheet([plain] * count, *rest)


def test_gaps_in_a_sheet(shared, plain):
    sheet = shared.sheet([None, plain], 2, 16, pad_px=0, background=7)
    assert (sheet[:, :16] == 7).all()
    np.testing.assert_array_equal(sheet[:, 16:], shared.render(plain))


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


def test_without_a_model_there_is_one_clear_sentence(tmp_path):
    library = Library([], tmp_path / "models")
    with pytest.raises(InputError, match="no model to show: none is in"):
        library.default  # noqa: B018 - reading it is the test
