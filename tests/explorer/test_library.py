"""Models on disk: cards, order, memory, broken files, changes, import."""

import shutil
from dataclasses import replace

import pytest
import tiny_models
import torch

from explorer.library import Library
from explorer.vectors import DirectionVector
from stylegan import Discriminator, DiscriminatorConfig, model_file
from stylegan.errors import ConversionError, InputError, ModelFileError


def names(library: Library) -> list[str]:
    return [card.name for card in library.cards()]


def test_files_come_first_then_the_folder_by_name_and_each_model_once(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    for seed, name in enumerate(("b", "a", "c")):
        tiny_models.make(folder, name, seed)
    given = tiny_models.make(tmp_path, "z", 9)
    shutil.copy(folder / "a.safetensors", folder / "d.safetensors")
    library = Library([given, folder / "c.safetensors"], folder)
    assert names(library) == ["The z", "The c", "The a", "The b"]
    assert library.card(library.default).name == "The z"
    assert library.problems == []


def test_a_card_says_what_a_model_is(tmp_path):
    tiny_models.make(tmp_path, resolution=64, label_dim=3)
    card = Library([tmp_path / "tiny.safetensors"]).cards()[0]
    G = model_file.load_generator(tmp_path / "tiny.safetensors")
    assert (card.digest, card.name, card.resolution, card.num_ws, card.num_layers) == (G.digest, "The tiny", 64, 10, 10)
    assert (card.label_dim, card.w_dim, card.z_dim, card.has_noise, card.has_directions) == (3, 16, 16, True, False)
    assert (card.default_psi, card.default_cutoff) == (0.7, 8)
    assert card.bands == {"coarse": (0, 1, 2, 3), "middle": (4, 5, 6, 7), "fine": (8, 9)}
    assert card.layer_sizes == (4, 4, 8, 8, 16, 16, 32, 32, 64, 64)
    assert card.parameters == sum(p.numel() for p in G.parameters())


def test_a_cutoff_beyond_the_model_is_all_layers(tmp_path):
    library = Library([tiny_models.make(tmp_path)])  # 6 layers; the config's default is 8
    assert library.cards()[0].default_cutoff is None


def test_broken_files_are_told_and_passed_over(tmp_path):
    tiny_models.make(tmp_path, "good")
    tiny_models.make(tmp_path, "two", image_channels=2)
    (tmp_path / "broken.safetensors").write_bytes(b"nothing of ours")
    library = Library([tmp_path / "gone.safetensors"], tmp_path)
    assert names(library) == ["The good"]
    gone, broken, two = library.problems
    assert "no file" in gone
    assert "gone.safetensors" in gone
    assert "broken.safetensors" in broken
    assert "2 channels" in two
    assert all(problem.endswith(".") and "\n" not in problem for problem in library.problems)


def test_companions_of_a_model_are_no_models(tmp_path):
    tiny_models.make(tmp_path)
    config = DiscriminatorConfig(resolution=16, fmap_base=64, fmap_max=8)
    model_file.save(Discriminator(config), tmp_path / "tiny.discriminator.safetensors")
    for name in ("other.directions.safetensors", "tiny.attributes.safetensors", ".tiny.safetensors"):
        (tmp_path / name).write_bytes(b"something else")
    library = Library([], tmp_path)
    assert names(library) == ["The tiny"]
    assert library.problems == []


def test_a_refresh_sees_what_came_went_and_changed(tmp_path):
    library = Library([], tmp_path)
    assert library.cards() == []
    path = tiny_models.make(tmp_path, "a", 0)
    library.refresh()
    first = library.default
    assert library.generator(first).digest == first
    tiny_models.make(tmp_path, "a", 1)
    library.refresh()
    assert library.default != first
    with pytest.raises(InputError, match="is not here: choose one"):
        library.generator(first)
    path.unlink()
    library.refresh()
    assert library.cards() == []


def test_a_file_that_changed_behind_our_back(tmp_path):
    path = tiny_models.make(tmp_path, "a", 0)
    library = Library([path], memory_mib=0)
    tiny_models.make(tmp_path, "a", 2)
    with pytest.raises(InputError, match="has changed: reload"):
        library.generator(library.default)
    path.unlink()
    with pytest.raises(ModelFileError, match="no file"):
        library.generator(library.default)


def test_memory_keeps_the_models_used_last(tmp_path):
    paths = [tiny_models.make(tmp_path, str(i), i, fmap_base=2048, fmap_max=128) for i in range(3)]  # 3 MiB each
    library = Library(paths, memory_mib=7)
    digests = [card.digest for card in library.cards()]
    one, two = (library._loaded[digest] for digest in digests[:2])  # from reading the cards: as many as fit
    assert len(library._loaded) == 2
    assert library.generator(digests[0]) is one
    assert library.generator(digests[2]).digest == digests[2]  # in place of the one used longest ago
    assert library.generator(digests[0]) is one
    assert library.generator(digests[1]) is not two


def test_unknown_digests(tmp_path):
    library = Library([tiny_models.make(tmp_path)])
    for digest in ("f" * 64, "", library.default[:10], None, 5, "x" * 10_000):
        for call in (library.card, library.generator):
            with pytest.raises(InputError, match="is not here") as error:
                call(digest)
            assert len(str(error.value)) < 200


def test_directions_are_known_by_model_and_digest(tmp_path):
    library = Library([tiny_models.make(tmp_path, "a", 0), tiny_models.make(tmp_path, "b", 1)])
    a, b = (card.digest for card in library.cards())
    smile = DirectionVector("smile", "5a" * 16, torch.eye(16)[0], 1.0)
    library.add_directions(a, [smile])
    library.add_directions(a, [replace(smile, sigma=2.0), replace(smile, name="age", digest="a6" * 16)])
    assert [(d.name, d.sigma) for d in library.directions(a).values()] == [("smile", 2.0), ("age", 1.0)]
    assert not library.directions(b)
    assert [card.has_directions for card in library.cards()] == [True, False]


def test_importing_an_official_pickle(tmp_path, request):
    pickle = request.config.rootpath / "tests" / "golden" / "sg1_tiny32.pkl"
    library = Library([], tmp_path / "models")
    for name in ("sg1_tiny32", "sg1_tiny32-2"):  # a second time beside the first, which is never replaced
        steps = list(library.import_file(pickle))
        assert (tmp_path / "models" / f"{name}.safetensors").is_file()
    assert steps[0].text.startswith("Reading sg1_tiny32.pkl")
    assert [step.share for step in steps] == sorted(step.share for step in steps)
    assert steps[-1].digest == library.default
    assert steps[-1].share == 1
    assert all(step.digest is None for step in steps[:-1])


def test_what_cannot_be_imported(tmp_path):
    (tmp_path / "junk.pkl").write_bytes(b"junk")
    library = Library([], tmp_path / "models")
    for name in ("junk.pkl", "gone.pkl"):
        with pytest.raises(ConversionError):
            list(library.import_file(tmp_path / name))
    with pytest.raises(InputError, match="no models folder"):
        list(Library([]).import_file(tmp_path / "junk.pkl"))
    assert library.cards() == []


def test_an_official_pickle_can_be_shown_as_it_is(request):
    library = Library([request.config.rootpath / "tests" / "golden" / "sg1_tiny32.pkl"])
    assert library.problems == []
    assert library.card(library.default).resolution == 32


def test_a_glance_at_a_file_does_not_list_it(tmp_path):
    library = Library([tiny_models.make(tmp_path, "first")])
    glanced = library.open_file(tiny_models.make(tmp_path, "second", seed=1), listed=False)
    assert library.generator(glanced.digest).digest == glanced.digest
    assert [card.digest for card in library.cards()] == [library.default]
    library.open_file(tmp_path / "second.safetensors")
    library.open_file(tmp_path / "second.safetensors", listed=False)  # it stays listed
    assert [card.digest for card in library.cards()] == [library.default, glanced.digest]
