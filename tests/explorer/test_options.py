"""The options of the command line, and what follows from them."""

from pathlib import Path

import pytest

from explorer.options import Options, parse
from stylegan.errors import InputError


def test_without_options_the_page_is_for_this_machine_and_its_owner():
    options = parse([])
    assert options == Options()
    assert not options.public
    assert not options.demo
    assert options.owner


def test_all_options_are_read(tmp_path):
    model = tmp_path / "m.safetensors"
    model.touch()
    given = ["--model", str(model), "--model", str(model), "--host", "0.0.0.0", "--port", "8000", "--share"]
    given += [
        "--auth",
        "ann:a:b",
        "--device",
        "cuda:1",
        "--runs",
        "r",
        "--read-only",
        "--gallery",
        "g",
        "--models",
        "m",
        "--directions",
        "d",
        "--measurements",
        "n",
    ]
    assert parse(given) == Options(
        (model, model),
        Path("m"),
        Path("g"),
        Path("r"),
        "0.0.0.0",
        8000,
        True,
        ("ann", "a:b"),
        "cuda:1",
        True,
        Path("d"),
        Path("n"),
    )


@pytest.mark.parametrize(
    ("options", "demo", "owner"),
    [
        (Options(share=True), True, False),
        (Options(host="0.0.0.0"), True, False),
        (Options(host="192.168.1.7"), True, False),
        (Options(share=True, auth=("a", "b")), False, True),
        (Options(read_only=True), False, False),
        (Options(host="localhost"), False, True),
        (Options(host="::1"), False, True),
    ],
)
def test_strangers_make_it_a_demo(options, demo, owner):
    assert (options.demo, options.owner) == (demo, owner)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "/no/such"], "no such file"),
        (["--port", "0"], "from 1 to 65535"),
        (["--port", "70000"], "from 1 to 65535"),
        (["--port", "x"], "invalid int"),
        (["--auth", "ann"], "USER:PASSWORD"),
        (["--auth", ":x"], "USER:PASSWORD"),
        (["--bogus"], "--bogus"),
        (["--models", __file__], "not a folder"),
        (["--gallery", __file__], "not a folder"),
        (["--runs", __file__], "not a folder"),
        (["--directions", __file__], "not a folder"),
    ],
)
def test_mistakes_are_one_line(arguments, words):
    with pytest.raises(InputError, match=words) as caught:
        parse(arguments)
    assert "\n" not in str(caught.value)
