"""Decimals of currencies by ISO 4217, list one (maintained by SIX, www.six-group.com), with an override."""

import copy
import pickle

import pytest

from planlib.currency import Currency, minor_exponent
from planlib.errors import ParameterError
from planlib.formatting import Reader, in_currency


@pytest.mark.parametrize(
    ("code", "decimals"),
    [
        *(("EUR", 2), ("CNY", 2), ("RSD", 2), ("ALL", 2), ("MMK", 2), ("LBP", 2), ("IDR", 2), ("HUF", 2), ("MGA", 2)),
        *(("IQD", 3), ("KWD", 3), ("BHD", 3), ("TND", 3), ("JOD", 3), ("OMR", 3), ("LYD", 3)),
        *(("JPY", 0), ("KRW", 0), ("VND", 0), ("CLP", 0), ("ISK", 0), ("XOF", 0), ("UGX", 0), ("PYG", 0)),
        *(("CLF", 4), ("UYW", 4)),
    ],
)
def test_minor_units_of_iso_4217(code, decimals):
    assert minor_exponent(code) == decimals
    assert Currency(code).decimals == decimals


def test_a_currency_is_its_code_with_decimals_of_its_own():
    yen = Currency("JPY", 2)

    assert yen == "JPY" and f"{yen}" == "JPY"
    assert minor_exponent(yen) == 2 and Reader("en", yen).digits(123456) == "1234.56"
    assert in_currency("found 1,234 minor units", yen) == "found 12.34 JPY"
    assert copy.deepcopy(yen).decimals == pickle.loads(pickle.dumps(yen)).decimals == 2
    with pytest.raises(ParameterError, match="ISO 4217"):
        Currency("EURO")
