"""The processes of one worker are members, and have addresses, of their own."""

from typing import Any

import pytest

from streamer.cli.worker import _one_of
from streamer.settings import Settings


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, http_port=6066, **given)


@pytest.mark.parametrize(
    ("given", "first", "second"),
    [
        ({}, "http://127.0.0.1:6066", "http://127.0.0.1:6067"),
        (
            {"http_advertised_url": "http://w-1.shop:8080"},
            "http://w-1.shop:8080",
            "http://w-1.shop:8081",
        ),
        ({"http_advertised_url": "https://w-1.shop"}, "https://w-1.shop", "https://w-1.shop:444"),
    ],
)
def test_each_process_is_reached_at_its_own_port(
    given: dict[str, object], first: str, second: str
) -> None:
    found = [_one_of(settings(**given), index).http_url for index in range(2)]
    assert found == [first, second]


def test_each_process_is_a_member_of_its_own() -> None:
    members = {_one_of(settings(instance_id="a"), index).group_instance_id for index in range(2)}
    assert len(members - {None}) == 2
    assert _one_of(settings(), 1).group_instance_id is None
