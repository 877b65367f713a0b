"""05 time on short and odd histories, and each closed month beside the plan that stood before it closed (TIM-1 to TIM-6)."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from planlib.chapters import time
from planlib.estimates.windows import Coverage, span_of
from planlib.periods import Horizon

HORIZON = Horizon(2026, 1, date(2026, 9, 30))
PATH = pd.DataFrame({"month": HORIZON.months, "amount": 90})


def test_quarters_are_held_against_what_stood_before_they_closed():
    # planned 100 a month; every month brought 90: each closed quarter is a tenth behind
    stood = pd.DataFrame({"product": "p", "month": HORIZON.months, "amount": 100})
    found = time.quarters(PATH, PATH.assign(amount=90), stood, HORIZON)

    assert found["share_over"].tolist() == pytest.approx([-0.1] * 4)
    # a month that no plan had open leaves its quarter without a comparison
    late = time.quarters(PATH, PATH, stood[stood["month"] >= "2026-03"], HORIZON).set_index("quarter")
    assert np.isnan(late.loc["Q1", "plan_in_force"]) and late.loc["Q2", "share_over"] == pytest.approx(-0.1)
    assert late["amount"].tolist() == [270] * 4


def test_a_quarter_that_no_plan_had_open_lifts_nothing():
    season = pd.DataFrame({"product": "p", "month": HORIZON.months, "weight": 1.0})
    stood = pd.DataFrame({"product": "p", "month": HORIZON.months, "amount": 100})
    booked = pd.DataFrame({"product": "p", "month": HORIZON.months[:6], "amount": 150})
    plan, half = pd.DataFrame({"product": ["p"], "amount": [1500]}), Horizon(2026, 1, date(2026, 6, 30))

    assert time.strong_quarter(plan, season, booked, stood, half, 0.1, 0.05).over == pytest.approx(0.5)
    assert time.strong_quarter(plan, season, booked, stood[stood["month"] > "2026-05"], half, 0.1, 0.05).why == "none"


def test_months_of_last_year_that_are_not_known_are_missing():
    last = pd.DataFrame({"month": span_of("2025-10", "2025-12"), "amount": 100})
    found = time.by_month(last, HORIZON, Coverage("2025-10", "2026-09"))

    assert found["amount"].isna().sum() == 9 and found["amount"].sum() == 300
    quarters = time.quarters(PATH, found, None, HORIZON)
    assert quarters["last_year"].isna().tolist() == [True, True, True, False]
    assert quarters["growth"].isna().tolist() == [True, True, True, False]
    assert time.by_month(last, HORIZON, Coverage("2024-01", "2026-09"))["amount"].tolist() == [0] * 9 + [100] * 3


def test_a_product_gets_nothing_after_it_has_left_the_market():
    season = pd.DataFrame({"product": ["p", "q"] * 12, "month": sorted(HORIZON.months * 2), "weight": 1.0})
    stages = pd.DataFrame({"product": ["p", "q"], "last_month": ["2026-10", ""]})
    kept = time.on_market(season, stages)
    weights = time.weights(kept, pd.DataFrame({"product": ["p", "q"], "amount": [10, 10]}), HORIZON)

    assert weights[weights["product"] == "p"].set_index("month")["weight"].to_dict() == {
        "2026-10": 1.0, "2026-11": 0.0, "2026-12": 0.0,
    }  # fmt: skip
    assert weights.loc[weights["product"] == "q", "weight"].eq(1).all()
    assert time.on_market(season, None) is season


def test_a_new_product_takes_the_mean_season_of_products_that_count_alike():
    season = pd.DataFrame({
        "product": ["p"] * 12 + ["q"] * 12, "month": HORIZON.months * 2,
        "weight": [100.0] * 6 + [0.0] * 6 + [0.0] * 6 + [1.0] * 6,
    })  # fmt: skip
    plan = pd.DataFrame({"product": ["p", "new", "q"], "amount": [1, 1, 1]})
    new = time.weights(season, plan, Horizon(2026, 1, date(2025, 12, 31)))

    assert new.loc[new["product"] == "new", "weight"].tolist() == pytest.approx([1 / 12] * 12)


def test_staff_that_nobody_told_is_not_zero():
    found = time.peaks(pd.DataFrame({"month": HORIZON.months, "amount": [100] * 11 + [200]}), 1.2)
    stock = pd.DataFrame({"product": "p", "month": HORIZON.months, "plain": 10, "stock": 13, "pieces": 1.0})

    assert time.employed(None, date(2025, 12, 31)) is None
    assert "staff" not in time.peak_months(found, stock, None, 0.2, 900)


def test_a_holiday_without_a_date_in_the_plan_year_is_named():
    calendar = pd.DataFrame({"event": ["Founders day", "Founders day"], "date": ["2024-05-05", "2025-05-05"]})
    spans = {"Founders day": time.Window(before=3, after=3), "618": time.Window(before=3, after=3)}
    near = time.seasons(span_of("2024-01", "2026-12"), spans, calendar)

    assert time.undated(list(spans), near, HORIZON) == ["Founders day"]
    dated = pd.concat([calendar, pd.DataFrame({"event": ["Founders day"], "date": ["2026-05-05"]})])
    assert time.undated(list(spans), time.seasons(span_of("2024-01", "2026-12"), spans, dated), HORIZON) == []


def test_a_months_cost_is_over_the_months_that_are_known():
    sold = pd.DataFrame({"product": ["p"], "amount": [600], "cost": [300], "quantity": [30.0]})

    assert time.unit_values(sold, 3)["monthly_cost"].iloc[0] == 100 and time.unit_values(sold)["monthly_cost"].iloc[0] == 25


def test_visits_without_leads_of_the_same_month_do_not_count():
    rows = [("2025-01", "visits", 100.0), ("2025-01", "leads", 10.0), ("2025-02", "visits", 300.0)]
    kpis = pd.DataFrame(rows, columns=["month", "kpi", "value"])

    assert time.conversion(kpis, ["2025-01", "2025-02"]) == pytest.approx(0.1)


def test_accounts_whose_peaks_of_last_year_are_not_known_sign_nothing_yet():
    horizon = Horizon(2026, 1, date(2025, 12, 31))
    found = pd.DataFrame({"month": horizon.months, "amount": 100, "peak": [month[5:] == "06" for month in horizon.months]})
    bought = pd.DataFrame({"customer": "c", "month": span_of("2025-10", "2025-12"), "amount": 50})
    accounts = time.key_accounts(bought, found, horizon, 5, Coverage("2025-10", "2025-12"))

    assert accounts["to_sign"].isna().all() and "is not known" in time.told_accounts(accounts, 1, True, str)
    whole = time.key_accounts(bought.assign(month="2025-06"), found, horizon, 5, Coverage("2024-01", "2025-12"))
    assert whole["to_sign"].tolist() == [100]


@pytest.mark.parametrize("first", ["2025-01", "2024-07", "2023-01"])
def test_false_alarms_are_counted_over_whole_years_only(first):
    months = span_of(first, "2025-12")
    history = pd.DataFrame({"product": "p", "month": months, "amount": 3000})
    days = pd.DataFrame({"day": pd.date_range(f"{first}-01", "2025-12-31")})
    daily = days.assign(amount=100, month=days["day"].dt.strftime("%Y-%m"))
    near = time.seasons(months, {})
    weights = time.day_weights(time.day_profile(daily, near, 7), near, months)
    horizon = Horizon(2026, 1, date(2025, 12, 31))
    counted = time.false_alarms(history, daily, weights, time.Parameters(), horizon, None, line=0.15, weeks=2, least=0.5)

    assert counted["year"].tolist() == [f"{year}-01" for year in (2023, 2024, 2025) if f"{year}-01" >= first]


def test_days_without_orders_count_in_their_week():
    # a company that sells on Mondays only: every week of the past year is whole, and none is behind
    months = span_of("2024-01", "2025-12")
    mondays = pd.date_range("2024-01-01", "2025-12-31", freq="W-MON")
    daily = pd.DataFrame({"day": mondays, "amount": 700})
    sums = daily.groupby(daily["day"].dt.strftime("%Y-%m"))["amount"].sum()
    history = pd.DataFrame({"product": "p", "month": sums.index, "amount": sums.to_numpy()})
    near = time.seasons(months, {})
    weights = time.day_weights(time.day_profile(daily, near, 0), near, months)
    horizon = Horizon(2026, 1, date(2025, 12, 31))
    counted = time.false_alarms(history, daily, weights, time.Parameters(), horizon, None, line=0.9, weeks=2, least=0.0)

    assert counted["weeks"].min() >= 50 and "never in" in time.told_alarms(counted, 2)
    assert "cannot be told" in time.told_alarms(counted.assign(weeks=0), 2)
    weeks = time.by_week(pd.DataFrame({"day": pd.date_range("2026-01-01", "2026-12-31"), "amount": 100}))
    beside = time.beside_last_year(weeks, daily, horizon)
    assert (beside["series"] == "last year").sum() >= 50


@pytest.mark.parametrize(
    ("alerts", "said"), [(0, "never in 100 weeks."), (1, "once in 100 weeks, falsely."), (2, "2 times in")]
)
def test_what_is_said_of_false_alarms_is_what_was_counted(alerts, said):
    assert said in time.told_alarms(pd.DataFrame({"year": ["2024-01", "2025-01"], "weeks": [50, 50], "alerts": [alerts, 0]}), 2)


def test_accounts_are_told_in_number_and_by_what_there_is_to_sign():
    one = pd.DataFrame({"customer": ["c"], "last_year": [100], "to_sign": [20]})
    two = pd.DataFrame({"customer": ["c", "d"], "last_year": [100, 50], "to_sign": [0, 0]})

    assert time.told_accounts(one, 1, True, str) == (
        "1 key account bought 100 last year; 20 of the peaks are to be signed with it before stock is built. It is c."
    )
    assert time.told_accounts(two, 2, True, str) == (
        "2 key accounts bought 150 last year, nothing in the months of the coming peaks: there is nothing to sign before "
        "them. The largest is c."
    )
    assert "no peak is still to come" in time.told_accounts(one, 0, True, str)
    assert "bought 100 in what is known of last year;" in time.told_accounts(one, 1, False, str)


@pytest.mark.parametrize(
    ("lines", "wrong", "waiting", "said"),
    [
        (0, 0, 0, "with less than one order line."),
        (1, 0, 0, "with about 1 order line; nothing came back in the last twelve months, so none is expected to go wrong."),
        (
            9,
            1,
            1,
            "order lines; at the usual rate 1 of them goes wrong. Put right within 24 hours, at most 1 waits at a time.",
        ),
        (
            900,
            20,
            20,
            "at the usual rate 20 of them go wrong. Put right within 24 hours, at most 20 wait at a time.",
        ),
    ],
)
def test_the_busiest_day_is_told_as_it_is(lines, wrong, waiting, said):
    row = pd.DataFrame({"day": ["2026-11-11"], "lines": [lines], "exceptions": [wrong], "open_at_once": [waiting]})
    assert time.told_exceptions(row, 24).endswith(said)
    assert "No day is left" in time.told_exceptions(row[:0], 24, False)
    assert "cannot be told" in time.told_exceptions(row[:0], 24, True)


@pytest.mark.parametrize(
    ("amounts", "told", "title"),
    [
        ([833, 834, 833], "All months are equal, with 834 each.", "All months are equal, with 0.33 of the year each"),
        ([800, 900, 800], "The peak of the year is m2 with 900.", "m2 is the peak with 0.36 of the year"),
        (
            [900, 800, 900],
            "The peak of the year is m1 and m3 with 900 each.",
            "m1 and m3 are the peaks with 0.35 of the year each",
        ),
    ],
)
def test_a_peak_is_named_where_there_is_one(amounts, told, title):
    path = pd.DataFrame({"month": ["m1", "m2", "m3"], "amount": amounts})

    def show(value: float, form: str = "money") -> str:
        return f"{value}" if form == "money" else f"{value:.2f}"

    assert time.told_peak(path, show) == told and time.headline_peak(path, show) == title


@pytest.mark.parametrize(
    ("amounts", "days", "title"),
    [
        ([900, 300, 400, 500], [7, 7, 7, 7], "Week W1 is the fullest"),
        ([900, 300, 400, 500], [3, 7, 7, 7], "Week W4 is the fullest"),
        ([100, 300, 304, 301], [3, 7, 7, 7], "All whole weeks are equal"),
        ([500, 300, 300, 500], [7, 7, 7, 7], "Weeks W1 and W4 are the fullest"),
        ([500, 500, 300, 500, 500], [7] * 5, "4 weeks are equally full, W1 the first of them"),
    ],
)
def test_the_fullest_week_is_a_whole_one_and_ties_are_told(amounts, days, title):
    names = [f"W{number}" for number in range(1, len(days) + 1)]
    assert time.headline_weeks(pd.DataFrame({"week": names, "days": days, "amount": amounts})) == title


def test_a_week_too_small_to_count_neither_ends_an_alert_nor_is_told_as_one():
    week = pd.DataFrame({"week": ["W1", "W2", "W3"], "expected_sales": [100, 100, 10], "actual": [50, 50, 5]})
    behind, quiet, small = (week.assign(state=states) for states in (
        ["behind", "alert", "too small to count"], ["", "", "too small to count"], ["too small to count"] * 3
    ))  # fmt: skip

    assert time.told_pace(behind).endswith("Alert: sales are behind as of week W2.")
    assert time.told_pace(quiet).endswith("No alert was raised.")
    assert time.told_pace(small).endswith("Every week is too small to count.")


def test_closed_months_and_weeks_are_told_in_number():
    path = pd.DataFrame({"month": ["2026-01", "2026-02"], "amount": [25, 75]})
    assert time.told_closed(path, ["2026-01"]) == "1 closed month has earned 25% of the target."
    assert time.told_closed(path, ["2026-01", "2026-02"]) == "2 closed months have earned 100% of the target."
    assert time.told_closed(path, []) == "" == time.told_closed(path.assign(amount=0), ["2026-01"])
    week = pd.DataFrame({"week": ["2026-W02"], "expected_sales": [100], "actual": [110], "state": [""]})
    assert time.told_pace(week) == "1 whole week has closed, 10.0% over what was expected of it. No alert was raised."
    assert time.told_pace(week.assign(expected_sales=0)) == "1 whole week has closed; nothing was expected of it."
    assert "1 week behind)" in time.told_alarms(pd.DataFrame({"year": ["2025-01"], "weeks": [50], "alerts": [0]}), 1)


def test_a_quarter_of_which_nothing_was_planned_is_no_weak_one():
    horizon = Horizon(2026, 1, date(2026, 3, 31))
    plan = pd.DataFrame({"product": ["p"], "amount": [900]})
    season = pd.DataFrame({"product": "p", "month": horizon.months, "weight": [0.0] * 3 + [1.0] * 9})
    stood = pd.DataFrame({"product": "p", "month": horizon.months, "amount": [0] * 3 + [100] * 9})
    booked = pd.DataFrame({"product": "p", "month": horizon.months[:3], "amount": 0})
    found = time.strong_quarter(plan, season, booked, stood, horizon, 0.10, 0.05)

    told = time.told(found, 0.10, 0.05, lambda value, form="money": f"{value}")
    assert told == "Nothing was planned for Q1, so no strong quarter can be told: its target stays with the season."
