"""A virtual environment of a peer's own: its dependencies are none of the project's.

Made once from its lock file in `peers`, which `make lock` renews, and kept in the user's cache.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import platformdirs

from benchmarks import peers
from benchmarks.processes import run

PEERS = Path(peers.__file__).parent
INSTALL_SECONDS_MAX = 600.0


def python(peer: str, folder: Path) -> Path:
    """Return the environment's Python, after making the environment if there is none yet.

    Args:
        peer: The name of its lock file.
        folder: For the log.

    Raises:
        BenchmarkError: A package could not be installed.
    """
    lock = PEERS / f"{peer}.lock"
    home = _home(peer, lock)
    if not home.exists():
        _make(home, lock, folder)
    return home / "bin" / "python"


def _home(peer: str, lock: Path) -> Path:
    """Return where the environment is: another one for each lock file and Python."""
    made_of = lock.read_bytes() + sys.version.encode()
    cache = os.environ.get("STREAMER_CACHE_DIR") or platformdirs.user_cache_path("streamer")
    return Path(cache, f"{peer}-{hashlib.sha256(made_of).hexdigest()[:12]}")


def _make(home: Path, lock: Path, folder: Path) -> None:
    """Install all packages into a folder of another name first: so it is there whole or not."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".peer-", dir=home.parent) as staging:
        made = Path(staging, "environment")
        run("venv", [sys.executable, "-m", "venv", str(made)], folder)
        install = [str(made / "bin" / "python"), "-m", "pip", "install", "--no-input", "--quiet"]
        install += ["--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)]
        run("pip", install, folder, seconds_max=INSTALL_SECONDS_MAX)
        made.replace(home)
