"""Metrics of snapshots: the numbers, that training does not change by them, ends in the middle, and what goes wrong."""

import time
from dataclasses import replace

import pytest
import torch
from tiny_runs import Stripes

import stylegan
from stylegan.directions.records import finish
from stylegan.errors import InputError
from stylegan.metrics import measure, tools
from stylegan.metrics.measurement import from_json
from stylegan.metrics.pictures import of_training
from stylegan.training.gauge import Gauge, Measured, Measuring
from stylegan.training.loop import Ended, Options, Snapshot, Started, run
from stylegan.training.meter import Tick
from stylegan.training.run_folder import RunFacts, RunFolder, read_events
from stylegan.training.trainer import Trainer
from stylegan.training.world import World

ONE = World(torch.device("cpu"))


class Means:
    """An extractor of 12 block means; it counts what it reads, and may fail."""

    name, width, digest = "means", 12, "ef" * 32

    def __init__(self):
        self.seen, self.fails_at, self.error = 0, None, None

    def features(self, pictures):
        self.seen += len(pictures)
        if self.fails_at is not None and self.seen > self.fails_at:
            raise self.error
        return torch.nn.functional.adaptive_avg_pool2d(pictures.permute(0, 3, 1, 2).float(), 2).flatten(1)


@pytest.fixture
def extractor(monkeypatch):
    found = Means()
    monkeypatch.setattr(tools, "open_extractor", lambda *_: found)
    return found


@pytest.fixture
def start(tmp_path, tiny, extractor):
    """`start(name, **config)`: the folder, the trainer, and a generator of the run's records."""

    def make(name="run", options=None, **config):
        settings = {"total_kimg": 0.08, "metrics": ("fid", "kid"), "metrics_count": 40, **config}
        folder, trainer = RunFolder(tmp_path / name), Trainer(tiny(**settings), ONE)
        if not folder.exists:
            folder.create(RunFacts(trainer.config, {}, {}))
        given = options or Options(snapshot_kimg=0.03, cache=tmp_path / "cache")

        def go(should_stop=lambda: False):
            return run(folder, trainer, Stripes(), given, should_stop)

        return folder, trainer, go

    return make


def measured(folder):
    return [event for event in read_events(folder.events) if event["event"] == "metrics"]


def test_each_snapshot_is_measured_and_training_is_as_without(start, weights):
    folder, trainer, go = start()
    before = torch.get_rng_state()
    records = list(go())
    assert torch.equal(torch.get_rng_state(), before)
    _, plain, alone = start("plain", metrics=())
    list(alone())
    one, other = weights(trainer), weights(plain)
    assert all(torch.equal(one[key], other[key]) for key in other)
    kinds = [type(record) for record in records]
    assert kinds[0] is Started
    assert kinds[1] is Measuring  # the data's features, before anything is trained
    assert kinds.index(Tick) > kinds.index(Measuring)
    shots = [r.kimg for r in records if isinstance(r, Snapshot)]
    assert [r.kimg for r in records if isinstance(r, Measured)] == shots
    assert len(shots) == 3
    assert all(0 <= r.share <= 1 for r in records if isinstance(r, Measuring))
    assert [e["kimg"] for e in measured(folder)] == shots


def test_the_numbers_are_those_of_the_snapshot_s_file(start, tmp_path, extractor):
    folder, trainer, go = start(metrics=("fid", "kid", "pr"))
    list(go())
    for event in measured(folder):
        path = folder.path / "snapshots" / event["snapshot"]
        apart = measure.Tools(extractor, cache=tmp_path / "elsewhere")
        plan = measure.Plan(("fid", "kid", "pr"), count=40)
        expected = finish(measure.measure(stylegan.load(path), of_training(Stripes()), plan, apart, name=path.stem))
        found = [from_json(row) for row in event["measurements"]]
        assert [(m.value, m.low, m.conditions, m.model) for m in found] == [
            (m.value, m.low, m.conditions, m.model) for m in expected
        ]
        assert all(m.kimg == event["kimg"] for m in found)
        assert event["values"] == {m.key: m.value for m in found}
    assert trainer.Gs.digest == ""
    assert "Fréchet distance" in (folder.path / "log.txt").read_text()


