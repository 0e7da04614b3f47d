import io
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from recipe_strategies import MODEL

from explorer import png
from explorer.gallery import Gallery, GalleryError, of_visitor
from explorer.recipe import Direction, Edit, Recipe, RecipeError
from stylegan.errors import DiskFullError

PICTURE = np.random.RandomState(0).randint(0, 256, (300, 200, 3), np.uint8)


def picture(seed: int, pixels=PICTURE, **settings) -> bytes:
    return png.encode(pixels, Recipe(MODEL, seed, **settings))


@pytest.fixture
def gallery(tmp_path):
    return Gallery(tmp_path / "kept")


def keep(gallery: Gallery, tmp_path, *seeds: int) -> list[str]:
    """Keep pictures of these seeds a second apart and return their ids."""
    ids = []
    for seed in seeds:
        ids.append(gallery.keep(picture(seed)).id)
        os.utime(tmp_path / "kept" / f"{ids[-1]}.png", (1_000_000_000 + len(ids),) * 2)
    return ids


def test_kept_pictures_are_there_after_a_restart(gallery, tmp_path):
    kept = gallery.keep(picture(5))
    assert kept.id == Recipe(MODEL, 5).digest
    assert kept.size_bytes == len(picture(5))
    again = Gallery(tmp_path / "kept")
    assert again.listing().pictures == (kept,)
    assert again.read(kept.id) == picture(5)
    assert again.recipe(kept.id) == kept.recipe == Recipe(MODEL, 5)


def test_newest_first_and_keeping_again_makes_newest(gallery, tmp_path):
    ids = keep(gallery, tmp_path, 1, 2, 3)
    assert [kept.id for kept in gallery.listing().pictures] == ids[::-1]
    gallery.keep(picture(1))
    assert [kept.recipe.source for kept in gallery.listing().pictures] == [1, 3, 2]


def test_an_empty_gallery_leaves_no_trace(gallery, tmp_path):
    assert gallery.listing().pictures == ()
    gallery.delete_all()
    assert list(tmp_path.iterdir()) == []


def test_a_picture_without_a_recipe_is_not_kept(gallery, tmp_path):
    file = io.BytesIO()
    Image.fromarray(PICTURE).save(file, "PNG")
    with pytest.raises(RecipeError, match="carries no recipe"):
        gallery.keep(file.getvalue())
    assert not (tmp_path / "kept").exists()


