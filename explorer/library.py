"""The models on disk, known by digest, a few of them in memory; and their directions."""

import itertools
import threading
from collections import ChainMap, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from explorer.values import show
from explorer.vectors import DirectionVector
from stylegan import convert, latents, load, model_file
from stylegan.directions import Direction, load_directions
from stylegan.directions.files import check_model
from stylegan.errors import ConversionError, InputError, StyleGANError
from stylegan.networks import Generator

SUFFIX = ".safetensors"
OPENED_SHOWN = 6  # of the files opened later
OPENED_KNOWN = 64
COMPANIONS = (".discriminator", ".directions", ".attributes")  # NAME.directions.safetensors belongs to NAME.safetensors


@dataclass(frozen=True)
class ModelCard:
    """What people are told of a model, and what its controls go by."""

    digest: str
    name: str
    description: str
    licence: str
    resolution: int  # pixels per side
    num_ws: int  # layers that take a style
    num_layers: int  # layers of the synthesis network
    label_dim: int  # classes; 0 = none
    w_dim: int
    z_dim: int
    default_psi: float
    default_cutoff: int | None  # None = all layers
    bands: Mapping[str, tuple[int, ...]]  # coarse, middle, fine → layers, maybe none
    layer_sizes: tuple[int, ...]  # pixels per side at which each layer works
    has_noise: bool
    parameters: int
    training: Mapping[str, Any]  # kimg, data, …: whatever the file says
    has_directions: bool


@dataclass(frozen=True)
class ImportStep:
    """How far the import of a foreign file has come."""

    text: str
    share: float  # 0 … 1
    digest: str | None = None  # of the model, in the last step


