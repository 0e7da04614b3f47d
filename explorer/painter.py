"""From what the synthesis network takes to pixels, resuming where an earlier picture had the same up to some layer.

The output of a layer is known by all that went into it: the model, and w and noise of this and all earlier layers. The
same tensor goes on into the same operations, so a resumed picture has the same bytes as one made from the start.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.cache import ByteCache
from explorer.inputs import NoiseId
from stylegan import ops
from stylegan.images import Picture, to_uint8
from stylegan.networks import Generator

Key = bytes
Field = Callable[[int, int, Tensor], Tensor]  # (seed, layer, stored noise) → noise picture of the stored one's shape


@dataclass(frozen=True, eq=False)
class Plan:
    """All that decides one picture."""

    G: Generator
    w: Tensor  # [1, L, w_dim]
    noise: tuple[NoiseId, ...]  # of each layer
    keys: tuple[Key, ...]  # of the output of each layer that takes part; the last stands for the picture


def plan(G: Generator, w: Tensor, noise: Sequence[NoiseId]) -> Plan:
    """`w [L, w_dim]`; `noise` of each layer of the synthesis network."""
    chain = hashlib.blake2b(G.digest.encode(), digest_size=16)
    rows = w.cpu().numpy()
    keys = []
    for layer in range(2 * finest_resolution(G) + 2):
        chain.update(rows[min(layer, len(rows) - 1)].data)
        chain.update(repr(noise[layer]).encode())
        keys.append(chain.digest())
    return Plan(G, w[None], tuple(noise), tuple(keys))


def finest_resolution(G: Generator) -> int:
    """Index of the finest resolution that takes part at the generator's lod."""
    return G.config.num_layers // 2 - 1 - int(G.lod)


def shared(a: Plan, b: Plan) -> int:
    """How many layers from the first on two plans have in common."""
    pairs = zip(a.keys, b.keys, strict=False)
    return next((i for i, (one, other) in enumerate(pairs) if one != other), min(len(a.keys), len(b.keys)))


def paint(
    plan: Plan,
    find: Callable[[Key], Tensor | None],
    store: Callable[[Key, Tensor], None],
    field: Field,
    check: Callable[[], None],
) -> Picture:
    """The picture of `plan` in the model's own size: uint8 `[R, R, 3]`.

    Args:
        find: the output `[1, C, H, H]` of a layer from an earlier picture, if it is still there.
        store: is given the output of each layer that is run but the last, of which the picture itself is what is left.
        field: draws noise.
        check: called after each layer; may raise to end the work.
    """
    G, last = plan.G, len(plan.keys) - 1
    fade = G.lod % 1  # > 0: the picture also needs the output of layer last − 2
    first, found = _resume(plan.keys[: last - 1 if fade else last], find)
    coarser = found if first == last - 1 else None
    noise = _noise(plan, first, field)
    for layer, x in enumerate(G.synth.activations(plan.w, noise, first, found, last), first):
        check()
        if layer == last - 2:
            coarser = x
        if layer < last:
            store(plan.keys[layer], x)
    picture: Picture = _rgb(G, x, coarser)[0]
    return picture


def paint_together(
    plans: Sequence[Plan],
    find: Callable[[Key], Tensor | None],
    store: Callable[[Key, Tensor], None],
    field: Field,
    check: Callable[[], None],
) -> list[Picture]:
    """The pictures of several plans of one model: layers that all have in common once, the others as one batch.

    Of what is run only the output of the last common layer is stored. Arguments as `paint`, to whose pictures these are
    equal up to rounding.
    """
    G, last = plans[0].G, len(plans[0].keys) - 1
    fade = G.lod % 1
    common = min(last - 1 if fade else last, *(shared(plans[0], plan) for plan in plans[1:]), last)
    first, start = _resume(plans[0].keys[:common], find)
    for layer, x in enumerate(
        G.synth.activations(plans[0].w, _noise(plans[0], first, field), first, start, common - 1), first
    ):
        check()
        start = x
        if layer == common - 1:
            store(plans[0].keys[layer], x)
    if start is not None:
        start = start.expand(len(plans), -1, -1, -1).contiguous(memory_format=torch.channels_last)
    w = torch.cat([plan.w for plan in plans])
    coarser = start if common == last - 1 else None
    for layer, x in enumerate(G.synth.activations(w, _noises(plans, common, field), common, start, last), common):
        check()
        if layer == last - 2:
            coarser = x
    return list(_rgb(G, x, coarser))


