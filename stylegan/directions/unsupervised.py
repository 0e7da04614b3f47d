"""Directions without labels: principal components of W (Härkönen et al. 2020, GANSpace), and the singular vectors of
the style layers (Shen and Zhou 2021, SeFa). Each can be meant for a band of layers; people look at them and name them.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from stylegan.directions.direction import Direction, Facts, Method, unit
from stylegan.errors import InputError
from stylegan.networks import Generator
from stylegan.networks.synthesis import SynthesisLayer

MAX_COUNT = 64


def principal_components(
    w: Tensor, count: int = 10, layers: Sequence[int] | None = None, band: str = ""
) -> list[Direction]:
    """The `count` directions in which `w [N, w_dim]` varies most, orthogonal to each other, the strongest first.

    Args:
        layers: where they are meant to act; None = all. Components are the same for all layers.
        band: said in their names: `PC 1, middle`.
    """
    _check(w, count)
    centred = w.cpu().double() - w.cpu().double().mean(dim=0)
    found = enumerate(_strongest(centred.T @ centred / len(w), count), 1)
    return [_direction(f"PC {i}", vector, share, w, layers, band, "pca") for i, (vector, share) in found]


def style_vectors(
    G: Generator, w: Tensor, count: int = 10, layers: Sequence[int] | None = None, band: str = ""
) -> list[Direction]:
    """The `count` unit directions that change the styles of `layers` most: maxima of ‖A n‖ (SeFa, equation 5), the
    eigenvectors of AᵀA, A being the style layers' weights one below the other; the strongest first.

    `w [N, w_dim]` are samples, for σ.

    Raises:
        InputError: a network without styles, layers that it has not, or an impossible count.
    """
    _check(w, count)
    wanted = range(G.config.num_ws) if layers is None else layers
    outside = [i for i in wanted if not 0 <= i < G.config.num_ws]
    if not G.config.use_styles or outside or not len(wanted):
        raise InputError("Singular vectors need style layers of this network: it has none, or none of these numbers.")
    weights = []
    for i in wanted:
        style = cast(SynthesisLayer, G.synth.layers[i]).style
        assert style is not None
        weights.append(style.weight.detach().cpu().double() * style.scale)
    a = torch.cat(weights)  # [Σ outputs, w_dim]
    found = enumerate(_strongest(a.T @ a, count), 1)
    return [_direction(f"SeFa {i}", vector, share, w, tuple(wanted), band, "sefa") for i, (vector, share) in found]


def _strongest(matrix: Tensor, count: int) -> list[tuple[Tensor, float]]:
    """The first `count` eigenvectors of a positive semi-definite matrix, and their shares of the sum."""
    values, vectors = torch.linalg.eigh(matrix)
    shares = values.clamp_min(0) / values.clamp_min(0).sum().clamp_min(1e-30)
    return [(vectors[:, k], float(shares[k])) for k in values.argsort(descending=True)[:count].tolist()]


def _direction(
    name: str, vector: Tensor, share: float, w: Tensor, layers: Sequence[int] | None, band: str, method: Method
) -> Direction:
    """With the sign that makes the largest number positive: eigenvectors have none of their own."""
    vector = unit(vector * vector[vector.abs().argmax()].sign(), name)
    along = w.cpu().double() @ vector.double()
    sigma, centre = float(along.std(correction=0)), float(along.mean())
    if not sigma > 0:
        raise InputError(f"{name}: the samples do not vary along it; ask for fewer directions.")
    full_name = f"{name}, {band}" if band else name
    chosen = None if layers is None else tuple(sorted(set(layers)))
    return Direction(full_name, vector, sigma, centre, chosen, method, Facts(len(w), share=min(1.0, share)))


def _check(w: Tensor, count: int) -> None:
    if w.ndim != 2 or len(w) < 2 or not bool(torch.isfinite(w).all()):
        raise InputError(f"Samples of W are [N, w_dim], at least two and finite, not {list(w.shape)}.")
    most = min(MAX_COUNT, w.shape[1])
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= most:
        raise InputError(f"The number of directions is from 1 to {most}, not {count!r}.")
