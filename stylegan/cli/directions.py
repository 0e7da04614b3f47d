"""`python -m stylegan directions`: fit directions (the sub-command by default), measure, decouple, train a scorer."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from stylegan.cli.device import HELP as DEVICE_HELP
from stylegan.cli.progress import shown

if TYPE_CHECKING:
    from stylegan.directions import AttributeScorer, Direction, DirectionSet, Samples, Scorer, ScoreTable
    from stylegan.networks import Generator

Opt = typer.Option
T = TypeVar("T")
MEASURES = "measures"
_SCORER_HELP = "NAME.attributes.safetensors, or `measures` (brightness, …)"


class _FitByDefault(TyperGroup):
    """`directions --model …` is `directions fit --model …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the sub-command in front where options come first."""
        first = args[0] if args else "--help"
        return super().parse_args(ctx, ["fit", *args] if first.startswith("-") and first != "--help" else args)


directions = typer.Typer(
    cls=_FitByDefault,
    help="Directions in W: fit them (`directions --model M --scorer S --out FILE`), measure them, train a scorer.",
    rich_markup_mode=None,
)


class Method(StrEnum):
    """How a direction is fitted."""

    svm = "svm"
    ridge = "ridge"


class Space(StrEnum):
    """Where pictures are moved."""

    w = "w"
    z = "z"


@directions.command()
def fit(
    model: Annotated[Path, Opt(help="A model file.")],
    scorer: Annotated[str, Opt(help=f"{_SCORER_HELP}, or a table of scores, seed,NAME,…: FILE.csv.")],
    out: Annotated[Path, Opt(help="NAME.directions.safetensors")],
    attributes: Annotated[str, Opt(help="Such as smile,glasses. Default: all that the scorer reads well.")] = "",
    count: Annotated[int, Opt(help="Samples.")] = 10_000,
    first_seed: Annotated[int, Opt(help="Sample i is the picture of this seed + i.")] = 100_000,
    method: Annotated[Method, Opt(help="Linear SVM, or ridge regression for quantities.")] = Method.svm,
    keep: Annotated[float, Opt(help="Share of samples that count, those with the surest scores.")] = 0.5,
    c: Annotated[float | None, Opt("--c", help="C of the SVM, smaller: more regularised. Default: chosen.")] = None,
    seed: Annotated[int, Opt(help="Of the split into fit and test.")] = 0,
    label: Annotated[int | None, Opt("--class", "--label", help="Class; default: all in turn.")] = None,
    batch: Annotated[int, Opt(help="Pictures computed at once.")] = 16,
    device: Annotated[str, Opt(help=DEVICE_HELP)] = "auto",
) -> None:
    """Fit a direction for each attribute to samples of a model, and write them to one file."""
    import stylegan
    from stylegan.cli.device import chosen_device
    from stylegan.directions import DirectionSet, FitOptions, files, fit_all, storage
    from stylegan.errors import InputError

    storage.check_name(out, files.ENDING)
    chosen = chosen_device(device)
    options = FitOptions(method.value, keep, seed, c=c)
    known = _scorer(scorer, chosen)
    names = _names(attributes) or _readable(known)
    unknown = [name for name in names if name not in {column.name for column in known.columns}]
    if unknown:
        there = ", ".join(column.name for column in known.columns)
        raise InputError(f"--attributes: the scorer has no {unknown[0]!r}; it has: {there}.")
    G = stylegan.load(model, chosen)
    samples = _samples(G, known, count, first_seed, label, batch)
    fitted = shown(fit_all(samples, names, options, skip=not attributes))
    for _, reason in fitted.skipped:
        typer.echo(f"note: {reason}", err=True)
    if not fitted.directions:
        raise InputError("None of the scores gives a direction; the notes above say why.")
    files.save_directions(DirectionSet(G.digest, fitted.directions), out)
    for direction in fitted.directions:
        typer.echo(_line(direction))
    typer.echo(f"Wrote {out} ({len(fitted.directions)} directions of {G.digest[:8]}).")


@directions.command()
def measure(
    model: Annotated[Path, Opt(help="A model file.")],
    scorer: Annotated[str, Opt(help=f"{_SCORER_HELP}.")],
    file: Annotated[Path, Opt("--directions", help="NAME.directions.safetensors")],
    out: Annotated[Path, Opt(help="The table to write, FILE.csv.")],
    lock: Annotated[str, Opt(help="Directions held still: names such as age,glasses, or `all` others.")] = "",
    space: Annotated[Space, Opt(help="Move w, or z.")] = Space.w,
    seeds: Annotated[int, Opt(help="Pictures averaged over.")] = 200,
    first_seed: Annotated[int, Opt(help="The first of them.")] = 0,
    step: Annotated[float, Opt(help="How far each way, in standard deviations.")] = 1.0,
    batch: Annotated[int, Opt(help="Pictures computed at once.")] = 16,
    device: Annotated[str, Opt(help=DEVICE_HELP)] = "auto",
) -> None:
    """Measure how every score changes along every direction (entanglement)."""
    from stylegan import directions as library
    from stylegan.atomic import write_bytes
    from stylegan.cli.device import chosen_device
    from stylegan.errors import InputError

    if out.suffix != ".csv" or not out.parent.is_dir():
        raise InputError(f"--out is FILE.csv in a folder that exists, not {out}.")
    G, known, found = _to_measure(model, scorer, file, chosen_device(device))
    locks = found.directions if lock == "all" else tuple(found.named(name) for name in _names(lock))
    steps = library.measure(G, known, found.directions, locks, space.value, seeds, first_seed, step, batch)
    write_bytes(out, shown(steps).to_csv().encode())
    typer.echo(f"Wrote {out}.")


@directions.command()
def decouple(
    model: Annotated[Path, Opt(help="A model file.")],
    scorer: Annotated[str, Opt(help=f"{_SCORER_HELP}.")],
    file: Annotated[Path, Opt("--directions", help="What to mix, NAME.directions.safetensors")],
    out: Annotated[Path, Opt(help="NAME.directions.safetensors")],
    attributes: Annotated[str, Opt(help="Which to make, such as smile,age. Default: all.")] = "",
    into: Annotated[Path | None, Opt(help="A file whose other directions --out is to have as well.")] = None,
    ridge: Annotated[float, Opt(help="Larger: shorter mixtures, which undo less of what else changes.")] = 0.015,
    seeds: Annotated[int, Opt(help="Pictures that changes are averaged over.")] = 100,
    first_seed: Annotated[int, Opt(help="The first of them.")] = 10_000,
    batch: Annotated[int, Opt(help="Pictures computed at once.")] = 16,
    device: Annotated[str, Opt(help=DEVICE_HELP)] = "auto",
) -> None:
    """Mix directions to ones that change their own attribute and little else, by what each is measured to change."""
    from stylegan import directions as library
    from stylegan.cli.device import chosen_device
    from stylegan.directions import files, storage

    storage.check_name(out, files.ENDING)
    G, known, found = _to_measure(model, scorer, file, chosen_device(device))
    rest = _directions_of(G, into).directions if into else ()
    steps = library.decouple(G, known, found.directions, _names(attributes), ridge, seeds, first_seed, batch)
    made = {direction.name: direction for direction in shown(steps)}
    together = tuple(made.pop(one.name, one) for one in rest)
    files.save_directions(library.DirectionSet(G.digest, (*together, *made.values())), out)
    typer.echo(f"Wrote {out} ({len(together) + len(made)} directions of {G.digest[:8]}).")


@directions.command()
def train_scorer(
    data: Annotated[str, Opt(help="portraits, or a folder or zip of images with attributes.csv.")],
    out: Annotated[Path, Opt(help="NAME.attributes.safetensors")],
    resolution: Annotated[int, Opt(help="Pixels per side that it reads: 32, 64 or 128.")] = 64,
    count: Annotated[int | None, Opt(help="Portraits to render beforehand.")] = None,
    cache: Annotated[Path | None, Opt(help="Where prepared pictures are kept.")] = None,
    epochs: Annotated[int, Opt(help="How often each picture is seen.")] = 12,
    minutes: Annotated[float | None, Opt(help="End after this long at the latest.")] = None,
    batch: Annotated[int, Opt(help="Pictures a step.")] = 32,
    learning_rate: Annotated[float, Opt(help="At its peak.")] = 2e-3,
    seed: Annotated[int, Opt(help="Of the weights, the order and what is kept out.")] = 0,
    threads: Annotated[int | None, Opt(help="CPU threads.")] = None,
    device: Annotated[str, Opt(help=DEVICE_HELP)] = "auto",
) -> None:
    """Train a network that reads attributes off pictures, and say how well it reads pictures that it has not seen."""
    import torch

    from stylegan import directions as library
    from stylegan.cli.device import chosen_device
    from stylegan.cli.watch import Watch
    from stylegan.data.dataset import Dataset
    from stylegan.directions import attribute_net, storage
    from stylegan.errors import InputError

    storage.check_name(out, attribute_net.ENDING)
    training = library.ScorerTraining(resolution, epochs, batch, learning_rate, seed, minutes)
    if threads is not None:
        if not 1 <= threads <= 1024:
            raise InputError(f"--threads is a whole number from 1 to 1024, not {threads}.")
        torch.set_num_threads(threads)
    chosen = chosen_device(device)
    pictures = Watch().prepare(data, resolution, count=count, cache=cache, device=chosen)
    if not isinstance(pictures, Dataset):
        raise InputError(f"A scorer learns from pictures that are there beforehand: take portraits, not {data}.")
    scorer = shown(library.train_scorer(pictures, training, chosen))
    digest = library.save_scorer(scorer, out)
    for name, numbers in scorer.quality.items():
        typer.echo(f"{name:28}" + "".join(f"  {key} {value:.3f}" for key, value in numbers.items()))
    typer.echo(f"Wrote {out} ({digest[:8]}, {out.stat().st_size / 1e6:.1f} MB).")


def _scorer(text: str, device: Any) -> "Scorer | ScoreTable":
    from stylegan import directions as library

    if text == MEASURES:
        return library.PictureMeasures()
    return library.read_scores(text) if text.endswith(".csv") else library.load_scorer(text, device)


def _to_measure(model: Path, scorer: str, file: Path, device: Any) -> "tuple[Generator, Scorer, DirectionSet]":
    """A model, what scores its pictures, and directions."""
    import stylegan
    from stylegan.errors import InputError

    known = _scorer(scorer, device)
    if not hasattr(known, "score"):
        raise InputError("--scorer: a table of scores tells nothing of new pictures; take a scorer or `measures`.")
    G = stylegan.load(model, device)
    return G, known, _directions_of(G, file)


def _directions_of(G: "Generator", file: Path) -> "DirectionSet":
    """The directions of `file`, with a note where they are another model's."""
    from stylegan import directions as library

    found = library.load_directions(file)
    if warning := library.check_fits(found, G):
        typer.echo(f"note: {warning}", err=True)
    return found


def _samples(
    G: "Generator", scorer: "Scorer | ScoreTable", count: int, first_seed: int, label: int | None, batch: int
) -> "Samples":
    from stylegan import directions as library
    from stylegan.errors import InputError

    if isinstance(scorer, library.ScoreTable):
        return library.with_table(G, scorer, label)
    if not 1 <= batch <= 1024:
        raise InputError(f"--batch is from 1 to 1024, not {batch}.")
    return shown(library.sample(G, scorer, count, first_seed, label, batch))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _readable(scorer: "Scorer | ScoreTable | AttributeScorer") -> list[str]:
    """What the scorer reads well, as far as it says; all where it does not."""
    return list(getattr(scorer, "readable", [column.name for column in scorer.columns]))


def _line(direction: "Direction") -> str:
    facts = direction.facts
    line = f"{direction.name:28}"
    for space, fitness in (("W", facts.w), ("Z", facts.z)):
        if fitness is not None:
            explained = "" if fitness.r2 is None else f" R² {fitness.r2:.2f}"
            line += f"  {space}: {fitness.accuracy:.1%} AUC {fitness.auc:.3f} 2^H {fitness.separability:.2f}{explained}"
    return line
