"""What is refused before anything is published."""

import pytest

from streamer.cli.erase import erase
from streamer.cli.showing import UsageError


@pytest.mark.parametrize("customer_id", ["", "x" * 129, "\udcff"])
def test_an_id_that_no_event_can_have_is_refused_at_once(customer_id: str) -> None:
    with pytest.raises(UsageError, match="1 to 128 characters"):
        erase(customer_id, yes=True)


@pytest.mark.parametrize("customer_id", ["x", "ü" * 128])
def test_any_other_id_is_not(customer_id: str) -> None:
    with pytest.raises(UsageError, match="--yes"):  # which is asked for next
        erase(customer_id)
