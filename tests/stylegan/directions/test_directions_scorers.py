"""What gives scores: picture measures, scores files, and the attribute scorer with its training and its file."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from stylegan.data.prepare import prepare
from stylegan.data.records import finish as prepared
from stylegan.directions import (
    AttributeScorer,
    PictureMeasures,
    ScorerTraining,
    finish,
    load_scorer,
    read_scores,
    save_scorer,
    train_scorer,
)
from stylegan.directions.attribute_net import AttributeNet, ScorerConfig, at_resolution
from stylegan.directions.targets import Target, portrait_targets, table_targets
from stylegan.directions.train_scorer import disturbed
from stylegan.errors import DataError, InputError, NewerFormatError, NotAModelError, WeightsError

TARGETS = (
    Target("age", "continuous", 30.0, 10.0),
    Target("glasses", "binary"),
    Target("style", "categorical", choices=("a", "b", "c")),
    Target("hue", "circular"),
)


def measured(pictures):
    scorer = PictureMeasures()
    scores = scorer.score(torch.as_tensor(pictures, dtype=torch.float32))
    return [dict(zip([c.name for c in scorer.columns], row, strict=True)) for row in scores.tolist()]


def plain(red, green, blue, side=16):
    """A picture of one colour, 0 … 1."""
    return (torch.tensor([red, green, blue])[:, None, None].expand(3, side, side) * 2 - 1)[None]


def test_measures_of_plain_pictures():
    white, grey, red, green = (measured(plain(*c))[0] for c in ((1, 1, 1), (0.5, 0.5, 0.5), (1, 0, 0), (0, 1, 0)))
    assert white["brightness"] == pytest.approx(1)
    assert grey["brightness"] == pytest.approx(0.5)
    assert red["brightness"] == pytest.approx(0.299)
    assert green["background lightness"] == pytest.approx(0.587)
    assert red["warmth"] == pytest.approx(1)
    assert (white["warmth"], white["colourfulness"]) == pytest.approx((0, 0), abs=1e-6)
    assert red["colourfulness"] == pytest.approx(0.3 * 1.25**0.5)
    assert (red["hue cos"], red["hue sin"]) == pytest.approx((1, 0), abs=1e-6)
    assert (green["hue cos"], green["hue sin"]) == pytest.approx((-0.5, 0.75**0.5), abs=1e-6)
    assert (grey["hue cos"], grey["hue sin"]) == pytest.approx((0, 0), abs=1e-3)
    for picture in (white, grey, red):
        assert picture["contrast"] == pytest.approx(0, abs=1e-6)
        assert picture["symmetry"] == pytest.approx(1)
        assert picture["sharpness"] == pytest.approx(-6, abs=0.1)
        assert (picture["centre x"], picture["centre y"]) == pytest.approx((0, 0), abs=1e-5)


def test_measures_of_what_is_in_a_picture():
    left = plain(0, 0, 0).clone()
    left[:, :, :, 8:] = 1  # black beside white
    row = measured(left)[0]
    assert (row["brightness"], row["contrast"], row["symmetry"]) == pytest.approx((0.5, 0.5, 0), abs=1e-6)
    spot = plain(1, 1, 1).clone()
    spot[:, :, 10:12, 12:14] = -1  # a dark spot, lower right, on white
    row = measured(spot)[0]
    assert row["background lightness"] == pytest.approx(1)
    assert row["centre x"] == pytest.approx(12.5 / 7.5 - 1, abs=0.01)
    assert row["centre y"] == pytest.approx(10.5 / 7.5 - 1, abs=0.01)
    noise = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.3
    soft = torch.nn.functional.avg_pool2d(noise, 5, 1, 2)
    assert measured(noise)[0]["sharpness"] > measured(soft)[0]["sharpness"] + 0.5


def test_measures_do_not_depend_on_the_batch_and_take_grey_pictures():
    x = torch.rand(5, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    scorer = PictureMeasures()
    torch.testing.assert_close(scorer.score(x)[3:4], scorer.score(x[3:4]), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(scorer.score(x), scorer.score(x.expand(-1, 3, -1, -1)))
    for wrong in (torch.zeros(3, 16, 16), torch.zeros(1, 2, 16, 16), torch.zeros(1, 3, 4, 4)):
        with pytest.raises(InputError):
            scorer.score(wrong)


def test_scores_files(tmp_path):
    path = tmp_path / "happiness.csv"
    path.write_text("3,0.5\n7,-1e3\n\n0,2\n")
    table = read_scores(path)
    assert table.seeds == (3, 7, 0)
    assert [(c.name, c.kind) for c in table.columns] == [("happiness", "continuous")]
    assert table.values[:, 0].tolist() == [0.5, -1000, 2]
    path.write_text("\ufeffseed,smile,glasses\n1,0.2,1\n2,0.3,0\n", encoding="utf-8")
    table = read_scores(path)
    assert [(c.name, c.kind) for c in table.columns] == [("smile", "continuous"), ("glasses", "binary")]
    digest = table.digest
    path.write_text("seed,smile,glasses\n1,0.2,1\n2,0.3,1\n")
    assert read_scores(path).digest != digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has rows seed,value"),
        ("seed,a\n", "0 rows"),
        ("a,b,c\n1,2,3\n", "has rows seed,value"),
        ("seed\n1\n", "the header is"),
        ("seed,a,a\n1,2,3\n", "the header is"),
        ("seed,\n1,2\n", "the header is"),
        ("1,2\n1,3\n", "line 2: seed 1 is in the file twice"),
        ("1,2\n2,nan\n", "line 2: 'nan' is not a finite number"),
        ("1,2\n2,inf\n", "not a finite number"),
        ("1,2\n2,1e39\n", "not a finite number"),
        ("1,2\n2,\n", "'' is not a finite number"),
        ("1,2\n-2,1\n", "'-2' is not a seed"),
        ("1,2\n2.5,1\n", "'2.5' is not a seed"),
        ("1,2\n4294967296,1\n", "is not a seed"),
        ("1,2\n2,1,4\n", "line 2: a seed and 1 values belong here, not 3"),
        ('1,"2\n', "not a CSV"),
    ],
)
def test_a_wrong_scores_file_is_refused(tmp_path, text, said):
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_scores(path)


def test_scores_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="no scores file"):
        read_scores(tmp_path / "no.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe1,2")
    with pytest.raises(InputError, match="UTF-8"):
        read_scores(tmp_path / "b.csv")


def test_targets_and_what_a_perfect_scorer_says():
    values = torch.tensor([[20.0, 1.0, 2.0, 90.0], [50.0, 0.0, 0.0, 180.0]])
    names = [column.name for target in TARGETS for column in target.columns]
    assert names == ["age", "glasses", "style: a", "style: b", "style: c", "hue cos", "hue sin"]
    truth = torch.cat([target.truth(values[:, i]) for i, target in enumerate(TARGETS)], dim=1)
    torch.testing.assert_close(
        truth, torch.tensor([[20.0, 1, 0, 0, 1, 0, 1], [50, 0, 1, 0, 0, -1, 0]]), atol=1e-6, rtol=0
    )
    raw = [torch.tensor([[-1.0], [2]]), torch.tensor([[50.0], [-50]]), 50 * truth[:, 2:5], truth[:, 5:]]
    for i, target in enumerate(TARGETS):
        torch.testing.assert_close(target.scores(raw[i]), target.truth(values[:, i]), atol=1e-5, rtol=0)
        assert target.loss(raw[i], values[:, i]).item() == pytest.approx(0, abs=1e-5)


def test_a_network_that_knows_nothing_loses_about_one():
    values = torch.rand(5000, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1, 3, 360])
    values[:, 0] = 30 + 10 * torch.randn(5000, generator=torch.Generator().manual_seed(1))
    values[:, 1], values[:, 2] = values[:, 1].round(), values[:, 2].floor()
    for i, target in enumerate(TARGETS):
        raw = torch.zeros(5000, len(target.columns))
        assert target.loss(raw, values[:, i]).item() == pytest.approx(1, abs=0.05)


def test_tables_become_targets_by_what_is_in_them():
    values = torch.tensor([[0.0, 1.5], [1.0, 2.5], [1.0, 9.5]])
    binary, continuous = table_targets(["worn", "length"], values)
    assert (binary.kind, continuous.kind) == ("binary", "continuous")
    assert continuous.mean == pytest.approx(4.5)
    assert continuous.std == pytest.approx(np.std([1.5, 2.5, 9.5]))
    with pytest.raises(InputError, match="The attribute a is 1 for every picture"):
        table_targets(["a"], torch.ones(3, 1))


def test_portraits_have_categories_and_hues():
    from stylegan.data.portraits import attribute_matrix, sample_attributes

    targets = {t.name: t for t in portrait_targets(attribute_matrix(sample_attributes(0, range(50))))}
    assert targets["hair_style"].choices[0] == "bald"
    assert targets["background_hue"].kind == "circular"
    assert targets["glasses"].kind == "binary"
    assert targets["yaw"].kind == "continuous"


@pytest.fixture
def scorer():
    net = AttributeNet(ScorerConfig(TARGETS, 32, (4, 4, 8, 8)), seed=1).eval().requires_grad_(False)
    return AttributeScorer(net, {"age": {"r2": 0.5}, "style": {"accuracy": 0.8}}, {"data": "toys", "epochs": 2.5})


def test_a_scorer_reads_any_size_and_is_kept(scorer, tmp_path):
    path = tmp_path / "net.attributes.safetensors"
    digest = save_scorer(scorer, path)
    read = load_scorer(path)
    assert read.digest == scorer.digest == digest
    assert (read.quality, read.about, read.columns) == (scorer.quality, scorer.about, scorer.columns)
    for shape in ((3, 3, 32, 32), (2, 3, 64, 64), (2, 1, 16, 16), (0, 3, 32, 32), (300, 3, 8, 8)):
        x = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
        scores = read.score(x)
        assert scores.shape == (shape[0], 7)
        torch.testing.assert_close(scores, scorer.score(x))
        torch.testing.assert_close(scores[:, 2:5].sum(dim=1), torch.ones(shape[0]))
    with pytest.raises(InputError, match="square pictures"):
        read.score(torch.zeros(1, 3, 16, 32))


def test_its_weights_come_from_the_seed_and_no_other_generator():
    state = torch.get_rng_state()
    config = ScorerConfig(TARGETS, 32, (4, 4, 8, 8))
    a, b, c = (AttributeScorer(AttributeNet(config, seed)).digest for seed in (1, 1, 2))
    assert a == b != c
    assert torch.equal(state, torch.get_rng_state())


def test_sizes_come_by_means_and_by_interpolation():
    x = torch.arange(16.0).reshape(1, 1, 4, 4) / 16
    assert at_resolution(x, 2)[0, 0].flatten().tolist() == pytest.approx([2.5 / 16, 4.5 / 16, 10.5 / 16, 12.5 / 16])
    assert at_resolution(x, 8).shape == (1, 3, 8, 8)
    assert at_resolution(x * 100, 4).max() == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda d, t: d.update(format=99), NewerFormatError),
        (lambda d, t: d.update(kind="directions"), NotAModelError),
        (lambda d, t: d.pop("config"), NotAModelError),
        (lambda d, t: d["config"].update(resolution=48), NotAModelError),
        (lambda d, t: d["config"].update(channels=[4, 4]), NotAModelError),
        (lambda d, t: d["config"].update(channels=[4, 4, 8, 10**9]), NotAModelError),
        (lambda d, t: d["config"].update(targets=[]), NotAModelError),
        (lambda d, t: d["config"]["targets"][0].update(std=0.0), NotAModelError),
        (lambda d, t: d["config"]["targets"][0].update(kind="x"), NotAModelError),
        (lambda d, t: d["config"]["targets"][0].update(name="glasses"), NotAModelError),
        (lambda d, t: d["config"]["targets"][0].update(more=1), NotAModelError),
        (lambda d, t: d.update(quality={"age": {"r2": "good"}}), NotAModelError),
        (lambda d, t: d.update(quality=[]), NotAModelError),
        (lambda d, t: d.update(about=3), NotAModelError),
        (lambda d, t: t.popitem(), WeightsError),
        (lambda d, t: t.update(more=torch.zeros(1)), WeightsError),
        (lambda d, t: t.update({"layers.1.weight": torch.zeros(1)}), WeightsError),
        (lambda d, t: t["layers.1.weight"].fill_(float("nan")), WeightsError),
    ],
)
def test_a_damaged_scorer_file_is_refused(scorer, tmp_path, change, error):
    path = tmp_path / "net.attributes.safetensors"
    save_scorer(scorer, path)
    with safe_open(path, "pt") as file:
        document = json.loads(file.metadata()["stylegan"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    change(document, tensors)
    save_file(tensors, path, metadata={"stylegan": json.dumps(document)})
    with pytest.raises(error):
        load_scorer(path)


def test_no_scorer_is_written_to_another_name(scorer, tmp_path):
    with pytest.raises(InputError, match=r"NAME\.attributes\.safetensors"):
        save_scorer(scorer, tmp_path / "scorer.safetensors")
    with pytest.raises(NotAModelError, match="no file"):
        load_scorer(tmp_path / "scorer.attributes.safetensors")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """400 pictures of a square on a plain ground, with what is known of them in attributes.csv."""
    folder, cache = tmp_path_factory.mktemp("squares"), tmp_path_factory.mktemp("cache")
    rng = np.random.RandomState(0)
    rows = ["file,lightness,red square"]
    for i in range(400):
        lightness, red = rng.randint(40, 200), rng.rand() < 0.4
        picture = np.full((32, 32, 3), lightness, np.uint8)
        y, x = rng.randint(4, 20, 2)
        picture[y : y + 8, x : x + 8] = (220, 30, 30) if red else (30, 30, 220)
        Image.fromarray(picture).save(folder / f"{i:03}.png")
        rows.append(f"{i:03}.png,{lightness},{int(red)}")
    (folder / "attributes.csv").write_text("\n".join(rows))
    return prepared(prepare(folder, 32, cache=cache))


def test_a_scorer_learns_what_can_be_seen(pictures):
    training = ScorerTraining(32, epochs=8, batch=32, seed=3)
    steps = list(train_scorer(pictures, training))
    scorer = steps[-1].result
    assert [s.share for s in steps] == sorted(s.share for s in steps)
    assert scorer.quality["lightness"]["r2"] > 0.9
    assert scorer.quality["red square"]["accuracy"] > 0.95
    assert scorer.quality["red square"]["auc"] > 0.98
    assert scorer.about["pictures"] == 400
    assert scorer.about["held_out"] == 40
    assert scorer.about["epochs"] == pytest.approx(8, abs=0.3)
    assert scorer.about["data_digest"] == pictures.digest
    assert not any(p.requires_grad for p in scorer.net.parameters())


def test_the_same_training_gives_the_same_scorer(pictures):
    short = ScorerTraining(32, epochs=1, seed=3)
    state = torch.get_rng_state()
    a, b = (finish(train_scorer(pictures, short)) for _ in range(2))
    assert a.digest == b.digest
    assert a.quality == b.quality
    assert finish(train_scorer(pictures, replace(short, seed=4))).digest != a.digest
    assert torch.equal(state, torch.get_rng_state())


def test_training_ends_in_time(pictures):
    scorer = finish(train_scorer(pictures, ScorerTraining(32, epochs=10_000, minutes=0.005)))
    assert 0 < scorer.about["epochs"] < 20


def test_disturbed_pictures_are_the_same_for_the_same_generator_and_close():
    x = torch.nn.functional.avg_pool2d(torch.rand(8, 3, 36, 36, generator=torch.Generator().manual_seed(0)), 5, 1)
    a, b = (disturbed(x, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(a, b)
    assert a.shape == x.shape
    assert 0 < (a - x).abs().mean() < 0.1


def test_data_without_attributes_is_refused(tmp_path):
    for i in range(3):
        Image.new("RGB", (32, 32), (i * 20, 0, 0)).save(tmp_path / f"{i}.png")
    with pytest.raises(DataError, match=r"needs a table attributes\.csv"):
        finish(train_scorer(prepared(prepare(tmp_path, 32, cache=tmp_path / "cache"))))
    (tmp_path / "attributes.csv").write_text("file,a\n" + "".join(f"{i}.png,{i}\n" for i in range(3)))
    with pytest.raises(DataError, match="at least 100 pictures"):
        finish(train_scorer(prepared(prepare(tmp_path, 32, cache=tmp_path / "cache"))))


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"epochs": True}, {"batch": 1}, {"learning_rate": 0.0}, {"minutes": 0.0}, {"seed": -1},
     {"minutes": float("nan")}, {"learning_rate": float("nan")}],
)  # fmt: skip
def test_impossible_trainings_are_refused(wrong):
    with pytest.raises(InputError):
        ScorerTraining(**wrong)
