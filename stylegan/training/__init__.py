"""Training: progressive growing with exact stop and resume, in a run folder that others can watch."""

from stylegan.training.config import TrainConfig
from stylegan.training.gauge import Measured, Measuring
from stylegan.training.loop import Ended, Options, Record, Snapshot, Started, run
from stylegan.training.meter import Tick
from stylegan.training.plan import OPTIONS, Option, Plan
from stylegan.training.presets import PRESETS, preset
from stylegan.training.run_folder import Events, RunFacts, RunFolder, read_events
from stylegan.training.trainer import Trainer
from stylegan.training.world import World

__all__ = [
    "OPTIONS",
    "PRESETS",
    "Ended",
    "Events",
    "Measured",
    "Measuring",
    "Option",
    "Options",
    "Plan",
    "Record",
    "RunFacts",
    "RunFolder",
    "Snapshot",
    "Started",
    "Tick",
    "TrainConfig",
    "Trainer",
    "World",
    "preset",
    "read_events",
    "run",
]
