"""A virtual environment of Quix Streams' own: its dependencies are none of the project's.

Made once from `requirements.lock`, which `make lock` renews, and kept in the user's cache.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import platformdirs

from benchmarks.processes import run

LOCK = Path(__file__).with_name("requirements.lock")
INSTALL_SECONDS_MAX = 600.0


def python(folder: Path) -> Path:
    """Return the environment's Python, after making the environment if there is none yet.

    Args:
        folder: For the log.

    Raises:
        BenchmarkError: A package could not be installed.
    """
    home = _home()
    if not home.exists():
        _make(home, folder)
    return home / "bin" / "python"


def _home() -> Path:
    """Return where the environment is: another one for each lock file and Python."""
    made_of = LOCK.read_bytes() + sys.version.encode()
    cache = os.environ.get("STREAMER_CACHE_DIR") or platformdirs.user_cache_path("streamer")
    return Path(cache, f"quix-{hashlib.sha256(made_of).hexdigest()[:12]}")


def _make(home: Path, folder: Path) -> None:
    """Install all packages into a folder of another name first: so it is there whole or not."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".quix-", dir=home.parent) as staging:
        made = Path(staging, "environment")
        run("venv", [sys.executable, "-m", "venv", str(made)], folder)
        install = [str(made / "bin" / "python"), "-m", "pip", "install", "--no-input", "--quiet"]
        install += ["--require-hashes", "--only-binary", ":all:", "--requirement", str(LOCK)]
        run("pip", install, folder, seconds_max=INSTALL_SECONDS_MAX)
        made.replace(home)
