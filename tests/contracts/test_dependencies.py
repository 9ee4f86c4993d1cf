"""What is installed is what was locked, by hash, and can be listed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements/*.lock"))
REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;]+)( ; [^\\]+)?( \\)?$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def pinned(lock: Path) -> dict[str, str]:
    """Return name and version of what a lock holds."""
    found = map(REQUIREMENT.match, lock.read_text().splitlines())
    return {match[1]: match[2] for match in found if match}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_names_versions_and_hashes_and_nothing_else(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    assert len(pinned(lock)) >= 5
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if REQUIREMENT.match(line):
            assert HASH.match(following), f"{line} has no hash"
        else:
            assert HASH.match(line), line


def test_the_bill_of_materials_lists_what_is_locked(tmp_path: Path) -> None:
    bill = tmp_path / "sbom.json"
    tool = Path(sys.executable).with_name("cyclonedx-py")
    lock = ROOT / "requirements" / "runtime.lock"
    options = ("--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "-o", bill)
    subprocess.run([tool, "requirements", lock, *options], check=True, capture_output=True)
    listed = json.loads(bill.read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert listed["metadata"]["component"]["name"] == "streamer"
    found = {part["name"]: part["version"] for part in listed["components"]}
    assert found == pinned(lock)
