"""Losses and gradients as CUDA graphs: what thousands of small kernels compute is recorded once, then replayed by a
single launch, several times faster where a network is too small to keep a GPU busy.

A recording works on tensors of its own, into which each step's pictures and draws are copied. It holds for one size of
minibatch and one lod, so a fade, in which the lod changes every few steps, is recorded anew at each of them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from stylegan.config import GeneratorConfig
from stylegan.errors import InputError
from stylegan.training.config import TrainConfig
from stylegan.training.draws import Draws
from stylegan.training.world import World

Gradients = Callable[[Sequence[Tensor], Draws], list[Tensor]]  # inputs, draws → reports; leaves gradients in `.grad`
Work = Callable[[], list[Tensor]]
Capture = Callable[[Work, nn.Module], tuple[list[Tensor], Callable[[], Any]]]  # → reports, and what computes them anew

WARM_UPS = 2  # in which libraries choose their algorithms and fetch their memory


def check(config: TrainConfig, world: World) -> None:
    """InputError where training cannot be recorded."""
    if world.device.type != "cuda" or world.size > 1:
        raise InputError("--graphs is for one process on a CUDA GPU.")
    if config.precision == "fp16" or config.microbatch is not None:
        raise InputError("--graphs goes with --precision fp32 or bf16, and without --microbatch.")


def cuda_graph(work: Work, network: nn.Module) -> tuple[list[Tensor], Callable[[], Any]]:
    """Record `work`, which leaves gradients in `network`."""
    with _timed_algorithms():
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                network.zero_grad(set_to_none=True)
                work()
        torch.cuda.current_stream().wait_stream(side)
        network.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            reports = work()
    return reports, graph.replay


@contextmanager
def _timed_algorithms() -> Iterator[None]:
    """While inside, cuDNN times its algorithms for each new shape: a recording keeps what it chose."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


class Graphs:
    """Recordings of both players' gradients, at the lod that is being trained."""

    def __init__(self, config: GeneratorConfig, capture: Capture = cuda_graph) -> None:
        self._config, self._capture = config, capture
        self._lod: float | None = None
        self._recordings: dict[object, _Recording] = {}

    def run(
        self, key: object, lod: float, network: nn.Module, gradients: Gradients, inputs: Sequence[Tensor], draws: Draws
    ) -> list[Tensor]:
        """What `gradients(inputs, draws)` does, by replaying it; recorded first where `key` is new at this lod.

        `network` is the one whose gradients are left. `gradients` must not depend on anything else that changes but on
        the weights, which stay where they are.
        """
        if lod != self._lod:
            self._recordings.clear()  # they hold the memory of all that they compute
            self._lod = lod
        key = (key, *(tuple(tensor.shape) for tensor in inputs))
        if key not in self._recordings:
            self._recordings[key] = _Recording(self._config, self._capture, network, gradients, inputs, draws)
        return self._recordings[key].replay(inputs, draws)


class _Recording:
    def __init__(
        self,
        config: GeneratorConfig,
        capture: Capture,
        network: nn.Module,
        gradients: Gradients,
        inputs: Sequence[Tensor],
        draws: Draws,
    ) -> None:
        self._inputs = [tensor.detach().clone() for tensor in inputs]
        # A batch without mixing takes the second latent in none of its layers.
        mixes = config.use_styles and config.style_mixing_prob > 0
        self._cutoff = torch.zeros((), dtype=torch.int64, device=draws.z.device)
        noise = [None if image is None else image.clone() for image in draws.noise]
        self._draws = Draws(draws.z.clone(), draws.z.clone() if mixes else None, self._cutoff, noise)
        self._fill(inputs, draws)
        self._reports, self._again = capture(lambda: gradients(self._inputs, self._draws), network)
        self._parameters = [p for p in network.parameters() if p.grad is not None]
        self._grads = [p.grad for p in self._parameters]

    def replay(self, inputs: Sequence[Tensor], draws: Draws) -> list[Tensor]:
        self._fill(inputs, draws)
        self._again()
        for parameter, grad in zip(self._parameters, self._grads, strict=True):
            parameter.grad = grad
        return [report.clone() for report in self._reports]  # the next replay writes over them

    @torch.no_grad()
    def _fill(self, inputs: Sequence[Tensor], draws: Draws) -> None:
        own = self._draws
        pairs = zip([*self._inputs, own.z, own.z2, *own.noise], [*inputs, draws.z, draws.z2, *draws.noise], strict=True)
        copies = [(to, source) for to, source in pairs if to is not None and source is not None]
        torch._foreach_copy_([to for to, _ in copies], [source for _, source in copies])
        self._cutoff.fill_(draws.cutoff)
