"""What a run needs to go on exactly: networks, second moments, counters. Files of at most 16 MiB, so that they travel.

A state is a folder `state/NIMG/` whose `index.json` is written last: without it the folder does not count. Older ones
are removed once a newer one is whole, so a kill at any moment leaves one that is.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from stylegan.atomic import replacing, write_bytes
from stylegan.errors import RunError
from stylegan.training.adam import Adam
from stylegan.training.trainer import Trainer

FORMAT = 1
INDEX = "index.json"
PART_BYTES = 15 << 20  # of tensor data; the header comes on top
PIECE_BYTES = 4 << 20  # larger tensors are cut


def save_state(trainer: Trainer, folder: Path, elapsed_sec: float) -> Path:
    """Write the state to `folder/NIMG/`, then remove older ones; returns the new one.

    Raises:
        DiskFullError: no space left; the last whole state remains.
    """
    target = folder / f"{trainer.nimg:012d}"
    if not (target / INDEX).exists():  # the same run after as many images is in the same state
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        _write(trainer, target, elapsed_sec)
    for other in folder.iterdir():
        if other.is_dir() and other != target:
            shutil.rmtree(other, ignore_errors=True)
    return target


def newest_state(folder: Path) -> Path | None:
    """The newest whole state in `folder`, or None."""
    return max((index.parent for index in folder.glob(f"[0-9]*/{INDEX}")), default=None)


def load_state(trainer: Trainer, state: Path) -> float:
    """Bring `trainer` to the state in the folder `state`; returns the seconds trained so far.

    Raises:
        RunError: damaged, of a newer version, or of another config.
    """
    try:
        index = json.loads((state / INDEX).read_text())
        if int(index["format"]) > FORMAT:
            raise RunError(f"{state} was written by a newer version: update this project to resume.")
        pieces: dict[str, Tensor] = {}
        for i in range(1, int(index["parts"]) + 1):
            pieces.update(load_file(state / f"part-{i:03d}.safetensors"))
        _restore(trainer, index["trainer"], _joined(pieces))
        return float(index["elapsed_sec"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise RunError(
            f"The state in {state} is damaged or belongs to another config ({reason}): bring a whole copy, or begin a "
            "new run with --init-from the newest snapshot."
        ) from error


def _write(trainer: Trainer, target: Path, elapsed_sec: float) -> None:
    parts = 0
    for parts, part in enumerate(_parts(_tensors(trainer)), start=1):
        with replacing(target / f"part-{parts:03d}.safetensors") as temporary:
            save_file(part, temporary)
    index = {"format": FORMAT, "parts": parts, "elapsed_sec": elapsed_sec, "trainer": _numbers(trainer)}
    write_bytes(target / INDEX, json.dumps(index).encode())


def _networks(trainer: Trainer) -> list[tuple[str, torch.nn.Module]]:
    return [("G", trainer.G), ("D", trainer.D), ("Gs", trainer.Gs)]


def _adams(trainer: Trainer) -> list[tuple[str, Adam]]:
    return [("g_adam", trainer.g_adam), ("d_adam", trainer.d_adam)]


def _numbers(trainer: Trainer) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "nimg": trainer.nimg,
        "iterations": trainer.iterations,
        "last_lod": trainer.last_lod,
    }
    for name, adam in _adams(trainer):
        numbers[name] = {
            "steps": adam.steps,
            "loss_scale": adam.scale.value,
            "good_steps": adam.scale.good_steps,
        }
    return numbers


def _tensors(trainer: Trainer) -> Iterator[tuple[str, Tensor]]:
    for name, network in _networks(trainer):
        for key, tensor in network.state_dict().items():
            yield f"{name}.{key}", tensor
    for name, adam in _adams(trainer):
        for i, second in adam.second_moments().items():
            yield f"{name}.{i}", second


def _restore(trainer: Trainer, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    for name, network in _networks(trainer):
        network.load_state_dict({k: tensors[f"{name}.{k}"].view(v.shape) for k, v in network.state_dict().items()})
    for name, adam in _adams(trainer):
        found, own = numbers[name], range(len(adam.parameters))
        adam.restore(int(found["steps"]), {i: tensors[f"{name}.{i}"] for i in own if f"{name}.{i}" in tensors})
        if adam.scale.adapts and "loss_scale" in found:
            adam.scale.value, adam.scale.good_steps = float(found["loss_scale"]), int(found["good_steps"])
    trainer.nimg, trainer.iterations = int(numbers["nimg"]), int(numbers["iterations"])
    trainer.last_lod = None if numbers["last_lod"] is None else float(numbers["last_lod"])
    trainer.G.lod = trainer.D.lod = trainer.Gs.lod = trainer.last_lod or 0.0


def _parts(tensors: Iterator[tuple[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
    """Groups of flat pieces, each group at most PART_BYTES."""
    part: dict[str, Tensor] = {}
    size = 0
    for name, tensor in tensors:
        flat = tensor.detach().contiguous().view(-1).cpu()
        step = max(1, PIECE_BYTES // flat.element_size())
        for number, start in enumerate(range(0, max(flat.numel(), 1), step)):
            piece = flat[start : start + step].clone()
            if part and size + piece.nbytes > PART_BYTES:
                yield part
                part, size = {}, 0
            part[f"{name}#{number:04d}"] = piece
            size += piece.nbytes
    if part:
        yield part


def _joined(pieces: dict[str, Tensor]) -> dict[str, Tensor]:
    grouped: dict[str, list[Tensor]] = {}
    for key in sorted(pieces):
        grouped.setdefault(key.rpartition("#")[0], []).append(pieces[key])
    return {name: torch.cat(parts) for name, parts in grouped.items()}