class Library:
    """Models by digest. Thread-safe."""

    def __init__(
        self, files: Sequence[Path], folder: Path | None = None, device: str = "cpu", memory_mib: int = 1024
    ) -> None:
        """Read the cards of `files` and of all models in `folder`.

        Args:
            files: models in the order they are shown; the first is the default. Official pickles are read, too.
            folder: searched for `*.safetensors`, not deeply; None or one that does not exist yet is fine.
            device: where generators go.
            memory_mib: weights kept in memory; the one in use stays, whatever its size.
        """
        self._files = [Path(file) for file in files]
        self._folder = None if folder is None else Path(folder)
        self._device = device
        self._memory_bytes = memory_mib << 20
        self._opened: dict[Path, bool] = {}  # files opened later, the newest last → whether they are shown
        self._lock = threading.RLock()
        self._seen: dict[Path, tuple[tuple[int, int], ModelCard]] = {}  # path → (size, mtime) it was read at, card
        self._paths: dict[str, Path] = {}  # digest → file, in the order shown
        self._loaded: OrderedDict[str, Generator] = OrderedDict()  # the one used longest ago first
        self._directions: dict[str, dict[str, DirectionVector]] = {}  # made in the app
        self._beside: dict[str, tuple[Direction, ...]] = {}  # in NAME.directions.safetensors
        self.problems: list[str] = []  # one sentence for every file that could not be read
        self.refresh()

    @property
    def device(self) -> str:
        """Where the networks are."""
        return self._device

    @property
    def default(self) -> str:
        """Digest of the model that is shown first."""
        with self._lock:
            if not self._paths:
                where = "no model file was given" if self._folder is None else f"none is in {self._folder}"
                raise InputError(" ".join([f"There is no model to show: {where}.", *self.problems]))
            return next(iter(self._paths))

    def cards(self) -> list[ModelCard]:
        """The models to choose from: those given as files first, then the folder's by name, then those opened last."""
        with self._lock:
            shown = [path for path, listed in self._opened.items() if listed][-OPENED_SHOWN:]
            left_out = set(self._opened) - set(shown)
            return [self.card(digest) for digest, path in self._paths.items() if path not in left_out]

    def card(self, digest: str) -> ModelCard:
        """InputError: no model of this digest."""
        with self._lock:
            if digest not in self._paths:
                raise InputError(f"The model {show(digest)} is not here: choose one of those that are listed.")
            card = self._seen[self._paths[digest]][1]
            return replace(card, has_directions=True) if self.directions(digest) else card

    def generator(self, digest: str) -> Generator:
        """The network, on the library's device, frozen; read from disk if need be.

        Raises:
            InputError: no model of this digest, or its file holds another one by now.
            ModelFileError: the file is gone or damaged.
        """
        with self._lock:
            name = self.card(digest).name
            path = self._paths[digest]
            if digest in self._loaded:
                self._loaded.move_to_end(digest)
                return self._loaded[digest]
            G = load(path, self._device)
            if G.digest != digest:
                raise InputError(f"The file of the model {name} has changed: reload the page to see what it is now.")
            self._remember(G)
            return G

    def directions(self, digest: str) -> Mapping[str, DirectionVector]:
        """The directions of a model by their digests, of its file and made in the app; empty where it has none."""
        with self._lock:
            beside = {direction.digest: DirectionVector.of(direction) for direction in self._beside.get(digest, ())}
            return MappingProxyType(ChainMap(self._directions.get(digest, {}), beside))

    def directions_beside(self, digest: str) -> tuple[Direction, ...]:
        """The directions in the file beside a model, with all that is known of them; empty where there is none."""
        with self._lock:
            return self._beside.get(digest, ())

    def file(self, digest: str) -> Path:
        """The file of a model. InputError: no model of this digest."""
        with self._lock:
            self.card(digest)
            return self._paths[digest]

    def companion(self, digest: str, ending: str) -> Path | None:
        """The file NAME`ending`.safetensors beside a model, such as ".attributes"; None where there is none.

        Raises:
            InputError: no model of this digest.
        """
        with self._lock:
            self.card(digest)
            return _companion(self._paths[digest], ending)

    def add_directions(self, digest: str, directions: Iterable[DirectionVector]) -> None:
        """Make directions of a model known, in place of those with the same digests."""
        with self._lock:
            known = self._directions.setdefault(digest, {})
            known.update({direction.digest: direction for direction in directions})

    def refresh(self) -> None:
        """Look at the files again: new ones come in, those that are gone go, changed ones are read anew."""
        with self._lock:
            self.problems, self._paths, self._beside = [], {}, {}
            self._opened = {path: listed for path, listed in self._opened.items() if path.is_file()}
            for path in itertools.chain(self._files, self._in_folder(), self._opened):
                try:
                    card = self._read(path)
                except (StyleGANError, OSError) as error:
                    self.problems.append(_sentence(error))
                else:
                    self._paths.setdefault(card.digest, path)
            for digest, path in self._paths.items():
                self._beside[digest] = self._read_beside(path, self._seen[path][1])

    def open_file(self, path: Path, *, listed: bool = True) -> ModelCard:
        """Make a file known that lies elsewhere, such as a snapshot of a run; its name tells how far that had come.

        For a path that the app itself found, never for one from a client. Of many such files `cards` lists the last,
        and none that were only opened with `listed=False`, for a glance.

        Raises:
            ModelFileError, InputError: the file is gone, damaged, or cannot be shown.
        """
        with self._lock:
            card = self._read(path)
            kimg = card.training.get("kimg")
            if path not in self._opened and isinstance(kimg, (int, float)):
                self._seen[path] = (self._seen[path][0], replace(card, name=f"{card.name}, {kimg:g} kimg"))
            listed = self._opened.pop(path, False) or listed
            self._opened[path] = listed
            while len(self._opened) > OPENED_KNOWN:
                del self._opened[next(iter(self._opened))]
            self.refresh()
            return self.card(card.digest)

    def import_file(self, path: Path) -> Iterator[ImportStep]:
        """Convert an official or third-party file into the models folder, step by step; the last step has its digest.

        For a path typed by the person whose machine this is, never for one from a client.

        Raises:
            InputError: there is no models folder.
            ConversionError: the file cannot be converted; nothing is written.
            DiskFullError: no space left.
        """
        if self._folder is None:
            raise InputError("There is no models folder to import into: start with one.")
        path = Path(path)
        if not path.is_file():
            raise ConversionError(f"There is no file {path}.")
        yield ImportStep(f"Reading {path.name} ({path.stat().st_size >> 20} MiB).", 0.0)
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._free_name(path.stem)
        report = convert(path, target)
        for sentence in report.found:
            yield ImportStep(sentence, 0.8)
        if target not in report.files:
            raise ConversionError(f"{path.name} holds no generator, so there are no pictures to show.")
        self.refresh()
        card = self._read(target)
        yield ImportStep(f"{card.name} is ready.", 1.0, card.digest)

    def _free_name(self, stem: str) -> Path:
        assert self._folder is not None
        names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
        return next(path for name in names if not (path := self._folder / f"{name}{SUFFIX}").exists())

    def _in_folder(self) -> list[Path]:
        if self._folder is None or not self._folder.is_dir():
            return []
        files = sorted(self._folder.glob(f"*{SUFFIX}"))
        return [file for file in files if not file.stem.endswith(COMPANIONS) and not file.name.startswith(".")]

    def _read(self, path: Path) -> ModelCard:
        """The card of a file, from memory while the file has not changed."""
        try:
            status = path.stat()
        except FileNotFoundError:
            raise InputError(f"There is no file {path}.") from None
        stamp = (status.st_size, status.st_mtime_ns)
        if path not in self._seen or self._seen[path][0] != stamp:
            G = load(path, self._device)
            self._seen[path] = (stamp, describe(G, path.stem))
            if self._loaded_bytes() + _bytes(G) <= self._memory_bytes:  # of many, those shown first stay
                self._loaded[G.digest] = G
        return self._seen[path][1]

    def _read_beside(self, path: Path, card: ModelCard) -> tuple[Direction, ...]:
        """The directions beside the model at `path`; what is wrong with their file becomes one of the problems."""
        file = _companion(path, ".directions")
        if file is None:
            return ()
        try:
            found = load_directions(file)
            warning = check_model(found, card.digest, card.w_dim)
        except (StyleGANError, OSError) as error:
            self.problems.append(f"{file.name}: {_sentence(error)}")
            return ()
        if warning:
            self.problems.append(f"{file.name}: {warning}")
        return found.directions

    def _remember(self, G: Generator) -> None:
        """Keep the generator, and drop those used longest ago once they are too many."""
        self._loaded[G.digest] = G
        self._loaded.move_to_end(G.digest)
        while len(self._loaded) > 1 and self._loaded_bytes() > self._memory_bytes:
            self._loaded.popitem(last=False)

    def _loaded_bytes(self) -> int:
        return sum(map(_bytes, self._loaded.values()))


