"""Pickles that try to do something: each is refused before it does, with the name of what it asked for."""

import io
import os
import pickle
import pickletools
import resource
import struct
import time
from collections import OrderedDict

import numpy as np
import official_pickles
import pytest
from official_networks import GOLDEN

import stylegan
from stylegan.convert import reader
from stylegan.convert.safe_pickle import _ACTIONS, MAX_STEPS, SYMBOLS, read_pickle
from stylegan.convert.stored import NetworkRecord, StoredArray
from stylegan.errors import ConversionError, StyleGANError, UnsafePickleError

TEN_GB = 10 * 10**9


class Reduced:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class WithState:
    ran = False

    def __setstate__(self, state):
        type(self).ran = True


def _read(tmp_path, data):
    path = tmp_path / "hostile.pkl"
    path.write_bytes(data)
    return read_pickle(path)


def _refuse(tmp_path, data, named="", kind=UnsafePickleError):
    path = tmp_path / "hostile.pkl"
    path.write_bytes(data)
    with pytest.raises(kind) as caught:
        stylegan.convert(path, tmp_path / "out.safetensors")
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["hostile.pkl"]
    with pytest.raises(kind):
        stylegan.load(path)


@pytest.mark.parametrize("protocol", range(6))
def test_system_call(tmp_path, protocol):
    target = tmp_path / "made"
    _refuse(tmp_path, pickle.dumps(Reduced(os.system, f"touch {target}"), protocol), f"{os.system.__module__}.system")
    assert not target.exists()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", "os.system"),
        (b"(S'true'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'true'\no.", "os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.", "os.system"),
        (b"\x80\x02cbuiltins\neval\nX\x03\x00\x00\x001+1\x85R.", "builtins.eval"),
        (b"\x80\x02c__builtin__\ngetattr\n.", "__builtin__.getattr"),
        (b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93.", "builtins.getattr"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0ccore.os.exec\x93.", "numpy.core.os.exec"),
        (b"\x80\x04\x8c\x05numpy\x8c\x04load\x93\x8c\x01x\x85R.", "numpy.load"),
        (b"\x80\x02cnumpy.core.multiarray\n_reconstruct.__globals__\n.", "__globals__"),
        (b"\x80\x02ccopyreg\n_reconstructor\n.", "copyreg._reconstructor"),
        (b"\x80\x02c_codecs\nencode\n.", "_codecs.encode"),
        (b"\x80\x02cevil\nline\x1b[2J\n.", "evil.line\\x1b[2J"),
    ],
)
def test_globals_are_named_and_refused(tmp_path, data, named):
    _refuse(tmp_path, data, named)


def test_calls_deep_inside_an_official_file(tmp_path):
    network = official_pickles.record("Gs", "G_style", {"resolution": Reduced(eval, "1/0")}, {})
    _refuse(tmp_path, official_pickles.dumps((network,)), "builtins.eval")


