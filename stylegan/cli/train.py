"""`python -m stylegan train`: train, watch on the terminal, stop and resume."""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from stylegan.cli.watch import Watch
from stylegan.data.dataset import TrainingData
from stylegan.errors import Cancelled, InputError, RunError
from stylegan.training import estimate
from stylegan.training.config import TrainConfig
from stylegan.training.gauge import Gauge
from stylegan.training.graphs import Graphs, check
from stylegan.training.loop import Options, run
from stylegan.training.plan import OPTIONS, Beginning, Plan, resumed
from stylegan.training.run_folder import RunFacts, RunFolder
from stylegan.training.state import newest_state
from stylegan.training.trainer import Trainer
from stylegan.training.world import World, join, leave

Opt = typer.Option
ESTIMATE_SEC = 60.0  # that --estimate may measure
QUICK_SEC = 1.0  # in which pictures that were prepared before are found; a time limit lets a run begin that has them
PLAN_OPTIONS = {"resolution", "preset", "kimg", "seed", "count", "cache", "labels", "init_from", "init_discriminator"}
PLAN_OPTIONS |= {"max_broken"}


def _setting(name: str) -> Any:
    """An option that overrides the preset."""
    return Opt(help=OPTIONS[name].help)


def train(
    ctx: typer.Context,
    out: Annotated[Path, Opt(help="Folder of the run.")],
    data: Annotated[str | None, Opt(help="portraits, portraits:endless, an image folder, or a zip.")] = None,
    resolution: Annotated[int, Opt(help="Pixels per side: a power of two from 8 to 1024.")] = Plan.resolution,
    preset: Annotated[str, Opt(help="small (laptop), or the paper's b, c, d, e, f.")] = Plan.preset,
    kimg: Annotated[float | None, Opt(help="Length in thousands of images shown; 25000, or 200 for small.")] = None,
    resume: Annotated[bool, Opt("--resume", help="Go on from the last state in OUT, or begin where none is.")] = False,
    time_limit: Annotated[str, Opt(help="End, resumable, this long after the start: 90s, 9m, 2h.")] = "",
    seed: Annotated[int, Opt(help="Of the weights and all draws.")] = Plan.seed,
    init_from: Annotated[
        Path | None, Opt(help="Begin from this generator and the discriminator beside it, of any resolution up to R.")
    ] = None,
    init_discriminator: Annotated[Path | None, Opt(help="Its discriminator, where it lies elsewhere.")] = None,
    count: Annotated[int | None, Opt(help="Portraits to render beforehand; 50000 if left out.")] = None,
    labels: Annotated[bool, Opt(help="Take subfolders as classes.")] = Plan.labels,
    max_broken: Annotated[
        int | None, Opt(help="Image files that may be skipped as broken; 10, or 5 % where that is more, if left out.")
    ] = None,
    cache: Annotated[
        Path | None, Opt(help="Where prepared pictures are kept; else $STYLEGAN_CACHE or ~/.cache.")
    ] = None,
    minibatch: Annotated[int | None, _setting("minibatch")] = None,
    microbatch: Annotated[int | None, _setting("microbatch")] = None,
    lr: Annotated[float | None, _setting("lr")] = None,
    mirror: Annotated[bool | None, _setting("mirror")] = None,
    ema_kimg: Annotated[float | None, _setting("ema_kimg")] = None,
    precision: Annotated[str | None, _setting("precision")] = None,
    loss: Annotated[str | None, _setting("loss")] = None,
    r1_gamma: Annotated[float | None, _setting("r1_gamma")] = None,
    r1_interval: Annotated[int | None, _setting("r1_interval")] = None,
    style_mixing: Annotated[float | None, _setting("style_mixing")] = None,
    initial_resolution: Annotated[int | None, _setting("initial_resolution")] = None,
    lod_training_kimg: Annotated[float | None, _setting("lod_training_kimg")] = None,
    lod_transition_kimg: Annotated[float | None, _setting("lod_transition_kimg")] = None,
    z_dim: Annotated[int | None, _setting("z_dim")] = None,
    w_dim: Annotated[int | None, _setting("w_dim")] = None,
    mapping_layers: Annotated[int | None, _setting("mapping_layers")] = None,
    fmap_base: Annotated[int | None, _setting("fmap_base")] = None,
    fmap_max: Annotated[int | None, _setting("fmap_max")] = None,
    metrics: Annotated[str | None, _setting("metrics")] = None,
    metrics_count: Annotated[int | None, _setting("metrics_count")] = None,
    metrics_extractor: Annotated[str | None, _setting("metrics_extractor")] = None,
    other: Annotated[
        list[str] | None, Opt("--set", help="NAME=VALUE for any other setting that --dry-run shows; may be repeated.")
    ] = None,
    device: Annotated[str | None, Opt(help="cpu, cuda, cuda:1; the best there is if left out.")] = None,
    threads: Annotated[int | None, Opt(help="CPU threads.")] = None,
    compiles: Annotated[bool, Opt("--compile", help="Compile the networks for the full resolution (GPU).")] = False,
    graphs: Annotated[
        bool, Opt("--graphs", help="Replay losses and gradients as CUDA graphs: faster for small networks.")
    ] = False,
    snapshot_kimg: Annotated[float | None, Opt(help="Between two snapshots; 1/50 of the run if left out.")] = None,
    state_minutes: Annotated[float, Opt(help="Between two stored states.")] = 5.0,
    dry_run: Annotated[bool, Opt("--dry-run", help="Print the whole configuration as JSON and end.")] = False,
    measure: Annotated[
        bool, Opt("--estimate", help="Measure a few steps, print time and memory of the run as JSON, and end.")
    ] = False,
) -> None:
    """Train a StyleGAN in folder OUT. It can be stopped (Ctrl-C, or a file OUT/stop) and resumed at any time."""
    options = Options(
        deadline=time.monotonic() + parse_duration(time_limit),
        snapshot_kimg=None if snapshot_kimg is None else _positive("--snapshot-kimg", snapshot_kimg),
        state_sec=60 * _positive("--state-minutes", state_minutes),
        compiles=compiles,
        graphs=graphs,
    )
    if threads is not None:
        if not 1 <= threads <= 1024:
            raise InputError(f"--threads is a whole number from 1 to 1024, not {threads}.")
        torch.set_num_threads(threads)
    folder, given = RunFolder(out), _given(ctx)
    continues = resume and folder.exists  # here, before any process can have begun the run
    if not continues and not dry_run and not measure:
        folder.check_free()
    world = join(device)
    try:
        job = _resumed_job(folder, given) if continues else _new_job(given, world)
        if graphs:
            check(job.config, world)
        if dry_run or measure:
            found = _estimate(job.config, world) if measure else job.config.to_json()
            typer.echo(json.dumps(found, indent=1) if world.is_writer else "", nl=world.is_writer)
        else:
            _train(job, folder, options, world)
    finally:
        leave(world)