def describe(G: Generator, name: str) -> ModelCard:
    """The card of a generator; `name` is for one whose file does not say its own.

    Raises:
        InputError: its pictures are neither in colour nor in grey.
    """
    config, about = G.config, G.about or model_file.About()
    if config.image_channels not in (1, 3):
        raise InputError(f"{name} makes pictures of {config.image_channels} channels; only 1 and 3 can be shown.")
    layers = range(config.num_layers)
    cutoff = config.default_cutoff
    return ModelCard(
        digest=G.digest,
        name=about.name or name,
        description=about.description,
        licence=about.licence,
        resolution=config.resolution,
        num_ws=config.num_ws,
        num_layers=config.num_layers,
        label_dim=config.label_dim,
        w_dim=config.w_dim,
        z_dim=config.z_dim,
        default_psi=config.default_psi,
        default_cutoff=None if cutoff is None or cutoff >= config.num_ws else cutoff,
        bands={band: tuple(members) for band, members in latents.bands(config.num_layers).items()},
        layer_sizes=tuple(config.layer_resolution(layer) for layer in layers),
        has_noise=config.use_noise,
        parameters=sum(parameter.numel() for parameter in G.parameters()),
        training=dict(about.training),
        has_directions=False,
    )


def _companion(path: Path, ending: str) -> Path | None:
    file = path.with_name(f"{path.stem}{ending}{SUFFIX}")
    return file if file.is_file() else None


def _bytes(G: Generator) -> int:
    return sum(tensor.nbytes for tensor in G.state_dict().values())


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if text.endswith(".") else f"{text}."
