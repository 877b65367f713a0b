"""05 time on the sample: each parameter moves the months or its table as the method book says, by hand arithmetic."""

import math

import pandas as pd
import pytest
from scipy.stats import norm

from planlib import plan as tables
from planlib.chapters import time
from planlib.lp import split

STEM = "05-time"


def path_of(chapter) -> pd.DataFrame:
    """A year 30% over last, by product and month."""
    last = chapter.last_year("product")
    plan = last.assign(amount=(last["amount"] * 1.3).round().astype("int64"))
    season, _ = time.seasonality(
        chapter.orders("product", "month"), chapter.parameters, chapter.horizon, chapter.tables.get("calendar")
    )
    return split(plan, "month", time.weights(season, plan, chapter.horizon)).plan


def months_of(chapter) -> pd.Series:
    return tables.rollup(path_of(chapter), ["month"]).set_index("month")["amount"]


@pytest.fixture
def chapter(open_sample):
    return open_sample(STEM)


@pytest.fixture
def peaks(chapter):
    return time.peaks(tables.rollup(path_of(chapter), ["month"]), chapter.parameters.peak_line)


# TIM-1, TIM-2 ---------------------------------------------------------------------------------------------------------


def test_a_festivals_days_after_move_the_months_around_it(open_sample):
    short, usual = (months_of(open_sample(STEM, days_after=days)) for days in (3, 10))

    assert short.sum() == usual.sum() and (short != usual).any()  # TIM-1
    assert (short["2026-01"], short["2026-02"]) != (usual["2026-01"], usual["2026-02"])


def test_with_one_year_of_orders_the_companys_season_makes_the_products_alike(open_sample):
    def spread(months: int, since: str) -> float:
        chapter = open_sample(STEM, shrink_months=months)
        history = chapter.orders("product", "month")
        season, _ = time.seasonality(history[history["month"] >= since], chapter.parameters, chapter.horizon)
        share = season.pivot(index="month", columns="product", values="weight").pipe(lambda weight: weight / weight.sum())
        return float(share.sub(share.mean(axis=1), axis=0).abs().to_numpy().mean())

    # TIM-1, TIM-2: beside twelve months of its own, 24 or 120 of the company's; three years speak for themselves.
    assert spread(0, "2025-01") > spread(24, "2025-01") > spread(120, "2025-01") > 0
    # (a product that started within two years is drawn in part)
    assert spread(0, "2023-01") == pytest.approx(spread(120, "2023-01"), rel=0.1)


def test_the_first_quarter_of_the_sample_has_the_shape_of_its_season(open_sample):
    # TIM-2: 2.5 m come out as the quarter's months weigh, to the cent; Spring Festival makes February the smallest.
    chapter = open_sample(STEM)
    first = chapter.horizon.months[:3]
    season, _ = time.seasonality(
        chapter.orders("month").assign(product="all"), chapter.parameters, chapter.horizon, chapter.tables.get("calendar")
    )
    weight = season.set_index("month")["weight"]
    quarter = pd.DataFrame({"product": ["all"], "amount": [round(250_000_000 / weight[first].sum() * weight.sum())]})
    path = split(quarter, "month", time.weights(season, quarter, chapter.horizon)).plan.set_index("month")["amount"]

    assert path[first].sum() == pytest.approx(250_000_000, abs=3)
    assert path[first].tolist() == pytest.approx((250_000_000 * weight[first] / weight[first].sum()).tolist(), abs=3)
    assert path[first].idxmin() == "2026-02"


# TIM-4 ----------------------------------------------------------------------------------------------------------------


def test_weeks_of_which_little_is_expected_count_only_when_asked(chapter):
    daily = chapter.orders("day")
    days = daily[daily["day"] >= "2025-01-01"][["day", "amount"]]

    def counts(least: float) -> pd.DataFrame:
        return time.run_rate(days, days, 0.15, 2, least)

    for least in (0.0, 0.5, 1.0):
        found = counts(least)
        assert (found["counts"] == (found["expected_sales"] >= least * found["expected_sales"].mean())).all()  # TIM-4
    assert counts(0.0)["counts"].all() and 10 < counts(1.0)["counts"].sum() < 45


