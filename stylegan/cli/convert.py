"""`python -m stylegan convert SRC DST`: official and third-party weights → model files."""

from pathlib import Path
from typing import Annotated

import typer


def convert(
    src: Annotated[Path, typer.Argument(help="An official StyleGAN pickle, or a PyTorch port's state dict.")],
    dst: Annotated[
        Path, typer.Argument(help="NAME.safetensors; a discriminator goes to NAME.discriminator.safetensors.")
    ],
) -> None:
    """Convert official StyleGAN weights to a model file. Nothing in them is run."""
    import stylegan

    report = stylegan.convert(src, dst)
    for sentence in report.found:
        typer.echo(sentence)
    for file in report.files:
        typer.echo(f"Wrote {file} ({file.stat().st_size / 1e6:.1f} MB).")
