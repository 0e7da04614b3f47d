"""Rendering: finite, in range, the same in any batch and at any resolution; attributes move what they name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

import stylegan.data.portraits as public
from stylegan.data.portraits import (
    attribute_names,
    noise_ids,
    portraits,
    render,
    sample_attributes,
)
from stylegan.errors import InputError

_PUBLIC = [
    "ATTRIBUTES", "GLASSES_SHAPES", "HAIR_STYLES", "NECKLINES", "AttributeSpec", "PortraitAttributes",
    "attribute_matrix", "attribute_names", "from_matrix", "noise_ids", "portraits", "render", "sample_attributes",
]  # fmt: skip


def draw(indices: list[int], resolution: int, **changes: float) -> Tensor:
    a = sample_attributes(0, indices)
    a = replace(a, **{name: torch.full_like(a.yaw, value) for name, value in changes.items()})
    return render(a, noise_ids(0, indices), resolution)


def test_the_pictures_are_those_that_the_default_model_was_trained_on() -> None:
    """However they are computed: model, scorer and directions in `assets` rest on how these portraits look."""
    golden = np.load(Path(__file__).parents[3] / "golden" / "portraits_64.npz")["pictures"].astype(int)
    found = portraits(0, range(len(golden)), 64)[0].numpy().astype(int)
    difference = np.abs(found - golden)
    assert difference.max() <= 4  # of 255, at the odd edge
    assert difference.mean() < 0.005


def test_public_names() -> None:
    assert public.__all__ == _PUBLIC


def test_pictures_are_finite_and_in_range() -> None:
    x = draw(list(range(24)), 32)
    assert x.shape == (24, 3, 32, 32)
    assert x.dtype == torch.float32
    assert x.isfinite().all()
    assert x.abs().max() <= 1.0
    assert (x.flatten(1).std(1) > 0.1).all()


def test_extreme_attributes_stay_finite() -> None:
    for value in (-1e9, 1e9):
        names = attribute_names()
        a = public.from_matrix(torch.full((2, len(names)), value))
        assert render(a, noise_ids(0, [0, 1]), 16).isfinite().all()


def test_a_batch_equals_single_pictures() -> None:
    together = draw([0, 1, 2, 3, 4], 32)
    for i in range(5):
        assert (together[i] - draw([i], 32)[0]).abs().max() < 1e-5


def test_portraits_are_reproducible_and_differ() -> None:
    pictures, attributes = portraits(1, [5, 6, 5], 16)
    assert pictures.dtype == torch.uint8
    assert pictures.shape == (3, 16, 16, 3)
    assert attributes.shape == (3, len(attribute_names()))
    assert torch.equal(pictures[0], pictures[2])
    assert not torch.equal(pictures[0], pictures[1])


def test_empty_batch() -> None:
    pictures, attributes = portraits(1, [], 16)
    assert pictures.shape == (0, 16, 16, 3)
    assert attributes.shape == (0, len(attribute_names()))


def test_resolutions_show_the_same_picture() -> None:
    small, large = draw([0, 1, 2, 3], 32), avg_pool2d(draw([0, 1, 2, 3], 128), 4)
    assert (small - large).abs().mean() < 0.03
    other = draw([4, 5, 6, 7], 32)
    assert (small - other).abs().mean() > 0.15


def test_noise_changes_detail_only() -> None:
    a = sample_attributes(0, range(4))
    one, other = (render(a, noise_ids(seed, range(4)), 64) for seed in (0, 1))
    difference = (one - other).abs()
    assert 1e-3 < difference.mean() < 0.06
    blurred = (avg_pool2d(one, 8) - avg_pool2d(other, 8)).abs()
    assert blurred.mean() < 0.8 * difference.mean()


@pytest.mark.parametrize(
    ("name", "low", "high", "box"),
    [
        ("smile", -1.0, 1.0, (14, 58, 14, 50)),
        ("mouth_open", 0.0, 1.0, (36, 56, 18, 46)),
        ("eye_openness", 0.1, 1.0, (20, 38, 16, 48)),
        ("gaze_x", -0.8, 0.8, (20, 38, 16, 48)),
        ("glasses", 0.0, 1.0, (18, 42, 10, 54)),
        ("beard", 0.0, 1.0, (36, 60, 14, 50)),
        ("brow_raise", -1.0, 1.0, (14, 32, 14, 50)),
    ],
)
def test_attributes_act_where_they_should(name: str, low: float, high: float, box: tuple[int, ...]) -> None:
    """Most of the change lies in the part of the face that the attribute is about."""
    still: dict[str, float] = {"yaw": 0.0, "pitch": 0.0, "hair_style": 2.0, "hair_length": 0.2, "fringe": 0.0}
    still |= {"glasses": 0.0, "moustache": 1.0}
    one, other = (draw([0, 1, 2, 3], 64, **(still | {name: value})) for value in (low, high))
    change = (one - other).abs()
    top, bottom, left, right = box
    inside = change[:, :, top:bottom, left:right]
    assert inside.mean() > 0.01
    assert inside.sum() > 0.75 * change.sum()


def test_background_hue_and_light() -> None:
    """Red against blue background in the upper corners; the lit side of the face is the brighter one."""
    for hue, channel in ((0.0, 0), (120.0, 1), (240.0, 2)):
        corner = draw([0, 1], 32, background_hue=hue, hair_length=0.2, hair_style=2.0)[:, :, :3, :3].mean((0, 2, 3))
        assert int(corner.argmax()) == channel
    face = draw([0, 1, 2], 64, light_direction=50.0, yaw=0.0, hair_style=1.0, beard=0.0)[:, :, 24:44]
    assert face[..., 34:42].mean() > face[..., 22:30].mean() + 0.05


def test_yaw_moves_the_nose_and_mirrors() -> None:
    """A head turned the other way under mirrored attributes is nearly the mirror image, the noise aside."""
    names = {"parting": 0.0, "gaze_x": 0.0, "light_direction": 0.0, "hair_style": 1.0, "neckline": 0.0}
    right, left = (draw([0, 1, 2], 32, **(names | {"yaw": yaw})) for yaw in (30.0, -30.0))
    assert (right - left.flip(3)).abs().mean() < 0.4 * (right - left).abs().mean()


@pytest.mark.parametrize("resolution", [3, 4096, 2.5, True])
def test_bad_resolutions_are_refused(resolution: int) -> None:
    with pytest.raises(InputError, match="resolution"):
        draw([0], resolution)


def test_bad_arguments_are_refused() -> None:
    a = sample_attributes(0, [0, 1])
    with pytest.raises(InputError, match="noise ids"):
        render(a, noise_ids(0, [0]), 16)
    with pytest.raises(InputError, match="supersample"):
        render(a, noise_ids(0, [0, 1]), 16, supersample=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_draws_the_same_pictures() -> None:
    """Attributes may differ in the last bits of erfinv; the pictures by no more than a step of 8-bit colour."""
    (one, here), (other, there) = (portraits(0, range(8), 64, device) for device in ("cpu", "cuda"))
    assert torch.allclose(here, there.cpu(), atol=1e-3)
    assert (one.int() - other.cpu().int()).abs().float().mean() < 0.1
