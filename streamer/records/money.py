"""Money: whole millionths of a currency unit, so that sums are exact in any order."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

DECIMALS = 6
UNIT = 10**DECIMALS
"""One currency unit in state: amounts are kept to six decimals."""

WHOLE_DIGITS = 12
AMOUNT_LIMIT = 10**WHOLE_DIGITS * UNIT
"""No single amount may reach a trillion units."""

TOTAL_LIMIT = 2**62
"""No sum in a row may reach this: it must fit 64 bits with room for one more event."""

TEXT_MAX = 64
_encode = msgspec.json.Encoder().encode
_EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)

# ISO 4217: currencies whose minor unit is not a hundredth.
_MINOR_DIGITS = dict.fromkeys(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ],
    0,
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)


def minor_digits(currency: str) -> int:
    """Return the decimals of ``currency``'s minor unit (ISO 4217).

    >>> minor_digits("EUR"), minor_digits("JPY"), minor_digits("KWD")
    (2, 0, 3)
    """
    return _MINOR_DIGITS.get(currency, 2)


def parse_amount(value: str | float) -> int:
    """Return ``value`` in millionths.

    A string is read as a decimal number. A JSON number is read by its shortest decimal text, to 15
    significant digits: what lies beyond is binary noise. More than six decimals are rounded half
    to even.

    >>> parse_amount("12.34"), parse_amount(12.34), parse_amount(0.1 + 0.2)
    (12340000, 12340000, 300000)

    Raises:
        ValueError: ``value`` is no plain decimal number, is negative, or is a trillion or more.
    """
    if type(value) is str:
        whole, point, fraction = value.partition(".")
        if not (whole.isdigit() and value.isascii()) or (point and not fraction.isdigit()):
            raise ValueError("not a decimal number such as 12.34, zero or more")
        if len(whole) <= WHOLE_DIGITS and len(fraction) <= DECIMALS:
            return int(whole + fraction.ljust(DECIMALS, "0"))
        text = value
    else:
        text = repr(value) if isinstance(value, int) else f"{value:.15g}"
    if len(text) > TEXT_MAX:
        raise ValueError(f"more than {TEXT_MAX} characters long")
    amount = Decimal(text)
    if not amount.is_finite() or amount < 0:
        raise ValueError("not a decimal number such as 12.34, zero or more")
    micros = _EXACT.to_integral_value(_EXACT.scaleb(amount, DECIMALS))
    if micros >= AMOUNT_LIMIT:
        raise ValueError("a trillion or more")
    return int(micros)


@lru_cache(maxsize=1024)
def format_amount(micros: int, digits: int) -> str:
    """Return ``micros`` as a decimal text with at least ``digits`` decimals, exactly.

    >>> format_amount(12_500_000, 2), format_amount(-1, 2), format_amount(5_000_000, 0)
    ('12.50', '-0.000001', '5')
    """
    sign = "-" if micros < 0 else ""
    whole, rest = divmod(abs(micros), UNIT)
    fraction = f"{rest:06d}".rstrip("0").ljust(digits, "0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


_FEW = 20
"""Up to so many amounts, one by one costs less."""


def format_amounts(amounts: NDArray[np.int64], digits: int) -> list[str]:
    """Return ``format_amount`` of each of ``amounts``, shape (n,), at a quarter of its cost.

    >>> format_amounts(np.array([12_500_000, -1]), 2)
    ['12.50', '-0.000001']
    """
    if len(amounts) <= _FEW:
        return _format_few(amounts.tolist(), digits)
    if (amounts == amounts[0]).all():
        return [format_amount(int(amounts[0]), digits)] * len(amounts)
    unit = 10 ** (DECIMALS - digits)
    minor, rest = np.divmod(np.abs(amounts), unit)
    whole, fraction = np.divmod(minor, 10**digits)
    # The encoder writes integers in C.
    texts = _encode(whole.tolist()).decode()[1:-1].split(",")
    if digits:
        fractions = _fractions(digits)
        texts = list(map(str.__add__, texts, map(fractions.__getitem__, fraction.tolist())))
    for place in np.flatnonzero((rest != 0) | (amounts < 0)).tolist():
        texts[place] = format_amount(int(amounts[place]), digits)
    return texts


def _format_few(amounts: list[int], digits: int) -> list[str]:
    unit, fractions = 10 ** (DECIMALS - digits), _fractions(digits)
    texts = []
    for amount in amounts:
        minor, rest = divmod(amount, unit)
        if rest or amount < 0:
            texts.append(format_amount(amount, digits))
        else:
            whole, fraction = divmod(minor, len(fractions))
            texts.append(f"{whole}{fractions[fraction]}")
    return texts


@lru_cache
def _fractions(digits: int) -> list[str]:
    return [f".{number:0{digits}d}" for number in range(10**digits)] if digits else [""]
