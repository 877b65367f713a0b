"""A currency and the decimals of its amounts."""

from typing import Self

from babel.numbers import get_currency_precision, is_currency

from planlib.errors import ParameterError

# Decimals by ISO 4217 (list one, maintained by SIX) where CLDR, which Babel carries, has those of everyday cash instead.
ISO_DECIMALS = {
    "IQD": 3,
    **dict.fromkeys(
        ("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "MRU", "RSD", "SLE", "SLL", "SOS", "SYP", "YER"), 2
    ),
}


class Currency(str):
    """An ISO 4217 code that knows how many decimals its amounts have: `decimals`, by default those of its minor unit."""

    decimals: int

    def __new__(cls, code: str, decimals: int | None = None) -> Self:
        """Raises ParameterError for a code that is none."""
        found = super().__new__(cls, code)
        found.decimals = minor_exponent(str(code)) if decimals is None else decimals
        return found


def minor_exponent(currency: str) -> int:
    """Decimal places of a currency's minor unit by its ISO 4217 code: CNY 2, JPY 0, KWD 3; of a `Currency`, as it says."""
    if isinstance(currency, Currency):
        return currency.decimals
    if not is_currency(currency):
        raise ParameterError(f"currency: found {currency!r}, expected an ISO 4217 code such as CNY or USD; correct it.")
    return ISO_DECIMALS.get(currency, int(get_currency_precision(currency)))