def test_code_in_setstate_never_runs(tmp_path):
    WithState.__module__ = "dnnlib.util"
    WithState.__qualname__ = WithState.__name__ = "Logger"
    data = official_pickles.dumps([WithState()], Logger=WithState)
    network = official_pickles.dumps(
        official_pickles.record("Gs", "G_style", {}, {}, build_module_src="raise SystemExit")
    )
    _refuse(tmp_path, data, "dnnlib.util.Logger")
    _refuse(tmp_path, network, "lacks", kind=ConversionError)
    assert not WithState.ran


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"\x80\x04\x8c\x01xQ.", "persistent"),
        (b"Pname\n.", "persistent"),
        (b"\x80\x02\x82\x01.", "extension code"),
        (b"\x80\x02\x83\x01\x00.", "extension code"),
        (b"\x80\x02\x84\x01\x00\x00\x00.", "extension code"),
        (b"\x80\x05\x97.", "buffer outside"),
        (b"\x80\x05]\x98.", "buffer outside"),
        (b"\x80\x04\x8f.", "set"),
        (b"\x80\x07N.", "protocol 7"),
        (b"\x80\x04]}b.", "state of a list"),
        (b"\x80\x04}}\x8c\x01aK\x01sb.", "state of a dict"),
        (b"\x80\x04}K\x01K\x02s.", "keys"),
        (b"\x80\x04]]\x85R.", "calls a list"),
        (b"\x80\x02ccollections\nOrderedDict\n]\x85R.", "a kind of dict"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "numpy.ndarray"),
        (b"\x80\x02cdnnlib.tflib.network\nNetwork\n)\x81]b.", "network a state"),
    ],
)
def test_other_instructions(tmp_path, data, named):
    _refuse(tmp_path, data, named)


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", TEN_GB),
        b"\x80\x04\x8d" + struct.pack("<Q", TEN_GB),
        b"\x80\x05\x96" + struct.pack("<Q", TEN_GB),
        b"\x80\x04\x95" + struct.pack("<Q", TEN_GB),
        b"\x80\x04\x8e" + struct.pack("<Q", 2**64 - 1),
        b"\x80\x04B" + struct.pack("<I", 2**32 - 1),
        b"\x80\x04X" + struct.pack("<I", 2**32 - 1),
        b"\x80\x04\x8b" + struct.pack("<i", -1),
        b"\x80\x04T" + struct.pack("<i", -5),
        b"\x80\x04\x8b" + struct.pack("<i", 1000) + bytes(1000),
    ],
)
def test_lengths_of_gigabytes_cost_nothing(tmp_path, data):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    _refuse(tmp_path, data)
    assert time.perf_counter() - start < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_bombs(tmp_path):
    _refuse(tmp_path, b"\x80\x04" + b"]" * 1_000_000 + b"a" * 999_999 + b".", "instructions")
    _refuse(tmp_path, b"\x80\x04" + b"(" * 1_000_000, "instructions")
    _refuse(tmp_path, b"\x80\x04" + (b"\x8d" + struct.pack("<Q", 1 << 20) + bytes(1 << 20)) * 17, "MiB of text")
    deep = b"\x80\x04" + b"]" * (MAX_STEPS // 2 - 5) + b"a" * (MAX_STEPS // 2 - 6) + b"."
    _refuse(tmp_path, deep, "a list where", kind=ConversionError)
    laughs = b"\x80\x04]\x94" + b"".join(b"(" + b"h" + bytes([i]) + b"2" * 9 + b"t\x94" for i in range(200)) + b"."
    triples = b"\x80\x04K\x01\x94" + b"".join(b"0(" + (b"h" + bytes([i])) * 9 + b"t\x94" for i in range(200)) + b"."
    for data in (laughs, triples):
        _refuse(tmp_path, data, kind=ConversionError)
    memo = b"\x80\x04K\x01r" + struct.pack("<I", 2**32 - 1) + b"."
    assert _read(tmp_path, memo) == 1


# Arrays.


def _array(code=b"f4", shape=b"K\x02\x85", state=None, data=b"C\x08" + bytes(8)):
    """A protocol-4 array whose parts can be replaced."""
    element = b"\x8c\x05numpy\x8c\x05dtype\x93\x8c" + bytes([len(code)]) + code + b"\x89\x88\x87R"
    element += state or b"(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    start = b"\x80\x04\x8c\x15numpy.core.multiarray\x8c\x0c_reconstruct\x93\x8c\x05numpy\x8c\x07ndarray\x93"
    return start + b"K\x00\x85C\x01b\x87R(K\x01" + shape + element + b"\x89" + data + b"tb."


def test_the_honest_array_is_read(tmp_path):
    array = _read(tmp_path, _array())
    assert isinstance(array, StoredArray)
    np.testing.assert_array_equal(array.read(), np.zeros(2, np.float32))


@pytest.mark.parametrize(
    "options",
    [
        {"code": b"O8"},
        {"code": b"O"},
        {"code": b"V8"},
        {"code": b"M8"},
        {"code": b"U2"},
        {"code": b"f4,f4"},
        {"code": b"c8"},
        {"shape": b"\x8a\x05\x00\x00\x00\x00\x10\x85"},
        {"shape": b"J\xff\xff\xff\xffK\x02\x86"},
        {"shape": b"K\x03\x85"},
        {"shape": b"(" + b"K\x01" * 20 + b"t"},
        {"shape": b"K\x00\x8a\x08" + b"\xff" * 7 + b"\x7f\x86", "data": b"C\x00"},
        {"shape": b"G" + struct.pack(">d", 2) + b"\x85"},
        {"shape": b"\x8c\x012\x85"},
        {"data": b"]"},
        {"data": b"\x8c\x08aaaaaaaa"},
        {"state": b"(K\x03\x8c\x01<N\x8c\x01a\x85}J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"},
        {"state": b"(K\x03\x8c\x01<NNNK\x08J\xff\xff\xff\xffK\x00tb"},
        {"state": b"(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb"},
        {"state": b"(K\x03\x8c\x01?NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"},
        {"state": b"(K\x09\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"},
        {"state": b"]b"},
    ],
)
def test_strange_arrays(tmp_path, options):
    _refuse(tmp_path, _array(**options))


def test_object_arrays_and_records(tmp_path):
    for array in (np.array([None, "x"], object), np.zeros(2, [("a", "f4")]), np.array(["a"]), np.zeros(1, "M8[s]")):
        for protocol in (3, 4, 5):
            _refuse(tmp_path, pickle.dumps(array, protocol))


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "<i4", "u1", "?"])
def test_plain_arrays_as_numpy_writes_them(tmp_path, protocol, dtype):
    arrays = [
        np.arange(24).reshape(2, 3, 4),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.zeros(()),
        np.zeros((0, 3)),
    ]
    arrays = [array.astype(dtype) for array in arrays] + [np.dtype(dtype).type(1)]
    for array, back in zip(arrays, _read(tmp_path, pickle.dumps(arrays, protocol)), strict=True):
        assert back.read().dtype == array.dtype
        np.testing.assert_array_equal(back.read(), array)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_as_pickle_writes_them(tmp_path, protocol):
    long_text = "ψ" * 300 + "\udc80"
    plain = [
        None,
        True,
        False,
        0,
        1,
        255,
        256,
        -1,
        2**40,
        -(2**40),
        2**100,
        0.5,
        "a",
        "",
        long_text,
        [],
        (),
        {},
        [1, [2]],
    ]
    value = {
        "list": plain,
        "tuple": (1,),
        "two": (1, 2),
        "three": (1, 2, 3),
        "four": (1, 2, 3, 4),
        "again": plain,
        "k": {},
    }
    assert _read(tmp_path, pickle.dumps(value, protocol)) == value


