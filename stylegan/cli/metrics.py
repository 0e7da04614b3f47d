"""`python -m stylegan metrics`: measure a model against pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan.cli.device import HELP as DEVICE_HELP
from stylegan.cli.progress import shown

if TYPE_CHECKING:
    from stylegan.metrics.measure import Plan
    from stylegan.metrics.measurement import Measurement
    from stylegan.training.world import World

Opt = typer.Option
_METRICS_HELP = "Of fid, kid, pr, ppl, ls, psi, mixing, attributes, halves."
_EXTRACTOR_HELP = "lite0; inception, vgg16 (fetched once; or inception:FILE); or a TorchScript FILE."


def metrics(
    model: Annotated[Path, Opt(help="A model file.")],
    data: Annotated[str, Opt(help="portraits:N, a folder or zip of images, or another model.")] = "portraits",
    names: Annotated[str, Opt("--metrics", help=_METRICS_HELP)] = "fid,kid,pr",
    count: Annotated[int, Opt(help="Samples of the model, and pictures of the data where it has as many.")] = 10_000,
    data_count: Annotated[int | None, Opt(help="Pictures of the data; default: as many as samples.")] = None,
    psi: Annotated[float, Opt(help="Truncation; the paper measures without (1).")] = 1.0,
    cutoff: Annotated[int | None, Opt(help="Layers that truncation reaches; default: all.")] = None,
    label: Annotated[int | None, Opt("--class", "--label", help="Class; default: all in turn.")] = None,
    first_seed: Annotated[int, Opt(help="Sample i is the picture of this seed + i.")] = 1_000_000,
    seed: Annotated[int, Opt(help="Of the resamplings that intervals come from.")] = 0,
    extractor: Annotated[str, Opt(help=_EXTRACTOR_HELP)] = "lite0",
    distance: Annotated[str, Opt(help="For ppl: lite0, or vgg16 / vgg16:FILE for LPIPS as in papers.")] = "lite0",
    scorer: Annotated[Path | None, Opt(help="NAME.attributes.safetensors; default: the one beside the model.")] = None,
    crop: Annotated[bool, Opt(help="ppl: of the face alone, as the official code does.")] = False,
    psis: Annotated[str, Opt(help="Values of ψ for psi.")] = "1,0.9,0.8,0.7,0.6,0.5",
    cutoffs: Annotated[str, Opt(help="Cutoffs for psi, such as all,8,4; default: --cutoff.")] = "",
    out: Annotated[Path | None, Opt(help="Add the numbers to FILE.jsonl (JSON lines) or FILE.csv.")] = None,
    cache: Annotated[Path | None, Opt(help="Where prepared pictures and features are kept.")] = None,
    device: Annotated[str, Opt(help=DEVICE_HELP)] = "auto",
) -> None:
    """Measure a model: Fréchet distance (fid), KID, precision and recall (pr), path length (ppl), linear separability
    (ls), the price of truncation (psi), mixed latents (mixing), attributes, and the data against itself (halves).
    """
    from stylegan.metrics.measure import Plan
    from stylegan.metrics.measurement import add_to
    from stylegan.metrics.path_length import PathLength
    from stylegan.metrics.pictures import Sampling
    from stylegan.metrics.store import sweep
    from stylegan.training.world import join, leave

    if out is not None:
        add_to(out, ())  # a place that cannot be is told before the work
    wanted = tuple(name.strip() for name in names.split(",") if name.strip())
    paths = (PathLength("z", "full", crop), PathLength("w", "full", crop), PathLength("w", "end", crop))
    sampling = Sampling(psi, cutoff, first_seed, label)
    plan = Plan(wanted, count, data_count, sampling, seed, paths, _numbers(psis), _cutoffs(cutoffs))
    world = join(None if device == "auto" else device)
    try:
        found = _measured(model, data, plan, world, Specs(extractor, distance, scorer), cache)
    finally:
        leave(world)
    if not world.is_writer:
        return
    for item in found:
        typer.echo(_line(item))
    if out is not None:
        add_to(out, found)
    sweep(cache)


@dataclass(frozen=True)
class Specs:
    """What was typed for the tools."""

    extractor: str
    distance: str
    scorer: Path | None


def _measured(
    model: Path, data: str, plan: "Plan", world: "World", specs: Specs, cache: Path | None
) -> "tuple[Measurement, ...]":
    import stylegan
    from stylegan.cli.watch import Watch
    from stylegan.directions.records import finish
    from stylegan.metrics.measure import NEEDS_DATA, Tools, measure, warnings
    from stylegan.metrics.pictures import open_pictures
    from stylegan.metrics.sharing import Share
    from stylegan.metrics.tools import open_distance, open_extractor, open_scorer

    device = world.device
    tools = Tools(
        open_extractor(specs.extractor, device, cache),
        lambda: open_distance(specs.distance, device, cache),
        open_scorer(specs.scorer, model, device),
        cache,
        Share(world.rank, world.size, str(device)),
    )
    if world.is_writer:
        for warning in warnings(plan, tools.extractor):
            typer.echo(f"note: {warning}", err=True)
    G, pictures = stylegan.load(model, device), None
    if plan.needs(NEEDS_DATA):
        wanted = plan.data_count or plan.count
        steps = open_pictures(data, G.config.resolution, count=wanted, cache=cache, device=device)
        pictures = Watch(world.is_writer).finish(steps)
    steps_of_all = measure(G, pictures, plan, tools, name=model.stem)
    return shown(steps_of_all) if world.is_writer else finish(steps_of_all)


def _numbers(text: str) -> tuple[float, ...]:
    from stylegan.errors import InputError

    try:
        return tuple(float(word) for word in text.split(",") if word.strip())
    except ValueError:
        raise InputError(f"--psis are numbers such as 1,0.7,0.5, not {text!r}.") from None


def _cutoffs(text: str) -> tuple[int | None, ...]:
    from stylegan.errors import InputError

    words = [word.strip() for word in text.split(",") if word.strip()]
    if not all(word == "all" or word.isdecimal() for word in words):
        raise InputError(f"--cutoffs are numbers of layers such as all,8,4, not {text!r}.")
    return tuple(None if word == "all" else int(word) for word in words)


def _line(item: "Measurement") -> str:
    data = f", {item.data_count} pictures of {item.data_name}" if item.data_name else ""
    bits = item.settings.get("bits")
    mean = f", {sum(bits.values()) / len(bits):.3f} bits an attribute" if bits else ""
    about = f"{item.extractor}; {item.count} samples{data}, {item.resolution}²{mean}"
    return f"{item.label:44} {item.number!s:32} {about}"
