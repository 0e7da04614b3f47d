"""`python -m stylegan generate`: pictures of seeds, the same bytes for the same command.

On the CPU every picture is computed by itself, because a batch of another size rounds differently; that costs no time
there. On a GPU --batch pictures are computed at once, the last batch filled up, so that only --batch itself matters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stylegan.cli.device import HELP as DEVICE_HELP

if TYPE_CHECKING:
    from torch import Tensor

    from stylegan.images import Picture
    from stylegan.networks import Generator

MAX_GRID_BYTES = 1 << 30


class NoiseMode(StrEnum):
    """What the noise inputs show."""

    stored = "stored"
    random = "random"
    none = "none"


def generate(
    model: Annotated[Path, typer.Option(help="A model file, or anything that `convert` reads.")],
    seeds: Annotated[str, typer.Option(help="Such as 0-8,12.")],
    out: Annotated[Path, typer.Option(help="Folder for seed0000.png, …")],
    psi: Annotated[float | None, typer.Option(help="Truncation ψ; 1 = none. Default: the model's own.")] = None,
    cutoff: Annotated[int | None, typer.Option(help="Layers that ψ acts on. Default: the model's own.")] = None,
    noise: Annotated[NoiseMode, typer.Option(help="Noise inputs.")] = NoiseMode.stored,
    noise_seed: Annotated[int, typer.Option(help="Seed of random noise.")] = 0,
    label: Annotated[int | None, typer.Option("--class", "--label", help="Class, for models with classes.")] = None,
    lod: Annotated[float | None, typer.Option(help="Level of detail, 0 = finest. Default: the model's own.")] = None,
    grid: Annotated[Path | None, typer.Option(help="Also one picture of all, FILE.png.")] = None,
    batch: Annotated[int, typer.Option(help="Pictures computed at once on a GPU.")] = 8,
    device: Annotated[str, typer.Option(help=DEVICE_HELP)] = "auto",
) -> None:
    """Make pictures of seeds."""
    import torch

    import stylegan
    from stylegan.cli.device import chosen_device
    from stylegan.errors import InputError
    from stylegan.seeds import parse_seeds

    numbers = parse_seeds(seeds)
    if not 1 <= batch <= 1024:
        raise InputError(f"--batch is from 1 to 1024, not {batch}.")
    _check_places(out, grid)
    G = stylegan.load(model, chosen_device(device))
    _check_grid(G, len(numbers), grid)
    request = Request.checked(G, psi, cutoff, noise, noise_seed, label, lod)
    made: dict[int, Picture] = {}
    unique = list(dict.fromkeys(numbers))
    out.mkdir(parents=True, exist_ok=True)
    for seed, picture in _with_progress(pictures(G, unique, request, batch), len(unique)):
        _write_png(out / f"seed{seed:04d}.png", picture)
        if grid is not None:
            made[seed] = picture
    if grid is not None:
        cells = torch.stack([torch.from_numpy(made[seed]) for seed in numbers])
        _write_png(grid, stylegan.grid(cells))


@dataclass(frozen=True)
class Request:
    """Everything that a picture depends on besides the model and the seed."""

    psi: float
    cutoff: int
    noise: str
    noise_seed: int
    label: int | None
    lod: float

    @classmethod
    def checked(
        cls,
        G: "Generator",
        psi: float | None,
        cutoff: int | None,
        noise: str,
        noise_seed: int,
        label: int | None,
        lod: float | None,
    ) -> "Request":
        """What was asked for, with the model's own values for None; InputError before anything is made."""
        from stylegan.networks import checks
        from stylegan.seeds import check_seed

        config = G.config
        own_cutoff = config.num_ws if config.default_cutoff is None else min(config.default_cutoff, config.num_ws)
        if label is not None:
            G.one_hot([label])
        return cls(
            psi=checks.psi(config.default_psi if psi is None else psi),
            cutoff=checks.cutoff(own_cutoff if cutoff is None else cutoff, config.num_ws),
            noise=noise,
            noise_seed=check_seed(noise_seed),
            label=label,
            lod=checks.lod(G.lod if lod is None else lod, config.max_lod),
        )


