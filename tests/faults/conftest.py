"""What fault tests share."""

import os
from collections.abc import Callable

import pytest

SOAK_SECONDS = float(os.environ.get("STREAMER_SOAK_SECONDS", "0"))
"""How long each fault test runs under load; 0 gives the short form, made for every test run."""

SHORT_SECONDS_MAX = 400
"""Of a short form on a busy machine: it takes a quarter of that on a quiet one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/faults/" in item.nodeid and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SHORT_SECONDS_MAX + 2 * SOAK_SECONDS))


@pytest.fixture
def soak_seconds() -> float:
    return SOAK_SECONDS


@pytest.fixture
def summary(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Report figures of a run: at the end on the terminal, and in the XML report."""

    def tell(name: str, **figures: object) -> None:
        text = ", ".join(f"{figure.replace('_', ' ')} {value}" for figure, value in figures.items())
        request.node.user_properties.append((name, text))

    return tell
