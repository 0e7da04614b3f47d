"""The attribute table, the draws and the correlations that the table's docstring promises."""

import pytest
import torch
from torch import Tensor

from stylegan.data.portraits import (
    ATTRIBUTES,
    HAIR_STYLES,
    PortraitAttributes,
    attribute_matrix,
    attribute_names,
    from_matrix,
    noise_ids,
    sample_attributes,
)
from stylegan.errors import InputError


@pytest.fixture(scope="module")
def many() -> PortraitAttributes:
    return sample_attributes(7, torch.arange(6000))


def correlation(x: Tensor, y: Tensor) -> float:
    return float(torch.corrcoef(torch.stack((x, y)))[0, 1])


def test_table_is_complete() -> None:
    assert len(set(attribute_names())) == len(ATTRIBUTES) >= 40
    for spec in ATTRIBUTES:
        assert spec.kind in ("continuous", "binary", "categorical")
        assert spec.low < spec.high
        assert spec.meaning


def test_values_lie_in_their_ranges_and_fill_them(many: PortraitAttributes) -> None:
    for spec, column in zip(ATTRIBUTES, attribute_matrix(many).unbind(1), strict=True):
        assert column.dtype == torch.float32
        assert column.isfinite().all()
        assert column.min() >= spec.low, spec.name
        assert column.max() <= spec.high, spec.name
        if spec.kind == "continuous":
            assert column.std() > 0.05 * (spec.high - spec.low), spec.name
        else:
            assert set(column.tolist()) == set(range(int(spec.high) + 1)), spec.name


def test_matrix_round_trip(many: PortraitAttributes) -> None:
    matrix = attribute_matrix(many)
    assert torch.equal(attribute_matrix(from_matrix(matrix)), matrix)
    assert attribute_matrix(many[3:5]).equal(matrix[3:5])


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("softness", "hair_length", 0.4, 0.9),
        ("softness", "beard", -0.9, -0.3),
        ("beard", "hair_length", -0.8, -0.2),
        ("softness", "makeup", 0.3, 0.9),
        ("softness", "jaw", -0.9, -0.2),
        ("softness", "brow_thickness", -0.9, -0.2),
        ("softness", "lip_fullness", 0.2, 0.7),
        ("skin_tone", "lip_fullness", 0.05, 0.4),
        ("age", "hair_grey", 0.5, 0.95),
        ("age", "glasses", 0.1, 0.5),
        ("skin_tone", "hair_lightness", -0.8, -0.2),
        ("skin_tone", "iris_colour", -0.9, -0.2),
        ("skin_tone", "freckles", -0.8, -0.1),
        ("yaw", "gaze_x", -0.9, -0.3),
        ("pitch", "gaze_y", -0.5, -0.1),
        ("smile", "mouth_open", 0.2, 0.8),
        ("yaw", "smile", -0.05, 0.05),
        ("background_hue", "hair_length", -0.05, 0.05),
        ("light_direction", "yaw", -0.05, 0.05),
    ],
)
def test_correlations(many: PortraitAttributes, one: str, other: str, low: float, high: float) -> None:
    assert low < correlation(getattr(many, one), getattr(many, other)) < high


def test_no_other_attributes_hang_together(many: PortraitAttributes) -> None:
    """The table's docstring tells of these groups; between them, and with any attribute left, there is nothing."""
    groups = [
        {"softness", "hair_style", "hair_length", "beard", "makeup", "jaw", "brow_thickness", "lip_fullness"}
        | {"skin_tone", "hair_lightness", "iris_colour", "freckles", "hair_hue", "age", "hair_grey", "glasses"},
        {"yaw", "gaze_x"},
        {"pitch", "gaze_y"},
        {"smile", "mouth_open"},
    ]
    found = torch.corrcoef(attribute_matrix(many).T)
    names = attribute_names()
    for i, one in enumerate(names):
        for j, other in enumerate(names[:i]):
            if not any({one, other} <= group for group in groups):
                assert abs(found[i, j]) < 5 / len(many) ** 0.5, (one, other)


def test_beards_hardly_ever_with_long_hair(many: PortraitAttributes) -> None:
    long = many.hair_length > 0.65
    assert (many.beard[long] > 0.4).float().mean() < 0.02
    assert (many.beard[~long] > 0.4).float().mean() > 0.12


def test_most_heads_face_the_camera(many: PortraitAttributes) -> None:
    assert (many.yaw.abs() < 25).float().mean() > 0.9
    assert many.yaw.abs().max() > 35


def test_every_style_occurs(many: PortraitAttributes) -> None:
    share = torch.bincount(many.hair_style.long(), minlength=len(HAIR_STYLES)) / len(many)
    assert share.min() > 0.01


def test_draws_depend_on_seed_and_index_alone() -> None:
    whole = attribute_matrix(sample_attributes(3, range(10, 20)))
    assert torch.equal(whole[4:6], attribute_matrix(sample_attributes(3, [14, 15])))
    assert not torch.equal(whole, attribute_matrix(sample_attributes(4, range(10, 20))))
    assert not torch.equal(noise_ids(3, [1]), noise_ids(4, [1]))
    far = sample_attributes(2**32 - 1, [2**40 + 5, 5])
    assert far.yaw[0] != far.yaw[1]


@pytest.mark.parametrize("indices", [[0.5], [[1, 2]], "ab", [True], [2**70]])
def test_bad_indices_are_refused(indices: object) -> None:
    with pytest.raises(InputError, match="whole numbers"):
        sample_attributes(0, indices)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True])
def test_bad_seeds_are_refused(seed: object) -> None:
    with pytest.raises(InputError, match="seed"):
        sample_attributes(seed, [0])  # type: ignore[arg-type]  # the point of the test
