"""Who a worker is in its group: see `Settings.group_instance_id`."""

from streamer.settings import Settings


def member(**settings: object) -> str | None:
    return Settings(_env_file=None, **settings).group_instance_id  # type: ignore[arg-type] # by name


def test_a_worker_that_comes_back_where_it_was_is_the_same_member() -> None:
    assert member(instance_id="w-0", http_port=7000) == member(instance_id="w-0", http_port=7000)


def test_a_worker_that_comes_back_elsewhere_is_another_member() -> None:
    """Else Kafka hands it the assignment of its old address, and Faust's assignor fails."""
    assert member(instance_id="w-0", http_port=7000) != member(instance_id="w-0", http_port=7001)
    assert member(instance_id="w-0", http_port=7000) != member(instance_id="w-1", http_port=7000)


def test_without_an_id_it_is_no_static_member() -> None:
    assert member() is None
