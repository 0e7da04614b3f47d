import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from recipe_strategies import MODEL, recipes, steady

from explorer import png
from explorer.recipe import Direction, Edit, Mix, Recipe, RecipeError

RECIPE = Recipe(MODEL, 5, psi=0.5, mixes=(Mix(9, ((4, 1), (5, 0.5))),))
PICTURE = np.random.RandomState(0).randint(0, 256, (6, 7, 3), np.uint8)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes, crc: int | None = None) -> bytes:
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def ihdr(width=7, height=6) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def file(*chunks: bytes, header: bytes | None = None) -> bytes:
    return SIGNATURE + (ihdr() if header is None else header) + b"".join(chunks) + chunk(b"IEND", b"")


def itxt(text: bytes, compressed=False, language=b"", translated=b"") -> bytes:
    text = zlib.compress(text) if compressed else text
    head = png.KEYWORD + b"\0" + bytes([compressed, 0]) + language + b"\0" + translated + b"\0"
    return chunk(b"iTXt", head + text)


@steady
@given(recipes)
def test_round_trip(recipe):
    assert png.read(png.encode(PICTURE, recipe)) == recipe


def test_the_pixels_are_untouched_and_the_bytes_repeat():
    data = png.encode(PICTURE, RECIPE)
    with Image.open(io.BytesIO(data)) as image:
        image.verify()  # checksums of all chunks
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(np.asarray(image), PICTURE)
        assert image.text["stylegan-explorer"] == RECIPE.json
        assert image.text["Software"] == "StyleGAN Explorer"
        assert image.text["Description"] == "seed 5, ψ 0.5, seed 9 on layers 4-5 (50 % to 100 %)"
    assert png.encode(PICTURE, RECIPE) == data
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png.encode(PICTURE[..., 0], RECIPE)))), PICTURE[..., 0])


def test_embedding_again_replaces():
    other = Recipe(MODEL, 6)
    again = png.embed(png.encode(PICTURE, RECIPE), other)
    assert again == png.encode(PICTURE, other)
    assert again.count(png.KEYWORD) == 1


def test_embedding_keeps_foreign_chunks():
    foreign = chunk(b"tEXt", b"Comment\0kept")
    assert foreign in png.embed(file(foreign), RECIPE)
    with pytest.raises(RecipeError, match="not a PNG"):
        png.embed(b"GIF89a", RECIPE)
    with pytest.raises(RecipeError, match="cut short"):
        png.embed(png.encode(PICTURE, RECIPE)[:-20], RECIPE)


@pytest.mark.parametrize("where", ["first", "last"])
@pytest.mark.parametrize(
    "text",
    [
        itxt(RECIPE.json.encode()),
        itxt(RECIPE.json.encode(), compressed=True, language=b"en", translated=b"Rezept"),
        chunk(b"tEXt", png.KEYWORD + b"\0" + RECIPE.json.encode()),
        chunk(b"zTXt", png.KEYWORD + b"\0\0" + zlib.compress(RECIPE.json.encode())),
    ],
    ids=["iTXt", "iTXt compressed", "tEXt", "zTXt"],
)
def test_recipes_saved_again_by_other_programs(text, where):
    pixels = chunk(b"IDAT", b"\0" * 100)
    assert png.read(file(text, pixels) if where == "first" else file(pixels, text)) == RECIPE


def test_a_file_that_pillow_saved_again():
    with Image.open(io.BytesIO(png.encode(PICTURE, RECIPE))) as image:
        info = PngImagePlugin.PngInfo()
        info.add_text("stylegan-explorer", image.text["stylegan-explorer"], zip=True)
        saved = io.BytesIO()
        image.save(saved, "PNG", pnginfo=info)
    assert png.read(saved.getvalue()) == RECIPE


