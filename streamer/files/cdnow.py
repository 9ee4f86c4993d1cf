"""CDNOW's transactions of 1997 and 1998, fetched once from PyPI.

The wheel of `lifetimes` 0.11.3 carries them. It cannot be a dependency, since it wants an old
numpy, so only its data files are taken: by pip, from whatever index pip is set up for, checked
against the hash in `cdnow.lock`, into the cache directory.

Fader, P. S. & Hardie, B. G. S. (2001), Forecasting repeat sales at CDNOW, Interfaces 31:S94.
"""

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from platformdirs import user_cache_path

from streamer.files.errors import FileError

LOCK = Path(__file__).with_name("cdnow.lock")
MASTER = "CDNOW_master.txt"
SAMPLE = "CDNOW_sample.txt"
SHA256 = {
    MASTER: "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
    SAMPLE: "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a",
}
FETCH_SECONDS_MAX = 300


def cdnow_master() -> Path:
    """Give the file of all 69,659 transactions of 23,570 customers, fetching it if need be.

    Raises:
        FileError: It is not in the cache and cannot be fetched.
    """
    return _cached(MASTER)


def cdnow_sample() -> Path:
    """Give the file of the 1/10 sample, 6,919 transactions of 2,357 customers.

    Raises:
        FileError: It is not in the cache and cannot be fetched.
    """
    return _cached(SAMPLE)


def cache_directory() -> Path:
    """Where fetched files are kept: `STREAMER_CACHE_DIR`, else the user's cache directory."""
    chosen = os.environ.get("STREAMER_CACHE_DIR")
    return Path(chosen) if chosen else user_cache_path("streamer")


def _cached(name: str) -> Path:
    path = cache_directory() / "cdnow" / name
    if not _is_whole(path):
        try:
            _fetch(path.parent)
        except OSError as error:
            raise FileError(
                name,
                f"it cannot be kept in {path.parent} ({error.strerror}): set"
                " STREAMER_CACHE_DIR to a directory that can be written",
            ) from error
    if not _is_whole(path):
        raise FileError(name, f"{path} is not the known file: remove it and try again")
    return path


def _is_whole(path: Path) -> bool:
    return path.is_file() and sha256(path.read_bytes()).hexdigest() == SHA256[path.name]


def _fetch(directory: Path) -> None:
    """Put both files into the directory; each appears there whole or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory) as unpacked:
        _download(Path(unpacked))
        (wheel,) = Path(unpacked).glob("*.whl")
        with ZipFile(wheel) as archive:
            for name in SHA256:
                path = Path(unpacked) / name
                path.write_bytes(archive.read(f"lifetimes/datasets/{name}"))
                path.replace(directory / name)


def _download(directory: Path) -> None:
    # A wheel and nothing else: then pip runs no code of the package.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "--requirement", str(LOCK), "--dest", str(directory)]
    try:
        # S603: the arguments are this module's own, and there is no shell.
        subprocess.run(  # noqa: S603
            command, check=True, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["pip gave no reason"]
        raise FileError("CDNOW", f"pip could not fetch it ({lines[-1]}): try again") from error
    except subprocess.TimeoutExpired as error:
        raise FileError("CDNOW", "the package index does not answer: try again later") from error
