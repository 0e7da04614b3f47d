"""Portraits drawn by other processes: the same ones, in order; ended when nobody wants them any more."""

import os
import signal

import numpy as np
import pytest
import torch

from stylegan.data import rendered, renderers
from stylegan.errors import DataError


@pytest.fixture
def started(monkeypatch):
    """The processes that were started."""
    found = []
    start = renderers._start
    monkeypatch.setattr(renderers, "_start", lambda: found.append(start()) or found[-1])
    return found


def test_processes_draw_what_this_one_draws_and_are_ended(started, monkeypatch):
    monkeypatch.setattr(rendered, "_CPU_PIXELS", 2 * 16 * 16)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    alone = list(rendered.render_all(3, range(5, 16), 16, "cpu"))
    assert not started  # so few are not worth it
    monkeypatch.setattr(rendered, "_ALONE_PIXELS", 0)
    parts = rendered.render_all(3, range(5, 16), 16, "cpu")
    first = next(parts)
    assert len(started) == 2
    together = [first, *parts]
    assert [len(part) for part in together] == [2, 2, 2, 2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(together), np.concatenate(alone))
    assert all(process.returncode is not None for process in started)


def test_a_process_that_dies_is_told_and_the_rest_are_ended(started):
    parts = renderers.rendered(0, [range(i, i + 1) for i in range(50)], 16, 1)
    next(parts)
    os.kill(started[0].pid, signal.SIGKILL)
    with pytest.raises(DataError, match="ended early"):
        list(parts)
    assert started[0].returncode is not None
