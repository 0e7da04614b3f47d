"""One of several processes of `test_training_processes`: takes a few steps and stores what came of them.

Arguments: the folder for the result, what to do. The environment says which process this is, as torchrun does.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from tiny_runs import Stripes, tiny_run

from stylegan.directions.records import finish
from stylegan.errors import DataError, RunError
from stylegan.metrics import tools
from stylegan.metrics.measure import Plan, Tools, measure
from stylegan.metrics.path_length import PathLength
from stylegan.metrics.sharing import Share
from stylegan.networks import Generator
from stylegan.training.forward import prepare_reals
from stylegan.training.gauge import Gauge
from stylegan.training.loop import Options, Snapshot, run
from stylegan.training.meter import Tick
from stylegan.training.run_folder import RunFacts, RunFolder
from stylegan.training.trainer import Trainer
from stylegan.training.world import World, join, leave


def gradients(world: World) -> dict[str, torch.Tensor]:
    """Both players' gradients on a minibatch of 16 with R1, in parts of 4, within a fade."""
    config, data = tiny_run(minibatch_base=16, microbatch=4), Stripes()
    trainer, phase = Trainer(config, world), config.phase(90)
    assert 0 < phase.lod < 1
    trainer.enter(phase)
    start, stop = world.share(16)
    reals, labels = data.batch(start, stop - start, phase.resolution, True)
    trainer._discriminator_step(prepare_reals(reals, phase.lod), labels, phase, True)
    found = {f"D.{name}": p.grad.clone() for name, p in trainer.D.named_parameters() if p.grad is not None}
    trainer._generator_step(labels, phase)
    return found | {f"G.{name}": p.grad for name, p in trainer.G.named_parameters() if p.grad is not None}


def take_steps(world: World, microbatch: int | None = None) -> dict[str, torch.Tensor]:
    """Six iterations through a fade; all weights after them, on every process."""
    config = tiny_run(label_dim=2, lod_training_kimg=0.008, lod_transition_kimg=0.024, microbatch=microbatch)
    trainer, data = Trainer(config, world), Stripes(label_dim=2)
    for _ in range(6):
        phase = config.phase(trainer.nimg)
        trainer.enter(phase)
        start, stop = world.share(phase.minibatch)
        trainer.iteration(*data.batch(trainer.nimg + start, stop - start, phase.resolution, True), phase)
    networks = (("G", trainer.G), ("D", trainer.D), ("Gs", trainer.Gs))
    return {f"{name}.{key}": tensor for name, network in networks for key, tensor in network.state_dict().items()}


def fail_in_one(world: World, folder: Path) -> None:
    """A run in which the second process can no longer read its pictures."""
    config, data, run_folder = tiny_run(total_kimg=100.0), Stripes(), RunFolder(folder / "run")
    if world.is_writer:
        run_folder.create(RunFacts(config, {}, {}))
    else:
        data.error, data.fails_at = DataError("cut short"), 100
    world.wait()
    try:
        for _ in run(run_folder, Trainer(config, world), data, Options()):
            pass
    except (DataError, RunError) as error:
        (folder / f"told-{world.rank}.txt").write_text(str(error))


class Means:
    """An extractor of 12 block means."""

    name, width, digest = "means", 12, "ef" * 32

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(pictures.permute(0, 3, 1, 2).float(), 2).flatten(1)


class Squares:
    """A distance of pictures."""

    name = "squares"

    def distance(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return ((a.double() - b.double()) ** 2 / 255).mean(dim=(1, 2, 3))


def path_length(G: Generator, share: Share) -> float:
    """Of a few paths; the last turn of two processes has work for one."""
    plan = Plan(("ppl",), count=20, paths=(PathLength("z", "full"),))
    return finish(measure(G, None, plan, Tools(Means(), Squares, share=share)))[0].value


def measured_run(world: World, folder: Path) -> None:
    """A short run with metrics of one snapshot, then a second one in which an extractor fails in one process only."""
    tools.open_extractor = lambda *_: Means()
    config = tiny_run(total_kimg=0.016, metrics=("fid", "kid", "pr"), metrics_count=600)
    for name in ("run", "broken"):
        run_folder = RunFolder(folder / name)
        if world.is_writer:
            run_folder.create(RunFacts(config, {}, {}))
        world.wait()
        gauge = Gauge(config, Stripes(), world, folder / f"cache-{world.size}")
        for record in run(run_folder, Trainer(config, world), Stripes(), Options(), gauge=gauge):
            if name == "broken" and isinstance(record, Snapshot | Tick) and world.rank == world.size - 1:
                gauge._tools = replace(gauge._tools, extractor=Failing())
    found = path_length(Trainer(config, world).Gs, Share(world.rank, world.size))
    (folder / f"path-{world.rank}.txt").write_text(repr(found))


class Failing(Means):
    digest = "01" * 32

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        raise MemoryError


def main() -> None:
    folder, task = Path(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    world = join("cpu")
    try:
        if task == "steps":
            save_file(take_steps(world), folder / f"weights-{world.rank}.safetensors")
            save_file(gradients(world), folder / f"gradients-{world.rank}.safetensors")
        elif task == "metrics":
            measured_run(world, folder)
        else:
            fail_in_one(world, folder)
    finally:
        leave(world)


if __name__ == "__main__":
    main()
