"""Hypothesis strategies for recipes, with every part that a recipe can carry."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from explorer.recipe import Blend, Direction, Edit, Mix, Noise, Recipe, Stored

# The same examples in every run, and no clock: the machine may be busy.
steady = settings(max_examples=50, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

MODEL = "0123456789abcdef" * 2

seeds = st.integers(0, 2**32 - 1)
layers = st.integers(0, 31)
digests = st.text("0123456789abcdef", min_size=8, max_size=64)
names = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)


def reals(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high) | st.sampled_from([0.0, -0.0, 1.0])


def per_layer(values, min_size=0):
    return st.dictionaries(layers, values, min_size=min_size, max_size=6).map(lambda d: tuple(d.items()))


z_sources = st.recursive(seeds, lambda ends: st.builds(Blend, ends, ends, reals(-4, 4), st.just("z")), max_leaves=3)
sources = st.recursive(
    st.one_of(z_sources, st.builds(Stored, digests)),
    lambda ends: st.builds(Blend, ends, ends, reals(-4, 4), st.just("w")),
    max_leaves=2,
).filter(lambda source: depth(source) <= 3)


def depth(source) -> int:
    return 1 + max(depth(source.a), depth(source.b)) if isinstance(source, Blend) else 0


mixes = st.builds(Mix, sources, per_layer(reals(0, 1), 1))
directions = st.builds(Direction, names, digests)


@st.composite
def edits(draw):
    direction, *locks = draw(st.lists(directions, min_size=1, max_size=3, unique_by=lambda d: d.digest))
    some = draw(st.none() | st.lists(layers, min_size=1, max_size=5).map(tuple))
    return Edit(direction, draw(reals(-100, 100)), some, tuple(locks))


@st.composite
def noises(draw):
    mode = draw(st.sampled_from(["stored", "random", "none"]))
    seed = draw(seeds) if mode == "random" else 0
    return Noise(mode, seed, draw(per_layer(seeds)), draw(per_layer(reals(0, 10))))


recipes = st.builds(
    Recipe,
    model=digests,
    source=sources,
    label=st.none() | st.integers(0, 1000),
    psi=reals(-10, 10),
    cutoff=st.none() | st.integers(0, 32),
    layer_psi=per_layer(reals(-10, 10)),
    mixes=st.lists(mixes, max_size=3, unique_by=lambda mix: mix.source).map(tuple),
    edits=st.lists(edits(), max_size=3, unique_by=lambda edit: edit.direction.digest).map(tuple),
    noise=noises(),
)
