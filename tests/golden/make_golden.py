"""Write the golden files of this folder from the reference fixtures: `python tests/golden/make_golden.py FIXTURES`.

The fixtures are numbers that NVIDIA's official implementations printed when they were run with weights that a recipe
drew (`tests/recipe.py`); see README.md here. Only what the tests read is kept, to stay small, and no weights.
"""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
BIG_KEPT = ("img_psi1", "img_lod1.25")


def _write(source: Path, keep: Callable[[str], bool], trim: Callable[[str, np.ndarray], np.ndarray]) -> None:
    with np.load(source) as data:
        arrays = {key: trim(key, data[key]) for key in data.files if keep(key)}
    np.savez_compressed(HERE / source.name, **arrays)
    print(f"{source.name}: {len(arrays)} arrays, {(HERE / source.name).stat().st_size / 1e3:.0f} kB")


def _is_output(key: str) -> bool:
    return not key.startswith(("Gs/", "D/")) and key != "img_lod0"  # img_lod0 is img_psi1


def _trains(key: str) -> bool:
    return not key.startswith("D_logistic/grad/")  # D_logistic_simplegp has these and more


def main(fixtures: Path) -> None:
    for name in ("sg1_tiny32", "sg1_tiny32_cond"):
        keeps_activations = name == "sg1_tiny32"
        _write(
            fixtures / f"{name}.npz",
            lambda key, acts=keeps_activations: _is_output(key) and (acts or not key.startswith("act")),
            lambda key, a: a,
        )
        shutil.copy(fixtures / f"{name}.pkl", HERE)
    _write(
        fixtures / "sg1_b_res128_outputs.npz",
        lambda key: key in BIG_KEPT or key.startswith(("act", "w", "d_scores", "meta")),
        lambda key, a: a[:1] if key.startswith("img") or key.endswith("_ch4") else a,
    )
    for name in ("nomix_lod0", "mix3_lod0.5", "cond_lod1.25", "steps"):
        _write(fixtures / f"sg1_train_{name}.npz", _trains, lambda key, a: a)
    for name in ("misc", "metrics"):
        _write(fixtures / f"sg1_{name}.npz", lambda key: True, lambda key, a: a)
    rows = json.loads((fixtures / "sg1_schedule.json").read_text())
    (HERE / "sg1_schedule.json").write_text(json.dumps(rows, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
