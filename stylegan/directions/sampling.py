"""Samples of W with the scores of their pictures: what directions are fitted to.

Sample i is the picture of a seed, without truncation and with stored noise, so that it can be looked at anywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from stylegan.directions.records import Step, finish, part
from stylegan.directions.scores import Scorer, ScoreTable
from stylegan.directions.targets import Column
from stylegan.errors import InputError
from stylegan.networks import Generator
from stylegan.seeds import MAX_SEED, MAX_SEEDS, check_seed, seeds_to_z

FIRST_SEED = 100_000  # far from the seeds that people look at first, so that those are not what was fitted to
DEFAULT_COUNT = 10_000
_MAPPED_AT_ONCE = 1024
_MAPPING = 0.02  # share of the time that the mapping network takes


@dataclass(frozen=True, eq=False)
class Samples:
    """N samples of a model: `z [N, z_dim]`, `w [N, w_dim]` (not truncated), and `scores [N, K]` of their pictures."""

    model: str  # digest
    seeds: tuple[int, ...]
    z: Tensor
    w: Tensor
    columns: tuple[Column, ...] = ()
    scores: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    scorer: str = ""  # digest
    labels: Tensor | None = None  # one-hot [N, label_dim], in a model with classes

    def __len__(self) -> int:
        return len(self.seeds)

    def column(self, name: str) -> tuple[Column, npt.NDArray[np.float32]]:
        """The score called `name`, `[N]`; InputError where there is none."""
        for i, column in enumerate(self.columns):
            if column.name == name:
                return column, self.scores[:, i]
        known = ", ".join(column.name for column in self.columns) or "none"
        raise InputError(f"There is no score {name!r}; there are: {known}.")


def latents(G: Generator, seeds: Sequence[int], label: int | None = None) -> Samples:
    """z and w of `seeds` without pictures: seconds for 10,000 of them.

    `label` is a class for all; None in a model with classes gives them in turn.
    """
    return finish(latent_steps(G, seeds, label))


def latent_steps(G: Generator, seeds: Sequence[int], label: int | None = None) -> Iterator[Step[Samples]]:
    """`latents`, a part at a time; the last step has them."""
    labels = _labels(G, len(seeds), label)
    z, w = [torch.zeros(0, G.config.z_dim)], [torch.zeros(0, G.config.w_dim)]
    for start in range(0, len(seeds), _MAPPED_AT_ONCE):
        yield Step(f"mapping, {start} of {len(seeds)}", start / len(seeds))
        stretch = slice(start, start + _MAPPED_AT_ONCE)
        z.append(seeds_to_z(seeds[stretch], G.config.z_dim))
        w.append(_mapped(G, z[-1], None if labels is None else labels[stretch]))
    yield Step("mapped", 1.0, Samples(G.digest, tuple(seeds), torch.cat(z), torch.cat(w), labels=labels))


def mapped(G: Generator, z: Tensor, labels: Tensor | None = None) -> Tensor:
    """`z [N, z_dim]`, `labels [N, label_dim]` → w `[N, w_dim]`, float32 on the CPU, a part at a time."""
    rows = [z.new_zeros(0, G.config.w_dim)]
    for start in range(0, len(z), _MAPPED_AT_ONCE):
        stretch = slice(start, start + _MAPPED_AT_ONCE)
        rows.append(_mapped(G, z[stretch], None if labels is None else labels[stretch]))
    return torch.cat(rows)


def _mapped(G: Generator, z: Tensor, labels: Tensor | None) -> Tensor:
    with torch.no_grad():
        return G.mapping(z.to(G.w_mean), None if labels is None else labels.to(G.w_mean))[:, 0].float().cpu()


def sample(
    G: Generator,
    scorer: Scorer,
    count: int = DEFAULT_COUNT,
    first_seed: int = FIRST_SEED,
    label: int | None = None,
    batch: int = 16,
) -> Iterator[Step[Samples]]:
    """The samples of seeds `first_seed` … `first_seed + count − 1` with their scores; the last step has them.

    Args:
        label: as for `latents`.
        batch: pictures computed at once; changes nothing but the last digits of scores.

    Raises:
        InputError: an impossible count, seed or class.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_SEEDS:
        raise InputError(f"The number of samples is from 1 to {MAX_SEEDS}, not {count!r}.")
    if check_seed(first_seed) + count - 1 > MAX_SEED:
        raise InputError(f"{count} seeds from {first_seed} on would go beyond {MAX_SEED}.")
    found = yield from part(latent_steps(G, range(first_seed, first_seed + count), label), 0.0, _MAPPING)
    parts = []
    for start in range(0, count, batch):
        yield Step(f"sampling, {start} of {count}", _MAPPING + (1 - _MAPPING) * start / count)
        parts.append(scored(G, scorer, found.w[start : start + batch]))
    scores = torch.cat(parts).numpy()
    yield Step("sampled", 1.0, replace(found, columns=scorer.columns, scores=scores, scorer=scorer.digest))


def with_table(G: Generator, table: ScoreTable, label: int | None = None) -> Samples:
    """The samples of a scores file."""
    found = latents(G, table.seeds, label)
    return replace(found, columns=table.columns, scores=table.values, scorer=table.digest)


def scored(G: Generator, scorer: Scorer, w: Tensor) -> Tensor:
    """Scores `[N, K]` of the pictures of `w [N, w_dim]` or `[N, L, w_dim]`, stored noise, at the model's own lod."""
    styles = w[:, None].expand(-1, G.config.num_ws, -1) if w.ndim == 2 else w
    with torch.no_grad():
        pictures = G.synthesis(styles.to(G.w_mean), noise="stored", lod=G.lod, full_size=False)
        return scorer.score(pictures.float())


def _labels(G: Generator, count: int, label: int | None) -> Tensor | None:
    if not G.config.label_dim:
        if label is not None:
            raise InputError("This model has no classes: leave the label out.")
        return None
    return G.one_hot([i % G.config.label_dim if label is None else label for i in range(count)])
