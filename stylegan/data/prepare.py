"""From what a user names (a folder, a zip, or `portraits`) to data that a trainer can draw from.

Images are decoded, centre-cropped and resized once, into a cached pyramid keyed by the files' bytes. Broken ones are
skipped and reported, up to a limit. What was done when preparing is stopped or killed is kept, and gone on with.
"""

import hashlib
import os
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from stylegan.data.cache import FORMAT, Facts, cache_root, cached
from stylegan.data.dataset import Dataset, TrainingData
from stylegan.data.decode import Colour, decode, quiet_map, to_square
from stylegan.data.labels import Labels, read_labels
from stylegan.data.ledger import Ledger
from stylegan.data.pyramid import MAX_RESOLUTION, MIN_RESOLUTION, PyramidWriter, sides
from stylegan.data.records import Broken, Progress, Report, Unreadable, listed, shown, write_list
from stylegan.data.rendered import PORTRAITS, prepare_portraits
from stylegan.data.sources import Source, open_source
from stylegan.errors import DataError, InputError
from stylegan.images import Picture

WHITE: Colour = (255, 255, 255)
_CHUNK_BYTES = 64 << 20


@dataclass(frozen=True)
class Processed:
    """One image ready for training: uint8 `[R, R, 3]`, and the size (width, height) it had."""

    picture: Picture
    size: tuple[int, int]


def prepare(
    spec: str | os.PathLike[str],
    resolution: int,
    *,
    seed: int = 0,
    count: int | None = None,
    cache: str | os.PathLike[str] | None = None,
    labels: bool = True,
    background: Colour = WHITE,
    max_broken: int | None = None,
    device: str | torch.device = "cpu",
) -> Generator[Progress, None, TrainingData]:
    """Make `spec` ready for training at `resolution`, yielding progress and returning the data.

    Args:
        spec: `portraits`, `portraits:endless`, or the path of an image folder or zip.
        resolution: side of the finest pictures, a power of two from 4 to 1024.
        seed: of the order in which pictures are drawn.
        count: how many portraits to render beforehand (None = 50,000); not for folders and zips.
        cache: where pyramids are kept; None = $STYLEGAN_CACHE or ~/.cache/stylegan-explorer.
        labels: take subfolders as classes and read `attributes.csv`.
        background: colour (0 … 255 each) that shows through where an image is transparent.
        max_broken: how many files may be skipped (None = 10, or 5 % where that is more). All of them are listed in
            `NAME.broken.txt` beside their pyramid in the cache, whether they are too many or not.
        device: where portraits are rendered.

    Raises:
        DataError: no images, too many broken ones, an unsafe zip, a wrong table, an unusable cache folder.
        InputError: an argument out of range.
        DiskFullError: no space for the cache.
    """
    if not isinstance(resolution, int) or resolution not in sides(MAX_RESOLUTION):
        raise InputError(f"A resolution is a power of two from {MIN_RESOLUTION} to {MAX_RESOLUTION}, not {resolution}.")
    if str(spec).partition(":")[0] == PORTRAITS:
        return (yield from prepare_portraits(str(spec), resolution, count, seed=seed, cache=cache, device=device))
    if count is not None:
        raise InputError("A count belongs to the portraits; of a folder or zip every image is used.")
    if len(background) != 3 or not all(0 <= value <= 255 for value in background):
        raise InputError(f"A background is three numbers from 0 to 255, not {background!r}.")
    if max_broken is not None and max_broken < 0:
        raise InputError(f"The number of files that may be skipped is 0 or more, not {max_broken}.")
    with closing(open_source(spec)) as source:
        return (yield from _prepare_files(source, resolution, seed, cache, labels, background, max_broken))


def process(
    source: Source, name: str, resolution: int, background: Colour = WHITE, sha256: str = ""
) -> Processed | Broken:
    """One file of `source`, decoded, cropped and resized; Broken when it cannot be used.

    Raises DataError: the file is not the one whose hash is `sha256` (if given): it changed in between.
    """
    try:
        data = source.read(name)
        if sha256 and hashlib.sha256(data).hexdigest() != sha256:
            raise DataError(f"{shown(name)} changed while it was being read: start again when nothing writes there.")
        image = decode(data, background)
    except Unreadable as reason:
        return Broken(name, str(reason))
    return Processed(to_square(image, resolution), image.size)