# TIM-5 ----------------------------------------------------------------------------------------------------------------


def test_the_line_of_a_peak_decides_which_months_are(open_sample):
    months = months_of(open_sample(STEM))
    for line in (1.0, 1.10, 1.20, 1.30):
        found = time.peaks(tables.rollup(path_of(open_sample(STEM)), ["month"]), line)
        assert set(found.loc[found["peak"], "month"]) == set(months.index[months / months.mean() >= line])  # TIM-5


def test_cover_doubles_the_stock_of_products_without_inventory(chapter, peaks):
    given, path = chapter.parameters, tables.rollup(path_of(chapter), ["product"])
    costs = time.unit_values(chapter.orders("product", months=chapter.horizon.last_twelve))

    def stock(cover: float, ahead: int = given.stock_months, extra: float = given.stock_extra) -> pd.DataFrame:
        return time.stock_plan(path, time.stock_steps(peaks, ahead, extra), costs, cover, None, chapter.horizon)

    one, two = stock(1.0), stock(2.0)
    # TIM-5: a month's cost, and two of them; what peaks add is 30% of it at most, 60% when asked.
    assert (two["plain"] - 2 * one["plain"]).abs().max() <= 1
    cost = path.merge(costs, on="product")
    wanted = (cost["amount"] * cost["cost_share"] / 12).round()
    assert one.groupby("product")["plain"].first().tolist() == pytest.approx(wanted.tolist(), abs=1)
    for extra in (0.30, 0.60):
        found = stock(1.0, extra=extra)
        assert (found["stock"] / found["plain"].clip(lower=1)).max() == pytest.approx(1 + extra, abs=1e-3)
    raised = [(stock(1.0, ahead=ahead)["stock"] > one["plain"]).sum() for ahead in (1, 3, 5)]
    assert raised[0] < raised[1] < raised[2]


@pytest.mark.parametrize(("extra", "cost"), [(0.20, 9000.0), (0.50, 9000.0), (0.20, 12_000.0), (0.0, 9000.0)])
def test_peak_months_take_more_people_at_their_cost(open_sample, peaks, extra, cost):
    chapter = open_sample(STEM, staff_extra=extra, person_month=cost)
    given, path = chapter.parameters, tables.rollup(path_of(chapter), ["product"])
    costs = time.unit_values(chapter.orders("product", months=chapter.horizon.last_twelve))
    stock = time.stock_plan(path, time.stock_steps(peaks, 3, 0.3), costs, 1.0, None, chapter.horizon)
    heads = time.employed(chapter.tables.get("staff"), chapter.horizon.as_of)
    found = time.peak_months(peaks, stock, heads, given.staff_extra, round(given.person_month * 100))
    busy = found["month"].isin(peaks.loc[peaks["peak"], "month"])

    # TIM-5: a fifth more of the people who are there, in peak months alone, at what one costs a month (in fen).
    assert found.loc[busy, "staff"].tolist() == [math.ceil(round(heads * extra, 9))] * busy.sum() and busy.any()
    assert (found.loc[~busy, "staff"] == 0).all()
    assert (found["staff_cost"] == found["staff"] * round(cost * 100)).all()


def test_so_many_key_accounts_sign_as_asked(chapter, peaks):
    bought = chapter.last_year("customer", "month")
    largest = bought.groupby("customer")["amount"].sum().sort_values(ascending=False)

    for count in (5, 20, 50):
        found = time.key_accounts(bought, peaks, chapter.horizon, count)
        assert set(found["customer"]) == set(largest.index[:count])  # TIM-5
        assert found["to_sign"].sum() > 0


