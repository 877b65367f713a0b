"""Short and odd histories: every figure of estimates, targets, products and months is right, or it is said not to be known.

Each world is flat by construction, so what is right is known without any of the code: 100 a month, wherever it is open.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from planlib import smart
from planlib.chapters import product, time
from planlib.estimates.chance import Terms, of_count, of_level, of_ratio, of_sum
from planlib.estimates.momentum import expect
from planlib.estimates.season import NO_FESTIVALS, seasonality
from planlib.estimates.shares import expected
from planlib.estimates.windows import Coverage, span_of
from planlib.periods import Horizon

LENGTHS = [3, 6, 11, 13, 18, 25, 36]
ENDS = ["2025-12", "2026-03", "2026-09"]
KINDS = ["whole", "shut", "missing"]
TERMS = Terms()


def horizon(last: str) -> Horizon:
    return Horizon(2026, 1, pd.Period(last, freq="M").end_time.date())


def months(length: int, last: str, kind: str = "whole") -> list[str]:
    """The months with rows: all; without every August (a closed season); without one month in the middle."""
    every = span_of(str(pd.Period(last, freq="M") - length + 1), last)
    if kind == "shut":
        return [month for month in every if month[5:] != "08"]
    return [month for month in every if kind == "whole" or month != every[len(every) // 2]]


def flat(length: int, last: str, kind: str = "whole", amount: float = 100.0) -> pd.Series:
    names = months(length, last, kind)
    return pd.Series(amount, index=names)


def shut_is_known(length: int, last: str) -> bool:
    """Whether two Augusts lie between the first row and the last month: one silent month alone may be missing."""
    rows = months(length, last, "shut")
    return sum(month[5:] == "08" for month in span_of(rows[0], last)) >= 2


def year_of(length: int, last: str, kind: str) -> float:
    """What the plan year brings: 100 in each month from the first of all, but for an August that is known to be closed."""
    here = [month for month in span_of("2026-01", "2026-12") if month >= months(length, last, kind)[0]]
    if kind != "shut":
        return 100.0 * len(here)
    return 100.0 * sum(month[5:] != "08" for month in here) if shut_is_known(length, last) else np.nan


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("last", ENDS)
@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_flat_goes_on_flat(length, last, kind):
    series, here = flat(length, last, kind), horizon(last)
    coverage = Coverage.of(series.index, last)
    told = expect(series, last, here.open)
    right = year_of(length, last, kind)

    known = told.months[told.months["month"].str[5:] != "08"]
    assert known["expected"].to_numpy() == pytest.approx(100.0)
    assert told.growth == 0 and told.trend == 0
    if np.isfinite(right):
        chance = of_sum(series, coverage, here.months, right, TERMS)
        assert chance == pytest.approx(0.5) or (chance is None and length < 4)
        beyond = of_sum(series, coverage, here.months, right * 1.6, TERMS)
        assert beyond is None or beyond < 0.25
    ratio = of_ratio(series / 5, series, coverage, here.months, 0.2, TERMS)
    assert ratio == pytest.approx(0.5) or (ratio is None and length < 4)


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("last", ENDS)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_level_is_flat_by_the_month_and_by_the_quarter(length, last, step):
    every = span_of(str(pd.Period(last, freq="M") - length + 1), last)
    level = pd.Series(0.4, index=[month for month in every if int(month[5:]) % step == 0])
    here = horizon(last)
    found = [of_level(level, last, here.months, value, TERMS) for value in (0.2, 0.4, 0.6)]

    if len(level) < 3:
        assert found == [None] * 3
    else:
        assert found[0] > 0.9 and found[1] == pytest.approx(0.5) and found[2] < 0.1


@pytest.mark.parametrize("last", ENDS)
@pytest.mark.parametrize("length", LENGTHS)
def test_a_steady_count_is_even_odds_at_its_rate(length, last):
    # one event every month; a third as many are nearly sure, twice as many and two more nearly out of reach
    ones, here = flat(length, last, amount=1.0), horizon(last)
    coverage = Coverage.of(ones.index, last)
    count = sum(month >= ones.index[0] for month in here.months)
    low, middle, high = (of_count(ones, coverage, here.months, value, TERMS) for value in (count // 3, count, 2 * count + 2))

    assert 0.3 < middle < 0.75 and low > 0.8 and high < 0.15


@pytest.mark.parametrize("first", range(0, 36, 5))
@pytest.mark.parametrize("last", ENDS)
def test_a_member_that_starts_anywhere(first, last):
    """Two members of a company that is three years old; the second sells 50 a month from some month on."""
    every, here = span_of(str(pd.Period(last, freq="M") - 35), last), horizon(last)
    rows = [("old", month, 100) for month in every] + [("new", month, 50) for month in every[first:]]
    history = pd.DataFrame(rows, columns=["region", "month", "amount"])
    lasting = history[history["month"].isin(here.last_year)]
    done = int(sum(50 for month in every[first:] if month in here.closed))
    value = done + 50 * len(here.open)
    planned = pd.DataFrame({"region": ["old", "new"], "amount": [1200, value]})
    goals = smart.of_members(planned, lasting, history, here, {"": "Board"}).set_index("metric")

    assert goals.loc["old", "probability"] == pytest.approx(0.5)
    new = goals.loc["new", "probability"]
    assert new == pytest.approx(0.5) if 36 - first >= 3 else np.isnan(new)
    share = expected(history, "region", here).shares.set_index("region")["share"]
    # believed by n/(n+1) of its n months; never more than what it sells, never less than what it sold
    assert 0.24 < share["new"] < 0.34 if 36 - first >= 6 else 0 < share["new"] < 0.34

    staged = product.stages(history.rename(columns={"region": "product"}), product.Parameters(), here).set_index("product")
    assert staged.loc["old", "stage"] in ("maturity", "decline") and staged.loc["old", "growth"] == pytest.approx(0)
    growth = staged.loc["new", "growth"]
    assert np.isnan(growth) or growth == pytest.approx(0)
    age = 35 - first
    assert (staged.loc["new", "stage"] == "introduction") == (first > 0 and age < 12)
    assert np.isnan(growth) == (36 - first < 15)


@pytest.mark.parametrize("silent", [0, 1, 2, 3, 4, 6, 12, 20])
@pytest.mark.parametrize("last", ENDS)
def test_a_member_that_ends_anywhere(silent, last):
    every, here = span_of(str(pd.Period(last, freq="M") - 35), last), horizon(last)
    rows = [("old", month, 100) for month in every] + [("gone", month, 50) for month in every[: 36 - silent]]
    history = pd.DataFrame(rows, columns=["region", "month", "amount"])
    planned = pd.DataFrame({"region": ["old", "gone"], "amount": [1200, 600]})
    chance = smart.of_members(planned, history, history, here, {}).set_index("metric")["probability"]["gone"]
    stage = product.stages(history.rename(columns={"region": "product"}), product.Parameters(), here).set_index("product")
    share = expected(history, "region", here).shares.set_index("region")["share"]["gone"]

    assert chance == (0.0 if silent >= 3 else pytest.approx(chance)) and not np.isnan(chance)
    assert (stage.loc["gone", "stage"] == "exit") == (silent >= 3)
    assert stage.loc["gone", "last_month"] == (every[35 - silent] if silent >= 3 else "")
    assert share < 0.01 if silent >= 3 else share <= 1 / 3 + 1e-9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("last", ENDS)
@pytest.mark.parametrize("length", LENGTHS)
def test_flat_months_have_no_season(length, last, kind):
    history = pd.DataFrame(
        [(name, month, size) for month in months(length, last, kind) for name, size in (("p", 10_000), ("q", 300))],
        columns=["product", "month", "amount"],
    )
    here = horizon(last)
    season, _ = seasonality(history, NO_FESTIVALS, here)
    weight = season.pivot(index="month", columns="product", values="weight")
    open_ = weight[weight.index.str[5:] != "08"] if kind == "shut" else weight

    assert (open_ / open_.mean()).to_numpy() == pytest.approx(1.0, abs=0.1)
    if kind == "shut" and length >= 25:
        assert weight.loc["2026-08"].tolist() == [0, 0]
    share = expected(history, "product", here).shares.set_index("product")["share"]
    assert share["q"] == pytest.approx(300 / 10_300, rel=1e-6)


@pytest.mark.parametrize("last", ENDS)
@pytest.mark.parametrize("length", LENGTHS)
def test_last_year_beside_the_plan_is_right_or_missing(length, last):
    series, here = flat(length, last), horizon(last)
    coverage = Coverage.of(series.index, last)
    table = pd.DataFrame({"month": series.index, "amount": series.to_numpy().astype("int64")})
    then = time.by_month(table[table["month"].isin(here.last_year)], here, coverage)
    path = pd.DataFrame({"month": here.months, "amount": 110})
    quarters = time.quarters(path, then, None, here)

    known = [month in series.index for month in here.last_year]
    assert then["amount"].notna().tolist() == known and then["amount"].dropna().eq(100).all()
    whole = [all(known[start : start + 3]) for start in range(0, 12, 3)]
    assert quarters["growth"].notna().tolist() == whole
    assert quarters["growth"].dropna().to_numpy() == pytest.approx(0.1)


@pytest.mark.parametrize("last", ENDS)
@pytest.mark.parametrize("name", ["winter", "summer"])
@pytest.mark.parametrize("years", [1, 2, 3])
def test_a_closed_season_of_a_member(years, last, name):
    """Five months a year beside a steady product; the whole of a year's plan lies in them once two years have shown it."""
    open_in = {"winter": (10, 11, 12, 1, 2), "summer": (5, 6, 7, 8, 9)}[name]
    every, here = span_of(str(pd.Period(last, freq="M") - 12 * years + 1), last), horizon(last)
    rows = [("steady", month, 100) for month in every] + [(name, m, 240) for m in every if int(m[5:]) in open_in]
    history = pd.DataFrame(rows, columns=["product", "month", "amount"])
    ahead = sum(int(month[5:]) in open_in for month in here.open) * 240
    share = expected(history, "product", here).shares.set_index("product")["share"][name]
    staged = product.stages(history, product.Parameters(), here).set_index("product")

    if years >= 2:
        assert share == pytest.approx(ahead / (ahead + 100 * len(here.open)), abs=0.03)
        assert staged.loc[name, "stage"] != "exit"
        season, _ = seasonality(history, NO_FESTIVALS, here)
        weight = season[season["product"] == name].set_index("month")["weight"]
        outside = [month for month in here.months if int(month[5:]) not in open_in]
        assert weight[outside].sum() < 0.02 * weight.sum()
    assert 0 <= share <= 1


def test_a_company_without_a_past_is_not_known():
    nothing = Coverage.of([], "2025-12")

    assert of_sum(pd.Series(dtype=float), nothing, span_of("2026-01", "2026-12"), 10, TERMS) is None
    assert of_count(pd.Series(dtype=float), nothing, span_of("2026-01", "2026-12"), 10, TERMS) is None
    empty = pd.Series(dtype=float)
    assert of_ratio(empty, empty, nothing, span_of("2026-01", "2026-12"), 10, TERMS) is None
    assert horizon("2025-12").as_of == date(2025, 12, 31)
