"""Money as the API writes it: in minor units, a cent at the least."""

from streamer.records.money import DECIMALS, format_amount, minor_digits


def money(micros: float, currency: str) -> str:
    """Return ``micros``, millionths of ``currency``, rounded to its minor unit.

    >>> money(12_345_678, "USD"), money(12_345_678, "JPY")
    ('12.35', '12')
    """
    digits = minor_digits(currency)
    unit = 10 ** (DECIMALS - digits)
    return format_amount(round(micros / unit) * unit, digits)