@pytest.mark.parametrize(("hours", "opens"), [(0, "2026-10-14 00:00"), (48, "2026-10-12 00:00"), (60, "2026-10-11 12:00")])
def test_our_presale_opens_so_many_hours_before_the_rivals(chapter, hours, opens):
    feasts = pd.DataFrame({"holiday": ["Double 11"], "date": ["2026-11-11"]})

    # TIM-5: rivals opened 28 days ahead in 2025: October 14.
    assert time.presales(feasts, chapter.tables.get("calendar"), hours)["presale"].tolist() == [opens]


def test_more_hours_for_an_exception_leave_more_open_at_once(chapter):
    daily = chapter.orders("day")
    days = daily[daily["day"] >= "2025-01-01"].assign(day=lambda frame: frame["day"] + pd.DateOffset(years=1))
    sold = chapter.orders(months=chapter.horizon.last_twelve)
    found = {hours: time.exceptions(days, sold, chapter.horizon.as_of, hours).iloc[0] for hours in (6, 24, 48)}

    # TIM-5: solved within a day, a day's exceptions wait; within two, two days'; within six hours a quarter.
    wrong = found[24]["exceptions"]
    assert wrong > 0 and [row["exceptions"] for row in found.values()] == [wrong] * 3
    assert {hours: row["open_at_once"] for hours, row in found.items()} == {6: math.ceil(wrong / 4), 24: wrong, 48: 2 * wrong}


# TIM-5, TIM-6 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [{}, {"ad_cap": 0.05}, {"held_back": 0.15}, {"holidays": {"618": {"before": 30, "after": 5}}}]
)
def test_each_season_has_its_days_and_its_cap(open_sample, words):
    chapter = open_sample(STEM, **words)
    given, daily = chapter.parameters, chapter.orders("day")
    near = time.seasons(chapter.horizon.last_year, given.holidays, chapter.tables.get("calendar"))
    days = daily[daily["day"].dt.year == 2025]
    found = time.holiday_plan(days, near, given.ad_cap, given.held_back).set_index("holiday")
    span = given.holidays["618"]
    june = pd.Timestamp("2025-06-18")
    inside = days["day"].between(june - pd.Timedelta(days=span.before), june + pd.Timedelta(days=span.after))

    # TIM-6: at most 8% of what the season sells; TIM-5: a tenth of that held back.
    assert found.loc["618", "sales"] == days.loc[inside, "amount"].sum()
    assert found.loc["618", "ad_cap"] == math.floor(round(found.loc["618", "sales"] * words.get("ad_cap", 0.08), 6))
    assert found.loc["618", "held_back"] == math.floor(round(found.loc["618", "ad_cap"] * words.get("held_back", 0.10), 6))
    assert set(found.index) == set(words.get("holidays", given.holidays))


def test_a_finer_or_surer_test_of_the_channel_mix_asks_for_more_visitors(open_sample):
    def size(**words) -> tuple[int, float]:
        chapter = open_sample(STEM, **words)
        given = chapter.parameters
        base = time.conversion(chapter.tables.get("kpis"), chapter.horizon.last_twelve)
        return time.arm_size(base, given.test_lift, given.test_error, given.test_power), base

    (usual, base), (surer, _), (stronger, _) = size(), size(test_error=0.01), size(test_power=0.95)
    z = norm.ppf(0.975) + norm.ppf(0.80)
    # TIM-6: visits that became leads in 2025, 5.45%, and a lift of a tenth; Fleiss, Levin and Paik's formula.
    other = base * 1.1
    assert base == pytest.approx(0.054536, abs=1e-6)
    assert usual == math.ceil(z**2 * (base * (1 - base) + other * (1 - other)) / (0.1 * base) ** 2)
    assert surer / usual == pytest.approx(((norm.ppf(0.995) + norm.ppf(0.80)) / z) ** 2, rel=1e-3)
    assert stronger / usual == pytest.approx(((norm.ppf(0.975) + norm.ppf(0.95)) / z) ** 2, rel=1e-3)
    assert size(test_lift=0.20)[0] < usual / 3.5
