"""A quick look into a folder or zip before training on it: counts, sizes, broken files, classes, the first pictures.

It takes seconds whatever the size, because at most `EXAMINED` files, spread evenly, are decoded; nothing is cached.
"""

import os
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from stylegan.data.decode import quiet_map
from stylegan.data.labels import read_labels
from stylegan.data.prepare import Processed, allowed_broken, check_broken, process, workers
from stylegan.data.records import Broken, listed, shown
from stylegan.data.sources import open_source
from stylegan.errors import DataError
from stylegan.images import Picture

EXAMINED = 400


@dataclass(frozen=True)
class Preview:
    """What a look at `examined` of `found` files showed. Sizes are (width, height) in pixels.

    `broken`, `smallest` and `largest` (by the shorter side) are about the files examined; `class_counts` goes with
    `class_names` and counts all files; `pictures` is uint8 `[k, R, R, 3]`, as training would see them.
    """

    found: int
    examined: int
    broken: tuple[Broken, ...]
    smallest: tuple[int, int]
    largest: tuple[int, int]
    class_names: tuple[str, ...]
    class_counts: tuple[int, ...]
    attribute_names: tuple[str, ...]
    warnings: tuple[str, ...]
    pictures: Picture


def preview(path: str | os.PathLike[str], limit: int = 64, resolution: int = 64) -> Preview:
    """Look into the folder or zip at `path` and show the first `limit` of its pictures at `resolution`.

    Raises:
        DataError: as `prepare` would, as far as the files examined tell.
    """
    with closing(open_source(path)) as source, workers() as pool:
        step = -(-len(source.names) // EXAMINED)
        names = source.names[:: max(1, step)]
        results = quiet_map(pool, lambda name: process(source, name, resolution), names)
        broken = (*source.refused, *(item for item in results if isinstance(item, Broken)))
        good = [item for item in results if isinstance(item, Processed)]
        found = len(source.names) + len(source.refused)
        check_broken(source.name, broken, found, allowed_broken(found))
        if not good:
            raise DataError(f"{shown(source.name)} holds no image that can be read: {listed(broken)}.")
        skipped = {item.name for item in broken}
        kept = [name for name in source.names if name not in skipped]
        labels = read_labels(kept, source.names, source.table())
    return Preview(
        found=found,
        examined=len(names),
        broken=broken,
        smallest=min((item.size for item in good), key=min),
        largest=max((item.size for item in good), key=min),
        class_names=labels.class_names,
        class_counts=tuple(int(total) for total in labels.classes.sum(axis=0)),
        attribute_names=labels.attribute_names,
        warnings=labels.warnings,
        pictures=np.stack([item.picture for item in good[:limit]]),
    )
