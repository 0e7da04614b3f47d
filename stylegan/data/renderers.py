"""Portraits drawn by several processes at once, one core each: threads would wait for each other's Python.

Run as a program this is one of the processes: it reads requests from stdin, and writes the pictures' bytes to stdout
until stdin ends, as it does when whoever asks is killed.
"""

import os
import queue
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np

from stylegan.errors import DataError
from stylegan.images import Picture

_REQUEST = struct.Struct("<4Q")  # seed, first and behind-last index, resolution


def rendered(seed: int, stretches: Iterable[range], resolution: int, processes: int) -> Iterator[Picture]:
    """Portraits of each stretch of indices in turn, uint8 `[n, R, R, 3]`, drawn ahead by so many processes.

    Raises:
        DataError: a process ended, for want of memory, say.
    """
    idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()

    def draw(indices: range) -> Picture:
        process = idle.get()
        try:
            return _ask(process, seed, indices, resolution)
        finally:
            idle.put(process)

    started: list[subprocess.Popen[bytes]] = []
    pool = ThreadPoolExecutor(processes)  # a thread waits for each process
    try:
        for _ in range(processes):
            started.append(_start())
            idle.put(started[-1])
        ahead: deque[Future[Picture]] = deque()
        for indices in stretches:
            ahead.append(pool.submit(draw, indices))
            if len(ahead) > 2 * processes:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        for process in started:
            process.kill()
        pool.shutdown(cancel_futures=True)
        for process in started:
            process.communicate()


def _start() -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parents[2])  # found by the other process as by this one
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        start_new_session=True,  # Ctrl-C is for whoever asks
    )


def _ask(process: subprocess.Popen[bytes], seed: int, indices: range, resolution: int) -> Picture:
    assert process.stdin is not None
    assert process.stdout is not None
    shape = (len(indices), resolution, resolution, 3)
    size = len(indices) * resolution * resolution * 3
    try:
        process.stdin.write(_REQUEST.pack(seed, indices.start, indices.stop, resolution))
        process.stdin.flush()
        data = process.stdout.read(size)
    except OSError:
        data = b""
    if len(data) < size:
        raise DataError("A process that draws portraits ended early: start again, with --threads 1 if memory is short.")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def _serve(requests: BinaryIO, pictures: BinaryIO) -> None:
    import torch

    from stylegan.data.portraits import portraits

    torch.set_num_threads(1)
    while len(request := requests.read(_REQUEST.size)) == _REQUEST.size:
        seed, start, stop, resolution = _REQUEST.unpack(request)
        x, _ = portraits(seed, torch.arange(start, stop), resolution)
        pictures.write(x.numpy().tobytes())
        pictures.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
