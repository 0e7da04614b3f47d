"""Recipe → pixels. The only place of the app that runs a network; it never alters one."""

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from explorer import inputs, scaling
from explorer.cache import ByteCache
from explorer.latent_store import LatentStore
from explorer.library import Library
from explorer.painter import Key, Outputs, Plan, paint, paint_together, plan
from explorer.parts import Blend, Source, Stored
from explorer.recipe import Recipe
from explorer.recipe import check as check_recipe
from explorer.turns import Overtaken, Request, Turns
from explorer.values import RecipeError
from stylegan.errors import InputError
from stylegan.images import Picture, grid
from stylegan.networks import Generator

__all__ = ["Engine", "Overtaken"]

MAX_CELLS = 400
MAX_SHEET_PIXELS = 64 << 20
INPUTS_BYTES = 32 << 20
FILM_BATCH, FILM_BATCH_PIXELS = 16, 16 * 64 * 64  # pictures drawn together at most, and pixels: more leave the caches
ONE_THREAD_UP_TO_PX = 128  # models of this resolution

T = TypeVar("T")


class Engine:
    """Pictures of recipes, for all visitors. Thread-safe."""

    def __init__(self, library: Library, cache_mib: int = 256, latents_folder: Path | None = None) -> None:
        """An engine for the models of `library`.

        Args:
            cache_mib: bounds what is kept of earlier pictures, seven eighths of it for outputs of layers.
            latents_folder: where latents without a seed are kept; None is in memory only.
        """
        self.library = library
        self.latents = LatentStore(latents_folder)
        self._threads = torch.get_num_threads()
        budget_bytes = cache_mib << 20
        self._turns = Turns()
        self._outputs = Outputs(budget_bytes - budget_bytes // 8)
        self._pictures: ByteCache[tuple[str, int | None, bool], Picture] = ByteCache(budget_bytes // 8)
        self._inputs: ByteCache[Hashable, Tensor] = ByteCache(INPUTS_BYTES)  # w of sources, noise pictures

    def render(
        self, recipe: Recipe, size: int | None = None, *, smooth: bool = False, visitor: str | None = None
    ) -> Picture:
        """The picture of `recipe`: uint8 `[size, size, 3]`.

        Args:
            size: pixels per side; None is the model's own.
            smooth: how other sizes are made; see `scaling.resized`.
            visitor: a newer request with the same name overtakes this one; None: nothing does.

        Raises:
            RecipeError: the recipe does not fit its model.
            InputError: unknown model, or an impossible size.
            Overtaken: a newer request of `visitor` has come.
        """
        self.check(recipe)
        size = self.library.card(recipe.model).resolution if size is None else scaling.check_size(size)
        key = (recipe.digest, None, False)
        with self._turns.request(visitor) as request:
            picture = self._pictures.get(key)
            if picture is None:
                with self._device(request, recipe.model):
                    picture = self._outputs.paint(self._plan(recipe), self._field, request.check)
                self._pictures.put(key, picture, picture.nbytes)
        return picture.copy() if len(picture) == size else scaling.resized(picture, size, smooth)

    def pictures(self, recipes: Sequence[Recipe], visitor: str | None = None) -> Iterator[tuple[int, Picture]]:
        """Yield (index, picture in its model's own size) for all `recipes`, in an order in which neighbours share.

        Leaves nothing in the cache. The device is free for others between two pictures. Errors as `render`.
        """
        for recipe in recipes:
            self.check(recipe)
        with self._turns.request(visitor) as request:
            plans = []
            for recipe in recipes:
                with self._device(request, recipe.model):
                    plans.append(self._plan(recipe))
            seen: dict[Key, int] = {}  # sorted like this equal beginnings come together, else the order stays
            order = sorted(range(len(plans)), key=lambda i: [seen.setdefault(key, i) for key in plans[i].keys])
            kept: dict[Key, Tensor] = {}
            for i, after in itertools.zip_longest(order, order[1:]):
                wanted = set() if after is None else set(plans[after].keys)
                with self._device(request, recipes[i].model):
                    picture = self._paint_between(plans[i], kept, wanted, request.check)
                kept = {key: x for key, x in kept.items() if key in wanted}
                yield i, picture

    def film(self, recipes: Iterable[Recipe], visitor: str | None = None) -> Iterator[Picture]:
        """Yield the pictures of `recipes`, all of one model, one after the other, in its own size.

        For recipes of which neighbours are alike: several are drawn together, and what they share once. `recipes` is
        read as it is needed; memory does not grow with their number, and the cache is left as it is. The device is
        free for others between two batches. Errors as `render`.
        """
        rest = iter(recipes)
        first = list(itertools.islice(rest, 1))
        kept: dict[Key, Tensor] = {}
        seen: dict[str, Picture] = {}
        with self._turns.request(visitor) as request:
            while some := first + list(itertools.islice(rest, self._batch(first) - 1)):
                missing = {recipe.digest: recipe for recipe in some if recipe.digest not in seen}
                seen |= dict(zip(missing, self._drawn(list(missing.values()), kept, request), strict=True))
                yield from (seen[recipe.digest] for recipe in some)
                seen = {some[-1].digest: seen[some[-1].digest]}
                first = list(itertools.islice(rest, 1))

    def _batch(self, recipes: Sequence[Recipe]) -> int:
        """How many pictures are drawn together."""
        side = self.library.card(recipes[0].model).resolution if recipes else 1
        return max(1, min(FILM_BATCH, FILM_BATCH_PIXELS // side**2))

    def _drawn(self, recipes: Sequence[Recipe], kept: dict[Key, Tensor], request: Request) -> list[Picture]:
        """Pictures of recipes of one model as a batch; the last output in `kept` is replaced."""
        if not recipes:
            return []

        def store(key: Key, x: Tensor) -> None:
            kept.clear()
            kept[key] = x

        for recipe in recipes:
            self.check(recipe)
        with self._device(request, recipes[0].model):
            plans = [self._plan(recipe) for recipe in recipes]
            return paint_together(plans, kept.get, store, self._field, request.check)

    def _paint_between(
        self, plan: Plan, kept: dict[Key, Tensor], wanted: Set[Key], check: Callable[[], None]
    ) -> Picture:
        """Paint from what is in `kept` or the cache; outputs that are `wanted` by the next picture go to `kept`."""

        def find(key: Key) -> Tensor | None:
            return kept[key] if key in kept else self._outputs.get(key)

        def store(key: Key, x: Tensor) -> None:
            if key in wanted:
                kept[key] = x

        return paint(plan, find, store, self._field, check)

    def sheet(
        self,
        recipes: Sequence[Recipe | None],
        columns: int,
        size: int,
        pad_px: int = 2,
        visitor: str | None = None,
        *,
        smooth: bool = False,
        background: int = 255,
    ) -> Picture:
        """Many pictures as one, row by row, each `size` pixels wide with `pad_px` between them; None leaves a gap.

        Cells share what their recipes share. The device is free for others between two cells. Errors as `render`.
        """
        size = scaling.check_size(size)
        _check_sheet(len(recipes), columns, size, pad_px)
        distinct = {recipe.digest: recipe for recipe in recipes if recipe is not None}
        known = {digest: self._pictures.get((digest, size, smooth)) for digest in distinct}
        cells = {digest: cell for digest, cell in known.items() if cell is not None}
        missing = [digest for digest in distinct if digest not in cells]
        for i, picture in self.pictures([distinct[digest] for digest in missing], visitor):
            cell = scaling.resized(picture, size, smooth)
            cells[missing[i]] = cell
            self._pictures.put((missing[i], size, smooth), cell, cell.nbytes)
        gap = np.full((size, size, 3), background, np.uint8)
        laid = [gap if recipe is None else cells[recipe.digest] for recipe in recipes]
        return grid(torch.from_numpy(np.stack(laid)), columns, pad_px, background)

    def driven(self, model: str, steps: Iterator[T], visitor: str | None = None) -> Iterator[T]:
        """`steps` of other work with a model's network, each made while it has the device: pictures go in between.

        Raises:
            Overtaken: a newer request of `visitor` has come; and whatever `steps` raises.
        """
        with self._turns.request(visitor) as request:
            while True:
                with self._device(request, model):
                    step = list(itertools.islice(steps, 1))
                if not step:
                    return
                yield step[0]

    def moved(self, recipe: Recipe, ws: Sequence[Tensor], visitor: str | None = None) -> Iterator[Picture]:
        """Yield the pictures of `recipe` with each of `ws` `[L, w_dim]` in place of its own w; errors as `render`."""
        self.check(recipe)
        with self._turns.request(visitor) as request:
            for w in ws:
                with self._device(request, recipe.model):
                    picture = paint(
                        self._plan(recipe, w), lambda _: None, lambda _, x: None, self._field, request.check
                    )
                yield picture

    def w(self, recipe: Recipe) -> Tensor:
        """The latent w `[L, w_dim]` that the picture of `recipe` is made from; errors as `check`."""
        self.check(recipe)
        with self._turns.request(None) as request, self._device(request, recipe.model):
            return self._styles(recipe, self.library.generator(recipe.model))

    def check(self, recipe: Recipe) -> None:
        """RecipeError or InputError, one sentence, unless a picture can be made of `recipe`."""
        card = self.library.card(recipe.model)
        noise_layers = card.num_layers if card.has_noise else 0
        check_recipe(recipe, num_ws=card.num_ws, label_dim=card.label_dim, num_noise=noise_layers)
        for source in (recipe.source, *(mix.source for mix in recipe.mixes)):
            self._check_source(source, card.num_ws, card.w_dim)
        directions = self.library.directions(recipe.model)
        for edit in recipe.edits:
            for direction in (edit.direction, *edit.locks):
                inputs.found(direction, directions)

    def _check_source(self, source: Source, num_ws: int, w_dim: int) -> None:
        if isinstance(source, Blend):
            self._check_source(source.a, num_ws, w_dim)
            self._check_source(source.b, num_ws, w_dim)
        if isinstance(source, Stored):
            shape = tuple(self.latents.get(source.latent).shape)
            if shape not in ((w_dim,), (1, w_dim), (num_ws, w_dim)):
                raise RecipeError(f"The stored latent {source.latent[:8]} is {list(shape)}: it is of another model.")

    @contextmanager
    def _device(self, request: Request, model: str) -> Iterator[None]:
        """The device's turn, for work with a model, always with the same number of threads.

        It decides the order of additions, so the last unit of some pixels. And where the cores have other work, threads
        that wait for each other make a small network several times slower.
        """
        small = self.library.card(model).resolution <= ONE_THREAD_UP_TO_PX
        with request.turn(), torch.no_grad():
            torch.set_num_threads(1 if small else self._threads)
            try:
                yield
            finally:
                torch.set_num_threads(self._threads)

    def _plan(self, recipe: Recipe, w: Tensor | None = None) -> Plan:
        """How to paint `recipe`, from its own w or from `w [L, w_dim]`."""
        G = self.library.generator(recipe.model)
        noise = [inputs.noise_id(recipe.noise, layer) for layer in range(G.config.num_layers)]
        return plan(G, self._styles(recipe, G) if w is None else w.to(G.w_mean), noise)

    def _styles(self, recipe: Recipe, G: Generator) -> Tensor:
        def rows(source: Source) -> Tensor:
            def make() -> Tensor:
                return inputs.source_w(source, recipe.label, G, rows, self.latents.get)

            return self._input((recipe.model, recipe.label, source), make)

        return inputs.styles(recipe, G, rows, self.library.directions(recipe.model))

    def _field(self, seed: int, layer: int, like: Tensor) -> Tensor:
        return self._input((seed, layer, like.shape, like.device), lambda: inputs.drawn(seed, layer, like))

    def _input(self, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        value = self._inputs.get(key)
        if value is None:
            value = make()
            self._inputs.put(key, value, value.untyped_storage().nbytes())
        return value


def _check_sheet(count: int, columns: object, size: int, pad_px: object) -> None:
    if not 1 <= count <= MAX_CELLS:
        raise InputError(f"A sheet has 1 to {MAX_CELLS} pictures, not {count}.")
    for value, what, low, high in ((columns, "columns", 1, MAX_CELLS), (pad_px, "pixels between pictures", 0, 256)):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"A sheet has {low} to {high} {what}, not {value!r}.")
    if count * size * size > MAX_SHEET_PIXELS:
        raise InputError(f"A sheet of {count} pictures at {size}² is too large: make them fewer or smaller.")
