from pathlib import Path

from streamer.broker.properties import Node, log4j_text, properties_text, server_properties

ONE = Node(node_id=1, host="127.0.0.1", port=9092, controller_port=9093)
TWO = Node(node_id=2, host="127.0.0.1", port=9094, controller_port=9095)
THREE = Node(node_id=3, host="127.0.0.1", port=9096, controller_port=9097)


def test_a_single_node_is_its_own_quorum_and_keeps_one_copy() -> None:
    settings = server_properties(ONE, [ONE], Path("storage"), {})
    assert settings["process.roles"] == "broker,controller"
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:9093"
    assert settings["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9092"
    assert settings["offsets.topic.replication.factor"] == "1"
    assert settings["transaction.state.log.min.isr"] == "1"


def test_three_nodes_keep_three_copies_and_stand_the_loss_of_one() -> None:
    settings = server_properties(TWO, [ONE, TWO, THREE], Path("storage"), {})
    assert settings["node.id"] == "2"
    assert settings["controller.quorum.voters"].count("@") == 3
    assert settings["default.replication.factor"] == "3"
    assert settings["min.insync.replicas"] == "2"


def test_overrides_win() -> None:
    settings = server_properties(ONE, [ONE], Path("storage"), {"num.partitions": "12"})
    assert settings["num.partitions"] == "12"


def test_properties_are_one_a_line_and_escaped() -> None:
    assert properties_text({"a": "1", "b": "C:\\x"}) == "a=1\nb=C:\\\\x\n"


def test_logging_goes_to_the_file() -> None:
    assert f"fileName={Path('x', 'kafka.log')}" in log4j_text(Path("x", "kafka.log"))