@dataclass(frozen=True)
class _Job:
    """What is to be done, before the pictures are known."""

    plan: Plan
    config: TrainConfig
    beginning: Beginning | None = None  # networks that a run without any state begins from
    digest: str | None = None  # of the pictures, where the run goes on


def _new_job(given: Mapping[str, Any], world: World) -> _Job:
    plan = Plan.of(given)
    beginning = plan.beginning()
    config = plan.config(0, world.size, beginning)  # a mistake is told before any picture is prepared
    config.check_shares(world.size)
    return _Job(plan, config, beginning)


def _resumed_job(folder: RunFolder, given: Mapping[str, Any]) -> _Job:
    facts = folder.read_facts()
    begun = Plan.of(facts.plan or {**given, "resolution": facts.config.generator.resolution, "seed": facts.config.seed})
    plan, config = resumed(begun, facts.config, given)
    started = newest_state(folder.state) is not None  # if not, it was killed before its first state: from the beginning
    return _Job(plan, config, None if started else plan.beginning(), str(facts.data.get("digest")))


def _train(job: _Job, folder: RunFolder, options: Options, world: World) -> None:
    with Watch(active=world.is_writer) as watch, _stop_signals(world.is_writer) as stopped:
        pictures = _pictures(job.plan, options.deadline, world, watch, stopped)
        if pictures is None:
            return
        config = _final_config(job, pictures, folder, world)
        gauge = Gauge(config, pictures, world, job.plan.cache) if config.metrics else None
        for warning in gauge.warnings if gauge else ():
            watch.console.print(f"note: {warning}", markup=False)
        facts = RunFacts(config, {"name": pictures.name, "digest": pictures.digest}, job.plan.to_json())
        with folder.locked() if world.is_writer else nullcontext():
            if world.is_writer:
                folder.create(facts) if job.digest is None else folder.write_facts(facts)
            world.wait()
            trainer = Trainer(config, world, options.compiles)
            if options.graphs:
                trainer.graphs = Graphs(config.generator)
            if job.beginning is not None:
                trainer.begin_from(job.beginning.G, job.beginning.D)
            watch.follow(run(folder, trainer, pictures, options, stopped, gauge), config)