def test_deleting(gallery, tmp_path):
    ids = keep(gallery, tmp_path, 1, 2, 3)
    gallery.delete(ids[1])
    gallery.delete(ids[1])
    assert [kept.id for kept in gallery.listing().pictures] == [ids[2], ids[0]]
    with pytest.raises(GalleryError, match="not in the gallery any more"):
        gallery.read(ids[1])
    (tmp_path / "kept" / "notes.txt").write_text("somebody's")
    gallery.delete_all()
    assert gallery.listing().pictures == ()
    assert [file.name for file in (tmp_path / "kept").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("what", ["read", "recipe", "thumbnail", "delete"])
@pytest.mark.parametrize(
    "id_",
    [
        "", "..", "../" * 8 + "etc/passwd", "a" * 31, "a" * 33, "A" * 32, "a" * 32 + "\n", "a" * 31 + "/", "a/" * 16,
        "*" * 32, 5, None, ["a" * 32],
    ],
    ids=repr,
)  # fmt: skip
def test_only_ids_reach_the_disk(gallery, tmp_path, what, id_):
    keep(gallery, tmp_path, 1)
    with pytest.raises(GalleryError, match="No picture is kept under"):
        getattr(gallery, what)(id_)
    with pytest.raises(GalleryError, match="No picture is kept under"):
        gallery.export(tmp_path / "out.zip", [str(id_)])
    assert not (tmp_path / "out.zip").exists()
    assert len(gallery.listing().pictures) == 1


def test_limits_refuse_new_pictures_and_keep_the_old(tmp_path):
    gallery = Gallery(tmp_path / "kept", max_count=2)
    keep(gallery, tmp_path, 1, 2)
    gallery.keep(picture(2))  # there already
    with pytest.raises(GalleryError, match="full with 2 pictures: export and delete some"):
        gallery.keep(picture(3))
    noise = np.random.RandomState(1).randint(0, 256, (512, 512, 3), np.uint8)  # 0.75 MiB
    small = Gallery(tmp_path / "kept", max_mib=1)
    with pytest.raises(GalleryError, match="full with 1 MiB: export and delete some"):
        small.keep(picture(3, noise))
    assert [kept.recipe.source for kept in gallery.listing().pictures] == [2, 1]


def test_damaged_files_are_named_and_foreign_ones_passed_over(gallery, tmp_path):
    ids = keep(gallery, tmp_path, 1, 2)
    folder = tmp_path / "kept"
    (folder / f"{'a' * 32}.png").write_bytes(b"no png")
    (folder / f"{'b' * 32}.png").write_bytes(picture(3)[:40])
    (folder / f"{'c' * 32}.png").mkdir()
    (folder / f".{ids[0]}.png.x7f.tmp").write_bytes(b"half")
    (folder / "holiday.png").write_bytes(picture(4))
    (folder / f"{'d' * 32}.txt").write_text("")
    listing = gallery.listing()
    assert [kept.id for kept in listing.pictures] == ids[::-1]
    assert listing.damaged == tuple(f"{letter * 32}.png" for letter in "abc")
    gallery.delete("a" * 32)
    assert len(gallery.listing().damaged) == 2
    with pytest.raises(GalleryError, match="cannot be changed"):
        gallery.delete("c" * 32)
    with pytest.raises(RecipeError, match="cut short"):
        gallery.export(tmp_path / "out.zip", [ids[0], "b" * 32])
    assert not (tmp_path / "out.zip").exists()
    assert gallery.export(tmp_path / "out.zip") == 2


@pytest.mark.parametrize(
    ("shape", "small"), [((300, 200, 3), (107, 160)), ((64, 64, 3), (64, 64)), ((320, 320), (160, 160))]
)
def test_thumbnails(gallery, shape, small):
    kept = gallery.keep(picture(1, np.full(shape, 128, np.uint8)))
    with Image.open(io.BytesIO(gallery.thumbnail(kept.id))) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", small)
        assert np.abs(np.asarray(image).astype(int) - 128).max() <= 2


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_thumbnails_of_damaged_pictures_are_told(gallery, tmp_path):
    good = picture(1)
    cut = good[: good.index(b"IDAT") + 200]
    bomb = good.replace(good[8:33], chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)))
    scrambled = good.replace(b"IDAT", b"IDAX")
    keep(gallery, tmp_path, 1)
    for data in (b"", b"\x89PNG", cut, bomb, scrambled):
        (tmp_path / "kept" / f"{'a' * 32}.png").write_bytes(data)
        with pytest.raises(GalleryError, match="The picture aaaaaaaa is damaged"):
            gallery.thumbnail("a" * 32)


def test_export(gallery, tmp_path):
    ids = keep(gallery, tmp_path, 1, 2)
    odd = gallery.keep(picture(3, psi=-1, edits=(Edit(Direction("../é/„smile“ :)", MODEL), 2),)))
    assert gallery.export(tmp_path / "all.zip") == 3
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            f"0001-seed-3-psi--1-smile-+2sd-{odd.id[:8]}.png",
            f"0002-seed-2-psi-0.7-{ids[1][:8]}.png",
            f"0003-seed-1-psi-0.7-{ids[0][:8]}.png",
        ]
        assert archive.read(archive.namelist()[1]) == picture(2)
    assert gallery.export(tmp_path / "one.zip", [ids[0], ids[0]]) == 1
    with pytest.raises(GalleryError, match="no pictures to export"):
        gallery.export(tmp_path / "none.zip", [])
    with pytest.raises(GalleryError, match="not in the gallery any more"):
        gallery.export(tmp_path / "none.zip", ["a" * 32])
    assert not (tmp_path / "none.zip").exists()


def test_a_full_disk_loses_nothing(gallery, tmp_path, monkeypatch):
    ids = keep(gallery, tmp_path, 1)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DiskFullError):
        gallery.keep(picture(2))
    monkeypatch.undo()
    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(DiskFullError):
        gallery.export(tmp_path / "all.zip")
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == [f"{ids[0]}.png"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(GalleryError, match="The gallery's folder cannot be written"):
        Gallery(tmp_path / "kept").keep(picture(1))
    assert Gallery(tmp_path / "kept").listing().pictures == ()


def test_visitors_have_galleries_of_their_own(tmp_path):
    mine, yours = of_visitor(tmp_path, "my secret"), of_visitor(tmp_path, "../../your secret/\0")
    kept = mine.keep(picture(1))
    assert yours.listing().pictures == ()
    with pytest.raises(GalleryError, match="not in the gallery"):
        yours.read(kept.id)
    assert of_visitor(tmp_path, "my secret").read(kept.id) == picture(1)
    yours.keep(picture(2))
    mine.delete_all()
    assert len(list(tmp_path.iterdir())) == 1
    assert all(len(folder.name) == 32 for folder in tmp_path.iterdir())