def test_kinds_of_dict(tmp_path):
    class EasyDict(dict):
        pass

    EasyDict.__module__, EasyDict.__qualname__ = "dnnlib.util", "EasyDict"
    tree = [OrderedDict(a=1, b=[2]), EasyDict(c=3)]
    back = _read(tmp_path, official_pickles.dumps(tree, EasyDict=EasyDict))
    assert back == [{"a": 1, "b": [2]}, {"c": 3}]
    assert all(type(item) is dict for item in back)


# Damage.


@pytest.fixture(scope="module")
def official():
    return (GOLDEN / "sg1_tiny32.pkl").read_bytes()


def test_a_file_cut_anywhere(tmp_path, official):
    path = tmp_path / "cut.pkl"
    for length in [*range(400), *range(400, len(official), 997), len(official) - 1]:
        path.write_bytes(official[:length])
        with pytest.raises(ConversionError):
            read_pickle(path)
    for length in (0, 1, 9, 100, len(official) // 2):
        path.write_bytes(official[:length])
        with pytest.raises(ConversionError, match=r"cut\.pkl"):
            stylegan.convert(path, tmp_path / "out.safetensors")


def test_flipped_bytes_never_surprise(tmp_path, official, monkeypatch):
    """Any byte outside the arrays' data may be anything: the answer is a network or an error of ours."""
    called = []
    monkeypatch.setattr(os, "system", called.append)
    rng = np.random.RandomState(0)
    structure = _structural_bytes(official)
    path = tmp_path / "flipped.pkl"
    refused = 0
    for _ in range(600):
        data = bytearray(official)
        for _ in range(rng.randint(1, 4)):
            data[structure[rng.randint(len(structure))]] = rng.randint(256)
        path.write_bytes(data)
        try:
            reader.read(path)
        except StyleGANError:
            refused += 1
    assert refused > 200
    assert not called


def test_random_programs_never_surprise(tmp_path):
    """Programs of random instructions, with the names that are known among their operands."""
    rng = np.random.RandomState(1)
    names = [b"c" + f"{module}\n{name}\n".encode() for module, name in SYMBOLS]
    words = [*_ACTIONS, *_ACTIONS, *names, b"C\x04abcd", b"\x8c\x02f4", b"K\x01", b"K\x00\x85", b"(", b")", b"N"]
    path = tmp_path / "random.pkl"
    ends = 0
    for _ in range(1500):
        path.write_bytes(b"".join(words[rng.randint(len(words))] for _ in range(rng.randint(1, 30))) + b".")
        try:
            read_pickle(path)
            ends += 1
        except ConversionError:
            pass
    assert 0 < ends < 1500


def _structural_bytes(data):
    """Positions of all bytes that are not inside a byte string."""
    inside = set()
    previous = None
    for code, argument, position in pickletools.genops(io.BytesIO(data)):
        if previous is not None:
            inside.update(range(position - previous, position))
        previous = len(argument) if code.name.endswith("BINBYTES") else None
    return [i for i in range(len(data)) if i not in inside]


def test_networks_are_inert_records(tmp_path, official):
    G, D, Gs = _read(tmp_path, official)
    assert all(type(network) is NetworkRecord for network in (G, D, Gs))
    assert [network.state["name"] for network in (G, D, Gs)] == ["G", "D", "Gs"]
