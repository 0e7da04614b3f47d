"""`python -m stylegan portraits`: a sheet of rendered portraits as one PNG."""

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image

from stylegan.atomic import replacing
from stylegan.data.rendered import render, render_all
from stylegan.errors import InputError
from stylegan.images import grid
from stylegan.seeds import check_seed

_MAX_COUNT = 10_000
_MAX_SIDE_PX = 16_384


def portraits(
    count: Annotated[int, typer.Option(help="How many portraits.")] = 64,
    size: Annotated[int, typer.Option(help="Width and height of each, in pixels.")] = 128,
    out: Annotated[Path, typer.Option(help="The PNG file to write.")] = Path("portraits.png"),
    seed: Annotated[int, typer.Option(help="Seed of the data set.")] = 0,
    columns: Annotated[int | None, typer.Option(help="Portraits in a row; about square if left out.")] = None,
    device: Annotated[str, typer.Option(help="Where to draw: cpu, cuda, …")] = "cpu",
) -> None:
    """Draw the first COUNT rendered portraits of data set SEED as a sheet."""
    if not 1 <= count <= _MAX_COUNT:
        raise InputError(f"--count is a whole number from 1 to {_MAX_COUNT}, not {count}.")
    if columns is not None and not 1 <= columns <= count:
        raise InputError(f"--columns is a whole number from 1 to the count ({count}), not {columns}.")
    wide = columns or int(count**0.5 + 0.999)
    if max(wide, -(-count // wide)) * size > _MAX_SIDE_PX:
        raise InputError(f"The sheet would be more than {_MAX_SIDE_PX} pixels wide or high: lower --count or --size.")
    if out.suffix.lower() != ".png":
        raise InputError(f"--out is a PNG file such as portraits.png, not {out}.")
    if not out.parent.is_dir():
        raise InputError(f"The folder {out.parent} of --out does not exist: make it first.")
    render(check_seed(seed), range(0), size, _device(device))  # tells of a size that is none
    pictures = np.concatenate(list(render_all(seed, range(count), size, device)))
    with replacing(out) as temporary:
        Image.fromarray(grid(torch.from_numpy(pictures), columns=columns)).save(temporary, format="PNG")


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"There is no device {name!r} here; cpu always works.") from error
    return device
