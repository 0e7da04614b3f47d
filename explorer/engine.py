"""Recipe → pixels. The only place of the app that runs a network; it never alters one."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer import inputs, scaling
from explorer import recipe as recipes_
from explorer.latent_store import LatentStore
from explorer.library import Library
from explorer.parts import Blend, Source, Stored
from explorer.recipe import Recipe
from explorer.turns import Overtaken, Turns
from explorer.values import RecipeError
from stylegan import ops
from stylegan.errors import InputError
from stylegan.images import Picture, grid, to_uint8
from stylegan.networks import Generator

__all__ = ["Engine", "Overtaken"]

MAX_CELLS = 400
MAX_SHEET_PIXELS = 64 << 20
MAX_ROWS = 4096  # latents of sources kept: 2 KiB each


class Engine:
    """Pictures of recipes, for all visitors. Thread-safe."""

    def __init__(self, library: Library, cache_mib: int = 256, latents_folder: Path | None = None) -> None:
        """`cache_mib` bounds what is kept of earlier pictures; stored latents go to `latents_folder`, None: memory."""
        self.library = library
        self.latents = LatentStore(latents_folder)
        self._turns = Turns()
        self._rows: OrderedDict[tuple[str, int | None, Source], Tensor] = OrderedDict()
        self._rows_lock = threading.Lock()

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
        size = None if size is None else scaling.check_size(size)
        with self._turns.request(visitor) as request, request.turn():
            picture = self._picture(recipe, request.check)
        return picture if size is None else scaling.resized(picture, size, smooth)

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
        for recipe in recipes:
            if recipe is not None:
                self.check(recipe)
        cells = np.full((len(recipes), size, size, 3), background, np.uint8)
        with self._turns.request(visitor) as request:
            for i, recipe in enumerate(recipes):
                if recipe is not None:
                    with request.turn():
                        picture = self._picture(recipe, request.check)
                    cells[i] = scaling.resized(picture, size, smooth)
        return grid(torch.from_numpy(cells), columns, pad_px, background)

    def w(self, recipe: Recipe) -> Tensor:
        """The latent w `[L, w_dim]` that the picture of `recipe` is made from; errors as `check`."""
        self.check(recipe)
        with torch.no_grad():
            return self._styles(recipe, self.library.generator(recipe.model))

    def check(self, recipe: Recipe) -> None:
        """RecipeError or InputError, one sentence, unless a picture can be made of `recipe`."""
        card = self.library.card(recipe.model)
        noise_layers = card.num_layers if card.has_noise else 0
        recipes_.check(recipe, num_ws=card.num_ws, label_dim=card.label_dim, num_noise=noise_layers)
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

    def _styles(self, recipe: Recipe, G: Generator) -> Tensor:
        def rows(source: Source) -> Tensor:
            key = (recipe.model, recipe.label, source)
            with self._rows_lock:
                if key in self._rows:
                    self._rows.move_to_end(key)
                    return self._rows[key]
            row = inputs.source_w(source, recipe.label, G, rows, self.latents.get)
            with self._rows_lock:
                self._rows[key] = row
                if len(self._rows) > MAX_ROWS:
                    self._rows.popitem(last=False)
            return row

        return inputs.styles(recipe, G, rows, self.library.directions(recipe.model))

    @torch.no_grad()
    def _picture(self, recipe: Recipe, check: Callable[[], None]) -> Picture:
        """uint8 `[R, R, 3]`; `check` is called between layers."""
        G = self.library.generator(recipe.model)
        w = self._styles(recipe, G)[None]
        stored = G.noise_images("stored", 1)
        noise = [inputs.noise_picture(inputs.noise_id(recipe.noise, i), i, stored[i]) for i in range(len(stored))]
        whole = int(G.lod)
        fade = G.lod - whole
        finest = G.config.num_layers // 2 - 1 - whole
        outputs: dict[int, Tensor] = {}
        for i, x in enumerate(G.synth.activations(w, noise, last=2 * finest + 1)):
            check()
            if i >= 2 * finest - 1:
                outputs[i] = x
        image = G.synth.to_rgb[finest](outputs[2 * finest + 1])
        if fade:
            image = torch.lerp(image, ops.upsample(G.synth.to_rgb[finest - 1](outputs[2 * finest - 1])), fade)
        picture = to_uint8(ops.upsample(image, 2**whole))[0].cpu().numpy()
        return picture if picture.shape[-1] == 3 else picture.repeat(3, axis=-1)


def _check_sheet(count: int, columns: object, size: int, pad_px: object) -> None:
    if not 1 <= count <= MAX_CELLS:
        raise InputError(f"A sheet has 1 to {MAX_CELLS} pictures, not {count}.")
    for value, what, low, high in ((columns, "columns", 1, MAX_CELLS), (pad_px, "pixels between pictures", 0, 256)):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"A sheet has {low} to {high} {what}, not {value!r}.")
    if count * size * size > MAX_SHEET_PIXELS:
        raise InputError(f"A sheet of {count} pictures at {size}² is too large: make them fewer or smaller.")
