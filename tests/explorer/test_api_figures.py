"""The endpoints /mix, /noise and /truncation, asked as programs do: with gradio_client."""

import numpy as np
import pytest
from gradio_client.exceptions import AppError
from PIL import Image

from explorer import png
from explorer.recipe import Mix, Noise, Recipe
from explorer.ui.noise import spelled_out

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # gradio_client leaves loops and sockets


@pytest.fixture
def ask(client, served):
    """`ask(name, …)`: the recipe that came back, after its picture has been held against the engine's."""

    def ask(name, **given):
        file, data = client.predict(api_name=name, **given)
        recipe = Recipe.from_data(data)
        with Image.open(file) as image:
            assert np.array_equal(np.asarray(image), served.app.engine.render(recipe))
        assert png.read_file(file) == recipe
        return recipe

    return ask


def pairs(layers, value=1.0):
    return tuple((layer, value) for layer in layers)


def test_mix(ask, served):
    model = served.app.library.default
    assert ask("/mix") == Recipe(model, 0, mixes=(Mix(1, pairs(range(4))),))
    asked = ask("/mix", seed_a=5, seed_b=9, layers="0-1,5", amount=0.25, psi=-1, cutoff=3, noise_seed=4)
    mixes = (Mix(9, pairs((0, 1, 5), 0.25)),)
    assert asked == Recipe(model, 5, psi=-1, cutoff=3, mixes=mixes, noise=Noise("random", 4))
    other = ask("/mix", layers="middle", label=2, model="The classes")
    assert (other.label, [layer for layer, _ in other.mixes[0].layers]) == (2, [4, 5, 6, 7])


def test_noise(ask, served):
    model = served.app.library.default
    assert ask("/noise") == Recipe(model, 0, noise=Noise(seeds=pairs(range(6), 1)))
    asked = ask("/noise", seed=3, layers="middle", noise_seed=8, strength=2.5, psi=1)
    assert asked == Recipe(model, 3, psi=1, noise=Noise(seeds=pairs((4, 5), 8), strengths=pairs((4, 5), 2.5)))
    assert ask("/noise", layers="0", noise_seed=None, strength=0).noise == Noise(strengths=((0, 0.0),))


def test_truncation(client, served):
    file, recipes = client.predict(api_name="/truncation")
    assert [(one.get("source", 0), one.get("psi", 0.7)) for one in recipes] == [
        (0, p) for p in (1, 0.7, 0.5, 0, -0.5, -1)
    ]
    file, recipes = client.predict(
        seed="91,388", psis=[1, -0.25], noise_seed=3, model="The classes", api_name="/truncation"
    )
    asked = [Recipe.from_data(one) for one in recipes]
    assert [(one.source, one.psi, one.label) for one in asked] == [
        (91, 1, 0),
        (91, -0.25, 0),
        (388, 1, 0),
        (388, -0.25, 0),
    ]
    with Image.open(file) as image:
        assert np.array_equal(np.asarray(image), served.app.engine.sheet(asked, 2, 32))


NAN, HUGE = float("nan"), 10**30


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("/mix", {"seed_a": -1}, "seed, .* from 0 to 4294967295"),
        ("/mix", {"seed_b": HUGE}, "seed, .* from 0 to 4294967295"),
        ("/mix", {"seed_b": {"latent": "x"}}, "from 0 to 4294967295"),
        ("/mix", {"layers": "finest"}, "Layers are named coarse, middle, all, or numbers from 0 to 5"),
        ("/mix", {"layers": "fine"}, "no fine layers: it ends at 16²"),
        ("/mix", {"layers": "0-9"}, "from 0 to 5"),
        ("/mix", {"layers": 3}, "Layers are text"),
        ("/mix", {"amount": 1.5}, "amount of a mix is a number from 0 to 1"),
        ("/mix", {"psi": "much"}, "ψ is a number"),
        ("/mix", {"label": 1}, "no classes"),
        ("/mix", {"model": "nobody's"}, "no model"),
        ("/noise", {"strength": -1}, "noise strength is a number from 0 to 10"),
        ("/noise", {"noise_seed": 2.5}, "seed is a whole number"),
        ("/noise", {"layers": ""}, "Layers are named"),
        ("/noise", {"seed": None}, "seed"),
        ("/truncation", {"seed": "0-99"}, "at most 24 seeds"),
        ("/truncation", {"seed": 1.5}, "seed"),
        ("/truncation", {"psis": []}, "ψ: give 1 to 12 numbers"),
        ("/truncation", {"psis": [1, "2"]}, "ψ is a number"),
        ("/truncation", {"psis": "1e9"}, "numbers are typed like"),
        ("/truncation", {"psis": {"a": 1}}, "is a list"),
    ],
)
def test_bad_input_gets_one_clear_message(client, name, given, words):
    with pytest.raises(AppError, match=words) as told:
        client.predict(api_name=name, **given)
    assert "went wrong inside" not in str(told.value)


def test_parameters_are_told_to_clients(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    names = {name: [one["parameter_name"] for one in endpoints[name]["parameters"]] for name in endpoints}
    assert names["/mix"][:5] == ["seed_a", "seed_b", "layers", "amount", "psi"]
    assert names["/noise"][:4] == ["seed", "layers", "noise_seed", "strength"]
    assert names["/truncation"][:2] == ["seed", "psis"]
    for name in ("/mix", "/noise", "/truncation"):
        assert all(one["parameter_has_default"] for one in endpoints[name]["parameters"])


@pytest.mark.parametrize(
    "noise",
    [
        Noise("none"),
        Noise("random", 5),
        Noise("random", 5, ((1, 9),)),
        Noise("stored", 0, ((3, 2),), ((1, 0.5),)),
        Noise("none", 0, ((2, 4),), ((2, 3.0),)),
    ],
)
def test_noise_spelled_out_layer_by_layer_is_the_same_picture(served, noise):
    card = served.app.library.cards()[0]
    recipe = Recipe(card.digest, 1, noise=noise)
    plain = spelled_out(recipe, card)
    assert plain.noise.mode == "stored"
    assert np.array_equal(served.app.engine.render(plain), served.app.engine.render(recipe))
