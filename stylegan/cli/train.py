"""`python -m stylegan train`: train, watch on the terminal, stop and resume."""

import json
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from stylegan.errors import InputError, RunError

Opt = typer.Option


def train(
    data: Annotated[str, Opt(help="portraits, portraits:endless, an image folder, or a zip.")],
    out: Annotated[Path, Opt(help="Folder of the run.")],
    resolution: Annotated[int, Opt(help="Pixels per side: a power of two from 8 to 1024.")] = 64,
    preset: Annotated[str, Opt(help="small (laptop), or the paper's b, c, d, e, f.")] = "f",
    kimg: Annotated[float | None, Opt(help="Length in thousands of images shown.")] = None,
    seed: Annotated[int, Opt(help="Of the weights and all draws.")] = 0,
    resume: Annotated[bool, Opt("--resume", help="Go on from the folder's last state, if there is one.")] = False,
    time_limit: Annotated[str, Opt(help="End, resumable, after this long: 90s, 9m, 2h.")] = "",
    init_from: Annotated[Path | None, Opt(help="Generator to begin from; its discriminator lies beside it.")] = None,
    init_discriminator: Annotated[Path | None, Opt(help="Its discriminator, where it lies elsewhere.")] = None,
    minibatch: Annotated[int | None, Opt(help="Pictures a step, over all processes, at every resolution.")] = None,
    microbatch: Annotated[int | None, Opt(help="Most pictures at once in one process: saves memory.")] = None,
    lr: Annotated[float | None, Opt(help="Learning rate at every resolution.")] = None,
    loss: Annotated[str | None, Opt(help="logistic or wgan-gp.")] = None,
    r1_gamma: Annotated[float | None, Opt(help="Weight of R1.")] = None,
    r1_interval: Annotated[int | None, Opt(help="R1 in every n-th step only, n times as strong.")] = None,
    ema_kimg: Annotated[float | None, Opt(help="Half-life of the averaged generator.")] = None,
    mirror: Annotated[bool | None, Opt(help="Flip half of the pictures.")] = None,
    initial_resolution: Annotated[int | None, Opt(help="Where growing begins.")] = None,
    lod_training_kimg: Annotated[float | None, Opt(help="Between two growths.")] = None,
    lod_transition_kimg: Annotated[float | None, Opt(help="Length of a growth.")] = None,
    precision: Annotated[str | None, Opt(help="fp32, bf16 or fp16, of the convolutions.")] = None,
    style_mixing: Annotated[float | None, Opt(help="Share of batches that mix two latents.")] = None,
    z_dim: Annotated[int | None, Opt(help="Width of z.")] = None,
    w_dim: Annotated[int | None, Opt(help="Width of w.")] = None,
    mapping_layers: Annotated[int | None, Opt(help="Layers of the mapping network.")] = None,
    fmap_base: Annotated[int | None, Opt(help="Channels: multiplier.")] = None,
    fmap_max: Annotated[int | None, Opt(help="Channels: most in any layer.")] = None,
    count: Annotated[int | None, Opt(help="Portraits to render beforehand.")] = None,
    cache: Annotated[Path | None, Opt(help="Where prepared pictures are kept.")] = None,
    labels: Annotated[bool, Opt(help="Take subfolders as classes.")] = True,
    device: Annotated[str | None, Opt(help="cpu, cuda, cuda:1; the best there is if left out.")] = None,
    threads: Annotated[int | None, Opt(help="CPU threads.")] = None,
    compile_synthesis: Annotated[bool, Opt("--compile", help="Compile the synthesis network first.")] = False,
    snapshot_kimg: Annotated[float, Opt(help="Between two snapshots.")] = 20.0,
    state_minutes: Annotated[float, Opt(help="Between two stored states.")] = 5.0,
    dry_run: Annotated[bool, Opt("--dry-run", help="Print the configuration and end.")] = False,
) -> None:
    """Train a StyleGAN in folder OUT, which can be stopped and resumed at any time."""
    import torch

    from stylegan.training import loop
    from stylegan.training.world import join, leave

    if threads is not None:
        if not 1 <= threads <= 1024:
            raise InputError(f"--threads is a whole number from 1 to 1024, not {threads}.")
        torch.set_num_threads(threads)
    options = loop.Options(
        time_limit_sec=parse_duration(time_limit),
        snapshot_kimg=_positive("--snapshot-kimg", snapshot_kimg),
        state_sec=60 * _positive("--state-minutes", state_minutes),
        compile_synthesis=compile_synthesis,
    )
    network = _given(
        style_mixing_prob=style_mixing, z_dim=z_dim, w_dim=w_dim, mapping_layers=mapping_layers,
        fmap_base=fmap_base, fmap_max=fmap_max,
    )  # fmt: skip
    overrides = _given(
        microbatch=microbatch, loss=loss, r1_gamma=r1_gamma, r1_interval=r1_interval, ema_kimg=ema_kimg, mirror=mirror,
        initial_resolution=initial_resolution, lod_training_kimg=lod_training_kimg,
        lod_transition_kimg=lod_transition_kimg, precision=precision, minibatch_base=minibatch, learning_rate_base=lr,
    )  # fmt: skip
    if minibatch is not None:
        overrides["minibatch"] = {}
    if lr is not None:
        overrides["learning_rate"] = {}
    wishes = Wishes(data, resolution, preset, kimg, seed, network, overrides, init_from, init_discriminator)
    sources = {"count": count, "cache": cache, "labels": labels}
    world = join(device)
    try:
        with torch.random.fork_rng(devices=[]):
            _train(wishes, sources, out, resume, dry_run, options, world)
    finally:
        leave(world)


