import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from typer.testing import CliRunner

from streamer import cli
from streamer.errors import StreamerError
from tests.support.worker import STREAMER

HEAVY = ("faust", "numpy", "aiokafka", "pydantic")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from streamer.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_help_imports_nothing_heavy() -> None:
    code = f"""
import sys
sys.argv = ["streamer", "--help"]
from streamer.cli import main
try:
    main()
finally:
    print("imported", [name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "imported []" in done.stdout
    for name in cli.COMMANDS:
        assert f" {name} " in done.stdout


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_can_be_loaded_and_has_help(name: str) -> None:
    command = cli.load(name)
    assert command.name == name
    assert command.help
    result = CliRunner().invoke(cli.app, [name, "--help"])
    assert result.exit_code == 0
    assert command.help.splitlines()[0].split()[0] in result.output


def all_commands() -> dict[str, Any]:
    """Return every command by its whole name: groups hold several."""
    found = {}
    for name in cli.COMMANDS:
        command = cli.load(name)
        for inner, one in getattr(command, "commands", {}).items():
            found[f"{name} {inner}"] = one
        if not hasattr(command, "commands"):
            found[name] = command
    return found


EXAMPLE = re.compile(r"^Example: (.+)$", re.MULTILINE)
ALL_COMMANDS = all_commands()


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_help_has_an_example_whose_options_there_are(name: str) -> None:
    examples = EXAMPLE.findall(ALL_COMMANDS[name].help)
    assert any(f"streamer {name}" in example for example in examples)
    for stretch in " | ".join(examples).split(" | "):
        words = [word for word in shlex.split(stretch) if not word.startswith("STREAMER_")]
        if words[0] != "streamer":
            continue  # another program's
        command = ALL_COMMANDS.get(" ".join(words[1:3])) or ALL_COMMANDS[words[1]]
        options = {option for one in command.params for option in one.opts}
        assert {word for word in words if word.startswith("--")} <= options


def completed(folder: Path, typed: str) -> list[str]:
    """Return what bash would offer behind what was typed."""
    words = typed.split(" ")
    variables = {
        "HOME": str(folder),
        "_STREAMER_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    done = subprocess.run([STREAMER], env=variables, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_completion_can_be_installed_and_completes(tmp_path: Path) -> None:
    variables = {"HOME": str(tmp_path), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    # Which shell to serve it finds among its parents: here a bash, that must not be replaced.
    install = ["bash", "-c", f"{shlex.quote(str(STREAMER))} --install-completion && true"]
    done = subprocess.run(install, env=variables, capture_output=True, text=True, check=True)
    (script,) = tmp_path.glob(".bash_completions/*")
    assert str(script) in done.stdout
    assert str(script) in (tmp_path / ".bashrc").read_text()
    assert completed(tmp_path, "streamer dl") == ["dlq"]
    assert completed(tmp_path, "streamer dlq ") == ["list", "show", "replay"]
    assert completed(tmp_path, "streamer replay --fo") == ["--format"]
    assert completed(tmp_path, "streamer dlq list --reason un") == [
        "unknown_type",
        "unknown_currency",
    ]


def test_a_misspelt_command_is_guessed() -> None:
    result = CliRunner().invoke(cli.app, ["replya"])
    assert result.exit_code == 2
    assert "Did you mean 'replay'" in result.output


def ending(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """Return the exit code of a command line that raises."""

    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return int(exit_.value.code or 0)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StreamerError("the cup is empty: fill it."), "streamer: the cup is empty: fill it."),
        (KafkaConnectionError(), "or set STREAMER_BROKERS"),
        (TopicAuthorizationFailedError("x"), "TopicAuthorizationFailedError"),
    ],
)
def test_an_expected_error_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    words: str,
) -> None:
    assert ending(monkeypatch, error) == 1
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_ctrl_c_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(monkeypatch, KeyboardInterrupt()) == 130
    assert capsys.readouterr() == ("", "")


def test_a_bug_is_not_hushed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main()


# -- replay -----------------------------------------------------------------------------------

EVENTS = [
    {
        "event_id": f"e{number}",
        "type": "purchase",
        "customer_id": f"c{number % 2}",
        "occurred_at": f"2026-01-0{number + 1}T00:00:00Z",
        "order_id": f"o{number}",
        "amount": amount,
        "currency": "USD",
    }
    for number, amount in enumerate(["1.00", "2.00", "3.00", "-4.00"])
]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    return file


def replay(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["replay", *map(str, arguments)])


def test_replay_tells_what_it_did(events: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = replay(events, "--out", out, "--json", "--until", "2026-04-01T00:00:00Z")
    assert result.exit_code == 0
    summary = json.loads(result.stdout)
    assert {name: summary[name] for name in ("events", "customers", "scores", "silences")} == {
        "events": 4,
        "customers": 2,
        "scores": 6,
        # c1 after 60 days; c0 after 62 · (2^½ − 1), 26 days, and 62 · (5^½ − 1), 77 days
        "silences": 3,
    }
    assert summary["dead_letters_by_reason"] == {"invalid": 1}
    assert summary["stream_time"] == "2026-01-03T00:00:00Z"
    for file in summary["files"].values():
        assert Path(file).parent == out
        assert Path(file).is_file()


def test_replay_tells_people_too(events: Path, tmp_path: Path) -> None:
    result = replay(events, "--out", tmp_path / "out")
    assert result.exit_code == 0
    words = " ".join(result.stdout.split())
    assert "4 events read 2 customers 3 scores 1 dead letters 1 invalid" in words


def test_replay_refuses_what_is_no_instant(events: Path, tmp_path: Path) -> None:
    for text in ("tomorrow", "2026-01-01T00:00:00", "1969-12-31T00:00:00Z"):
        result = replay(events, "--out", tmp_path / "out", "--until", text)
        assert isinstance(result.exception, StreamerError)
        assert "write it as 2026-01-31T12:00:00Z" in str(result.exception)


def test_replay_reads_standard_input(events: Path, tmp_path: Path) -> None:
    arguments = ["replay", "-", "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(cli.app, arguments, input=events.read_bytes())
    assert json.loads(result.stdout)["events"] == 4
