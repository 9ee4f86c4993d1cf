import pytest

from streamer.scoring.experiments.plans import Trial
from streamer.settings import ConfigurationError, load_settings


def test_experiments_may_be_planned_in_full_or_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "STREAMER_EXPERIMENTS",
        '{"banner": {"control": "a", "shares": {"a": 9, "b": 1}, "alpha": 0.01}, "other": {}}',
    )
    assert load_settings().configuration().trials == {
        "banner": Trial(control="a", shares={"a": 9, "b": 1}, alpha=0.01),
        "other": Trial(),
    }


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ('{"control": "c", "shares": {"a": 9}}', "shares must name the control"),
        ('{"shares": {"a": 0}}', "greater than 0"),
        ('{"alpha": 1}', "less than 1"),
        ('{"window_days": 0}', "greater than or equal to 1"),
        ('{"controls": "c"}', "Extra inputs"),
    ],
)
def test_plans_that_cannot_be_are_refused(
    monkeypatch: pytest.MonkeyPatch, plan: str, said: str
) -> None:
    monkeypatch.setenv("STREAMER_EXPERIMENTS", f'{{"banner": {plan}}}')
    with pytest.raises(ConfigurationError, match=said):
        load_settings()
