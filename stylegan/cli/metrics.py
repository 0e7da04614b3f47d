"""`python -m stylegan metrics`: measure a model against pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan.cli.device import HELP as DEVICE_HELP
from stylegan.cli.progress import shown

if TYPE_CHECKING:
    from stylegan.metrics.measurement import Measurement

Opt = typer.Option


def metrics(
    model: Annotated[Path, Opt(help="A model file.")],
    data: Annotated[str, Opt(help="portraits:N, a folder or zip of images, or another model.")] = "portraits",
    names: Annotated[str, Opt("--metrics", help="Of fid, kid, pr, halves.")] = "fid,kid,pr",
    count: Annotated[int, Opt(help="Samples of the model, and pictures of the data where it has as many.")] = 10_000,
    data_count: Annotated[int | None, Opt(help="Pictures of the data; default: as many as samples.")] = None,
    psi: Annotated[float, Opt(help="Truncation; the paper measures without (1).")] = 1.0,
    cutoff: Annotated[int | None, Opt(help="Layers that truncation reaches; default: all.")] = None,
    label: Annotated[int | None, Opt("--class", "--label", help="Class; default: all in turn.")] = None,
    first_seed: Annotated[int, Opt(help="Sample i is the picture of this seed + i.")] = 1_000_000,
    seed: Annotated[int, Opt(help="Of the resamplings that intervals come from.")] = 0,
    out: Annotated[Path | None, Opt(help="Add the numbers to a file of JSON lines, FILE.jsonl.")] = None,
    cache: Annotated[Path | None, Opt(help="Where prepared pictures and features are kept.")] = None,
    device: Annotated[str, Opt(help=DEVICE_HELP)] = "auto",
) -> None:
    """Measure a model: Fréchet distance (fid), KID, precision and recall (pr), the data against itself (halves)."""
    import stylegan
    from stylegan.cli.device import chosen_device
    from stylegan.cli.watch import Watch
    from stylegan.errors import InputError
    from stylegan.metrics.features import Lite0Features
    from stylegan.metrics.measure import Plan, measure, warnings
    from stylegan.metrics.measurement import History
    from stylegan.metrics.pictures import Sampling, open_pictures
    from stylegan.metrics.store import sweep

    if out is not None and (out.suffix != ".jsonl" or not out.parent.is_dir()):
        raise InputError(f"--out is FILE.jsonl in a folder that exists, not {out}.")
    wanted = tuple(name.strip() for name in names.split(",") if name.strip())
    plan = Plan(wanted, count, data_count, Sampling(psi, cutoff, first_seed, label), seed)
    chosen = chosen_device(device)
    extractor = Lite0Features(chosen)
    for warning in warnings(plan, extractor):
        typer.echo(f"note: {warning}", err=True)
    G = stylegan.load(model, chosen)
    opened = open_pictures(data, G.config.resolution, count=data_count or count, cache=cache, device=chosen)
    pictures = Watch().finish(opened)
    found = shown(measure(G, pictures, plan, extractor, name=model.stem, cache=cache))
    for item in found:
        typer.echo(_line(item))
    if out is not None:
        History(out).append(found)
    sweep(cache)


def _line(item: "Measurement") -> str:
    against = f"{item.count} samples, {item.data_count} pictures of {item.data_name}, {item.resolution}²"
    extractor = f"{item.extractor}; " if item.extractor else ""
    return f"{item.title:44} {item.number!s:30} {extractor}{against}"
