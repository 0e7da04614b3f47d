"""What people are told of a direction: where it comes from, and how well it tells what it was not fitted to."""

from typing import Any

from stylegan.directions import Direction, Fitness

METHODS = {
    "svm": "linear SVM", "ridge": "ridge regression", "labels": "taught by clicks", "pca": "principal component",
    "sefa": "singular vector of the style layers", "import": "imported",
}  # fmt: skip


def told(direction: Direction) -> str:
    """`linear SVM on 10000 samples; held out: accuracy 94 %, AUC 0.98, 2^H 1.32 (in Z: 81 %, 0.88, 1.62)`."""
    facts = direction.facts
    text = METHODS[direction.method]
    if facts.samples:
        text += f" on {facts.samples} samples"
    if facts.share is not None:
        text += f", {100 * facts.share:.3g} % of the variance"
    if facts.w is not None:
        text += f"; held out: accuracy {_fitness(facts.w, ('', 'AUC ', '2^H '))}"
        if facts.z is not None:
            text += f" (in Z: {_fitness(facts.z, ('', '', ''))})"
    return f"{text}; {facts.note}" if facts.note else text


def listed(direction: Direction) -> dict[str, Any]:
    """A direction as plain JSON, without its numbers: for lists."""
    return {
        "digest": direction.digest,
        "name": direction.name,
        "sigma": direction.sigma,
        "layers": None if direction.layers is None else list(direction.layers),
        "method": direction.method,
        "in_z": direction.z_vector is not None,
        "told": told(direction),
    }


def _fitness(found: Fitness, names: tuple[str, str, str]) -> str:
    numbers = (f"{100 * found.accuracy:.0f} %", f"{found.auc:.2f}", f"{found.separability:.2f}")
    return ", ".join(f"{name}{number}" for name, number in zip(names, numbers, strict=True))
