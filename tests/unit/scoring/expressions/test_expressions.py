from datetime import UTC, datetime
from typing import Any

import celpy
import numpy as np
import pytest
from celpy import celtypes
from celpy.evaluation import CELEvalError
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.scoring.expressions import (
    FIELDS,
    ExpressionError,
    Frame,
    compile_flag,
    compile_number,
)
from tests.support.schemas import inlined, properties
from tests.support.updates import updates

FIGURES: dict[str, st.SearchStrategy[Any]] = {
    "orders": st.integers(0, 5),
    "predicted_clv": st.none() | st.sampled_from(["0.00", "1.50", "3.00"]),
    "churn_probability": st.none() | st.sampled_from([0.0, 0.5, 1.0]),
    "risk_band": st.none() | st.sampled_from(["low", "high"]),
    "referred_by": st.none() | st.sampled_from(["", "bob", "low"]),
    "last_purchase_at": st.none()
    | st.sampled_from([datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)]),
}


def truth(text: str, **figures: Any) -> int:
    """Return 2 where true, 1 where unknown, 0 where false."""
    value, risk = updates(**figures)
    (flag,) = compile_flag(text, "test")(Frame([value], [risk])).tolist()
    return int(flag)


def conditions() -> st.SearchStrategy[str]:
    numbers = st.sampled_from(["orders", "predicted_clv", "churn_probability", "1.5", "0.5", "3.0"])
    sums = st.builds("({} {} {})".format, numbers, st.sampled_from("+-*"), numbers) | numbers
    texts = st.sampled_from(["risk_band", "referred_by", '"low"', "'bob'"])
    less = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    equal = st.sampled_from(["==", "!="])
    leaves = (
        st.builds("{} {} {}".format, sums, less, sums)
        | st.builds("{} {} {}".format, texts, equal, texts)
        | st.builds("{} in ['low', 'bob']".format, texts)
        | st.builds("{} in [0.5, 3.0]".format, numbers)
        | st.builds('last_purchase_at {} timestamp("2026-02-01T00:00:00Z")'.format, less)
        | st.builds("{} {} null".format, st.sampled_from(list(FIGURES)), equal)
        | st.sampled_from(["true", "false"])
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds("({} && {})".format, inner, inner)
            | st.builds("({} || {})".format, inner, inner)
            | st.builds("!({})".format, inner)
        ),
        max_leaves=5,
    )


def by_celpy(text: str, figures: dict[str, Any]) -> int:
    """Evaluate with cel-python's own interpreter: null in a comparison is an error there."""
    environment = celpy.Environment()
    program = environment.program(environment.compile(text))
    activation = {name: _cel(name, value) for name, value in figures.items()}
    try:
        return 2 if program.evaluate(activation) else 0
    except CELEvalError:
        return 1


def _cel(name: str, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime):
        return celtypes.TimestampType(value)
    if FIELDS[name] == "number":
        return celtypes.DoubleType(float(value))
    return celtypes.StringType(value)


@settings(max_examples=300, deadline=None)
@given(conditions(), st.fixed_dictionaries(FIGURES))
def test_a_condition_means_what_it_means_in_cel(text: str, figures: dict[str, Any]) -> None:
    expected = by_celpy(text, figures)
    found = truth(text, **figures)
    if expected == 1 and any(equality in text for equality in ("==", "!=", " in ")):
        return  # against CEL's specification, cel-python cannot compare a number with null
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("predicted_clv == null", 2), ("predicted_clv != null", 0), ("predicted_clv != 3", 2),
        ("predicted_clv == churn_probability", 2), ("predicted_clv in [1]", 0),
        ("orders != null", 2),
        ("null == last_purchase_at", 2), ("predicted_clv + 1 == 3", 1),
        ("predicted_clv + 1 != 3", 1),
        ("predicted_clv > 0", 1), ("!(predicted_clv > 0)", 1), ("predicted_clv > 0 || true", 2),
        ("predicted_clv > 0 && false", 0), ("(predicted_clv > 0) == true", 1),
    ],
)  # fmt: skip
def test_null_is_equal_to_null_alone_and_neither_less_nor_more(text: str, expected: int) -> None:
    assert truth(text, orders=1) == expected


@settings(max_examples=50, deadline=None)
@given(conditions(), st.lists(st.fixed_dictionaries(FIGURES), min_size=1, max_size=8))
def test_a_batch_means_what_each_alone_means(text: str, base: list[dict[str, Any]]) -> None:
    pairs = [updates(**figures) for figures in base]
    frame = Frame([value for value, _ in pairs], [risk for _, risk in pairs])
    together = compile_flag(text, "test")(frame).tolist()
    assert together == [truth(text, **figures) for figures in base]


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("orders >", "line 1, column 8", "cannot be read"),
        ("true &&\n foo > 1", "line 2, column 2", "no field `foo`"),
        ("order > 1", "column 1", "no field `order` (`orders`, perhaps)."),
        ("predicted_clv > 'x'", "column 1", "a number cannot be compared with a text"),
        ("true || risk_band < 'low'", "column 9", "no less and more"),
        ("orders + 1", "column 1", "a flag is needed"),
        ("risk_band in [1]", "column 1", "list of literals of its kind"),
        ("orders in [orders]", "column 12", "holds literals only"),
        ("orders > 1 ? true : false", "column 1", "not offered"),
        ('risk_band.startsWith("x")', "column 1", "not offered"),
        ("orders.__class__ == 1", "column 1", "not offered"),
        ('__import__("os")', "column 1", "no function `__import__`"),
        ("[1].map(x, x)", "column 2", "not offered"),
        ("orders > null", "column 1", "cannot be compared with"),
        ('as_of > timestamp("2026-01-01")', "column 9", "a timestamp is written"),
        ("orders > 1u", "column 10", "a literal is"),
        ("orders > 1e999", "column 10", "a literal is"),
        ("(" * 999 + "true" + ")" * 999, "", ""),
        ("true || " * 500 + "true", "", "2000 are allowed"),
    ],
)
def test_what_is_none_is_refused_with_its_place(text: str, place: str, why: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compile_flag(text, "segment vip")
    told = str(refused.value)
    assert told.startswith("segment vip: `")
    assert place in told
    assert why in told


def test_money_is_a_number_and_division_by_nothing_unknown() -> None:
    value, risk = updates(predicted_clv="12.50", orders=0)
    frame = Frame([value], [risk])
    assert compile_number("predicted_clv * 0.1", "test")(frame).tolist() == [1.25]
    assert np.isnan(compile_number("predicted_clv / orders", "test")(frame)).all()


def test_the_fields_are_of_the_kinds_that_the_schemas_say() -> None:
    names = "ltv-update.json", "churn-risk-update.json"
    kinds = {field: one for name in names for field, one in properties(inlined(name)).items()}
    for field, kind in FIELDS.items():
        if field not in kinds:
            continue  # derived
        text = str(kinds[field])
        is_money = "-?" in text and "pattern" in text
        is_number = is_money or "'number'" in text or "'integer'" in text
        assert (kind == "number") == is_number, f"{field} is a {kind}"
        assert (kind == "instant") == ("date-time" in text), f"{field} is a {kind}"
