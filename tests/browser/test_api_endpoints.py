"""`/generate`, `/render`, `/models` through gradio_client, and what the server refuses."""

import http.client
import json
from urllib.parse import urlsplit

import numpy as np
import pytest
from app_server import serve
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from explorer import png
from explorer.recipe import Noise, Recipe


@pytest.fixture(scope="module")
def client(served, tmp_path_factory):
    return Client(served.url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


def same(path, served, recipe, size=None):
    return np.array_equal(np.asarray(Image.open(path)), served.app.engine.render(recipe, size))


def test_generate_gives_a_picture_that_carries_its_recipe(client, served):
    path, recipe = client.predict(seed=7, psi=0.4, cutoff=3, noise_seed=9, api_name="/generate")
    made = Recipe(served.app.library.default, 7, None, 0.4, 3, noise=Noise("random", 9))
    assert Recipe.from_data(recipe) == made
    with open(path, "rb") as file:
        assert png.read(file.read()) == made
    assert same(path, served, made)


def test_everything_has_a_default(client, served):
    path, recipe = client.predict(api_name="/generate")
    assert Recipe.from_data(recipe) == Recipe(served.app.library.default)
    assert same(path, served, Recipe(served.app.library.default))


def test_models_are_listed_and_chosen_by_digest_start_or_name(client, served):
    models = client.predict(api_name="/models")
    assert [model["name"] for model in models] == ["The plain", "The classes"]
    assert (models[1]["label_dim"], models[1]["resolution"], models[1]["num_ws"]) == (3, 32, 8)
    for name in (models[1]["digest"], models[1]["digest"][:8], "The classes"):
        _, recipe = client.predict(model=name, label=2, api_name="/generate")
        assert (recipe["model"], recipe["label"]) == (models[1]["digest"], 2)
    _, recipe = client.predict(model="The classes", api_name="/generate")
    assert recipe["label"] == 0


def test_render_takes_a_recipe_as_text_or_data_at_any_size(client, served):
    made = Recipe(served.app.library.default, 5, psi=0.2, layer_psi=((0, 1.0),))
    for recipe in (made.json, json.loads(made.json)):
        path, back = client.predict(recipe=recipe, api_name="/render")
        assert Recipe.from_data(back) == made
        assert same(path, served, made)
    path, _ = client.predict(recipe=made.json, size=40, api_name="/render")
    assert same(path, served, made, 40)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"seed": -1}, "seed is a whole number"),
        ({"seed": 1.5}, "seed is a whole number"),
        ({"seed": "<b>x</b>"}, "&lt;b&gt;"),
        ({"seed": None}, "seed is a whole number"),
        ({"psi": 1e300}, "ψ is a number"),
        ({"psi": "x"}, "ψ is a number"),
        ({"psi": [1]}, "ψ is a number"),
        ({"cutoff": 7}, "only 6 layers"),
        ({"cutoff": -1}, "cutoff"),
        ({"label": 0}, "no classes"),
        ({"noise_seed": 2**40}, "seed is a whole number"),
        ({"model": "nothing"}, "There is no model 'nothing'"),
        ({"model": 5}, "There is no model 5"),
    ],
    ids=str,
)
def test_bad_values_are_one_sentence(client, wrong, words):
    with pytest.raises(AppError) as caught:
        client.predict(**wrong, api_name="/generate")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, "not valid JSON"),
        ({"recipe": {"version": 9}}, "update StyleGAN Explorer"),
        ({"recipe": 5}, "not a JSON object"),
        ({"recipe": Recipe("abcdefab").json}, "not here"),
        ({"recipe": "SIZED", "size": 10**9}, "size of a picture"),
        ({"recipe": "SIZED", "size": 1.5}, "size of a picture"),
    ],
    ids=str,
)
def test_bad_recipes_and_sizes_are_one_sentence(client, served, wrong, words):
    if wrong.get("recipe") == "SIZED":
        wrong = {**wrong, "recipe": Recipe(served.app.library.default).json}
    with pytest.raises(AppError) as caught:
        client.predict(**wrong, api_name="/render")
    assert words in str(caught.value)


def post(url, path, body, **headers):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def test_numbers_that_json_has_not_are_refused(client, served):
    for number in (b"NaN", b"Infinity", b"1e999"):
        status, text = post(
            served.url, "/gradio_api/call/generate", b'{"data": [0, %s, null, null, null, ""]}' % number
        )
        if status == 200:
            event = json.loads(text)["event_id"]
            parts = urlsplit(served.url)
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
            connection.request("GET", f"/gradio_api/call/generate/{event}")
            text = connection.getresponse().read()
            connection.close()
            assert b"event: error" in text
    assert client.predict(api_name="/generate")


def test_pages_of_other_sites_cannot_use_a_local_app_under_their_name(served):
    assert post(served.url, "/gradio_api/component_server", b"{}", Host="evil.example")[0] == 400


def test_with_a_password_nothing_answers_without_it(tmp_path):
    with serve(tmp_path, host="0.0.0.0", auth=("ann", "secret")) as server:
        for path in ("component_server", "call/generate", "queue/join", "upload"):
            assert post(server.url, f"/gradio_api/{path}", b"{}")[0] == 401
        client = Client(server.url, auth=("ann", "secret"), verbose=False, download_files=str(tmp_path))
        assert client.predict(api_name="/models")
