"""Values as a reader sees them at the edges: nothing, next to nothing, huge, negative, missing, about to change the unit."""

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planlib import plan as tables
from planlib.errors import ConflictError
from planlib.formatting import FORMATS, NOTHING, SCALES, Reader, in_currency, missing, plain
from planlib.lp import Lock, split
from planlib.lp.rules import in_minor_units

CNY = Reader("en", "CNY")


@pytest.mark.parametrize(
    ("amount", "currency", "en"),
    [
        (99_999_999, "CNY", "1.00 m"),  # 999,999.99 is no 1,000.0 k
        (99_994_999, "CNY", "999.9 k"),
        (99_995_000, "CNY", "1.00 m"),  # 999,950 is half-way to 1,000.0 k
        (999_999, "CNY", "10.0 k"),
        (999_949, "CNY", "9,999"),
        (99_999, "CNY", "999.99"),
        (999_999_999, "CNY", "10.0 m"),
        (999_999_999_999, "CNY", "10.0 bn"),
        (-99_999_999, "CNY", "-1.00 m"),
        (999_999, "JPY", "1.00 m"),
        (999_999_999, "KWD", "1.00 m"),
        (9 * 10**18, "CNY", "90,000,000.0 bn"),
    ],
)
def test_a_unit_is_chosen_by_what_is_written(amount, currency, en):
    assert Reader("en", currency).show(amount, "money") == en


def test_what_is_not_nothing_is_never_shown_as_nothing():
    million = CNY.scale([10**9])
    shown = [CNY.show(value, "money", million) for value in (10**9, 5_000_001, 4_999_999, 1, 0, -1, -4_999_999, None)]

    assert shown == ["10.0", "0.1", "<0.1", "<0.1", "0.0", ">-0.1", ">-0.1", "–"]
    assert [CNY.show(value, "share") for value in (0.0004, -0.0004, 0.0, 1e-17, 0.0006)] == [
        "<0.1%",
        ">-0.1%",
        "0.0%",
        "0.0%",
        "0.1%",
    ]
    assert [CNY.show(value, "int") for value in (0.3, 0, -0.3, 0.7)] == ["<1", "0", ">-1", "1"]
    assert [CNY.show(value, "factor") for value in (0.00001, -0.00001, 0)] == ["<0.0001", ">-0.0001", "0.00"]
    assert [CNY.show(value, "points") for value in (0.0001, -0.0001, 0.001)] == ["0.0 pp", "0.0 pp", "+0.1 pp"]
    german = Reader("de", "EUR")
    assert german.show(1, "money", german.scale([10**9])) == "<0,1"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), float("-inf"), pd.NA, pd.NaT, np.float64("nan")])
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_missing_is_a_dash_in_every_form_and_a_gap_in_a_file(value, form):
    assert missing(value)
    assert CNY.show(value, form) == NOTHING
    assert plain(value, form, CNY) == CNY.full(value, form) == ""


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["en", "zh", "de"]), st.sampled_from(["CNY", "JPY", "KWD"]))
def test_shown_money_is_within_half_of_its_last_digit(amount, language, currency):
    reader = Reader(language, currency)
    scale = reader.scale([amount])
    text = reader.show(amount, "money", scale)
    point, comma = (",", ".") if language == "de" else (".", ",")
    number = Decimal(text.replace(comma, "").replace(point, "."))
    exact = Decimal(amount).scaleb(-reader.exponent)

    assert abs(number * scale.size - exact) <= Decimal(scale.size).scaleb(-scale.places) / 2
    assert (number != 0) == (amount != 0) and (number < 0) == (amount < 0)
    units = [size for size, _, least in SCALES.get(reader.language, SCALES["en"]) if abs(number) * scale.size >= size * least]
    assert scale.size == max(units), "as written, no larger unit would do"


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6))
def test_a_share_keeps_its_sign_and_its_size(value):
    text = CNY.show(value, "share")
    if text[0] in "<>":
        assert 0 < abs(value) <= 0.0005 + 1e-12 and ("-" in text) == (value < 0)
    else:
        number = float(text.rstrip("%").replace(",", "")) / 100
        assert math.isclose(number, value, abs_tol=0.0005 + 1e-9)


@pytest.mark.parametrize(
    ("currency", "booked", "told"),
    [
        ("EUR", 4_399_851, "it holds 100.00 EUR, but 43998.51 EUR are already booked"),
        ("JPY", 4_399_851, "it holds 100 JPY, but 4399851 JPY are already booked"),
        ("KWD", 4_399_851, "it holds 100.000 KWD, but 4399.851 KWD are already booked"),
    ],
)
def test_a_message_of_the_chain_says_money_as_a_params_file_states_it(currency, booked, told):
    weights = pd.DataFrame({"region": ["East", "West"], "weight": [1, 1]})
    gone = pd.DataFrame({"region": ["East"], "amount": [booked]})

    def under(amount: float):
        lock = Lock(name="East low", where={"region": "East"}, amount=amount)
        locks = in_minor_units([lock], Reader("en", currency).exponent)
        return split(tables.company(10_000_000), "region", weights, locks=locks, booked=gone)

    with pytest.raises(ConflictError) as caught:
        under(100)
    text = in_currency(str(caught.value), currency)
    assert told in text and "minor" not in text
    # Typed back as it is told, the lock holds.
    typed = float(text.split("but ")[1].split()[0])
    assert under(typed).plan["amount"].tolist() == [booked, 10_000_000 - booked]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "raise the lock from 1 minor units to 2,697,966 minor units (by 2,697,965 minor units)",
            "from 0.01 EUR to 26979.66 EUR",
        ),
        ("is locked at -1,234.5 minor units, 80% of it", "is locked at -12.345 EUR, 80% of it"),
        ("give a floor or cap one minor unit of room", "give a floor or cap one minor unit of room"),
    ],
)
def test_only_amounts_are_put_into_money(text, told):
    assert told in in_currency(text, "EUR")
