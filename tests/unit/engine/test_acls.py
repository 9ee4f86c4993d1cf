import pytest
from typer.testing import CliRunner

from streamer import cli
from streamer.engine.acls import WORKER, Acl, Role, acls
from streamer.engine.topics import TOPICS
from streamer.settings import load_settings
from tests.support.documented import documented

ROLES: list[Role] = ["worker", "admin", "producer", "operator"]


@pytest.mark.parametrize("role", ROLES)
def test_the_page_says_what_each_role_needs(role: Role) -> None:
    needed = acls(role, load_settings(topic_prefix="shop.", group_id="scores"))
    assert documented(role, prefix="shop.", group="scores") == needed
    assert len(set(needed)) == len(needed)


def test_the_worker_needs_something_of_every_topic() -> None:
    assert WORKER.keys() == TOPICS.keys()


def test_only_scheduled_fits_write_models() -> None:
    write = Acl("Write", "topic", "model-params")
    assert write not in acls("worker", load_settings())
    assert write in acls("worker", load_settings(fit_interval_hours=24))


def test_adapters_are_read_and_what_comes_over_http_is_written() -> None:
    plain, more = (
        load_settings(),
        load_settings(adapters={"webhooks": "shopify"}, http_write_token="w" * 20),
    )
    assert set(acls("worker", more)) - set(acls("worker", plain)) == {
        Acl("Read", "topic", "webhooks"),
        *(Acl("Write", "topic", name) for name in ("purchases", "referrals", "interactions")),
    }
    assert Acl("Write", "topic", "webhooks") in acls("operator", more)
    assert Acl("Create", "topic", "webhooks") in acls("admin", more)


def test_the_command_prints_options_of_kafka_acls() -> None:
    said = CliRunner().invoke(cli.app, ["topics", "acls", "--principal", "User:me"]).stdout
    lines = said.splitlines()
    assert lines[0] == "--add --allow-principal User:me --operation Read --topic purchases"
    assert lines[-1].endswith("--transactional-id streamer- --resource-pattern-type prefixed")
    operator = CliRunner().invoke(cli.app, ["topics", "acls", "--role", "operator"]).stdout
    assert operator.splitlines()[-1].endswith("--operation Describe --cluster")
