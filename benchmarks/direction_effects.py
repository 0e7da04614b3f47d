"""What regularisation does to directions: how far pictures move per σ along them, and how much else moves along.

    python benchmarks/direction_effects.py --model NAME.safetensors --scorer NAME.attributes.safetensors

For each C of the SVM (and the one that cross-validation chooses, and ridge regression) it prints the mean over
directions of: the change of their own score per σ, the mean change of the other scores as a share of that, the largest
of them, and the held-out accuracy. `stylegan/directions/hyperplane.py` rests on these numbers.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import stylegan
from stylegan.directions import FitOptions, finish, fit, load_scorer, measure, sample
from stylegan.directions.hyperplane import C_GRID

NAMES = "yaw,smile,mouth_open,eye_openness,age,softness,skin_tone,hair_length,hair_lightness,beard,glasses"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--scorer", type=Path, required=True)
    parser.add_argument("--count", type=int, default=4000, help="samples that directions are fitted to")
    parser.add_argument("--seeds", type=int, default=100, help="pictures that are moved")
    parser.add_argument("--names", default=NAMES)
    options = parser.parse_args()
    G, scorer = stylegan.load(options.model), load_scorer(options.scorer)
    samples = finish(sample(G, scorer, options.count, batch=64))
    names = options.names.split(",")
    columns = [[column.name for column in scorer.columns].index(name) for name in names]
    methods = [("svm, C chosen", FitOptions(in_z=False)), ("ridge", FitOptions(method="ridge", in_z=False))]
    methods += [(f"svm, C = {c:g}", FitOptions(in_z=False, c=c)) for c in C_GRID]
    print(f"{'':16} own/σ  others/own  worst/own  accuracy")
    for title, how in methods:
        plain = FitOptions(in_z=False)  # a probability has no ridge regression
        each = [how if samples.column(name)[0].kind == "continuous" or how.method == "svm" else plain for name in names]
        found = [fit(samples, name, options) for name, options in zip(names, each, strict=True)]
        table = finish(measure(G, scorer, found, seeds=options.seeds, batch=50)).mean[:, columns]
        own, off = np.diag(table), np.abs(table - np.diag(np.diag(table)))
        accuracy = np.mean([direction.facts.w.accuracy for direction in found if direction.facts.w])
        others = np.mean(off.sum(axis=1) / (len(names) - 1) / own)
        print(f"{title:16} {own.mean():5.2f} {others:10.2f} {np.mean(off.max(axis=1) / own):10.2f} {accuracy:10.3f}")


if __name__ == "__main__":
    main()