def test_read_file(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(png.encode(PICTURE, RECIPE))
    assert png.read_file(path) == RECIPE
    for wrong in (tmp_path / "nothing.png", tmp_path):
        with pytest.raises(RecipeError, match="cannot be read"):
            png.read_file(wrong)


def test_pixels_are_never_decoded():
    # 30,000 × 30,000 pixels would be 2.7 GB, and the pixel data are no zlib stream at all.
    data = file(itxt(RECIPE.json.encode()), chunk(b"IDAT", b"no zlib"), header=ihdr(30_000, 30_000))
    assert png.read(data) == RECIPE


def test_a_file_cut_behind_its_recipe_still_gives_it():
    data = png.encode(PICTURE, RECIPE)
    assert png.read(data[: data.index(b"IDAT")]) == RECIPE


bomb = zlib.compress(b" " * (80 << 20))  # 80 MB in 80 kB
small_bomb = zlib.compress(b" " * (50 << 20))  # 50 MB in 50 kB: fits in the chunk limit


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is not a PNG"),
        (b"GIF89a" + b"\0" * 100, "This file is not a PNG"),
        (SIGNATURE, "cut short"),
        (SIGNATURE + ihdr()[:-1], "cut short"),
        (SIGNATURE + ihdr(), "cut short"),
        (SIGNATURE + ihdr() + struct.pack(">I", 2**32 - 1) + b"iTXt", "cut short"),
        (SIGNATURE + chunk(b"IDAT", b"") + chunk(b"IEND", b""), "damaged"),
        (file(ihdr()), "damaged"),
        (file(), "carries no recipe"),
        (file(chunk(b"tEXt", b"")), "carries no recipe"),
        (file(chunk(b"tEXt", b"x" * 1000)), "carries no recipe"),
        (file(chunk(b"tEXt", b"Comment\0stylegan-explorer")), "carries no recipe"),
        (file(chunk(b"iTXt", b"stylegan-explorer2\0\0\0\0\0{}")), "carries no recipe"),
        (file(chunk(b"iTXt", b"Comment\0\0\0\0\0" + b"x" * (20 << 20))), "carries no recipe"),
        (file(chunk(b"zTXt", b"Comment\0\0" + bomb)), "carries no recipe"),
        (file(chunk(b"tESt", b"") * 100_001), "more than 100000 chunks"),
        (file(itxt(b"")), "not valid JSON"),
        (file(chunk(b"iTXt", png.KEYWORD)), "not valid JSON"),
        (file(chunk(b"iTXt", png.KEYWORD + b"\0")), "not valid JSON"),
        (file(chunk(b"tEXt", png.KEYWORD)), "not valid JSON"),
        (file(itxt(b"\xff\xfe{}")), "not valid JSON"),
        (file(itxt(b"{}")), 'with a "version"'),
        (file(itxt(b'{"version":7}')), "update StyleGAN Explorer"),
        (file(itxt(b"x" * 70_000)), "larger than 64 KiB"),
        (file(itxt(b"x" * (20 << 20))), "larger than 64 KiB"),
        (file(itxt(b"x" * 66_000)), "at most 64 KiB"),
        (file(chunk(b"zTXt", png.KEYWORD + b"\0\0" + bomb)), "larger than 64 KiB"),
        (file(chunk(b"zTXt", png.KEYWORD + b"\0\0" + small_bomb)), "at most 64 KiB"),
        (file(itxt(b" " * (20 << 20), compressed=True)), "at most 64 KiB"),
        (file(chunk(b"zTXt", png.KEYWORD + b"\0\0no zlib")), "cannot be decompressed"),
        (file(chunk(b"zTXt", png.KEYWORD + b"\0\0")), "not valid JSON"),
        (file(chunk(b"iTXt", png.KEYWORD + b"\0\0\0\0\0" + RECIPE.json.encode(), crc=5)), "checksum is wrong"),
        (b"\x89PNG\r\n\x1a\n" + bytes((64 << 20) + 1), "65 MiB; PNG files are read up to 64 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "data",
)
def test_hostile_and_broken_files_are_one_sentence(data, sentence):
    start = time.process_time()
    with pytest.raises(RecipeError, match=sentence) as caught:
        png.read(data)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 200
    assert time.process_time() - start < 1


@settings(steady, max_examples=200)
@given(st.data())
def test_any_damage_gives_the_recipe_or_one_sentence(data):
    whole = png.encode(PICTURE, Recipe(MODEL, 5, edits=(Edit(Direction("é", MODEL), 1.5),)))
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert png.read(bytes(damaged)).edits[0].strength == 1.5
    except RecipeError:
        assert bytes(damaged) != whole
