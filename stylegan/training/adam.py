"""The optimiser of both networks: Adam with β₁ = 0 in TensorFlow's form (Karras et al. 2018, appendix A.1)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

EPS = 1e-8
FUSED_DEVICES = ("cpu", "cuda")


@dataclass
class LossScale:
    """What a float16 loss is multiplied by, so that small gradients do not vanish; 1 for the other precisions.

    It is halved when gradients overflow, and doubled after `PATIENCE` steps without. As every process sees the same
    averaged gradients, it is the same in all of them.
    """

    value: float = 1.0
    adapts: bool = False
    good_steps: int = 0

    PATIENCE = 1000
    FIRST = 2.0**15
    LARGEST = 2.0**24

    @classmethod
    def of(cls, precision: str) -> "LossScale":
        """The scale that training in `precision` begins with."""
        return cls(cls.FIRST, adapts=True) if precision == "fp16" else cls()

    def update(self, finite: bool) -> None:
        """Take note of a step whose gradients were finite or not."""
        if not self.adapts:
            return
        self.good_steps = self.good_steps + 1 if finite else 0
        if not finite:
            self.value = max(self.value / 2, 1.0)
        elif self.good_steps % self.PATIENCE == 0:
            self.value = min(self.value * 2, self.LARGEST)


class Adam:
    """Adam with β₁ = 0; ε is added to the root of the uncorrected second moment, as TensorFlow does."""

    def __init__(
        self,
        parameters: list[torch.nn.Parameter],
        beta2: float,
        precision: str = "fp32",
        factors: Sequence[float] | None = None,
    ) -> None:
        """`factors`: of the learning rate, one for each parameter; None = 1 for all."""
        self.parameters, self.beta2 = parameters, beta2
        self._tried = 0  # steps since the last reset
        self._left_out: float | Tensor = 0.0  # of them, for gradients that were not finite
        self.scale = LossScale.of(precision)
        device = parameters[0].device.type
        fused = device in FUSED_DEVICES
        # A GPU decides for itself whether to step, and is not waited for; a scale has to know.
        self.waits = device != "cuda" or self.scale.adapts
        groups: dict[float, list[torch.nn.Parameter]] = {}
        for parameter, factor in zip(parameters, factors or [1.0] * len(parameters), strict=True):
            groups.setdefault(factor, []).append(parameter)
        self._factors = list(groups)
        kinds = [{"params": members} for members in groups.values()]
        self.optimizer = torch.optim.Adam(kinds, betas=(0.0, beta2), eps=EPS, fused=fused)

    @property
    def steps(self) -> int:
        """Steps taken since the last reset; waits for the device."""
        return self._tried - int(self._left_out)

    def reset(self) -> None:
        """Forget the moments."""
        self.optimizer.state.clear()
        self._tried, self._left_out = 0, 0.0

    def set_rate(self, learning_rate: float) -> None:
        """Learning rate of the next steps, before the factors."""
        for group, factor in zip(self.optimizer.param_groups, self._factors, strict=True):
            group["lr"] = learning_rate * factor

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of `loss`, scaled."""
        torch.autograd.backward(loss * self.scale.value if self.scale.adapts else loss)

    @torch.no_grad()
    def step(self) -> bool | Tensor:
        """Step, and drop the gradients; False where one was not finite: no step then. A tensor `[]` of 1 or 0 where
        the device decides.
        """
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        if self.scale.adapts:
            torch._foreach_mul_(gradients, 1 / self.scale.value)
        finite = all_finite(gradients)
        taken: bool | Tensor = bool(finite) if self.waits else finite.float()
        if isinstance(taken, bool):
            self.scale.update(taken)
        else:
            self.optimizer.found_inf = 1 - taken  # type: ignore[attr-defined]  # the fused step's: 1 leaves it out
            self._left_out = self._left_out + self.optimizer.found_inf  # type: ignore[attr-defined]
        if taken is not False:
            self._tried += 1
            # PyTorch adds ε to the corrected root: dividing ε by the correction gives TensorFlow's form.
            for group in self.optimizer.param_groups:
                group["eps"] = EPS / math.sqrt(1 - self.beta2**self._tried)
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return taken

    def second_moments(self) -> dict[int, Tensor]:
        """By index of the parameter; those that never had a gradient since the last reset have none.

        All that the next step needs besides `steps`: with β₁ = 0 the first moment is the last gradient, overwritten.
        """
        state = self.optimizer.state
        return {i: state[p]["exp_avg_sq"] for i, p in enumerate(self.parameters) if p in state}

    def restore(self, steps: int, second_moments: dict[int, Tensor]) -> None:
        """Bring back what `second_moments` returned after `steps` steps."""
        self.reset()
        self._tried = steps
        for i, second in second_moments.items():
            parameter = self.parameters[i]
            self.optimizer.state[parameter] = {
                "step": torch.tensor(float(steps), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.empty_like(parameter).copy_(second.view(parameter.shape)),
            }


def all_finite(tensors: list[Tensor]) -> Tensor:
    """Whether no tensor holds NaN, infinity, or values whose squares overflow: bool `[]`."""
    return torch.isfinite(torch.stack(torch._foreach_norm(tensors))).all() if tensors else torch.tensor(True)
