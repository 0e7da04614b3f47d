"""Training an attribute scorer on pictures whose attributes are known.

Pictures are shifted, softened and made noisy a little, so that the scorer is not thrown off by generated ones, which
are softer and noisier than what it learns from. They are not mirrored: yaw or the light's direction would change sign.
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from stylegan.data.dataset import Dataset
from stylegan.data.pyramid import Indices
from stylegan.directions.attribute_net import AttributeNet, AttributeScorer, ScorerConfig
from stylegan.directions.quality import accuracy, auc, r2
from stylegan.directions.records import Step
from stylegan.directions.targets import Target, portrait_targets, table_targets
from stylegan.errors import DataError, InputError
from stylegan.images import from_uint8
from stylegan.seeds import check_seed

MIN_PICTURES = 100
_MOST_HELD_OUT = 2000
_WARM_UP = 0.05  # share of the steps in which the learning rate rises
_TOLD_EVERY = 20  # steps
_MAX_SHIFT_PX = 2
_MAX_NOISE = 0.12  # standard deviation, of colours in [−1, 1]


@dataclass(frozen=True)
class ScorerTraining:
    """How to train: the numbers of an attempt. The same ones give the same scorer, unless `minutes` ended it."""

    resolution: int = 64
    epochs: int = 12
    batch: int = 32
    learning_rate: float = 2e-3
    seed: int = 0
    minutes: float | None = None  # end after this long, the learning rate falling in time for that

    def __post_init__(self) -> None:
        check_seed(self.seed)
        for name, low, high in (("epochs", 1, 10_000), ("batch", 2, 4096)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise InputError(f"{name} is a whole number from {low} to {high}, not {value!r}.")
        if not 0 < self.learning_rate <= 1:
            raise InputError(f"The learning rate is above 0 and at most 1, not {self.learning_rate!r}.")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise InputError(f"minutes is above 0, not {self.minutes!r}.")


def train_scorer(
    data: Dataset, training: ScorerTraining | None = None, device: str | torch.device = "cpu"
) -> Iterator[Step[AttributeScorer]]:
    """Train a scorer on all attributes of `data`, keeping a tenth of it out; the last step has the scorer.

    Raises:
        DataError: no attributes, or fewer than 100 pictures.
        InputError: an attribute that never changes.
    """
    training = training or ScorerTraining()
    if not data.attribute_names:
        raise DataError(f"{data.name} has no attributes: a scorer needs a table attributes.csv beside the images.")
    if len(data) < MIN_PICTURES:
        raise DataError(f"A scorer learns from at least {MIN_PICTURES} pictures; {data.name} has {len(data)}.")
    began_sec = time.monotonic()
    order = np.random.RandomState(training.seed).permutation(len(data))
    held_out = min(_MOST_HELD_OUT, len(data) // 10)
    test, train = np.sort(order[:held_out]), order[held_out:]
    net = AttributeNet(ScorerConfig(_targets(data), training.resolution), training.seed).to(device)
    seen = 0
    for share, loss, batch in _fit(net, data, train, training, torch.device(device)):
        seen += batch
        yield Step(f"training, loss {loss:.3f}", 0.97 * share)
    net.eval().requires_grad_(False)
    scorer = AttributeScorer(net)
    about = {
        "data": data.name, "data_digest": data.digest, "pictures": len(data), "held_out": held_out,
        "epochs": round(seen / len(train), 3), "batch": training.batch, "learning_rate": training.learning_rate,
        "seed": training.seed, "seconds": round(time.monotonic() - began_sec), "device": torch.device(device).type,
    }  # fmt: skip
    quality = held_out_quality(scorer, data, test)
    yield Step("done", 1.0, AttributeScorer(net, quality, about))


def _targets(data: Dataset) -> tuple[Target, ...]:
    from stylegan.data.portraits import attribute_names

    if data.attribute_names == attribute_names():
        return portrait_targets(data.attributes)
    return table_targets(data.attribute_names, data.attributes)


def _fit(
    net: AttributeNet, data: Dataset, train: Indices, training: ScorerTraining, device: torch.device
) -> Iterator[tuple[float, float, int]]:
    """Train `net`, yielding (share done, loss, pictures seen since the last time) now and then."""
    batch = min(training.batch, len(train))
    steps = training.epochs * (len(train) // batch)
    optimiser = torch.optim.AdamW(net.parameters(), lr=training.learning_rate, weight_decay=1e-2)
    rng, shuffle = torch.Generator(device=device).manual_seed(training.seed), np.random.RandomState(training.seed)
    began_sec, seen, order = time.monotonic(), 0, np.empty(0, dtype=np.int64)
    for step in range(steps):
        late = 0.0 if training.minutes is None else (time.monotonic() - began_sec) / (60 * training.minutes)
        share = max(step / steps, late)
        if share >= 1:
            break
        if len(order) < batch:
            order = shuffle.permutation(train)
        indices, order = order[:batch], order[batch:]
        for group in optimiser.param_groups:
            group["lr"] = training.learning_rate * _schedule(share)
        x = from_uint8(data.pictures(indices, training.resolution).to(device))
        values = data.attributes[torch.from_numpy(indices)].to(device)
        parts = net.by_target(net(disturbed(x, rng)))
        loss = torch.stack([t.loss(raw, values[:, i]) for i, (t, raw) in enumerate(parts)]).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        seen += batch
        if seen >= _TOLD_EVERY * batch:
            yield share, float(loss.detach()), seen
            seen = 0
    if seen:
        yield 1.0, float(loss.detach()), seen


def _schedule(share: float) -> float:
    """Learning rate over its peak: up in the first twentieth, then down a half cosine."""
    if share < _WARM_UP:
        return (share + 1e-3) / (_WARM_UP + 1e-3)
    return 0.5 + 0.5 * math.cos(math.pi * (share - _WARM_UP) / (1 - _WARM_UP))


def disturbed(x: Tensor, rng: torch.Generator) -> Tensor:
    """Pictures `[N, 3, R, R]` shifted by up to 2 pixels, some softened, all with a little noise, drawn from `rng`."""
    n, _, _, side = x.shape
    pad = F.pad(x, (_MAX_SHIFT_PX,) * 4, mode="replicate")
    dy, dx = torch.randint(2 * _MAX_SHIFT_PX + 1, (2, 1), generator=rng, device=x.device).flatten().tolist()
    x = pad[:, :, dy : dy + side, dx : dx + side]
    soft = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2.0, mode="bilinear")
    share = torch.rand(n, 1, 1, 1, generator=rng, device=x.device) * 1.6 - 0.6  # over a third stay as sharp as they are
    x = torch.lerp(x, soft, share.clamp(0, 1))
    strength = _MAX_NOISE * torch.rand(n, 1, 1, 1, generator=rng, device=x.device).square()
    return x + strength * torch.randn(x.shape, generator=rng, device=x.device)


def held_out_quality(scorer: AttributeScorer, data: Dataset, test: Indices) -> Mapping[str, Mapping[str, float]]:
    """How well `scorer` reads the pictures `test` of `data`, by score; for a category its accuracy as well."""
    x = from_uint8(data.pictures(test, scorer.net.config.resolution).cpu())
    scores, column = scorer.score(x), 0
    values = data.attributes[torch.from_numpy(test)]
    quality: dict[str, dict[str, float]] = {}
    for i, target in enumerate(scorer.net.config.targets):
        width = len(target.columns)
        told, truth = scores[:, column : column + width].numpy(), target.truth(values[:, i]).numpy()
        for k, score in enumerate(target.columns):
            known = truth[:, k]
            quality[score.name] = (
                {"r2": r2(told[:, k], known)}
                if score.kind == "continuous"
                else {"accuracy": accuracy(told[:, k] > 0.5, known > 0.5), "auc": auc(told[:, k], known > 0.5)}
            )
        if target.kind == "categorical":
            quality[target.name] = {"accuracy": accuracy(told.argmax(1), truth.argmax(1))}
        column += width
    return quality