class Wishes:
    """What the command line asks of a new run."""

    def __init__(
        self,
        data: str,
        resolution: int,
        preset: str,
        kimg: float | None,
        seed: int,
        network: dict[str, Any],
        overrides: dict[str, Any],
        init_from: Path | None,
        init_discriminator: Path | None,
    ) -> None:
        self.data, self.resolution, self.preset, self.kimg, self.seed = data, resolution, preset, kimg, seed
        self.network, self.overrides = network, overrides
        self.init_from = init_from
        self.init_discriminator = init_discriminator
        if init_from is not None and init_discriminator is None:
            self.init_discriminator = init_from.with_name(f"{init_from.stem}.discriminator.safetensors")

    def config(self, label_dim: int, processes: int) -> Any:
        """The TrainConfig of a new run."""
        from stylegan.training.config import preset

        network, overrides = dict(self.network), dict(self.overrides)
        if self.init_from is not None:
            begin = self.networks()[0]
            shared = {"resolution", "label_dim", "architecture"}
            inherited = {f.name: getattr(begin.config, f.name) for f in fields(begin.config) if f.name not in shared}
            network = {**inherited, **network}
            grown = begin.config.resolution >> int(begin.lod)
            if grown > self.resolution:
                raise InputError(f"{self.init_from.name} is for {grown}²; --resolution {self.resolution} is smaller.")
            overrides.setdefault("initial_resolution", max(grown, 4))
        return preset(
            self.preset, self.resolution, self.kimg, label_dim, processes, network, seed=self.seed, **overrides
        )

    def networks(self) -> Any:
        """The generator and discriminator to begin from."""
        from stylegan.model_file import load_discriminator, load_generator

        assert self.init_from is not None
        assert self.init_discriminator is not None
        if not self.init_discriminator.is_file():
            raise InputError(
                f"Beside {self.init_from} there is no {self.init_discriminator.name}: name it by --init-discriminator."
            )
        return load_generator(self.init_from), load_discriminator(self.init_discriminator)


def _train(
    wishes: Wishes, sources: dict[str, Any], out: Path, resume: bool, dry_run: bool, options: Any, world: Any
) -> None:
    from stylegan.cli.watch import Watch
    from stylegan.training import loop
    from stylegan.training.run_folder import RunFolder
    from stylegan.training.trainer import Trainer

    folder = RunFolder(out)
    continues = resume and folder.exists
    if folder.exists and not continues and not dry_run:
        raise RunError(f"{out} already holds a run: give --resume to go on with it, or another --out.")
    if dry_run and not continues:
        typer.echo(json.dumps(wishes.config(0, world.size).to_json(), indent=1))
        return
    stored = folder.read_config()[0] if continues else None
    with Watch(active=world.is_writer) as watch:
        resolution = stored.generator.resolution if stored else wishes.resolution
        pictures = watch.prepare(wishes.data, resolution, stored.seed if stored else wishes.seed, **sources)
        if stored is None:
            config = wishes.config(pictures.label_dim, world.size)
        else:
            config = _resumed(stored, wishes, folder, pictures)
        if dry_run:
            typer.echo(json.dumps(config.to_json(), indent=1))
            return
        facts = {"name": pictures.name, "digest": pictures.digest, "spec": wishes.data, **_plain(sources)}
        if world.is_writer and not continues:
            folder.create(config, facts)
        elif world.is_writer:
            folder.write_config(config, facts)
        world.wait()
        trainer = Trainer(config, world, options.compile_synthesis)
        if wishes.init_from is not None and not continues:
            trainer.init_from(*wishes.networks())
        with _stop_signals() as stopped:
            if not world.is_writer:
                _drain(loop.run(folder, trainer, pictures, world, options, stopped))
                return
            with folder.locked():
                watch.follow(loop.run(folder, trainer, pictures, world, options, stopped), config)


def _resumed(stored: Any, wishes: Wishes, folder: Any, pictures: Any) -> Any:
    """The stored config, longer or shorter where --kimg says so; RunError where the pictures are others."""
    digest = folder.read_config()[1].get("digest")
    if digest != pictures.digest:
        raise RunError(
            f"{folder.path} was trained on other pictures ({digest} then, {pictures.digest} now): "
            "begin a new run with --init-from its newest snapshot."
        )
    return stored if wishes.kimg is None else replace(stored, total_kimg=wishes.kimg)


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """While inside, SIGINT and SIGTERM ask for a clean end; a second SIGINT interrupts at once."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

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
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,3})?)\s*([smh]?)\s*", text)
    if not match:
        raise InputError(f"--time-limit is written like 90s, 9m or 2h, not {text!r}.")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def _positive(name: str, value: float) -> float:
    if not 0 < value < 1e9:
        raise InputError(f"{name} is a number larger than 0, not {value}.")
    return value


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, Path) else value for key, value in values.items()}


def _drain(records: Iterator[Any]) -> None:
    for _ in records:
        sys.stdout.flush()
