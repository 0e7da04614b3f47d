"""Shared by the tests of the explorer: a served page with a client, and an engine whose caches earlier tests filled."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from app_server import Served, serve
from engine_kit import AGE, SMILE

from explorer.engine import Engine
from explorer.recipe import Recipe
from explorer.vectors import DirectionVector


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page with two tiny models."""
    with serve(tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture(scope="module")
def client(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A program that asks `served`. It leaves loops and sockets: its tests ignore warnings of them."""
    from gradio_client import Client  # takes a second to import

    client = Client(served.url, verbose=False, download_files=str(tmp_path_factory.mktemp("got")))
    yield client
    client.close()
    gc.collect()  # what it left, before the next module's tests


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Threads of a network this small only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the model of `shared` is."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Engine:
    """One engine for all examples, so that its caches hold what earlier ones left; with directions and a latent."""
    engine = tiny_models.engine(folder)
    rng = np.random.RandomState(0)
    vectors = []
    for direction, sigma in ((SMILE, 1.5), (AGE, 0.5)):
        v = rng.randn(16)
        vector = torch.tensor(v / np.linalg.norm(v), dtype=torch.float32)
        vectors.append(DirectionVector(direction.name, direction.digest, vector, sigma))
    engine.library.add_directions(engine.library.default, vectors)
    engine.latents.keep(torch.linspace(-1, 1, 16))
    return engine


@pytest.fixture
def plain(shared: Engine) -> Recipe:
    """A recipe of `shared`'s model."""
    return Recipe(shared.library.default, source=3)
