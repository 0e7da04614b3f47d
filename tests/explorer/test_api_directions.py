"""The endpoints for directions, asked as programs do: steering, traversals, files, teaching, and whose they are."""

import gc

import numpy as np
import pytest
import torch
from app_server import serve
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

import stylegan
from explorer import png
from explorer.parts import Noise
from explorer.recipe import Recipe
from explorer.ui import film
from stylegan.directions import Direction, DirectionSet, load_directions, save_directions
from stylegan.directions.direction import unit

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # gradio_client leaves loops and sockets


def made(name, seed, **more):
    return Direction(name, unit(torch.from_numpy(np.random.RandomState(seed).randn(16)), name), 1.0 + seed, **more)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The app with two directions beside its first model, and one beside its second, which has classes."""
    folder = tmp_path_factory.mktemp("api")
    with serve(folder) as server:
        for model, found in (
            ("plain", (made("smile", 0), made("mouth_open", 1, layers=(0, 1)))),
            ("classes", (made("age", 2),)),
        ):
            digest = stylegan.load(folder / f"{model}.safetensors").digest
            save_directions(DirectionSet(digest, found), folder / f"{model}.directions.safetensors")
        server.app.library.refresh()
        yield server


def names(client, **more):
    return [one["name"] for one in client.predict(api_name="/directions", **more)]


def test_steering_takes_all_that_a_picture_starts_from(client, served):
    file, data, reading = client.predict(
        api_name="/steer", seed=4, direction="age", strength=-1.5, layers="0-2", psi=0.4, cutoff=3, label=2,
        noise_seed=9, model="The classes",
    )  # fmt: skip
    recipe = Recipe.from_data(data)
    (edit,) = recipe.edits
    assert (recipe.source, recipe.psi, recipe.cutoff, recipe.label) == (4, 0.4, 3, 2)
    assert recipe.noise == Noise("random", 9)
    assert (edit.direction.name, edit.strength, edit.layers, edit.locks) == ("age", -1.5, (0, 1, 2), ())
    with Image.open(file) as image:
        assert np.array_equal(np.asarray(image), served.app.engine.render(recipe))
    assert png.read_file(file) == recipe
    assert reading["left"] == 1
    assert "brightness" in [score["name"] for score in reading["scores"]]
    _, both, reading = client.predict(
        api_name="/steer", recipe=client.predict(api_name="/steer", direction="smile")[1], direction="mouth_open",
        locks="smile, mouth_open",
    )  # fmt: skip
    assert [edit["direction"]["name"] for edit in both["edits"]] == ["smile", "mouth_open"]
    assert [lock["name"] for lock in both["edits"][1]["locks"]] == ["smile"]
    assert reading["left"] == pytest.approx(
        served.app.readings.left(both["model"], *lock_of(both))[lock_of(both)[0][0]]
    )


def lock_of(recipe):
    edit = recipe["edits"][1]
    return [edit["direction"]["digest"]], [lock["digest"] for lock in edit["locks"]]


def test_a_traversal_is_a_strip_or_a_sheet(client, served):
    file, recipes = client.predict(api_name="/traversal", direction="smile", reach=2, columns=5)
    strengths = [[edit["strength"] for edit in one.get("edits", [])] for one in recipes]
    assert strengths == [[-2], [-1], [], [1], [2]]
    asked = [Recipe.from_data(one) for one in recipes]
    with Image.open(file) as image:
        assert np.array_equal(np.asarray(image), served.app.engine.sheet(asked, 5, 16))
    _, recipes = client.predict(api_name="/traversal", direction="mouth_open", seeds="3,5-6", columns=3, locks="smile")
    assert [one["source"] for one in recipes] == [3] * 3 + [5] * 3 + [6] * 3
    assert recipes[0]["edits"][0]["layers"] == [0, 1]
    _, again = client.predict(api_name="/traversal", direction="smile", seeds="", recipe=recipes[0], columns=3)
    assert [one["source"] for one in again] == [3] * 3
    assert [len(one["edits"]) for one in again] == [2, 1, 2]


def test_directions_come_in_go_out_and_are_renamed_and_forgotten(client, served, tmp_path):
    np.save(tmp_path / "hat_boundary.npy", np.eye(16)[:1] * 3)
    answer = client.predict(api_name="/import_directions", file=handle_file(tmp_path / "hat_boundary.npy"))
    assert [one["name"] for one in answer["added"]] == ["hat"]
    listed = client.predict(api_name="/directions")
    assert [(one["name"], one["kept"]) for one in listed] == [("smile", False), ("mouth_open", False), ("hat", True)]
    everything = load_directions(client.predict(api_name="/export_directions"))
    assert [direction.name for direction in everything.directions] == ["smile", "mouth_open", "hat"]
    boundary = np.load(client.predict(api_name="/export_directions", name="hat"))
    np.testing.assert_allclose(boundary, np.eye(16)[:1], atol=1e-7)
    save_directions(DirectionSet("ab" * 32, (made("other", 7),)), tmp_path / "x.directions.safetensors")
    answer = client.predict(api_name="/import_directions", file=handle_file(tmp_path / "x.directions.safetensors"))
    assert "found in another model" in answer["warning"]
    assert client.predict(api_name="/rename_direction", direction="hat", name="bonnet")["name"] == "bonnet"
    for name in ("bonnet", "other"):
        assert client.predict(api_name="/forget_direction", direction=name)["name"] == name
    assert names(client) == ["smile", "mouth_open"]


def test_what_was_found_or_taught_is_kept_and_steered_along(client, served):
    (pc,) = client.predict(api_name="/components", count=1, band="coarse")
    assert (pc["name"], pc["layers"], len(pc["vector"])) == ("PC 1, coarse", [0, 1, 2, 3], 16)
    pool = served.app.finder.pool(served.app.library.default, None)
    along = (pool.w @ torch.tensor(pc["vector"])).numpy()
    labels = [[pool.seeds[i], bool(along[i] > along.mean())] for i in range(60)]
    lesson = client.predict(api_name="/teach_direction", labels=labels)
    assert lesson["positives"] + lesson["negatives"] == 60
    assert np.corrcoef(along, pool.w @ torch.tensor(lesson["direction"]["vector"]))[0, 1] > 0.8
    assert 0.5 < lesson["uncertainty"]["low"] < lesson["uncertainty"]["accuracy"]
    assert not set(lesson["next"]) & {seed for seed, _ in labels}
    rows = "\n".join(f"{seed},{int(value)}" for seed, value in labels)
    same = client.predict(api_name="/teach_direction", labels=rows)
    assert same["direction"]["digest"] == lesson["direction"]["digest"]
    few = client.predict(api_name="/teach_direction", labels=labels[:9])
    assert few["direction"] is None
    kept = client.predict(api_name="/keep_direction", digest=same["direction"]["digest"], name="light")
    assert (kept["name"], kept["method"]) == ("light", "labels")
    _, recipe, _ = client.predict(api_name="/steer", direction="light", strength=2)
    assert recipe["edits"][0]["direction"] == {"name": "light", "digest": kept["digest"]}
    client.predict(api_name="/forget_direction", direction="light")


def test_the_measured_table(client):
    table = client.predict(api_name="/entanglement", kind="measured", seeds=4, locks="smile")
    assert (table["rows"], table["locks"], table["seeds"], table["held"]) == (["smile", "mouth_open"], ["smile"], 4, [])
    assert np.isfinite(table["mean"]).all()
    assert np.isfinite(table["error"]).all()


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("/steer", {"direction": "frown"}, "no direction 'frown'; there are: smile, mouth_open"),
        ("/steer", {"direction": "smile", "strength": 1000}, "strength of an edit is a number from -100 to 100"),
        ("/steer", {"direction": "smile", "layers": "0-9"}, "from 0 to 5"),
        ("/steer", {"direction": "smile", "locks": "frown"}, "no direction 'frown'"),
        ("/steer", {"direction": "smile", "locks": 5}, "Locks are names"),
        ("/steer", {"direction": "smile", "label": 1}, "no classes"),
        ("/steer", {"direction": "smile", "cutoff": 9}, "only 6 layers"),
        ("/steer", {"direction": "smile", "noise_seed": -1}, "seed is a whole number"),
        ("/steer", {"direction": "smile", "visitor": "x" * 999}, "visitor is a text"),
        ("/traversal", {"direction": "smile", "columns": 4}, "odd number"),
        ("/traversal", {"direction": "smile", "reach": 0}, "in σ"),
        ("/traversal", {"direction": "smile", "seeds": "0-99"}, "at most 20 seeds"),
        ("/traversal", {"direction": "smile", "seeds": -1}, "seed"),
        ("/entanglement", {"kind": "guessed"}, "cosines or measured"),
        ("/entanglement", {"kind": "measured", "seeds": 1}, "from 2"),
        ("/entanglement", {"space": "z"}, "only fits of scores"),
        ("/keep_direction", {"digest": "ab" * 16, "name": "x"}, "find it again"),
        ("/rename_direction", {"direction": "smile", "name": "grin"}, "belongs to the file beside the model"),
        ("/forget_direction", {"direction": "smile"}, "belongs to the file beside the model"),
        ("/export_directions", {"name": "frown"}, "no direction 'frown'"),
        ("/teach_direction", {"labels": [[1, 1]]}, "pair"),
        ("/teach_direction", {"labels": "1,0.5"}, "labels are rows"),
        ("/components", {"kind": "ica"}, "kind is one of pca, sefa"),
        ("/components", {"count": 99}, "from 0 to 24"),
    ],
)  # fmt: skip
def test_mistakes_are_one_sentence(client, name, given, said):
    with pytest.raises(AppError, match=said) as caught:
        client.predict(api_name=name, **given)
    assert "went wrong inside" not in str(caught.value)


def test_files_that_do_not_fit_are_refused(client, tmp_path):
    np.save(tmp_path / "narrow.npy", np.ones((1, 12)))
    (tmp_path / "note.txt").write_text("no")
    for name, said in (("narrow.npy", "width 12; this model's w has 16"), ("note.txt", "neither")):
        with pytest.raises(AppError, match=said):
            client.predict(api_name="/import_directions", file=handle_file(tmp_path / name))


def test_a_user_has_directions_of_their_own(served, tmp_path):
    """With a password what programs keep is the user's, as on the page; the owner's and a visitor's are not shown."""
    with serve(tmp_path, auth=("ann", "secret")) as server:
        app, model = server.app, server.app.library.default
        app.directions(None, "").keep(app.library.card(model), made("of the owner", 3))
        client = Client(server.url, auth=("ann", "secret"), verbose=False, download_files=str(tmp_path / "got"))
        (found,) = client.predict(api_name="/components", count=1)
        client.predict(api_name="/keep_direction", digest=found["digest"], name="of ann")
        assert names(client) == names(client, visitor="bob") == ["of ann"]
        assert [one.name for one in app.directions("ann", "").kept(app.library.card(model))] == ["of ann"]
        assert client.predict(api_name="/steer", direction="of ann")[1]["edits"][0]["strength"] == 2
        with pytest.raises(AppError, match="no direction 'of the owner'"):
            client.predict(api_name="/steer", direction="of the owner")
        client.close()
    gc.collect()


def test_in_a_demo_directions_lie_under_a_secret_word(tmp_path):
    with serve(tmp_path, share=True) as server:
        client = Client(server.url, verbose=False, download_files=str(tmp_path / "got"))
        (found,) = client.predict(api_name="/components", count=1)
        asked = {"digest": found["digest"], "name": "mine"}
        with pytest.raises(AppError, match="secret word"):
            client.predict(api_name="/keep_direction", **asked)
        client.predict(api_name="/keep_direction", **asked, visitor="of ann")
        assert (names(client), names(client, visitor="of bob"), names(client, visitor="of ann")) == ([], [], ["mine"])
        assert film._facts(server.app)({"model": server.app.library.default})["directions"] == []
        with pytest.raises(AppError, match="at most 6 seeds"):
            client.predict(api_name="/traversal", direction="mine", visitor="of ann", seeds="0-6")
        with pytest.raises(AppError, match="from 0 to 200"):
            client.predict(api_name="/entanglement", kind="measured", visitor="of ann", seeds=500)
        client.close()
    gc.collect()
