"""The oracle is decimal, with room for every digit."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.money import (
    AMOUNT_LIMIT,
    UNIT,
    format_amount,
    format_amounts,
    minor_digits,
    parse_amount,
)

EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
TEXTS = st.from_regex(r"[0-9]{1,14}(\.[0-9]{1,45})?", fullmatch=True)
# Halves of a millionth, and what lies a hair beside them.
HALVES = st.builds(
    lambda whole, micros, tail: f"{whole}.{micros:06d}5{tail}",
    st.integers(0, 10**12),
    st.integers(0, 10**6 - 1),
    st.sampled_from(["", "0", "0" * 30 + "1", "1"]),
)


def micros_of(text: str) -> int:
    return int(EXACT.to_integral_value(EXACT.scaleb(Decimal(text), 6)))


@settings(max_examples=500, deadline=None)
@given(TEXTS | HALVES)
def test_a_text_is_read_to_the_millionth(text: str) -> None:
    expected = micros_of(text)
    if expected < AMOUNT_LIMIT:
        assert parse_amount(text) == expected
    else:
        with pytest.raises(ValueError, match="trillion"):
            parse_amount(text)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 10**15 - 1), st.integers(3, 9))
def test_a_number_of_15_digits_is_read_exactly(digits: int, decimals: int) -> None:
    text = str(Decimal(digits).scaleb(-decimals))
    assert parse_amount(float(text)) == micros_of(text)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**12 - 1))
def test_a_whole_number_is_read_exactly(number: int) -> None:
    assert parse_amount(number) == number * UNIT
    assert parse_amount(str(number).zfill(40)) == number * UNIT


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_float_is_an_amount_or_refused(number: float) -> None:
    try:
        amount = parse_amount(number)
    except ValueError:
        assert not 0 <= number < 999_999_999_999.999
    else:
        assert amount == micros_of(f"{number:.15g}")


@pytest.mark.parametrize(
    "text",
    ["", ".", "1.", ".5", "+1", "-1", "-0", "1e3", "1_000", " 1", "1 ", "1\n", "1.5\n", "1,5",
     "0x1", "NaN", "inf", "Infinity", "1.2.3", "٣", "\uff11", "1.٣", "²", "--1", "1.-5", "0" * 65],
)  # fmt: skip
def test_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal|characters"):
        parse_amount(text)


@pytest.mark.parametrize("value", ["999999999999.9999995", "1000000000000", 10**12, 1e12, 10**4000])
def test_a_trillion_is_refused_even_by_rounding(value: str | float) -> None:
    with pytest.raises(ValueError, match=r"trillion|characters"):
        parse_amount(value)


@pytest.mark.parametrize("value", [-1, -1e-9, float("nan"), float("inf"), float("-inf")])
def test_what_is_no_amount_is_refused(value: float) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of its messages
        parse_amount(value)


@settings(max_examples=300, deadline=None)
@given(st.integers(-(2**62), 2**62) | st.integers(-(10**7), 10**7), st.sampled_from([0, 2, 3]))
def test_an_amount_is_written_exactly(micros: int, digits: int) -> None:
    text = format_amount(micros, digits)
    assert Decimal(text) == Decimal(micros).scaleb(-6, EXACT)
    decimals = len(text.partition(".")[2])
    assert digits <= decimals <= 6
    assert decimals in {digits, len(text.rstrip("0").partition(".")[2])}
    assert format_amounts(np.array([micros, 0, micros]), digits) == [
        text,
        format_amount(0, digits),
        text,
    ]
    if micros >= 0:
        assert text[0].isdigit()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, AMOUNT_LIMIT - 1), st.sampled_from([0, 2, 3]))
def test_what_is_written_reads_the_same(micros: int, digits: int) -> None:
    assert parse_amount(format_amount(micros, digits)) == micros


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("USD", 2), ("JPY", 0), ("KRW", 0), ("CLP", 0), ("KWD", 3), ("TND", 3)],
)
def test_minor_units_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits
