"""The file of measurements: appended to, thinned, read in, and never made worse than it was."""

import json

import pytest
from measure_toys import measurement

from explorer.measurement_store import MeasurementStore, csv_of, detail_of, row_of
from explorer.values import RecipeError
from stylegan.metrics.measurement import History

HISTOGRAM = {"low": 0.0, "high": 1.0, "data": [0.5, 0.5, 0.0], "samples": [0.0, 0.5, 0.5]}


@pytest.fixture
def store(tmp_path):
    return MeasurementStore(tmp_path / "kept")


def lines(*items):
    return "".join(json.dumps(item.to_json()) + "\n" for item in items).encode()


def test_the_newest_comes_first_and_equal_ones_once(store):
    assert store.all() == ()
    old, new = measurement(value=2.0), measurement(value=1.0, when="2026-11-02T10:00:00+00:00")
    store.append([old])
    before = store.version
    store.append([new, old])
    assert store.version != before
    assert [one.measurement for one in store.all()] == [new, old]
    assert len({one.id for one in store.all()}) == 2
    assert [line.split(",")[1] for line in csv_of(store.all()).splitlines()] == ["value", "1.0", "2.0"]


def test_what_is_read_is_what_the_command_line_writes(store, tmp_path):
    History(tmp_path / "cli.jsonl").append([measurement(value=3.0, low=2.0, high=4.0, settings={"mixed": 2})])
    assert store.read_in((tmp_path / "cli.jsonl").read_bytes()).words == "1 measurement read in."
    assert store.all()[0].measurement == History(tmp_path / "cli.jsonl").read()[0]
    assert History(store.path).read() == History(tmp_path / "cli.jsonl").read()
    assert "1 known already" in store.read_in((tmp_path / "cli.jsonl").read_bytes()).words
    assert len(store.all()) == 1


def test_a_torn_line_spoils_nothing_after_it(store):
    store.append([measurement(value=1.0)])
    with open(store.path, "ab") as file:
        file.write(b'{"metric": "frechet", "val')  # a program that was killed
    store.append([measurement(value=2.0)])
    assert sorted(one.measurement.value for one in store.all()) == [1.0, 2.0]


def test_removing_takes_one_line_and_leaves_what_cannot_be_read(store):
    store.append([measurement(value=1.0), measurement(value=2.0)])
    with open(store.path, "ab") as file:
        file.write(b"of a newer version\n")
    gone, stays = store.all()
    store.remove(gone.id)
    assert store.all() == (stays,)
    assert b"of a newer version" in store.path.read_bytes()
    assert not [path for path in store.path.parent.iterdir() if path != store.path]
    for wrong in (gone.id, "../x", None, 5):
        with pytest.raises(RecipeError, match="not there any more"):
            store.remove(wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"value": "high"}, {"value": None}, {"value": True}, {"count": -1}, {"count": 1.5}, {"model": 5},
        {"model_name": "x" * 1000}, {"kimg": "many"}, {"settings": 5}, {"psi": float("inf")}, {"when": None},
        {"settings": {"bits": {"smile": "x"}}}, {"settings": {"histograms": {"smile": {"data": [1], "low": 0}}}},
        {"settings": {"histograms": 5}}, {"cutoff": "all"}, {"seed": 2**60}, {"low": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_lines_that_are_no_measurement_are_refused(store, change):
    bad = json.dumps({**measurement().to_json(), **change}).encode()
    with pytest.raises(RecipeError, match="no measurement in this file"):
        store.read_in(bad)
    assert store.read_in(bad + b"\n" + lines(measurement())).words == "1 measurement read in, 1 line is no measurement."


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[" * 100_000, b"\xff\xfe\x00", b"null", b"x" * (17 << 20)], ids=lambda data: str(data[:4])
)
def test_files_of_anything_else_are_one_sentence(store, data):
    with pytest.raises(RecipeError, match=r"file of measurements|no measurement in this file"):
        store.read_in(data)
    assert store.all() == ()


def test_rows_are_plain_and_tell_what_may_be_compared(store):
    same = {"value": 2.0, "model": "ef" * 32, "model_name": "dogs"}
    store.append([measurement(), measurement(**same), measurement(**same, count=600), measurement("precision", 0.5)])
    rows = [row_of(one) for one in store.all()]
    json.dumps(rows, allow_nan=False)
    assert rows[0]["conditions"] == rows[1]["conditions"]
    assert len({row["conditions"] for row in rows}) == 3
    assert [row["title"] for row in rows] == ["Fréchet distance"] * 3 + ["Precision"]


def test_fid_is_said_with_inception_alone(store):
    store.append([measurement(extractor="Inception-v3"), measurement(extractor="TorchScript mine")])
    assert [row_of(one)["title"] for one in store.all()] == ["FID", "Fréchet distance"]


def test_details_have_names_for_people_and_the_least_alike_first(store):
    same = {**HISTOGRAM, "samples": HISTOGRAM["data"]}
    settings = {"histograms": {"hair_length": same, "wears_glasses": HISTOGRAM}, "bits": {"a_b": 0.1, "c_d": 0.9}}
    store.append([measurement("overlap", 0.75, settings=settings)])
    (kept,) = store.all()
    found = detail_of(kept)
    assert [(one["name"], one["overlap"]) for one in found["histograms"]] == [
        ("wears glasses", 0.5),
        ("hair length", 1),
    ]
    assert found["bits"] == [{"name": "c d", "bits": 0.9}, {"name": "a b", "bits": 0.1}]
    row = row_of(kept)
    assert row["detail"]
    assert "histograms" not in row["settings"]
