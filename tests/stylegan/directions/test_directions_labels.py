"""A handful of labels: the direction they give, how uncertain it is said to be, what is asked next."""

import numpy as np
import pytest
import torch
from direction_toys import angle_deg

from stylegan.directions import ends, fit_from_labels, least_sure
from stylegan.directions.labels import wilson
from stylegan.errors import InputError

WIDTH = 24


def world(n, noise=0.0, seed=0):
    """Population, the first n of it as labelled, labels by a known normal with some of them wrong, the normal."""
    rng = np.random.RandomState(seed)
    known = rng.randn(WIDTH)
    known /= np.linalg.norm(known)
    w = rng.randn(2000, WIDTH) + 3
    values = (w - 3) @ known
    labels = values[:n] + noise * rng.randn(n) > 0
    return torch.from_numpy(w).float(), torch.from_numpy(w[:n]).float(), labels, known


def balanced(each, **more):
    population, w, labels, known = world(400, **more)
    rows = np.concatenate([np.flatnonzero(labels)[:each], np.flatnonzero(~labels)[:each]])
    return population, w[rows], labels[rows], known


def test_the_more_labels_the_nearer_and_the_surer():
    angles, said = [], []
    for each in (8, 30, 150):
        population, w, labels, known = balanced(each)
        taught = fit_from_labels(w, labels, population)
        angles.append(angle_deg(taught.direction.vector, known))
        said.append(taught.uncertainty.angle_deg)
    assert angles[0] > angles[1] > angles[2]
    assert said[0] > said[1] > said[2]
    assert angles[-1] < 20
    assert said == pytest.approx(angles, abs=12)  # what is said is about so


def test_the_angle_that_is_said_is_right_on_average():
    true, said = [], []
    for seed in range(12):
        population, w, labels, known = balanced(20, seed=seed, noise=0.3)
        taught = fit_from_labels(w, labels, population, seed=seed)
        true.append(angle_deg(taught.direction.vector, known))
        said.append(taught.uncertainty.angle_deg)
    assert np.mean(said) == pytest.approx(np.mean(true), abs=6)


def test_labels_at_random_are_said_to_tell_nothing():
    population, w, _, _ = balanced(15)
    labels = np.random.RandomState(1).permutation(30) < 15
    taught = fit_from_labels(w, labels, population)
    uncertainty = taught.uncertainty
    assert uncertainty.low < 0.5 < uncertainty.high
    assert uncertainty.angle_deg > 60
    assert "not yet better than chance" in str(uncertainty)
    assert str(uncertainty) == taught.direction.facts.note


def test_a_direction_of_labels_is_one_like_any_other():
    population, w, labels, known = balanced(40)
    taught = fit_from_labels(w, labels, population, "mine")
    direction = taught.direction
    assert (direction.name, direction.method) == ("mine", "labels")
    assert (direction.facts.samples, direction.facts.positives, direction.facts.negatives) == (80, 40, 40)
    assert direction.sigma == pytest.approx(1, abs=0.1)
    right = (direction.place(population) > 0).numpy() == ((population.numpy() - 3) @ known > 0)
    assert right.mean() > 0.8
    assert taught.uncertainty.low < taught.uncertainty.accuracy < taught.uncertainty.high
    assert direction.digest == fit_from_labels(w, labels, population, "mine").direction.digest


def test_the_next_question_is_about_the_least_sure():
    population, w, labels, _ = balanced(20)
    direction = fit_from_labels(w, labels, population).direction
    rows = least_sure(population, direction, 10)
    place = direction.place(population).abs()
    assert len(set(rows)) == 10
    assert place[rows].max() <= place[[i for i in range(2000) if i not in rows]].min()
    least, most = ends(population, direction, 5)
    place = direction.place(population)
    assert place[most[0]] == place.max()
    assert place[least[0]] == place.min()
    assert place[most].min() > place[least].max()


def test_asking_the_least_sure_teaches_faster_than_asking_anybody():
    gained = []
    for seed in range(6):
        population, w, labels, known = balanced(8, seed=seed)
        truth = ((population.numpy() - 3) @ known) > 0
        found = {}
        for how in ("least sure", "anybody"):
            x, y = w, labels
            rng = np.random.RandomState(seed)
            for _ in range(4):
                direction = fit_from_labels(x, y, population).direction
                rows = least_sure(population, direction, 12) if how == "least sure" else rng.randint(0, 2000, 12)
                x, y = torch.cat([x, population[rows]]), np.concatenate([y, truth[rows]])
            found[how] = angle_deg(fit_from_labels(x, y, population).direction.vector, known)
        gained.append(found["anybody"] - found["least sure"])
    assert np.mean(gained) > 0


@pytest.mark.parametrize(("positives", "negatives"), [(0, 30), (30, 0), (7, 20), (20, 7), (0, 0)])
def test_too_few_on_a_side_are_refused(positives, negatives):
    population, *_ = world(10)
    labels = [True] * positives + [False] * negatives
    with pytest.raises(InputError, match=f"so far there are {positives} and {negatives}"):
        fit_from_labels(population[: len(labels)], labels, population)


def test_what_does_not_fit_is_refused():
    population, w, labels, _ = balanced(10)
    with pytest.raises(InputError, match="one each"):
        fit_from_labels(w, labels[:-1], population)
    with pytest.raises(InputError, match="one each"):
        fit_from_labels(w[:, :-1], labels, population)
    with pytest.raises(InputError, match="finite"):
        fit_from_labels(w * float("nan"), labels, population)
    with pytest.raises(InputError, match="at least 100"):
        fit_from_labels(w, labels, population[:50])
    direction = fit_from_labels(w, labels, population).direction
    for k in (0, 2001):
        with pytest.raises(InputError, match="can be chosen"):
            least_sure(population, direction, k)


@pytest.mark.parametrize(
    ("share", "n", "low", "high"), [(0.5, 10, 0.2366, 0.7634), (1.0, 16, 0.8064, 1.0), (0.0, 16, 0.0, 0.1936)]
)
def test_wilsons_interval(share, n, low, high):
    assert wilson(share, n) == pytest.approx((low, high), abs=2e-4)
