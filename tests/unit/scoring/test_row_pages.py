"""The examples of the pages about rows are run as they stand."""

import doctest
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[3] / "docs" / "rows"


@pytest.mark.parametrize("page", ["v13.md", "v16.md", "v18.md"])
def test_the_example_of_the_page_is_true(page: str) -> None:
    failed, tried = doctest.testfile(str(PAGES / page), module_relative=False, encoding="utf-8")
    assert tried > 0
    assert failed == 0