def test_stopped_while_measuring_it_goes_on_from_kept_features(start, weights, extractor):
    options = {"metrics_count": 300, "total_kimg": 0.016}
    folder, _, go = start(**options)
    stopped = []
    records = []
    for record in go(lambda: bool(stopped)):
        records.append(record)
        snapshots = [r for r in records if isinstance(r, Snapshot)]
        if snapshots and isinstance(record, Measuring) and record.phase.startswith("000000.016: 256"):
            stopped.append(1)
    assert isinstance(records[-1], Ended)
    assert not measured(folder)
    before = extractor.seen
    _, again, go = start(**options)
    resumed = list(go())
    assert [type(r) for r in resumed if not isinstance(r, Measuring)] == [Started, Measured, Ended]
    assert extractor.seen - before <= 32 + 256  # a trial, and the second block; the data and the first block are kept
    assert len(measured(folder)) == 1
    assert [type(r) for r in list(start(**options)[2]()) if not isinstance(r, Measuring)] == [Started, Ended]
    _, straight, go = start("straight", **options)
    list(go())
    one, other = weights(again), weights(straight)
    assert all(torch.equal(one[key], other[key]) for key in other)
    assert measured(RunFolder(folder.path.parent / "straight"))[0]["values"] == measured(folder)[0]["values"]


@pytest.mark.parametrize("how", ["clock", "file"])
def test_a_clock_or_a_file_ends_it_while_measuring(start, tmp_path, how):
    _, trainer, _ = start("warm")
    options = Options(deadline=time.monotonic() + (2.0 if how == "clock" else 1e9), cache=tmp_path / "cache")
    folder, trainer, go = start(options=options, metrics_count=100_000, total_kimg=0.016)
    records = go()
    for record in records:
        if isinstance(record, Measuring) and how == "file":
            folder.stop.touch()
    assert isinstance(record, Ended)
    assert trainer.nimg == 0
    assert record.reason == ("time limit" if how == "clock" else "stopped")


@pytest.mark.parametrize(
    ("error", "said"),
    [(MemoryError(), "the memory is full"), (InputError("It cannot read this."), "It cannot read this.")],
)
def test_a_measurement_that_fails_does_not_end_the_run(start, extractor, error, said):
    folder, trainer, go = start()
    records = []
    for record in go():
        records.append(record)
        if isinstance(record, Snapshot) and extractor.error is None:
            extractor.error, extractor.fails_at = error, extractor.seen
        elif isinstance(record, Measured):
            extractor.fails_at = None
    assert records[-1] == Ended(trainer.nimg / 1000, "finished")
    first, *others = measured(folder)
    assert said in first["failed"]
    assert (first["values"], first["measurements"]) == ({}, [])
    assert others
    assert not any("failed" in event for event in others)
    assert f"not measured at 0.0 kimg: {said}" in (folder.path / "log.txt").read_text()


def test_what_cannot_be_measured_is_told_before_training(start, extractor):
    extractor.fails_at, extractor.error = 40, MemoryError()  # the trial
    _, trainer, go = start()
    with pytest.raises(InputError, match=r"cannot be measured: the memory is full; give a lower --microbatch, or"):
        list(go())
    assert trainer.nimg == 0


def test_pictures_that_no_extractor_reads(tiny):
    config = tiny(metrics=("fid",))
    parts = [replace(part, image_channels=1) for part in (config.generator, config.discriminator)]
    grey = replace(config, generator=parts[0], discriminator=parts[1])
    with pytest.raises(InputError, match="colour pictures"):
        Gauge(grey, Stripes(), ONE)