def _resume(keys: Sequence[Key], find: Callable[[Key], Tensor | None]) -> tuple[int, Tensor | None]:
    """The first layer to run, and what it runs on (None: from the start)."""
    for layer in reversed(range(len(keys))):
        x = find(keys[layer])
        if x is not None:
            return layer + 1, x
    return 0, None


def _rgb(G: Generator, x: Tensor, coarser: Tensor | None) -> Picture:
    """uint8 `[N, R, R, 3]` from the output of the last layer, and of the one a resolution below where lod fades."""
    finest, fade = finest_resolution(G), G.lod % 1
    image = G.synth.to_rgb[finest](x)
    if fade:
        image = torch.lerp(image, ops.upsample(G.synth.to_rgb[finest - 1](coarser)), fade)
    pictures: Picture = to_uint8(ops.upsample(image, 2 ** int(G.lod))).cpu().numpy()
    return pictures if pictures.shape[-1] == 3 else pictures.repeat(3, axis=-1)


def _noises(plans: Sequence[Plan], first: int, field: Field) -> list[Tensor | None]:
    """The noise of each layer from `first` on for a batch: one picture where all have the same, else one for each."""
    of_each = [_noise(plan, first, field) for plan in plans]
    together: list[Tensor | None] = []
    for layer, pictures in enumerate(zip(*of_each, strict=True)):
        same = len({plan.noise[layer] for plan in plans}) == 1
        if same or all(picture is None for picture in pictures):
            together.append(pictures[0])
        else:
            like = next(picture for picture in pictures if picture is not None)
            together.append(torch.cat([torch.zeros_like(like) if one is None else one for one in pictures]))
    return together


def _noise(plan: Plan, first: int, field: Field) -> list[Tensor | None]:
    """The noise picture of each layer; those before `first` are not needed."""
    stored = plan.G.noise_images("stored", 1)
    pictures: list[Tensor | None] = [None] * first
    for layer in range(first, len(plan.keys)):
        pictures.append(_noise_picture(plan.noise[layer], layer, stored[layer], field))
    return pictures


def _noise_picture(identity: NoiseId, layer: int, stored: Tensor | None, field: Field) -> Tensor | None:
    if identity is None or stored is None:  # switched off, or a model without noise
        return None
    seed, strength = identity
    picture = stored if seed is None else field(seed, layer, stored)
    return picture if strength == 1 else picture * strength


class Outputs:
    """Outputs of layers for the last few pictures, within a budget.

    Of the picture painted last all that fits is kept, the coarse layers rather than the fine ones: they are small and
    save nearly as much time. What remains of older pictures is forgotten oldest first and from the fine end.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._cache: ByteCache[Key, Tensor] = ByteCache(budget_bytes)

    def get(self, key: Key) -> Tensor | None:
        """An output, if it is still there."""
        return self._cache.get(key)

    def paint(self, plan: Plan, field: Field, check: Callable[[], None]) -> Picture:
        """`paint`, with and into what is kept."""
        keep = frozenset(plan.keys)

        def store(key: Key, x: Tensor) -> None:
            self._cache.put(key, x, x.untyped_storage().nbytes(), keep)

        picture = paint(plan, self._cache.get, store, field, check)
        self._cache.touch(reversed(plan.keys))
        return picture
