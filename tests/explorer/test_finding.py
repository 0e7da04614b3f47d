"""Directions found for a page: fits, components, the look at one, what is remembered; and refusals in words."""

import numpy as np
import pytest
import tiny_models
import torch

from explorer import finding
from explorer.finding import Asked, Finder, band_layers, data_of
from explorer.recipe import Recipe
from explorer.scorers import Scorers
from explorer.values import RecipeError
from stylegan import directions as library
from stylegan.directions import FitOptions, PictureMeasures, finish
from stylegan.directions.attribute_net import AttributeNet, AttributeScorer, ScorerConfig, save_scorer
from stylegan.directions.targets import Target
from stylegan.errors import InputError

COUNT = 400


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finding")
    net = AttributeNet(ScorerConfig((Target("a", "continuous"), Target("b", "continuous")), 32, (4, 4, 4, 4)))
    scorer = AttributeScorer(net.eval().requires_grad_(False), {"a": {"r2": 0.9}, "b": {"r2": 0.1}})
    save_scorer(scorer, folder / "tiny.attributes.safetensors")
    return tiny_models.engine(folder)


@pytest.fixture(scope="module")
def finder(engine):
    return Finder(engine, Scorers(engine.library))


@pytest.fixture
def model(engine):
    return engine.library.default


def test_a_fit_is_the_librarys_and_is_remembered(engine, finder, model):
    names = ("brightness", "warmth")
    steps = list(finder.fit(Asked(model, names=names, count=COUNT)))
    assert [step.share for step in steps] == sorted(step.share for step in steps)
    assert all(step.result is None for step in steps[:-1])
    found = steps[-1].result.directions
    G = engine.library.generator(model)
    samples = finish(library.sample(G, PictureMeasures(), COUNT))
    for name, direction in zip(names, found, strict=True):
        own = library.fit(samples, name, FitOptions())
        assert abs(float(own.vector @ direction.vector)) > 0.9999
        assert finder.found(model, direction.digest) is direction
        data = data_of(direction)
        assert (data["name"], data["samples"], data["w"]["accuracy"]) == (name, COUNT, direction.facts.w.accuracy)
        assert data["z"]["separability"] == pytest.approx(2 ** data["z"]["entropy_bits"])


def test_samples_are_drawn_once(engine, finder, model, monkeypatch):
    finish(finder.fit(Asked(model, names=("contrast",), count=COUNT)))
    monkeypatch.setattr(finding.library, "sample", None)
    (direction,) = finish(finder.fit(Asked(model, names=("contrast",), count=COUNT, method="ridge"))).directions
    assert direction.method == "ridge"


def test_the_models_own_scorer_comes_first_and_what_it_reads_badly_is_left_out(finder, model):
    own, measures = finder.scorers(model)
    assert own == {
        "key": "attributes",
        "title": "Attributes",
        "columns": [
            {"name": "a", "kind": "continuous", "good": True},
            {"name": "b", "kind": "continuous", "good": False},
        ],
    }
    assert (measures["key"], len(measures["columns"])) == ("measures", 11)
    (direction,) = finish(finder.fit(Asked(model, scorer="attributes", count=200))).directions
    assert direction.name == "a"


def test_a_damaged_scorer_is_told_and_the_measures_stay(tmp_path):
    engine = tiny_models.engine(tmp_path)
    (tmp_path / "tiny.attributes.safetensors").write_bytes(b"no")
    model = engine.library.default
    (measures,) = Finder(engine, Scorers(engine.library)).scorers(model)
    assert "not a whole safetensors file" in measures["problem"]
    with pytest.raises(InputError, match="not a whole safetensors file"):
        next(Finder(engine, Scorers(engine.library)).fit(Asked(model, scorer="attributes")))
    (tmp_path / "tiny.attributes.safetensors").unlink()
    with pytest.raises(InputError, match="no attribute scorer beside it"):
        next(Finder(engine, Scorers(engine.library)).fit(Asked(model, scorer="attributes")))


def table(engine, model, value):
    seeds = range(300)
    w = library.latents(engine.library.generator(model), seeds).w.numpy()
    return library.parse_scores("\n".join(f"{seed},{value(seed, w)}" for seed in seeds), "mine.csv")


def test_a_table_that_follows_w_gives_a_direction_that_tells_it(engine, finder, model):
    rows = table(engine, model, lambda seed, w: float(w[seed, 3] - 2 * w[seed, 5]))
    w = finder.pool(model, None).w
    known = w[:, 3] - 2 * w[:, 5]
    for method in ("svm", "ridge"):
        (direction,) = finish(finder.fit(Asked(model, scorer="table", table=rows, method=method))).directions
        assert np.corrcoef(direction.place(w), known)[0, 1] > 0.97
        assert direction.facts.w.accuracy > 0.95
        assert (direction.name, direction.facts.samples) == ("mine", 300)