def _pictures(
    plan: Plan, deadline: float, world: World, watch: Watch, stopped: Callable[[], bool]
) -> TrainingData | None:
    """The prepared pictures; None where a signal or the time limit came first, in any process."""
    quick = time.monotonic() + QUICK_SEC

    def late() -> bool:
        return time.monotonic() >= max(deadline, quick)

    pictures, reached = None, ""
    try:
        pictures = watch.prepare(
            plan.data,
            plan.resolution,
            lambda: stopped() or late(),
            seed=plan.seed,
            count=plan.count,
            cache=plan.cache,
            labels=plan.labels,
            max_broken=plan.max_broken,
            device=world.device,  # which draws portraits faster where it is a GPU
        )
    except Cancelled as progress:
        reached = f" ({progress})"
    (ends,) = world.agree(pictures is None)
    if not ends:
        return pictures
    reason = "stopped" if stopped() else "time limit"
    watch.say(f"{reason} while preparing pictures{reached}: those that are ready are kept; the same command goes on")
    return None


def _final_config(job: _Job, pictures: TrainingData, folder: RunFolder, world: World) -> TrainConfig:
    """The config, now that the number of classes is known; RunError where a run goes on with other pictures."""
    if job.digest is None:
        return job.plan.config(pictures.label_dim, world.size, job.beginning)
    if job.digest != pictures.digest:
        raise RunError(
            f"{folder.path} was trained on other pictures ({job.digest[:12]} then, {pictures.digest[:12]} now): "
            "begin a new run with --init-from its newest snapshot."
        )
    return job.config


def _estimate(config: TrainConfig, world: World) -> dict[str, Any]:
    found = list(estimate.speeds(config, world.device, ESTIMATE_SEC))
    generator, discriminator = estimate.parameter_counts(config)
    return {
        "seconds": round(estimate.total_sec(config, found) / world.size, 1),
        "memory_mib": round(estimate.memory_mib(config, world.size)),
        "images_per_sec": {str(speed.resolution): round(speed.images_per_sec * world.size, 3) for speed in found},
        "measured": [speed.resolution for speed in found if speed.measured],
        "parameters": {"generator": generator, "discriminator": discriminator},
        "grown_kimg": config.grown_kimg,
        "metrics_sec": round(estimate.metrics_sec(config, world.device) / world.size, 1),  # of each snapshot
    }


def _given(ctx: typer.Context) -> dict[str, Any]:
    """The plan's options that were typed, by name."""
    names = {"data"} | PLAN_OPTIONS | set(OPTIONS)
    typed = {name for name in names if ctx.get_parameter_source(name).name != "DEFAULT"}  # type: ignore[union-attr]
    given = {name: ctx.params[name] for name in typed}
    for text in ctx.params["other"] or ():
        name, equals, value = text.partition("=")
        if not equals or name in PLAN_OPTIONS:
            raise InputError(f"--set takes NAME=VALUE, such as --set adam_beta2=0.99, not {text!r}.")
        given[name.strip()] = _value(value)
    return given


def _value(text: str) -> Any:
    """JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


@contextmanager
def _stop_signals(tells: bool) -> Iterator[Callable[[], bool]]:
    """While inside, SIGINT and SIGTERM ask for a clean end; a second SIGINT interrupts at once."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)
        if tells:  # straight to stderr: the signal may have come in the middle of a print
            os.write(2, b"\nstopping: the state will be stored; Ctrl-C again to give it up\n")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parse_duration(text: str) -> float:
    """`90s`, `9m`, `2h` or plain seconds → seconds; empty = no limit."""
    if not text:
        return float("inf")
    match = re.fullmatch(r"\s*([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([smh]?)\s*", text)
    if not match:
        raise InputError(f"--time-limit is written like 90s, 9m or 2h, not {text!r}.")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def _positive(name: str, value: float) -> float:
    if not 0 < value < 1e9:
        raise InputError(f"{name} is a number larger than 0, not {value}.")
    return value
