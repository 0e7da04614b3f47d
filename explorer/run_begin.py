"""What a new run can begin from: models of the library that have a discriminator beside them, and snapshots of runs.

A form names one by a key, `model:DIGEST` or `run:NAME/SNAPSHOT`; which file that is, is found here and nowhere else.
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from explorer.library import Library
from explorer.runs import Runs
from explorer.values import RecipeError, show
from stylegan import model_file
from stylegan.errors import InputError
from stylegan.networks import Discriminator, Generator
from stylegan.training.plan import Beginning

MODELS = "Models"  # the group of those that belong to no run


@dataclass(frozen=True)
class Start:
    """One of them, as a form offers it."""

    key: str
    group: str  # "Models", or the run
    words: str
    resolution: int  # of its pictures, finished


def starts(runs: Runs, library: Library) -> list[Start]:
    """All there are: models, then the runs begun last first, each from its newest snapshot to its oldest."""
    found = []
    for card in library.cards():
        if library.companion(card.digest, ".discriminator") and not _run_of(runs, library.file(card.digest)):
            found.append(Start(f"model:{card.digest}", MODELS, f"{card.name} · {card.resolution}²", card.resolution))
    for run in runs.listing():
        for name in reversed(run.beginnings):
            found.append(Start(f"run:{run.name}/{name}", run.name, f"{float(name):g} kimg", run.resolution or 0))
    return found


def file_of(runs: Runs, library: Library, key: object) -> Path:
    """The generator that a key names. InputError, RecipeError: there is none, or none with a discriminator."""
    kind, _, name = key.partition(":") if isinstance(key, str) else ("", "", "")
    if kind == "run":
        run, _, snapshot = name.partition("/")
        with runs.lock:
            reader = runs.reader(run)
            if snapshot in reader.beginnings():
                return reader.snapshot(snapshot).absolute()
    elif kind == "model" and library.companion(name, ".discriminator"):
        return library.file(name).absolute()
    raise RecipeError(f"There is nothing to begin from in {show(key)} any more: choose something else.")


def key_of(runs: Runs, library: Library, path: Path | None) -> str:
    """The key of what an earlier run began from, also where that is gone by now; "" for None."""
    if path is None:
        return ""
    run = _run_of(runs, path)
    if run:
        return f"run:{run}/{path.stem}"
    digests = (card.digest for card in library.cards() if library.file(card.digest).absolute() == path.absolute())
    return next((f"model:{digest}" for digest in digests), f"file:{path.name}")


def peek(path: Path) -> Beginning | None:
    """The networks of a file and of its discriminator without their weights: what a run would take over from them.

    None for official pickles, which only the trainer reads. ModelFileError: a file is gone or damaged.
    """
    if path.suffix != ".safetensors":
        return None
    heads = [model_file.read_header(file) for file in (path, model_file.discriminator_path(path))]
    with torch.device("meta"):
        networks = [model_file.blank(head.config) for head in heads]
    G, D = networks
    assert isinstance(G, Generator)
    assert isinstance(D, Discriminator)
    G.lod = heads[0].lod
    return Beginning(G, D)


def check_size(beginning: Beginning | None, resolution: int) -> None:
    """InputError unless a run at `resolution` can take the networks over."""
    if beginning is not None and beginning.resolution > resolution:
        raise InputError(
            f"The networks to begin from make pictures of {beginning.resolution}²: choose that resolution, or a larger "
            "one."
        )


def _run_of(runs: Runs, path: Path) -> str:
    """The run whose snapshot `path` is, or was; "" for any other file."""
    folder = path.absolute().parent
    is_one = folder.name == "snapshots" and folder.parent.parent == runs.root.absolute()
    return folder.parent.name if is_one else ""