def test_scores_that_give_nothing_are_refused_in_words(engine, finder, model):
    with pytest.raises(InputError, match="mine: the score is the same for all 300 samples"):
        finish(finder.fit(Asked(model, scorer="table", table=table(engine, model, lambda seed, w: 0.5))))
    with pytest.raises(InputError, match="the same for all 300"):
        finish(finder.fit(Asked(model, scorer="table", table=table(engine, model, lambda seed, w: 1))))
    with pytest.raises(InputError, match="line 1: 'nan' is not a finite number"):
        table(engine, model, lambda seed, w: "nan")
    with pytest.raises(InputError, match="no score 'smile'; there are: brightness"):
        next(finder.fit(Asked(model, names=("smile",))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"scorer": "x"}, {"method": "tree"}, {"count": 199}, {"count": 50_001}, {"count": 1e3}, {"count": True},
        {"names": "brightness"}, {"names": (3,)}, {"names": ("a",) * 65}, {"scorer": "table"},
    ],
)  # fmt: skip
def test_impossible_requests_are_refused(wrong, model):
    with pytest.raises(RecipeError):
        Asked(model, **wrong)


def test_components_of_a_band(engine, finder, model):
    found = finish(finder.components(model, None, "pca", "middle", 3)).directions
    assert [(d.name, d.layers) for d in found] == [(f"PC {i}, middle", (4, 5)) for i in (1, 2, 3)]
    pool = finder.pool(model, None)
    own = library.principal_components(pool.w, 3)
    assert all(torch.equal(a.vector, b.vector) for a, b in zip(found, own, strict=True))
    (sefa,) = finish(finder.components(model, None, "sefa", "all", 1)).directions
    assert (sefa.name, sefa.method, sefa.layers) == ("SeFa 1", "sefa", tuple(range(6)))
    assert len(finish(finder.components(model, None, "pca", "all", 24)).directions) == 16
    for kind, band, count, said in (
        ("ica", "all", 3, "kind is one of pca, sefa"),
        ("pca", "fine", 3, "ends at 16²: it has no fine layers"),
        ("pca", 3, 3, "band is one of"),
        ("pca", "all", 0, "from 1 to 24"),
        ("pca", "all", 25, "from 0 to 24"),
    ):
        with pytest.raises(RecipeError, match=said):
            finish(finder.components(model, None, kind, band, count))


def test_a_look_shows_the_picture_moved_and_the_two_ends(engine, finder, model):
    recipe = Recipe(model, 5, psi=0.8)
    (direction,) = finish(finder.fit(Asked(model, names=("brightness",), count=COUNT))).directions
    look = finder.look(recipe, direction.digest)
    assert look.strip.shape == (16, 7 * 16, 3)
    np.testing.assert_array_equal(look.strip[:, 48:64], engine.render(recipe))  # the middle is the picture itself
    w = engine.w(recipe) + 3 * direction.sigma * direction.vector
    expected = engine.library.generator(model).synthesis(w[None], noise="stored")
    np.testing.assert_allclose(look.strip[:, 96:], library_uint8(expected), atol=1)
    assert look.ends.shape == (16, 12 * 16, 3)
    pool = finder.pool(model, None)
    place = direction.place(pool.w)
    for row, at in ((int(place.argmin()), 0), (int(place.argmax()), 176)):
        sample = engine.render(Recipe(model, pool.seeds[row], psi=1.0))
        np.testing.assert_array_equal(look.ends[:, at : at + 16], sample)


def library_uint8(x):
    from stylegan.images import to_uint8

    return to_uint8(x)[0].numpy()


def test_only_what_was_found_can_be_kept_and_only_under_a_name(finder, model):
    (direction,) = finish(finder.components(model, None, "pca", "all", 1)).directions
    named = finder.found(model, direction.digest, "  light ")
    assert (named.name, named.digest) == ("light", direction.digest)
    for digest in ("ab" * 16, None, 3, ["x"]):
        with pytest.raises(RecipeError, match="find it again"):
            finder.found(model, digest)
    for name in ("", "  ", 3):
        with pytest.raises(RecipeError, match="a name"):
            finder.found(model, direction.digest, name)
    with pytest.raises(InputError, match="1 to 64 printable"):
        finder.found(model, direction.digest, "x" * 65)


def test_of_many_that_were_found_the_oldest_are_forgotten(finder, model, monkeypatch):
    first = finish(finder.components(model, None, "pca", "all", 2)).directions
    monkeypatch.setattr(finding, "_REMEMBERED", 3)
    finish(finder.components(model, None, "sefa", "all", 3))
    with pytest.raises(RecipeError, match="find it again"):
        finder.found(model, first[0].digest)


def test_bands(engine, model):
    card = engine.library.card(model)
    assert band_layers(card, "all") is None
    assert band_layers(card, "coarse") == (0, 1, 2, 3)
