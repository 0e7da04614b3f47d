"""Directions in W: scorers, linear SVMs, unsupervised ones, steering, entanglement and undoing it.

    scorer = load_scorer("assets/portraits.attributes.safetensors")
    samples = finish(sample(G, scorer, 10_000))
    glasses = fit(samples, "glasses")
    w = steer(G.mapping(z), glasses, +3.0, locks=[fit(samples, "age")])

What takes long is a generator of `Step`s, the last of which carries the result: `finish` runs it to its end.
"""

from stylegan.directions.attribute_net import AttributeScorer, load_scorer, save_scorer
from stylegan.directions.decoupling import decouple
from stylegan.directions.direction import Direction, Facts, Fitness
from stylegan.directions.entanglement import Entanglement, cosines, measure
from stylegan.directions.files import (
    DirectionSet,
    check_fits,
    load_directions,
    read_boundary,
    save_directions,
    write_boundary,
)
from stylegan.directions.fitting import FitOptions, Fitted, fit, fit_all
from stylegan.directions.labels import Taught, Uncertainty, ends, fit_from_labels, least_sure
from stylegan.directions.measures import PictureMeasures
from stylegan.directions.populations import Outlying, Population, population
from stylegan.directions.records import Step, finish
from stylegan.directions.sampling import Samples, latents, sample, with_table
from stylegan.directions.scores import Scorer, ScoreTable, parse_scores, read_scores
from stylegan.directions.steer import Conditioned, condition, steer, step
from stylegan.directions.train_scorer import ScorerTraining, train_scorer
from stylegan.directions.unsupervised import principal_components, style_vectors

__all__ = [
    "AttributeScorer",
    "Conditioned",
    "Direction",
    "DirectionSet",
    "Entanglement",
    "Facts",
    "FitOptions",
    "Fitness",
    "Fitted",
    "Outlying",
    "PictureMeasures",
    "Population",
    "Samples",
    "ScoreTable",
    "Scorer",
    "ScorerTraining",
    "Step",
    "Taught",
    "Uncertainty",
    "check_fits",
    "condition",
    "cosines",
    "decouple",
    "ends",
    "finish",
    "fit",
    "fit_all",
    "fit_from_labels",
    "latents",
    "least_sure",
    "load_directions",
    "load_scorer",
    "measure",
    "parse_scores",
    "population",
    "principal_components",
    "read_boundary",
    "read_scores",
    "sample",
    "save_directions",
    "save_scorer",
    "steer",
    "step",
    "style_vectors",
    "train_scorer",
    "with_table",
    "write_boundary",
]
