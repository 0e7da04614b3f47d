"""What a browser asks of a new run, checked: a plan; and back: the form of an earlier run, the preset's values.

A form is `{name, data, upload, folder, count, resolution, preset, kimg, seed, labels, begin, snapshot_kimg, settings}`;
what is missing or null is left to the preset.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from explorer import run_begin
from explorer.library import Library
from explorer.run_begin import Start
from explorer.run_process import read_json
from explorer.run_uploads import Uploads
from explorer.runs import Runs
from explorer.values import choice, show
from stylegan.data.rendered import MAX_COUNT
from stylegan.data.sources import open_source
from stylegan.errors import InputError, RunError
from stylegan.training import OPTIONS, PRESETS, Plan, TrainConfig
from stylegan.training.loop import SNAPSHOTS
from stylegan.training.plan import RENAMED, Beginning

__all__ = ["DATA", "GROUPS", "PORTRAITS", "PRESETS", "RESOLUTIONS", "Desk", "options_of", "preset_values"]

DATA = ("portraits", "upload", "folder")
RESOLUTIONS = tuple(2**n for n in range(3, 11))
PORTRAITS = 5000  # rendered before a run, unless it says otherwise: minutes at 64²
STATE_MINUTES = 2  # between two states, so that little is lost to a kill
GROUPS = {"steps": "Steps", "losses": "Losses", "growing": "Growing", "networks": "Networks"}
SETTINGS = tuple(name for name in OPTIONS if name != "metrics_extractor")  # which may name a file of this machine
MAX_TEXT = 4096


@dataclass(frozen=True)
class Desk:
    """What a form refers to."""

    runs: Runs
    library: Library
    uploads: Uploads
    local: bool  # whether folders of this machine may be named
    device: str  # "auto": the trainer chooses

    def plan(self, form: Mapping[str, Any]) -> Plan:
        """The plan of a form. InputError, DataError: one sentence on what is wrong with it.

        Of networks to begin from only the heads are read here, and pictures are not looked at.
        """
        source, begun = choice(form.get("data"), "The data", DATA), form.get("begin")
        self.check(form)
        return replace(
            _plan_without_data(form),
            data=self._data(source, form),
            count=_count(form) if source == "portraits" else None,
            init_from=run_begin.file_of(self.runs, self.library, begun) if begun else None,
        )

    def check(self, form: Mapping[str, Any]) -> None:
        """As `plan`, without a look at where the data are."""
        _count(form)
        plan, beginning = _plan_without_data(form), self.beginning(form)
        run_begin.check_size(beginning, plan.resolution)
        plan.config(beginning=beginning)

    def beginning(self, form: Mapping[str, Any]) -> Beginning | None:
        """The networks that the form begins from, without their weights. InputError: they are gone."""
        begun = form.get("begin")
        return run_begin.peek(run_begin.file_of(self.runs, self.library, begun)) if begun else None

    def sight(self, form: Mapping[str, Any]) -> tuple[Path | None, int, int]:
        """What to look at of the data: where they are (None: portraits), at which resolution, and of how many."""
        source = choice(form.get("data"), "The data", DATA)
        path = None if source == "portraits" else Path(self._data(source, form))
        alone = {"preset": "small", "resolution": form.get("resolution")}  # whatever is wrong elsewhere
        return path, _plan_without_data(alone).config().generator.resolution, _count(form)

    def more(self, form: Mapping[str, Any]) -> list[str]:
        """The options of the command line that no plan holds."""
        words = [f"--state-minutes={STATE_MINUTES}"]
        every = form.get("snapshot_kimg")
        if every is not None:
            if not isinstance(every, (int, float)) or isinstance(every, bool) or not 0.001 <= every <= 1e6:
                raise InputError(f"Snapshots come every 0.001 to 1000000 kimg, not {show(every)}.")
            words.append(f"--snapshot-kimg={every}")
        return words + ([] if self.device == "auto" else [f"--device={self.device}"])

    def snapshots(self, form: Mapping[str, Any]) -> int:
        """How many the run will write."""
        every, length = form.get("snapshot_kimg"), form.get("kimg")
        if not every:
            return SNAPSHOTS
        share: float = (length or preset_values(form)["kimg"]) / every
        return math.ceil(share)

    def name(self, form: Mapping[str, Any]) -> str:
        """The name that the form gives the run, or one after its data."""
        given = form.get("name")
        if isinstance(given, str) and given.strip():
            return given.strip()
        source, resolution = form.get("data"), form.get("resolution")
        what = "portraits" if source == "portraits" else Path(self._data(str(source), form)).stem
        return self.runs.free_name(f"{what}-{resolution}")

    def starts(self) -> list[Start]:
        """What a run can begin from."""
        return run_begin.starts(self.runs, self.library)

    def form(self, name: str, snapshot: str = "") -> dict[str, Any]:
        """The form of a run, for beginning another like it, or from one of its snapshots.

        Raises:
            InputError, RunError: it cannot be read.
        """
        with self.runs.lock:
            facts = self.runs.reader(name).facts()
        plan = Plan.of({"data": "portraits", **facts.plan})
        settings = {key: value for key, value in plan.settings.items() if key in SETTINGS}
        if snapshot:
            settings.pop("initial_resolution", None)  # growing goes on from where the snapshot had come
        source, upload = "folder", self.uploads.id_of(plan.data)
        if plan.data.startswith("portraits"):
            source = "portraits"
        elif upload:
            source = "upload"
        begun = run_begin.key_of(self.runs, self.library, plan.init_from)
        return {
            "name": self.runs.free_name(name),
            "data": source,
            "upload": upload,
            "uploaded": self.uploads.words(upload) if upload else "",
            "folder": plan.data if source == "folder" else "",
            "count": plan.count,
            "resolution": plan.resolution,
            "preset": plan.preset,
            "kimg": plan.kimg,
            "seed": plan.seed,
            "labels": plan.labels,
            "begin": f"run:{name}/{snapshot}" if snapshot else begun,
            "settings": settings,
        }

    def all_data(self) -> list[str]:
        """What all runs that can be read call their data."""
        found = []
        with self.runs.lock:
            for status in self.runs.listing():
                reader = self.runs.reader(status.name)
                with suppress(RunError):
                    found.append(str(reader.facts().plan.get("data", "")))
                asked = read_json(reader.handover.request).get("arguments")  # of one that has not begun yet
                words = asked if isinstance(asked, list) else []
                found += [word.removeprefix("--data=") for word in map(str, words) if word.startswith("--data=")]
        return found

    def _data(self, source: str, form: Mapping[str, Any]) -> str:
        if source == "portraits":
            return "portraits"
        if source == "upload":
            return str(self.uploads.path(form.get("upload")))
        folder = form.get("folder")
        if not self.local:
            raise InputError("Folders can be named on the machine itself only: upload the images.")
        if not isinstance(folder, str) or not folder.strip() or len(folder) > MAX_TEXT or "\0" in folder:
            raise InputError("Type the path of a folder or zip of images on this machine.")
        path = Path(folder.strip().strip("'\"")).expanduser().absolute()
        open_source(path).close()  # DataError: it is none, or there are no images in it
        return str(path)


def option_values(config: TrainConfig) -> dict[str, Any]:
    """What each option is in a config, as a form shows it: a number, a flag, or a table as text."""
    found: dict[str, Any] = {}
    for name in OPTIONS:
        field = RENAMED.get(name, name)
        if field in ("learning_rate", "minibatch"):
            table, base = getattr(config, field), getattr(config, f"{field}_base")
            used = {config.initial_resolution << i for i in range(int(config.start_lod) + 1)}
            values = {side: table.get(side, base) for side in sorted(used)}
            words = ", ".join(f"{side}²: {value:g}" for side, value in values.items())
            found[name] = words if len(set(values.values())) > 1 else next(iter(values.values()))
        else:
            found[name] = next(
                getattr(part, field)
                for part in (config, config.generator, config.discriminator)
                if hasattr(part, field)
            )
    return found


def preset_values(form: Mapping[str, Any], beginning: Beginning | None = None) -> dict[str, Any]:
    """What empty fields stand for: `option_values` of the form's preset at its length, with the widths of the networks
    that it begins from; and the preset's own length. InputError: there is no such preset.
    """
    plan = replace(_plan_without_data(form), settings={})
    try:
        found = option_values(plan.config(beginning=beginning))
    except InputError:
        found = option_values(replace(plan, kimg=None).config())
    return {**found, "kimg": replace(plan, kimg=None).config().total_kimg}


def options_of(group: str) -> list[dict[str, Any]]:
    """The options of one group, as plain values."""
    return [asdict(option) for option in OPTIONS.values() if option.group == group]


def _plan_without_data(form: Mapping[str, Any]) -> Plan:
    settings = form.get("settings") or {}
    if not isinstance(settings, Mapping) or not set(settings) <= set(SETTINGS):
        raise InputError(f"The settings of a run are some of {', '.join(SETTINGS)}.")
    own = {name: form.get(name) for name in ("resolution", "preset", "kimg", "seed")}
    given = {name: value for name, value in {**own, **settings}.items() if value is not None}
    return Plan.of({**given, "data": "portraits", "labels": form.get("labels", True) is True})


def _count(form: Mapping[str, Any]) -> int:
    count = form.get("count")
    if count is None:
        return PORTRAITS
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MAX_COUNT:
        raise InputError(f"The number of portraits is from 1 to {MAX_COUNT}, not {show(count)}.")
    return count
