"""Keeps the schemas of a release for later ones: `python -m tests.contracts.golden.make_schemas`.

One folder a major version of the wire. Run it when a version is released, never to silence a test.
"""

import shutil
from pathlib import Path

from tests.support.schemas import FOLDER

TO = Path(__file__).parent / "schemas-1"

if __name__ == "__main__":
    TO.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.json"):
        shutil.copy(file, TO / file.name)
