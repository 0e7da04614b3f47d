import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stylegan.data import decode as module
from stylegan.data.decode import decode, to_square
from stylegan.data.records import Unreadable


def noise(width, height, channels=3, seed=0):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png(width, height, depth, colour_type, rows):
    """A PNG written by hand, for kinds that Pillow does not write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_kinds_come_back_exactly(encode, kind):
    pixels = noise(9, 7)
    image = decode(encode(pixels, kind))
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"quality": 95})])
def test_lossy_kinds_come_back_nearly(encode, kind, options):
    pixels = np.full((16, 16, 3), (200, 100, 50), dtype=np.uint8)
    image = np.asarray(decode(encode(pixels, kind, **options)))
    assert np.abs(image.astype(int) - pixels).max() <= 4


def test_greyscale_becomes_three_equal_channels(encode):
    pixels = noise(6, 5, channels=1)
    for image in (Image.fromarray(pixels), Image.fromarray(pixels).quantize(256)):
        np.testing.assert_array_equal(np.asarray(decode(encode(image))), np.repeat(pixels[..., None], 3, axis=2))


def test_one_bit_pictures_are_black_and_white(encode):
    bits = noise(8, 8, channels=1) > 127
    expected = np.repeat(bits[..., None], 3, axis=2) * np.uint8(255)
    np.testing.assert_array_equal(np.asarray(decode(encode(Image.fromarray(bits)))), expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_every_16_bit_grey_is_divided_by_257(encode, kind):
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.rint(values / 257.0).astype(np.uint8)
    image = np.asarray(decode(encode(values, kind)))
    np.testing.assert_array_equal(image, np.repeat(expected[..., None], 3, axis=2))
    assert image[0, 0, 0] == 0
    assert image[-1, -1, 0] == 255


def test_16_bit_colour_keeps_its_high_byte():
    bytes_8 = noise(4, 4)
    rows = [(row.astype(np.uint16) * 257).astype(">u2").tobytes() for row in bytes_8.reshape(4, 12)]
    np.testing.assert_array_equal(np.asarray(decode(png(4, 4, 16, 2, rows))), bytes_8)


@pytest.mark.parametrize("background", [(255, 255, 255), (10, 200, 30)])
def test_transparency_shows_the_background(encode, background):
    pixels = noise(8, 6, channels=4)
    pixels[0, 0, 3], pixels[0, 1, 3] = 0, 255
    alpha = pixels[..., 3:] / 255
    expected = pixels[..., :3] * alpha + np.array(background) * (1 - alpha)
    image = np.asarray(decode(encode(pixels), background))
    np.testing.assert_allclose(image, expected, atol=1)
    np.testing.assert_array_equal(image[0, 0], background)
    np.testing.assert_array_equal(image[0, 1], pixels[0, 1, :3])


def test_transparency_by_palette_and_by_colour_key(encode):
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.paste(0, (0, 0, 4, 8))
    key = Image.new("RGB", (8, 8), (255, 0, 0))
    key.paste((0, 0, 0), (0, 0, 4, 8))
    for data in (encode(palette, transparency=0), encode(key, transparency=(0, 0, 0))):
        image = np.asarray(decode(data))
        assert (image[:, :4] == 255).all()
        assert (image[:, 4:] == (255, 0, 0)).all()
    assert (np.asarray(decode(encode(Image.new("LA", (8, 8), (7, 0))))) == 255).all()


@pytest.mark.parametrize(("ink", "rgb"), [((0, 0, 0, 0), (255, 255, 255)), ((255, 0, 0, 0), (0, 255, 255))])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_ink_on_white(encode, ink, rgb, kind):
    image = np.asarray(decode(encode(Image.new("CMYK", (16, 16), ink), kind)))
    np.testing.assert_allclose(image, np.broadcast_to(rgb, image.shape), atol=3)


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, lambda a: a.transpose(1, 0, 2)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: np.rot90(a, 2).transpose(1, 0, 2)),
        (8, lambda a: np.rot90(a, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_exif_orientation(encode, orientation, upright, kind):
    pixels = noise(9, 5)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(pixels, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    np.testing.assert_array_equal(np.asarray(decode(data)), upright(pixels))


def test_pictures_of_two_lenses_are_jpegs(encode):
    image = Image.new("RGB", (16, 16), (200, 100, 50))
    data = encode(image, "MPO", save_all=True, append_images=[Image.new("RGB", (16, 16))])
    np.testing.assert_allclose(np.asarray(decode(data)), np.asarray(image), atol=3)


def test_garbled_exif_does_not_cost_the_picture(encode):
    pixels = noise(9, 5)
    data = encode(pixels, exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff\xff")
    np.testing.assert_array_equal(np.asarray(decode(data)), pixels)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF"])
def test_the_first_frame_counts(encode, kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    options = {"lossless": True} if kind == "WEBP" else {}
    image = np.asarray(decode(encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)))
    assert (image == (255, 0, 0)).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_cut_short(encode, kind):
    data = encode(noise(64, 64), kind)
    with pytest.raises(Unreadable, match=r"damaged or cut short|not an image"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_not_an_image(data):
    with pytest.raises(Unreadable, match=r"not an image|damaged"):
        decode(data)


@pytest.mark.parametrize("side", [10_001, 12_000, 30_000])
def test_a_bomb_is_refused_by_its_header(side):
    # The header alone says the size; there are no pixels to decode, so a decoder that went on would say "cut short".
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, which quiet_map filters in real use
        with pytest.raises(Unreadable, match="100 megapixels"):
            decode(png(side, side, 8, 2, []))


@pytest.mark.parametrize("size", [(1, 1), (3, 100), (100, 3)])
def test_tiny_pictures_are_refused(encode, size):
    with pytest.raises(Unreadable, match=f"{size[0]}×{size[1]} pixels, under 4"):
        decode(encode(noise(*size)))


def test_numbers_without_a_range_are_refused(encode):
    with pytest.raises(Unreadable, match="no stated range"):
        decode(encode(np.ones((8, 8), dtype=np.float32), "TIFF"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]), st.data())
def test_damaged_bytes_give_a_picture_or_a_reason(encode, kind, data):
    original = bytearray(encode(noise(12, 12), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        original[data.draw(st.integers(0, len(original) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = decode(bytes(original))
        except Unreadable:
            return
    assert image.mode == "RGB"
    assert image.width * image.height <= module.MAX_PIXELS


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (41, 20), (20, 43)])
def test_the_centre_square_is_what_remains(size):
    pixels = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    left, top = (size[0] - 20) // 2, (size[1] - 20) // 2
    centre = noise(20, 20)
    pixels[top : top + 20, left : left + 20] = centre
    np.testing.assert_array_equal(to_square(Image.fromarray(pixels), 20), centre)


def test_resizing_is_lanczos():
    image = Image.fromarray(noise(50, 50))
    expected = np.asarray(image.resize((16, 16), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(to_square(image, 16), expected)
    flat = to_square(Image.new("RGB", (5, 9), (1, 2, 3)), 64)
    assert flat.shape == (64, 64, 3)
    assert (flat == (1, 2, 3)).all()
