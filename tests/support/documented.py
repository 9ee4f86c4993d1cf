"""The rights in Kafka that docs/security.md says a part needs, read from its table."""

import re
from pathlib import Path

from streamer.engine.acls import Acl, Resource

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
ROW = re.compile(r"^\| (\w+) \| ([\w-]+) \| `([^`]+)` \| ([\w, ]+) \|$", re.MULTILINE)
RESOURCES: dict[str, tuple[Resource, bool]] = {
    "topic": ("topic", False),
    "group": ("group", False),
    "transactional-id": ("transactional-id", True),
    "cluster": ("cluster", False),
}


def documented(role: str, *, prefix: str, group: str) -> list[Acl]:
    """Return the rights of ``role``, with PREFIX and GROUP in the page's names replaced."""
    found = []
    for who, kind, name, operations in ROW.findall(PAGE.read_text(encoding="utf-8")):
        if who == role:
            resource, prefixed = RESOURCES[kind]
            full = name.replace("GROUP", group).replace("PREFIX", prefix)
            found += [Acl(op, resource, full, prefixed) for op in operations.split(", ")]
    return found
