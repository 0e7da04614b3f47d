import base64
import random
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recipe_strategies import MODEL, recipes, steady

from explorer.link import from_link, from_params, to_query
from explorer.recipe import Blend, Direction, Edit, Mix, Noise, Recipe, RecipeError

OTHER = "fedcba98" * 8
SHORT = st.builds(
    Recipe,
    model=st.text("0123456789abcdef", min_size=8, max_size=64),
    source=st.integers(0, 2**32 - 1),
    label=st.none() | st.integers(0, 99_999),
    psi=st.floats(-10, 10),
    cutoff=st.none() | st.integers(0, 32),
)


@steady
@given(recipes | SHORT)
def test_round_trip(recipe):
    query = to_query(recipe)
    assert from_link(query, OTHER) == recipe
    assert from_link(f"?{query}", OTHER) == recipe
    assert from_link(f"https://example.org:7860/explore/?__theme=dark&{query}#top", OTHER) == recipe


@steady
@given(SHORT)
def test_simple_recipes_are_readable(recipe):
    assert to_query(recipe).startswith(f"seed={recipe.source}&psi=")


def test_short_form():
    assert to_query(Recipe(MODEL, 5, psi=1, cutoff=8, label=3)) == f"seed=5&psi=1&cutoff=8&label=3&model={MODEL}"
    assert to_query(Recipe(MODEL, 5, psi=-0.25)) == f"seed=5&psi=-0.25&model={MODEL}"
    assert from_link("?seed=5&psi=0.7", OTHER) == Recipe(OTHER, 5, psi=0.7)
    assert from_link("seed=5", OTHER) == Recipe(OTHER, 5)
    assert from_link("psi=-1", OTHER) == Recipe(OTHER, 0, psi=-1)
    assert from_link(f"model={MODEL}", OTHER) == Recipe(MODEL)


def test_an_address_without_settings_has_no_recipe():
    for text in (
        "",
        "?",
        "?__theme=dark",
        "https://example.org/",
        "https://example.org/?view=api&utm_source=x&fbclid=y",
    ):
        assert from_link(text if "?" in text or not text else text + "?", OTHER) is None
    assert from_params({}, OTHER) is None
    assert from_params({"__theme": "dark", "seed": "5"}, OTHER) == Recipe(OTHER, 5)


def test_ordinary_recipes_make_links_below_2000_characters():
    layers = range(18)
    busy = Recipe(
        OTHER,
        Blend(123456789, 987654321, 0.3333333333333333, "z"),
        label=7,
        psi=0.6543210987654321,
        layer_psi=tuple((i, 1 / (i + 3)) for i in layers),
        mixes=tuple(Mix(4_000_000_000 + k, tuple((i, 1 / (i + k + 2)) for i in layers)) for k in range(3)),
        edits=tuple(Edit(Direction(f"direction {k}", f"{k:064x}"), k / 7 + 1) for k in range(6)),
        noise=Noise("stored", 0, tuple((i, 3_000_000_000 + i * i) for i in layers), tuple((i, i / 19) for i in layers)),
    )
    assert len(to_query(busy)) < 2000
    assert len(to_query(Recipe(OTHER, Blend(1, 2, 0.5), mixes=(Mix(9, ((4, 1), (5, 1))),)))) < 250


def test_a_recipe_too_long_for_a_link_is_told():
    rows = random.Random(0)
    long = Recipe(MODEL, mixes=tuple(Mix(k, tuple((i, rows.random()) for i in range(32))) for k in range(40)))
    with pytest.raises(RecipeError, match="too long for a link: save the PNG"):
        to_query(long)


def packed(data: bytes, wbits=-15) -> str:
    deflater = zlib.compressobj(9, wbits=wbits)
    return "r=" + base64.urlsafe_b64encode(deflater.compress(data) + deflater.flush()).rstrip(b"=").decode()


GOOD = packed(Recipe(MODEL, Blend(1, 2, 0.5)).json.encode())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sede=5", "A link has no setting 'sede'; it knows seed, psi, cutoff, label, model"),
        ("seed=5&seed=6", "gives a setting twice"),
        ("seed=", "The link's seed cannot be ''"),
        ("seed=-1", "The link's seed cannot be '-1'"),
        ("seed=5.0", "The link's seed cannot be"),
        ("seed=٣", "The link's seed cannot be"),
        ("seed=+5", "The link's seed cannot be"),
        ("seed=4294967296", "whole number from 0 to 4294967295"),
        ("seed=" + "9" * 5000, "The link's seed cannot be"),
        ("psi=nan", "The link's psi cannot be 'nan'"),
        ("psi=inf", "The link's psi cannot be"),
        ("psi=1e9", "The link's psi cannot be"),
        ("psi=11", "ψ is a number from -10 to 10"),
        ("psi=0,7", "The link's psi cannot be"),
        ("psi=1_0", "The link's psi cannot be"),
        ("cutoff=33", "The cutoff is a whole number from 0 to 32"),
        ("cutoff=None", "The link's cutoff cannot be"),
        ("label=-1", "The link's label cannot be"),
        ("model=../../etc", "The link's model cannot be"),
        ("model=ABCDEF01", "The link's model cannot be"),
        ("seed", "cannot be read"),
        ("seed=%ff", "cannot be read"),
        ("&".join(f"a{i}=1" for i in range(40)), "cannot be read"),
        ("https://[/?seed=5", "cannot be read"),
        ("seed=5" + "0" * 20_000, "text of at most 16000 characters"),
        (None, "text of at most 16000 characters"),
        (f"{GOOD}&seed=5", "no other settings beside it"),
        ("r=", "not at most 8000 letters and digits"),
        ("r=" + "A" * 8001, "not at most 8000 letters and digits"),
        ("r=ab.cd", "not at most 8000 letters and digits"),
        ("r=%00", "not at most 8000 letters and digits"),
        (GOOD[:-4], "is damaged"),
        (GOOD + "AAAA", "is damaged"),
        ("r=A", "is damaged"),
        ("r=////".replace("/", "_"), "is damaged"),
        (packed(b" " * (4 << 20)), "at most 64 KiB"),
        (packed(Recipe(MODEL).json.encode(), wbits=15), "is damaged"),
        (packed(b""), "not valid JSON"),
        (packed(b"{}"), 'with a "version"'),
        (packed(b'{"version":9}'), "update StyleGAN Explorer"),
        (packed(b"[" * 60_000), "not valid JSON"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_links_are_one_sentence(text, sentence):
    with pytest.raises(RecipeError, match=sentence) as caught:
        from_link(text, OTHER)
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 200


@steady
@given(st.text(max_size=50) | st.text("AQz09_-", max_size=60).map("r={}".format))
def test_any_text_gives_a_recipe_nothing_or_one_sentence(text):
    with suppress(RecipeError):
        assert isinstance(from_link(text, OTHER), Recipe | None)
