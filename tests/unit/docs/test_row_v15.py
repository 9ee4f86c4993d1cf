from datetime import UTC, datetime

from tests.support.pages import blocks, lines, replayed

PAGE = "v15.md"


def test_the_example_of_the_page_is_what_a_replay_tells() -> None:
    events, expected = blocks(PAGE, "jsonl")
    told = replayed(events, datetime(2027, 1, 1, tzinfo=UTC))
    found = []
    for one in told["recommended-actions"]:
        (action,) = one["actions"]
        shown = {name: action[name] for name in ("action", "money_at_stake", "deadline")}
        outcome = one["previous"] and one["previous"]["outcome"]
        found.append({"as_of": one["as_of"], **shown, "outcome": outcome})
    assert found == lines(expected)
