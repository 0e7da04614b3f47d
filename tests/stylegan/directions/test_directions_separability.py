"""2^H of known tables, and the tables that the official metric made (golden files)."""

import numpy as np
import pytest

from stylegan.directions.direction import Fitness
from stylegan.directions.quality import accuracy, auc, r2
from stylegan.directions.separability import conditional_entropy, contingency, separability


def test_the_official_entropies(golden):
    misc = golden("sg1_misc")
    for table, bits in zip(np.asarray(misc["condent/tables"]), np.asarray(misc["condent/out"]), strict=True):
        assert conditional_entropy(table) == pytest.approx(bits, abs=2e-6)


def test_the_official_separability_from_latents_to_score(golden):
    """FACTS: the surer half by p = softmax([ℓ, −ℓ]), a default LinearSVC, H of what it predicts on the same samples."""
    from sklearn.svm import LinearSVC

    metrics = golden("sg1_metrics")
    latents = {"z": np.asarray(metrics["ls/latents"]), "w": np.asarray(metrics["ls/dlatents_last"])}
    logits, tables, entropies = (np.asarray(metrics[f"ls/{k}"]) for k in ("logits", "tables", "cond_entropy"))
    for attribute in range(logits.shape[1]):
        confidence = np.abs(logits[:, attribute])
        kept = np.argsort(-confidence, kind="stable")[: len(confidence) // 2]
        target = (logits[kept, attribute] < 0).astype(int)  # class 0 is a positive logit
        for i, space in enumerate("zw"):
            x, row = latents[space][kept], 2 * attribute + i
            assert conditional_entropy(tables[row]) == pytest.approx(entropies[row], abs=2e-6)
            if len(set(target)) == 2:
                predicted = LinearSVC().fit(x, target).predict(x)
                assert contingency(predicted, target) == pytest.approx(tables[row], abs=0.011)


@pytest.mark.parametrize(
    ("table", "bits"),
    [
        ([[1, 0], [0, 1]], 0),
        ([[0.25, 0.25], [0.25, 0.25]], 1),
        ([[30, 10], [0, 0]], 0.8112781244591328),  # H(1/4)
        ([[3, 1], [0, 4]], 0.4056390622295664),  # half of it
        ([[0.9, 0.1], [0, 0]], 0.4689955935892812),  # H(0.1)
        ([[5, 0], [0, 0]], 0),
        ([[0, 0], [0, 0]], 0),
    ],
)
def test_closed_forms(table, bits):
    assert conditional_entropy(np.array(table)) == pytest.approx(bits, abs=1e-12)
    assert separability(np.array(table)) == pytest.approx(2**bits)
    assert Fitness(0.5, 0.5, bits).separability == pytest.approx(2**bits)


def test_rows_are_predictions_and_columns_are_what_is_so():
    predicted, target = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])
    assert contingency(predicted, target).tolist() == [[0.25, 0.5], [0, 0.25]]


def test_quality_against_scikit_learn():
    from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

    rng = np.random.RandomState(0)
    known, score = rng.rand(300) > 0.7, rng.randint(0, 12, 300) / 4.0  # with ties
    assert auc(score, known) == pytest.approx(roc_auc_score(known, score))
    assert accuracy(score > 1, known) == pytest.approx(accuracy_score(known, score > 1))
    noisy = score + rng.randn(300)
    assert r2(score, noisy) == pytest.approx(r2_score(noisy, score))
    assert auc(score, np.zeros(300, bool)) == 0.5
    assert r2(score, np.ones(300)) == 0
