"""Fixtures of the training tests."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tiny_runs import Stripes, tiny_run

from stylegan.training.config import TrainConfig


@pytest.fixture
def stripes() -> Callable[..., Stripes]:
    return Stripes


@pytest.fixture
def tiny() -> Callable[..., TrainConfig]:
    """`tiny(**overrides)`: `tiny_run`."""
    return tiny_run


@pytest.fixture
def weights() -> Callable[[Any], dict[str, torch.Tensor]]:
    """Everything that decides how a trainer goes on, as tensors by name, copied."""

    def collect(trainer: Any) -> dict[str, torch.Tensor]:
        found = {
            f"{name}.{key}": tensor
            for name, network in (("G", trainer.G), ("D", trainer.D), ("Gs", trainer.Gs))
            for key, tensor in network.state_dict().items()
        }
        for name, adam in (("g", trainer.g_adam), ("d", trainer.d_adam)):
            found |= {f"{name}.{i}": moment for i, moment in adam.second_moments().items()}
            found[f"{name}.steps"] = torch.tensor(adam.steps)
        found["nimg"], found["iterations"] = torch.tensor(trainer.nimg), torch.tensor(trainer.iterations)
        return copy.deepcopy(found)

    return collect
