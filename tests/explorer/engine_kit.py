"""What the tests of the engine share: the picture of a recipe the slow way, and recipes whose parts often collide."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import strategies as st
from recipe_strategies import reals

import stylegan
from explorer.engine import Engine
from explorer.parts import Blend, Direction, Edit, Mix, Noise, Stored
from explorer.recipe import Recipe

LAYERS = 6  # of the tiny model

SMILE, AGE = Direction("smile", "5a" * 16), Direction("age", "a6" * 16)


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