def allowed_broken(found: int, max_broken: int | None = None) -> int:
    """How many of `found` files may be skipped."""
    return max(10, found // 20) if max_broken is None else max_broken


def workers() -> ThreadPoolExecutor:
    """Threads for reading and decoding; Pillow and hashlib work outside the interpreter lock."""
    return ThreadPoolExecutor(min(8, os.cpu_count() or 1))


def _prepare_files(
    source: Source,
    resolution: int,
    seed: int,
    cache: str | os.PathLike[str] | None,
    labels: bool,
    background: Colour,
    max_broken: int | None,
) -> Generator[Progress, None, Dataset]:
    hashes = yield from _hashes(source)
    key = _digest(FORMAT, resolution, background, source.refused, hashes)[:24]
    limit = allowed_broken(len(hashes) + len(source.refused), max_broken)
    folder = f"images-{resolution}-{key}"
    where = cache_root(cache) / f"{folder}.broken.txt"

    def build(writer: PyramidWriter) -> Generator[Progress, None, Facts]:
        return (yield from _build(writer, source, hashes, resolution, background, limit, where))

    pyramid, facts = yield from cached(cache_root(cache), folder, resolution, len(hashes), build, resumable=True)
    report = _report(facts)
    if report.broken:
        write_list(report.broken, where)
    check_broken(source.name, report.broken, report.found, limit, where)  # it may be stricter than when they were built
    skipped = {item.name for item in report.broken}
    names = [name for name in source.names if name not in skipped]
    known = read_labels(names, source.names, source.table()) if labels else Labels.none(len(names))
    report = replace(report, warnings=(*known.warnings, *_warnings(report, resolution, where)))
    digest = _digest(key, known.class_names, known.classes, known.attribute_names, known.attributes)
    return Dataset(
        pyramid, known, name=source.name, digest=digest, seed=seed, report=report, pictures_digest=_digest(key)
    )


def _hashes(source: Source) -> Generator[Progress, None, dict[str, str]]:
    """SHA-256 of each file's bytes, empty for one that cannot be read: names, sizes and dates are not enough."""

    def sha256(name: str) -> str:
        try:
            return hashlib.sha256(source.read(name)).hexdigest()
        except Unreadable:
            return ""

    hashes: dict[str, str] = {}
    with workers() as pool:
        for names in _chunks(source.names, 256):
            yield Progress("hashing", len(hashes), len(source.names))
            hashes.update(zip(names, pool.map(sha256, names), strict=True))
    return hashes


def _build(
    writer: PyramidWriter,
    source: Source,
    hashes: dict[str, str],
    resolution: int,
    background: Colour,
    limit: int,
    where: Path,
) -> Generator[Progress, None, Facts]:
    found = len(hashes) + len(source.refused)
    ledger = Ledger(writer)

    def work(name: str) -> Processed | Broken:
        return process(source, name, resolution, background, hashes[name])

    with workers() as pool:
        for names in _chunks(source.names[ledger.files :], max(1, min(64, _CHUNK_BYTES // (3 * resolution**2)))):
            yield Progress("building", len(source.refused) + ledger.files, found)
            results = quiet_map(pool, work, names)
            broken = [item for item in results if isinstance(item, Broken)]
            check_broken(source.name, (*source.refused, *ledger.broken, *broken), found, limit, where)
            good = [item for item in results if isinstance(item, Processed)]
            if good:
                writer.append(np.stack([item.picture for item in good]))
                writer.flush()
            different = [hashlib.sha256(item.picture.tobytes()).hexdigest()[:16] for item in good]
            ledger.add(len(names), broken, [item.size for item in good], different)
    skipped, sizes = (*source.refused, *ledger.broken), ledger.sizes
    check_broken(source.name, skipped, found, limit, where)
    if not sizes:
        raise DataError(f"{shown(source.name)} holds no image that can be read: {listed(skipped)}.")
    ledger.close()
    report = Report(
        found=found,
        images=writer.count,
        broken=skipped,
        distinct=len(ledger.different),
        smallest=min(sizes, key=min),
        largest=max(sizes, key=min),
        enlarged=sum(min(size) < resolution for size in sizes),
    )
    return asdict(report)


def check_broken(name: str, broken: Sequence[Broken], found: int, limit: int, where: Path | None = None) -> None:
    """Raise DataError when more files are broken than may be skipped; all of them are then listed in file `where`."""
    if len(broken) <= limit:
        return
    text = (
        f"{shown(name)}: at least {len(broken)} of {found} images cannot be used, and {limit} may be skipped: "
        f"{listed(broken, where=where)}. Repair or remove them"
    )
    if where is None:
        raise DataError(f"{text}.")
    write_list(broken, where)
    raise DataError(f"{text}, or allow more with --max-broken.")


def _report(facts: Facts) -> Report:
    """The inverse of `asdict`, after JSON."""
    broken = tuple(Broken(**item) for item in facts["broken"])
    sizes = {name: (facts[name][0], facts[name][1]) for name in ("smallest", "largest")}
    return Report(**{**facts, **sizes, "broken": broken, "warnings": ()})


def _warnings(report: Report, resolution: int, where: Path) -> Iterator[str]:
    if report.images == 1:
        yield "There is only one image: a network will learn that picture and nothing else."
    elif report.distinct == 1:
        yield f"All {report.images} images are the same picture."
    if report.broken:
        yield f"{len(report.broken)} of {report.found} files were skipped: {listed(report.broken, where=where)}."
    if report.enlarged:
        yield f"{report.enlarged} of {report.images} images are smaller than {resolution}² and were enlarged."


def _digest(*parts: object) -> str:
    """Hexadecimal SHA-256 of values whose `repr` says all, and of arrays."""
    total = hashlib.sha256()
    for part in parts:
        total.update(f"{part.shape}".encode() + part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return total.hexdigest()


def _chunks(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))