def pictures(G: "Generator", seeds: list[int], request: Request, batch: int) -> Iterator[tuple[int, "Picture"]]:
    """Yield (seed, picture uint8 `[R, R, C]`) one after another."""
    import torch

    from stylegan.images import to_uint8

    on_cpu = G.w_mean.device.type == "cpu"
    size = 1 if on_cpu else min(batch, len(seeds))
    cudnn = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.inference_mode(), cudnn:
        for first in range(0, len(seeds), size):
            wanted = seeds[first : first + size]
            filled = wanted + wanted[-1:] * (size - len(wanted))
            images = to_uint8(_synthesized(G, filled, request)).cpu().numpy()
            yield from zip(wanted, images[: len(wanted)], strict=True)


def _synthesized(G: "Generator", seeds: list[int], request: Request) -> "Tensor":
    from stylegan.seeds import seeds_to_z

    z = seeds_to_z(seeds, G.config.z_dim).to(G.w_mean.device)
    labels = None if request.label is None else G.one_hot([request.label] * len(seeds))
    w = G.truncate(G.mapping(z, labels), request.psi, request.cutoff)
    if request.noise == NoiseMode.random:
        return G.synthesis(w, _random_noise(G, seeds, request.noise_seed), request.lod)
    return G.synthesis(w, "none" if request.noise == NoiseMode.none else "stored", request.lod)


def _random_noise(G: "Generator", seeds: list[int], noise_seed: int) -> "list[Tensor | None]":
    """Fresh noise, from the noise seed and the picture's own, drawn on the CPU: the same on any device."""
    import numpy as np
    import torch

    images: list[list[Tensor | None]] = []
    for seed in seeds:
        (state,) = np.random.SeedSequence([noise_seed, seed]).generate_state(1, np.uint64)
        rng = torch.Generator().manual_seed(int(state) >> 1)
        sizes = [G.config.layer_resolution(i) for i in range(G.config.num_layers)]
        images.append([torch.randn(1, 1, size, size, generator=rng) for size in sizes])
    return [
        torch.cat([image for image in layer if image is not None]).to(G.w_mean.device)
        for layer in zip(*images, strict=True)
    ]


def _with_progress(items: Iterator[tuple[int, "Picture"]], count: int) -> Iterator[tuple[int, "Picture"]]:
    """A bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return iter(track(items, "Pictures", count, console=console, disable=not console.is_terminal, transient=True))


def _write_png(path: Path, picture: "Picture") -> None:
    from io import BytesIO

    from PIL import Image

    from stylegan.atomic import write_bytes

    buffer = BytesIO()
    Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(buffer, "PNG")
    write_bytes(path, buffer.getvalue())


def _check_places(out: Path, grid: Path | None) -> None:
    from stylegan.errors import InputError

    if out.exists() and not out.is_dir():
        raise InputError(f"--out is a folder; {out} is a file.")
    if grid is not None and (grid.suffix.lower() != ".png" or grid.is_dir()):
        raise InputError(f"--grid is FILE.png, not {grid}.")
    if grid is not None and not grid.parent.is_dir() and grid.parent != out:
        raise InputError(f"--grid: there is no folder {grid.parent}.")


def _check_grid(G: "Generator", count: int, grid: Path | None) -> None:
    from stylegan.errors import InputError

    config = G.config
    if config.image_channels not in (1, 3, 4):
        raise InputError(f"This model makes pictures of {config.image_channels} colours, which PNG does not know.")
    if grid is not None and count * config.resolution**2 * config.image_channels > MAX_GRID_BYTES:
        raise InputError(f"--grid: {count} pictures of {config.resolution}² are too many for one picture.")
