"""Pictures and run folders for tests of the Train tab."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

TINY = {"fmap_base": 64, "fmap_max": 8, "z_dim": 8, "w_dim": 8, "mapping_layers": 1, "minibatch": 4}
PLAN = {"data": "photos", "preset": "small", "resolution": 16}
FORM = {"data": "folder", "resolution": 16, "preset": "small", "kimg": 1000, "settings": TINY}


def photos(folder: Path, count: int = 12) -> Path:
    """A folder with small pictures, all different."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return folder


def written(path: Path, events: list[dict[str, Any]], config: Any = None) -> Path:
    """A run folder as a trainer leaves it: these events, and the config of a tiny run unless another text is given."""
    from stylegan.training import RunFacts, RunFolder, preset

    folder = RunFolder(path)
    folder.create(RunFacts(preset("small", 16), {"name": "photos", "digest": "d"}, PLAN))
    if config is not None:
        (path / "config.json").write_text(config)
    folder.events.write_text("".join(json.dumps({"sec": 1.0, **event}) + "\n" for event in events))
    return path
