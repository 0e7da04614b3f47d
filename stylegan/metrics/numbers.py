"""A measured number with the interval it lies in, as far as that is known."""

from dataclasses import dataclass

Z95 = 1.96


@dataclass(frozen=True)
class Number:
    """`value`, and its 95 % interval `low` … `high` from resampling, None where there is none."""

    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.4g}"
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"
