"""Direction files: what is written is read, and nothing else is; InterFaceGAN's boundaries."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stylegan.directions import (
    Direction,
    DirectionSet,
    Facts,
    Fitness,
    check_fits,
    load_directions,
    read_boundary,
    save_directions,
    write_boundary,
)
from stylegan.directions.direction import unit
from stylegan.errors import InputError, ModelFileError, NewerFormatError, NotAModelError, WeightsError
from stylegan.networks import Generator

MODEL = "ab" * 32


def made(name="smile", seed=0, width=16, **more):
    rng = np.random.RandomState(seed)
    return Direction(name, unit(torch.from_numpy(rng.randn(width)), name), 0.1 + rng.rand(), **more)


@pytest.fixture
def found():
    full = Facts(1000, 250, 250, 150, 7, "cd" * 32, Fitness(0.9, 0.95, 0.4, 0.6), Fitness(0.6, 0.65, 0.9), 0.25, "α")
    z = unit(torch.from_numpy(np.random.RandomState(9).randn(8)), "z")
    return DirectionSet(
        MODEL, (made(), made("age", 1, offset=-0.3, layers=(2, 3), method="ridge", facts=full, z_vector=z))
    )


@pytest.fixture
def file(found, tmp_path):
    path = tmp_path / "net.directions.safetensors"
    save_directions(found, path)
    return path


def test_what_is_written_is_read(found, file):
    read = load_directions(file)
    assert read.model == MODEL
    for a, b in zip(found.directions, read.directions, strict=True):
        assert torch.equal(a.vector, b.vector)
        assert (a.z_vector is None) == (b.z_vector is None)
        assert a.z_vector is None or torch.equal(a.z_vector, b.z_vector)
        assert (a.name, a.sigma, a.offset, a.layers, a.method, a.facts, a.digest) == (
            b.name, b.sigma, b.offset, b.layers, b.method, b.facts, b.digest,
        )  # fmt: skip
    assert read.named("age").layers == (2, 3)
    with pytest.raises(InputError, match="no direction 'glasses'; there are: smile, age"):
        read.named("glasses")


def rewritten(file, change):
    """The file with `change(document, tensors)` done to it."""
    with safe_open(file, "pt") as opened:
        document = json.loads(opened.metadata()["stylegan"])
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    metadata = change(document, tensors)
    save_file(tensors, file, metadata={"stylegan": json.dumps(document) if metadata is None else metadata})


def _set(*path_and_value):
    *path, value = path_and_value

    def change(document, tensors):
        at = document
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value

    return change


def _tensor(name, value):
    def change(document, tensors):
        if value is None:
            del tensors[name]
        else:
            tensors[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_set("format", 99), NewerFormatError),
        (_set("format", "1"), NotAModelError),
        (_set("kind", "generator"), NotAModelError),
        (_set("model", "xyz"), NotAModelError),
        (_set("model", 5), NotAModelError),
        (_set("surplus", 1), NotAModelError),
        (_set("directions", {}), NotAModelError),
        (_set("directions", []), NotAModelError),
        (_set("directions", [1]), NotAModelError),
        (_set("directions", 0, "sigma", 0.77), NotAModelError),  # the digest is another then
        (_set("directions", 0, "sigma", -1.0), NotAModelError),
        (_set("directions", 0, "sigma", "1"), NotAModelError),
        (_set("directions", 0, "offset", None), NotAModelError),
        (_set("directions", 0, "digest", "00" * 16), NotAModelError),
        (_set("directions", 0, "name", "age"), NotAModelError),  # two of one name
        (_set("directions", 0, "name", 3), NotAModelError),
        (_set("directions", 0, "layers", [3, 1]), NotAModelError),
        (_set("directions", 0, "layers", [1e9]), NotAModelError),
        (_set("directions", 0, "layers", "all"), NotAModelError),
        (_set("directions", 0, "method", "guess"), NotAModelError),
        (_set("directions", 0, "more", 1), NotAModelError),
        (_set("directions", 0, "facts", "samples", -1), NotAModelError),
        (_set("directions", 0, "facts", "samples", 1.5), NotAModelError),
        (_set("directions", 0, "facts", "scorer", 1), NotAModelError),
        (_set("directions", 0, "facts", "more", 1), NotAModelError),
        (_set("directions", 1, "facts", "w", "auc", "high"), NotAModelError),
        (_set("directions", 1, "facts", "w", {"auc": 1.0}), NotAModelError),
        (_set("directions", 1, "facts", "share", 2.0), NotAModelError),
        (_tensor("0.w", None), NotAModelError),
        (_tensor("0.w", torch.ones(16)), NotAModelError),
        (_tensor("0.w", torch.eye(16)[0]), NotAModelError),
        (_tensor("0.w", torch.eye(16)[0].double()), WeightsError),
        (_tensor("0.w", torch.full((16,), float("nan"))), WeightsError),
        (_tensor("0.w", torch.eye(12)[0]), NotAModelError),
        (_tensor("7.w", torch.eye(16)[0]), NotAModelError),
        (_tensor("1.z", torch.zeros(8)), NotAModelError),
        (lambda d, t: "no json", NotAModelError),
        (lambda d, t: "[1]", NotAModelError),
        (lambda d, t: "[" * 100_000, NotAModelError),
    ],
)
def test_a_damaged_file_is_refused(file, change, error):
    rewritten(file, change)
    with pytest.raises(error) as caught:
        load_directions(file)
    assert file.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_what_is_no_such_file_is_refused(tmp_path, file, content):
    path = tmp_path / "x.directions.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelFileError):
        load_directions(path)
    path.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(NotAModelError):
        load_directions(path)


def test_sets_that_cannot_be(found):
    with pytest.raises(InputError, match="1 to 512"):
        DirectionSet(MODEL, ())
    with pytest.raises(InputError, match="same name"):
        DirectionSet(MODEL, (made(), made(seed=2)))
    with pytest.raises(InputError, match="width"):
        DirectionSet(MODEL, (made(), made("age", width=8)))
    with pytest.raises(InputError, match="hexadecimal"):
        DirectionSet("", (made(),))


def test_where_it_may_be_written(found, tmp_path):
    with pytest.raises(InputError, match=r"NAME\.directions\.safetensors"):
        save_directions(found, tmp_path / "net.safetensors")
    with pytest.raises(InputError, match="no folder"):
        save_directions(found, tmp_path / "no" / "net.directions.safetensors")


def test_directions_of_another_model_are_refused_by_width_and_warned_of_by_digest(found, tiny_config):
    G = Generator(tiny_config).eval()
    G.digest = "ef" * 32
    assert "found in another model (abababab, not efefefef)" in check_fits(found, G)
    assert check_fits(replace(found, model=G.digest), G) == ""
    narrow = Generator(replace(tiny_config, w_dim=8)).eval()
    with pytest.raises(InputError, match="width 16; this model's w has 8"):
        check_fits(found, narrow)


@pytest.mark.parametrize(("shape", "dtype"), [((1, 16), "f4"), ((16,), "f8"), ((1, 16), "f2"), ((1, 16), "i4")])
def test_boundaries_come_in_at_length_one_with_sigma_of_the_population(tmp_path, shape, dtype):
    numbers = np.arange(1, 17).reshape(shape).astype(dtype)
    np.save(tmp_path / "stylegan_age_boundary.npy", numbers)
    population = torch.randn(500, 16, generator=torch.Generator().manual_seed(0)) * 2 + 1
    direction = read_boundary(tmp_path / "stylegan_age_boundary.npy", population)
    known = np.arange(1, 17) / np.linalg.norm(np.arange(1, 17))
    assert direction.vector.numpy() == pytest.approx(known, abs=1e-6)
    assert direction.sigma == pytest.approx((population.numpy() @ known).std(), rel=1e-5)
    assert direction.offset == pytest.approx((population.numpy() @ known).mean(), rel=1e-4)
    assert (direction.name, direction.method) == ("stylegan_age", "import")
    assert read_boundary(tmp_path / "stylegan_age_boundary.npy", population, "years").name == "years"


def test_boundaries_go_out_as_interfacegan_reads_them(found, tmp_path):
    write_boundary(found.directions[0], tmp_path / "smile.npy")
    array = np.load(tmp_path / "smile.npy", allow_pickle=False)
    assert (array.shape, array.dtype) == ((1, 16), np.float32)
    again = read_boundary(tmp_path / "smile.npy", torch.randn(200, 16))
    torch.testing.assert_close(again.vector, found.directions[0].vector)
    with pytest.raises(InputError, match=r"NAME\.npy"):
        write_boundary(found.directions[0], tmp_path / "smile.npz")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.ones((1, 512)), "width 512; this model's w has 16"),
        (np.zeros((1, 16)), "zero or not finite"),
        (np.full((1, 16), np.nan), "zero or not finite"),
        (np.ones((2, 16)), "holds 2 vectors"),
        (np.ones((1, 1, 16)), "one vector"),
        (np.array(3.0), "one vector"),
        (np.array(["a"] * 16), "one vector"),
        (np.array([{}] * 16, dtype=object), "not a .npy file"),
        (np.ones((1, 300_000)), "too large"),
    ],
)
def test_a_wrong_boundary_is_refused(tmp_path, array, said):
    np.save(tmp_path / "b.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=said):
        read_boundary(tmp_path / "b.npy", torch.randn(200, 16))


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00v\x00{'descr': __import__('os')", b"PK\x03\x04"]
)
def test_what_is_no_npy_is_refused(tmp_path, content):
    (tmp_path / "b.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"not a \.npy file"):
        read_boundary(tmp_path / "b.npy", torch.randn(200, 16))
