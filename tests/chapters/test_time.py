"""05 time: months move with the festivals, weeks with weekdays and seasons, closed months do not move at all."""

from calendar import monthrange
from datetime import date

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from planlib import plan as tables
from planlib.chapters import time
from planlib.errors import ParameterError
from planlib.lp import split
from planlib.periods import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
APRIL = Horizon(2026, 1, date(2026, 3, 31))
PARAMETERS = time.Parameters()
FESTIVAL = time.Parameters(festivals=["Spring Festival"])
SPANS = {"Mid-Autumn Festival": time.Window(before=12), "National Day": time.Window(after=7)}


# TIM-1: months


def test_festivals_are_where_the_lunar_calendar_has_them():
    # TIM-1
    # State Council notices: Spring Festival 2024-02-10, 2025-01-29, 2026-02-17; Mid-Autumn 2026-09-25.
    days = time.festival_days([2024, 2025, 2026], ["Spring Festival", "Mid-Autumn Festival"])
    spring = days[days["festival"] == "Spring Festival"]["date"].tolist()

    assert spring == [date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17)]
    assert date(2026, 9, 25) in days["date"].tolist()


def test_a_calendar_table_overrides_a_festival():
    # TIM-1
    table = pd.DataFrame({"date": pd.to_datetime(["2026-03-01"]), "event": ["Spring Festival"]})
    days = time.festival_days([2025, 2026], ["Spring Festival"], table)

    assert sorted(days["date"]) == [date(2025, 1, 29), date(2026, 3, 1)]


def test_exposure_counts_days_on_either_side():
    # TIM-1
    calendar = pd.DataFrame({"event": ["F"], "date": ["2026-02-03"]})
    asked = time.Parameters(festivals=["F"], days_before=10, days_after=4)
    frame = time.exposure(["2026-01", "2026-02"], time.moving(asked, ["2025-12"], HORIZON, calendar))

    # Ten days before February 3: eight in January, two in February; five days from it on, all in February.
    assert frame["F, before"].tolist() == [8, 2]
    assert frame["F, after"].tolist() == [0, 5]


def made(effect: float, years=range(2020, 2026)) -> pd.DataFrame:
    """Months of 1,000 whose eleven days from a Spring Festival on sell e^effect of a plain one each, no other season."""
    months = [f"{year}-{month:02d}" for year in years for month in range(1, 13)]
    near = time.exposure(months, time.moving(FESTIVAL, months, HORIZON))["Spring Festival, after"].to_numpy()
    length = np.array([monthrange(int(month[:4]), int(month[5:]))[1] for month in months])
    amounts = 1000 * (length + (np.exp(effect) - 1) * near) / np.where([month[5:] == "02" for month in months], 28.25, length)
    return pd.DataFrame({"product": "p", "month": months, "amount": (amounts * 1000).round().astype("int64")})


def test_a_known_festival_effect_is_found_again():
    # TIM-1
    _, effects = time.seasonality(made(-0.9), FESTIVAL, HORIZON)
    found = effects.set_index("window")

    # The window after the festival is eleven days long; months agree, so nothing is shrunk.
    assert found["per_day"]["Spring Festival, after"] == pytest.approx(np.exp(-0.9) - 1, abs=1e-4)
    assert found["change"]["Spring Festival, after"] == pytest.approx((np.exp(-0.9) - 1) * 11 / 30, abs=1e-4)
    assert found["change"]["Spring Festival, before"] == pytest.approx(0.0, abs=1e-4)


def test_the_dip_follows_the_festival_into_its_month():
    # TIM-1
    # 2025: January 29, so most of the dip fell in January and February; 2026: February 17, so all of it falls in February.
    season, _ = time.seasonality(made(-0.9), FESTIVAL, HORIZON)
    weight = season.set_index("month")["weight"]

    assert weight["2026-02"] < 0.85 * weight["2026-01"]
    assert weight["2026-01"] == pytest.approx(weight["2026-06"], rel=0.05)


def test_a_short_history_is_taken_as_it_was():
    # TIM-1
    short = made(-0.9, years=[2025])
    season, effects = time.seasonality(short, PARAMETERS, HORIZON)
    weight = season.set_index("month")["weight"]

    assert effects.empty
    assert (weight / weight.sum()).to_numpy() == pytest.approx((short["amount"] / short["amount"].sum()).to_numpy())


def test_closed_months_have_no_weight():
    # TIM-1
    season, _ = time.seasonality(made(0.0), PARAMETERS, HORIZON)
    plan = pd.DataFrame({"region": ["E", "E"], "product": ["p", "new"], "amount": [10, 5]})
    weights = time.weights(season, plan, APRIL)

    assert sorted(set(weights["month"]))[0] == "2026-04"
    assert set(weights["product"]) == {"p", "new"}  # a product never sold before takes the others' season


def test_a_quiet_beginning_does_not_spoil_the_season():
    # TIM-1
    months = [f"{year}-{month:02d}" for year in (2023, 2024, 2025) for month in range(1, 13)]
    quiet = pd.DataFrame({"product": "p", "month": months, "amount": [0] * 14 + [1000] * 22})
    season, _ = time.seasonality(quiet, PARAMETERS, HORIZON)

    assert (season["weight"] * 12).between(0.2, 5).all()


def test_last_years_months_line_up_with_the_plans_even_with_gaps():
    # TIM-1
    gap = pd.DataFrame({"month": ["2025-03", "2025-12"], "amount": [3, 12]})

    assert time.by_month(gap, HORIZON)["amount"].tolist() == [0, 0, 3, *[0] * 8, 12]
    assert time.a_year_on(gap, HORIZON)["month"].tolist() == ["2026-03", "2026-12"]


def test_a_product_without_history_in_the_open_months_shares_them_equally():
    # TIM-1
    season = pd.DataFrame({"product": "p", "month": HORIZON.months, "weight": [1.0] * 11 + [0.0]})
    plan = pd.DataFrame({"region": ["E"], "product": ["p"], "amount": [10]})
    weights = time.weights(season, plan, Horizon(2026, 1, date(2026, 11, 30)))

    assert weights[["month", "weight"]].to_numpy().tolist() == [["2026-12", 1.0]]


def test_a_quarter_comes_out_in_the_shape_of_its_history():
    # TIM-2
    # The book's example: a first quarter of 2.5 million is 0.8 + 0.7 + 1.0, because that is how it always fell.
    shape = [0.8, 0.7, 1.0, *[0.8, 0.9, 0.8] * 3]
    months = [f"{year}-{month:02d}" for year in (2023, 2024, 2025) for month in range(1, 13)]
    history = pd.DataFrame({"product": "p", "month": months, "amount": [round(part * 3e7) for part in shape] * 3})
    season, _ = time.seasonality(history, PARAMETERS, HORIZON)
    plan = pd.DataFrame({"region": ["E"], "product": ["p"], "channel": ["c"], "amount": [1_000_000_000]})
    path = split(plan, "month", time.weights(season, plan, HORIZON)).by("month")

    assert path["amount"].tolist()[:3] == [80_000_000, 70_000_000, 100_000_000]
    assert time.quarters(path, path, None, HORIZON)["amount"].tolist() == [250_000_000] * 4


# TIM-1: days and weeks


def test_the_winter_solstice_falls_where_the_observatory_has_it():
    # TIM-1
    # Hong Kong Observatory: 21 December in 2021, 2024 and 2025, 22 December in 2022, 2023, 2026 and 2027.
    assert [time.solstice(year) for year in range(2021, 2028)] == [21, 22, 22, 21, 21, 22, 22]


def test_holidays_that_stand_in_no_calendar_are_refused():
    # TIM-1
    with pytest.raises(ParameterError, match="'Founders Day', expected one of Spring Festival"):
        time.holiday_days([2026], ["Founders Day"])

    own = pd.DataFrame({"date": pd.to_datetime(["2026-05-05"]), "event": ["Founders Day"]})
    assert time.holiday_days([2026], ["Founders Day", "618"], own)["date"].tolist() == [date(2026, 5, 5), date(2026, 6, 18)]


def test_a_day_in_two_seasons_belongs_to_the_nearer_holiday():
    # TIM-1
    # 2025: National Day is October 1, Mid-Autumn October 6 with its season from September 24.
    near = time.windows(time.holiday_days([2025], list(SPANS)), SPANS)
    whose = near.assign(day=near["day"].dt.strftime("%m-%d")).set_index("day")["holiday"]

    assert whose.index.is_unique
    assert (whose["09-24"], whose["10-01"], whose["10-03"], whose["10-04"]) == (
        "Mid-Autumn Festival", "National Day", "National Day", "Mid-Autumn Festival",
    )  # fmt: skip
    assert whose["10-07"] == "National Day" and "10-09" not in whose.index  # Mid-Autumn has no days after it


def daily(months: list[str], holiday: float = 1.0) -> pd.DataFrame:
    """Workdays of 1,000, weekends of 400, and a first week of October that sells `holiday` times as much."""
    days = pd.date_range(f"{months[0]}-01", pd.Period(months[-1], freq="M").end_time.normalize(), unit="s")
    amount = np.where(days.day_of_week >= 5, 400, 1000) * np.where((days.month == 10) & (days.day <= 7), holiday, 1.0)
    return pd.DataFrame({"day": days, "amount": (amount * 100).round().astype("int64")})


def test_weekdays_and_holiday_weeks_are_found_again():
    # TIM-1
    spans = {"National Day": time.Window(after=6)}
    months = [str(month) for month in pd.period_range("2023-01", "2025-12", freq="M")]
    near = time.seasons(months, spans)
    profile = time.day_profile(daily(months, 1.5), near, prior_days=0).set_index(["kind", "name"])["factor"]

    # Five days of 1,000 and two of 400 have a mean of 5,800 / 7.
    assert profile["weekday", "1"] == pytest.approx(7 / 5.8, abs=1e-6)
    assert profile["weekday", "7"] == pytest.approx(2.8 / 5.8, abs=1e-6)
    assert profile["season", "National Day"] == pytest.approx(1.5, abs=1e-6)
    shrunk = time.day_profile(daily(months, 1.5), near, prior_days=21).set_index(["kind", "name"])["factor"]
    assert 1.1 < shrunk["season", "National Day"] < 1.4  # three such weeks were seen beside 21 plain days


def test_days_and_weeks_sum_to_their_months_to_the_cent():
    # TIM-1
    months = HORIZON.months
    plan = pd.DataFrame({"region": ["E", "W"] * 12, "month": np.repeat(months, 2), "amount": np.arange(24) * 10_007 + 1})
    profile = time.day_profile(daily(["2024-01", "2025-12"]), time.seasons(months, {}), 7)
    days = time.by_day(plan, time.day_weights(profile, time.seasons(months, {}), months))
    weeks = time.by_week(days)

    assert (
        days.groupby(["region", "month"])["amount"].sum().tolist() == plan.sort_values(["region", "month"])["amount"].tolist()
    )
    assert weeks["amount"].sum() == plan["amount"].sum() and weeks["days"].sum() == 365
    parts = time.by_week(days, ["region", "month"])
    assert parts.groupby("week")["amount"].sum().tolist() == weeks.set_index("week")["amount"].sort_index().tolist()
    # ISO 8601 as Python's own calendar has it
    named = [f"{day.isocalendar().year}-W{day.isocalendar().week:02d}" for day in map(date.fromisoformat, weeks["first_day"])]
    assert weeks["week"].tolist() == named


def test_company_weeks_may_begin_on_another_day():
    # TIM-1
    days = daily(["2026-01", "2026-02"]).assign(region="E", month="2026-01")
    sunday = time.by_week(days, week_start=7)

    assert {pd.Timestamp(first).day_of_week for first in sunday["first_day"]} == {6}
    assert sunday["first_day"].iloc[0] == "2025-12-28" and sunday["days"].iloc[0] == 3


def test_the_row_order_does_not_matter():
    # TIM-1
    months = [str(month) for month in pd.period_range("2024-01", "2025-12", freq="M")]
    near, history = time.seasons(months, SPANS), daily(months, 1.3)
    shuffled = history.sample(frac=1, random_state=3)

    pd.testing.assert_frame_equal(time.day_profile(history, near, 7), time.day_profile(shuffled, near, 7))


# TIM-3: rolling


def test_quarters_compare_with_the_plan_in_force():
    # TIM-3
    path = pd.DataFrame({"month": HORIZON.months, "amount": [10] * 12})
    table = time.quarters(path, path.assign(amount=5), path.assign(amount=8), HORIZON)

    assert table["difference"].tolist() == [6, 6, 6, 6]
    assert table["share_over"].tolist() == pytest.approx([0.25] * 4)
    assert table["growth"].tolist() == pytest.approx([1.0] * 4)
    assert "plan_in_force" not in time.quarters(path, path, None, HORIZON)


def quarter_case(a: int, b: int) -> tuple[pd.DataFrame, ...]:
    """Two products planned at 100 a month each; the first quarter brought `a` and `b` a month."""
    season = pd.DataFrame({"product": np.repeat(["a", "b"], 12), "month": HORIZON.months * 2, "weight": 1.0})
    in_force = season[["product", "month"]].assign(amount=1000)
    sold = in_force[in_force["month"].isin(APRIL.closed)]
    booked = sold.assign(amount=np.where(sold["product"] == "a", a, b))
    plan = pd.DataFrame({"region": "E", "product": ["a", "b"], "amount": [12_000, 12_000]})
    return plan, season, booked, in_force


def test_a_quarter_a_tenth_over_lifts_the_next_and_the_year_stays():
    # TIM-3
    # Product a sold 1,200 a month of 1,000 planned, b kept its plan: the quarter closed 10% over, exactly at the line.
    plan, season, booked, in_force = quarter_case(1200, 1000)
    found = time.strong_quarter(plan, season, booked, in_force, APRIL, 0.10, 0.05)
    path = split(plan, "month", time.weights(season, plan, APRIL, found.factors), booked=booked.assign(region="E")).by("month")
    quarters = time.quarters(path, path, in_force, APRIL)

    assert found.why == "lifted" and found.over == pytest.approx(0.10)
    # 6,000 planned for the second quarter; without the rule 9 open months share 8,400 + 9,000: 5,800.
    assert (found.before, found.goal) == (5800, 6300)
    assert quarters["amount"].tolist() == [6600, 6300, 5550, 5550]
    # The product that beat its plan carries the lift: 3,300 of its 8,400 left, in three months of nine.
    carries = found.products.set_index("product")["carries"]
    assert carries["b"] == 1.0 and carries["a"] == pytest.approx((3300 / 3) / (5100 / 6), abs=1e-6)
    assert found.products["closed_share"].tolist() == pytest.approx([3600 / 6600, 3000 / 6600])


@pytest.mark.parametrize(
    ("a", "b", "line", "why"),
    [(1190, 1000, 0.10, "below"), (1200, 1000, 0.11, "below"), (1000, 1000, 0.0, "lifted")],
)
def test_below_the_line_nothing_is_lifted(a, b, line, why):
    # TIM-3
    found = time.strong_quarter(*quarter_case(a, b), APRIL, line, 0.05)

    assert found.why == why
    assert found.factors.empty == (why == "below")


def test_the_last_quarter_has_nothing_to_take_from_and_the_first_plan_nothing_to_compare():
    # TIM-3
    plan, season, _, in_force = quarter_case(1200, 1200)
    october = Horizon(2026, 1, date(2026, 9, 30))
    nine = in_force[in_force["month"].isin(october.closed)].assign(amount=1200)

    assert time.strong_quarter(plan, season, nine, in_force, october, 0.10, 0.05).why == "last"
    assert time.strong_quarter(plan, season, None, None, HORIZON, 0.10, 0.05).why == "none"


# TIM-4: run rate


def weeks_of(*parts: float, expected: float = 1000.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whole weeks from a Monday on, each with a part of what is expected of it."""
    days = pd.date_range("2026-01-05", periods=7 * len(parts), unit="s")
    plan = pd.DataFrame({"day": days, "amount": int(expected)})
    return plan, plan.assign(amount=np.repeat([round(part * expected) for part in parts], 7))


def states(*parts: float, **rule) -> list[str]:
    return time.run_rate(*weeks_of(*parts), **{"line": 0.15, "weeks": 2, "least": 0.5, **rule})["state"].tolist()


def test_two_weeks_in_a_row_raise_the_alert_and_a_recovery_ends_it():
    # TIM-4
    assert states(1.0, 0.84, 0.84, 0.80, 0.90, 0.80, 1.0, 0.80, 0.80) == [
        "", "behind", "alert", "still behind", "", "behind", "", "behind", "alert",
    ]  # fmt: skip
    assert states(0.85, 0.85, 0.85) == ["", "", ""]  # just at the line is not behind it
    assert states(0.84, 0.84, weeks=3) == ["behind", "behind"]
    assert states(0.84, 0.84, line=0.20) == ["", ""]


def test_weeks_of_which_little_is_expected_do_not_count():
    # TIM-4
    plan, actual = weeks_of(0.5, 0.5, 0.5)
    plan.loc[7:13, "amount"] = 100  # the middle week: a tenth of a usual one is expected, none of it comes
    actual.loc[7:13, "amount"] = 0
    table = time.run_rate(plan, actual, line=0.15, weeks=2, least=0.5)

    assert table["counts"].tolist() == [True, False, True]
    assert table["state"].tolist() == ["behind", "too small to count", "alert"]
    assert time.run_rate(plan, actual, line=0.15, weeks=3, least=0.0)["state"].tolist() == ["behind", "behind", "alert"]


def test_only_whole_weeks_are_measured():
    # TIM-4
    plan, actual = weeks_of(1.0, 1.0)
    table = time.run_rate(plan, actual.iloc[:10], line=0.15, weeks=2, least=0.5)

    assert table["week"].tolist() == ["2026-W02"]


# TIM-5: peaks


def test_stock_rises_in_three_steps_before_a_peak():
    # TIM-5
    path = pd.DataFrame({"month": HORIZON.months, "amount": [100] * 10 + [130, 100]})
    found = time.peaks(path, 1.2)
    steps = time.stock_steps(found, 3, 0.30).set_index("month")["extra"]

    assert found.loc[found["peak"], "month"].tolist() == ["2026-11"]
    assert steps["2026-08":"2026-12"].tolist() == pytest.approx([0.10, 0.20, 0.30, 0.0, 0.0])
    assert steps["2026-01":"2026-07"].eq(0).all()
    assert time.stock_steps(found, 1, 0.30)["extra"].tolist() == [0.0] * 9 + [0.30, 0.0, 0.0]
    assert not time.peaks(path, 1.3)["peak"].any()


def test_stock_keeps_pace_with_the_plan_in_money_and_pieces():
    # TIM-5
    # 1,200 a year at a cost of half: 50 a month; 40 pieces sold for 1,000, so 12.5 a piece.
    plan = pd.DataFrame({"product": ["p"], "amount": [1200]})
    unit = time.unit_values(pd.DataFrame({"product": ["p"], "amount": [1000], "cost": [500], "quantity": [40.0]}))
    steps = pd.DataFrame({"month": HORIZON.months, "extra": [0.3] + [0.0] * 11})
    stock = time.stock_plan(plan, steps, unit, 2.0, None, HORIZON)

    assert stock.loc[0, ["plain", "stock", "pieces"]].tolist() == [100, 130, round(130 / 12.5)]
    held = pd.DataFrame({"product": ["p", "p"], "value": [25, 50]})  # 75 against a cost of 500 / 12 a month: 1.8 months
    assert time.stock_plan(plan, steps, unit, 2.0, held, HORIZON).loc[1, "stock"] == 90


@pytest.mark.parametrize(
    ("cover", "held"), [(1.0, ["04", "05", "06", "07", "08"]), (2.0, ["03", "04", "05", "06", "07", "08"])]
)
def test_no_stock_is_planned_for_a_closed_season(cover, held):
    # TIM-5: sold from May to September; stock at a month's end is for the months that the cover reaches.
    sold = [100 if 5 <= number <= 9 else 0 for number in range(1, 13)]
    plan = pd.DataFrame({"product": "p", "month": HORIZON.months, "amount": sold})
    unit = time.unit_values(pd.DataFrame({"product": ["p"], "amount": [1000], "cost": [600], "quantity": [40.0]}))
    steps = pd.DataFrame({"month": HORIZON.months, "extra": 0.0})
    stock = time.stock_plan(plan, steps, unit, cover, None, HORIZON).set_index("month")

    # 500 a year at a cost of 60%: 25 a month.
    assert stock.index[stock["stock"] > 0].tolist() == [f"2026-{month}" for month in held]
    assert stock.loc[stock["stock"] > 0, "stock"].unique().tolist() == [25 * cover]
    assert (stock.loc[stock["stock"] == 0, "pieces"] == 0).all()
    # The year begins again: what sells in January is held at the end of December.
    first = plan.assign(amount=[100] + [0] * 11)
    assert time.stock_plan(first, steps, unit, 1.0, None, HORIZON).set_index("month")["stock"].tolist() == [0] * 11 + [5]


def test_peak_months_take_a_fifth_more_people():
    # TIM-5
    found = time.peaks(pd.DataFrame({"month": HORIZON.months, "amount": [100] * 11 + [200]}), 1.2)
    stock = pd.DataFrame({"product": "p", "month": HORIZON.months, "plain": 10, "stock": 13, "pieces": 1.0})
    table = time.peak_months(found, stock, 41, 0.20, 900_000)

    assert table["staff"].tolist() == [0] * 11 + [9]  # 8.2 rounded up
    assert table["staff_cost"].iloc[-1] == 8_100_000
    assert "staff_cost" not in time.peak_months(found, stock, 41, 0.20, 0)
    staff = pd.DataFrame({"hired": ["2025-01-01", "2026-05-01", "2024-01-01"], "left": [None, None, "2025-06-30"]})
    assert time.employed(staff, date(2025, 12, 31)) == 1 and time.employed(None, date(2025, 12, 31)) is None


def test_key_accounts_are_the_largest_and_sign_for_the_coming_peaks():
    # TIM-5
    found = time.peaks(pd.DataFrame({"month": HORIZON.months, "amount": [100] * 11 + [300]}), 1.2)
    bought = pd.DataFrame(
        {"customer": ["A", "A", "B", "C"], "month": ["2025-06", "2025-12", "2025-12", "2025-03"], "amount": [50, 100, 50, 400]}
    )
    table = time.key_accounts(bought, found, HORIZON, 2)

    # December grows from 150 to 300: an account signs twice what it bought in that month.
    assert table.to_dict("list") == {"customer": ["C", "A"], "last_year": [400, 150], "in_peaks": [0, 100], "to_sign": [0, 200]}
    assert time.key_accounts(bought.assign(customer="all"), found, HORIZON, 2).empty


def test_promotions_follow_the_stage_of_life():
    # TIM-5
    stages = pd.DataFrame({"product": ["n", "m", "d"], "stage": ["introduction", "maturity", "decline"]})
    tiers = time.promotion_tiers(stages, pd.Series(["n", "m", "d", "unknown"])).set_index("product")["promotion"]

    assert tiers.to_dict() == {"n": "threshold discount", "m": "bundle", "d": "time-limited clearance", "unknown": "bundle"}
    assert set(time.promotion_tiers(None, pd.Series(["n"]))["promotion"]) == {"bundle"}
    milked = stages.assign(quadrant=["question mark", "star", "cash cow"])
    assert time.promotion_tiers(milked, pd.Series(["d"]))["promotion"].tolist() == ["bundle"]


def test_the_presale_opens_48_hours_before_the_rivals_earliest():
    # TIM-5
    feasts = pd.DataFrame({"holiday": ["618", "National Day"], "date": ["2026-06-18", "2026-10-01"]})
    past = pd.DataFrame(
        {"event": ["618", "618"], "date": ["2024-06-18", "2025-06-18"], "rivals_from": ["2024-05-29", "2025-05-20"]}
    )
    table = time.presales(feasts, past, 48)

    # 20 days ahead in 2024, 29 in 2025: expected on May 20, ours on May 18.
    assert table.iloc[0].tolist() == ["618", "2026-06-18", "2026-05-20", "2026-05-18 00:00"]
    assert table.iloc[1][["rivals_expected", "presale"]].isna().all()
    assert time.presales(feasts, past, 12)["presale"].iloc[0] == "2026-05-19 12:00"


def test_exceptions_of_the_busiest_day_wait_a_day_at_most():
    # TIM-5
    days = pd.DataFrame({"day": pd.to_datetime(["2026-01-01", "2026-11-11"]), "amount": [900, 5000]})
    sold = pd.DataFrame({"amount": [9000], "lines": [90], "returned": [-1000]})  # 100 a line, a tenth of the gross comes back

    assert time.exceptions(days, sold, date(2025, 12, 31), 24).to_numpy().tolist() == [["2026-11-11", 50, 5, 5]]
    assert time.exceptions(days, sold, date(2025, 12, 31), 12)["open_at_once"].tolist() == [3]
    assert time.exceptions(days, sold, date(2026, 12, 31), 24).empty


# TIM-6: holidays


def test_advertising_is_capped_by_each_seasons_sales():
    # TIM-6
    near = time.windows(time.holiday_days([2026], ["618"]), {"618": time.Window(before=1, after=0)})
    days = pd.DataFrame({"day": pd.to_datetime(["2026-06-16", "2026-06-17", "2026-06-18"]), "amount": [7, 1000, 555]})
    table = time.holiday_plan(days.assign(month="2026-06"), near, 0.08, 0.10)

    assert table[["sales", "ad_cap", "held_back"]].to_numpy().tolist() == [[1555, 124, 12]]  # 124.4 and 12.4, rounded down
    sales = time.holiday_sales(days.assign(month="2026-06"), near, HORIZON)
    assert sales["month"].tolist() == HORIZON.months and sales["sales"].tolist() == [0] * 5 + [1555] + [0] * 6


def test_a_region_that_sells_more_in_the_seasons_is_found_and_one_of_chance_is_shrunk():
    # TIM-6
    months = [str(month) for month in pd.period_range("2023-01", "2025-12", freq="M")]
    near = time.seasons(months, {"National Day": time.Window(after=6)})
    plain, strong = daily(months), daily(months, 2.0)
    rng = np.random.default_rng(1)
    noisy = plain.assign(amount=(plain["amount"] * rng.uniform(0.5, 1.5, len(plain)) / 50).round().astype("int64"))
    history = pd.concat(
        [plain.assign(region="A"), plain.assign(region="B"), strong.assign(region="C"), noisy.assign(region="small")]
    )
    lift = time.holiday_lift(history, near).set_index("region")

    assert lift.loc["C", "lift"] == pytest.approx(lift.loc["C", "own"], rel=0.02)
    # 2.02 shares of four and a bit: A sells 1, C 2 of every 4.02 in the season, 1 of every 3.02 outside.
    assert lift.loc["C", "own"] == pytest.approx(2 / 4.02 * 3.02, rel=0.01)
    assert abs(lift.loc["small", "lift"] - 1) <= abs(lift.loc["small", "own"] - 1) + 1e-9
    assert time.holiday_lift(history[history["day"] < "2024"], near)["lift"].eq(1).all()  # one season says nothing


def test_the_size_of_a_test_is_the_textbooks():
    # TIM-6
    # Fleiss: p 0.10 against 0.15, 5% two-sided, power 80%: (1.95996 + 0.84162)^2 (0.09 + 0.1275) / 0.0025 = 682.8.
    assert time.arm_size(0.10, 0.50, 0.05, 0.80) == 683
    assert time.arm_size(0.10, 0.25, 0.05, 0.80) > 2 * 683
    with pytest.raises(ParameterError, match="expected shares between 0 and 1"):
        time.arm_size(0.9, 0.5, 0.05, 0.80)


def test_the_conversion_is_of_summed_parts():
    # TIM-6
    kpis = pd.DataFrame(
        {"month": ["2025-01", "2025-02"] * 2, "kpi": ["visits"] * 2 + ["leads"] * 2, "value": [100.0, 300.0, 10.0, 10.0]}
    )

    assert time.conversion(kpis, ["2025-01", "2025-02"]) == pytest.approx(0.05)
    assert time.conversion(kpis[kpis["kpi"] == "leads"], ["2025-01"]) is None and time.conversion(None, []) is None


# Bounds


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("lift", 0.04), ("lift", 0.081), ("over_line", -0.01), ("over_line", 0.6), ("alert_line", 0.0), ("alert_line", 1.0),
        ("alert_weeks", 0), ("alert_least", 1.1), ("peak_line", 0.9), ("stock_months", 0), ("stock_months", 7),
        ("stock_extra", 1.1), ("cover_months", -1.0), ("staff_extra", 1.1), ("person_month", -1.0), ("key_accounts", 0),
        ("presale_hours", 241), ("held_back", 0.09), ("held_back", 0.16), ("exception_hours", 0), ("exception_hours", 73),
        ("ad_cap", 0.0), ("ad_cap", 0.21), ("week_start", 8), ("prior_days", -1), ("test_lift", 0.0), ("test_error", 0.5),
        ("test_power", 0.5), ("holidays", {"618": {"before": 61, "after": 0}}), ("festivals", {"Easter": {"before": 61}}),
        ("days_before", 61), ("days_after", 61), ("shrink_months", 121),
    ],
)  # fmt: skip
def test_the_books_numbers_have_bounds(name, wrong):
    # TIM-3, TIM-4, TIM-5, TIM-6
    with pytest.raises(ValidationError):
        time.Parameters(**{name: wrong})


def test_the_defaults_are_the_books():
    # TIM-3, TIM-4, TIM-5, TIM-6
    chosen = time.Parameters()

    assert (chosen.over_line, chosen.lift, chosen.alert_line, chosen.alert_weeks) == (0.10, 0.05, 0.15, 2)
    assert (chosen.stock_months, chosen.stock_extra, chosen.staff_extra) == (3, 0.30, 0.20)
    assert (chosen.presale_hours, chosen.held_back, chosen.exception_hours, chosen.ad_cap) == (48, 0.10, 24, 0.08)


# On the sample: each rule moves the plan or its table when its parameter moves


def of_the_sample(chapter, path_factor: float = 1.3) -> dict:
    """A year split over the sample's months, regions and days by the chapter's own parameters."""
    asked, horizon, calendar = chapter.parameters, chapter.horizon, chapter.tables.get("calendar")
    last, booked = chapter.last_year("region", "product"), chapter.booked("region", "product", "month")
    plan = last.assign(amount=(last["amount"].clip(lower=0) * path_factor).round().astype("int64"))
    if booked is not None:  # a cell that sold this year and not last has its sales
        both = plan.merge(tables.rollup(booked, ["region", "product"]), on=["region", "product"], how="outer").fillna(0)
        plan = both.assign(amount=both[["amount_x", "amount_y"]].max(axis=1).astype("int64"))[["region", "product", "amount"]]
    history = chapter.orders("product", "month")
    season, effects = time.seasonality(history, asked, horizon, calendar)
    result = split(plan, "month", time.weights(season, plan, horizon), booked=booked)
    daily = chapter.orders("region", "day")
    months = [str(month) for month in pd.period_range(min(history["month"]), max(horizon.months), freq="M")]
    near = time.seasons(months, asked.holidays, calendar)
    before = daily[daily["day"] < pd.Timestamp(horizon.months[0])]
    weights = time.day_weights(time.day_profile(before, near, asked.prior_days), near, months)
    days = time.by_day(result.by("region", "month"), weights, time.holiday_lift(before, near))
    return locals()


def test_the_months_of_the_sample_follow_the_festival(open_sample):
    # TIM-1: Spring Festival moves from January 29 to February 17, and takes sales from the weeks around it.
    moving = of_the_sample(open_sample("05-time"))
    still = of_the_sample(open_sample("05-time", festivals=[]))
    path = [found["result"].by("month").set_index("month")["amount"] for found in (moving, still)]
    share = [months / months.sum() for months in path]

    assert share[0]["2026-02"] < share[1]["2026-02"] - 0.003
    assert share[0]["2026-01"] > share[1]["2026-01"] + 0.003
    assert (moving["season"]["weight"] != of_the_sample(open_sample("05-time", days_before=10))["season"]["weight"]).any()


def test_every_level_of_the_sample_sums_to_the_one_above(open_sample):
    # TIM-1, with weeks that begin on Sunday, and quarters
    found = of_the_sample(open_sample("05-time", week_start=7))
    path, total = found["result"].by("month"), found["plan"]["amount"].sum()
    weeks = time.by_week(found["days"], ["region", "month"], found["asked"].week_start)

    assert time.quarters(path, path, None, found["horizon"])["amount"].sum() == total
    assert weeks.groupby("month")["amount"].sum().tolist() == path["amount"].tolist()
    assert {pd.Timestamp(first).day_of_week for first in weeks["first_day"]} == {6}


def test_the_days_of_the_sample_are_its_orders_by_day(open_sample):
    # TIM-1: what a day sold sums to what the month sold; weekends of the sample are quieter than workdays.
    chapter = open_sample("05-time")
    found = of_the_sample(chapter)
    sums = found["daily"].assign(month=found["daily"]["day"].dt.strftime("%Y-%m")).groupby("month")["amount"].sum()
    profile = time.day_profile(found["before"], found["near"], 0).query("kind == 'weekday'").set_index("name")["factor"]
    shrunk = time.day_profile(found["before"], found["near"], 365).query("kind == 'weekday'").set_index("name")["factor"]

    assert sums.tolist() == chapter.orders("month")["amount"].tolist()
    assert profile["7"] < 0.85 < 1.0 < profile["2"]
    assert profile["7"] < shrunk["7"] < 1


@pytest.mark.parametrize("lift", [0.05, 0.08])
def test_a_strong_quarter_of_the_sample_lifts_the_next(open_sample, lift):
    # TIM-3: the first quarter of 2026 against a plan that expected a tenth less of it.
    chapter = open_sample("05-time", as_of="2026-03-31", lift=lift)
    found = of_the_sample(chapter)
    closed = chapter.booked("product", "month")
    in_force = tables.rollup(found["result"].plan, ["product", "month"])
    early = in_force["month"].isin(chapter.horizon.closed)
    in_force["amount"] = in_force["amount"].where(~early, (in_force["amount"] / 1.12).round().astype("int64"))
    asked = chapter.parameters
    strong = time.strong_quarter(found["plan"], found["season"], closed, in_force, chapter.horizon, asked.over_line, asked.lift)
    weights = time.weights(found["season"], found["plan"], chapter.horizon, strong.factors)
    lifted = split(found["plan"], "month", weights, booked=found["booked"]).by("month")
    quarters = time.quarters(lifted, lifted, in_force, chapter.horizon)

    assert strong.why == "lifted" and strong.over == pytest.approx(0.12, abs=0.001)
    assert quarters["share_over"].iloc[1] == pytest.approx(lift, abs=0.002)
    assert quarters["share_over"].iloc[2:].lt(0).all()
    assert lifted["amount"].sum() == found["plan"]["amount"].sum()
    higher = time.strong_quarter(found["plan"], found["season"], closed, in_force, chapter.horizon, 0.13, asked.lift)
    assert higher.why == "below" and higher.factors.empty


def test_the_drivers_of_a_month_add_up_on_the_sample(open_sample):
    # TIM-1, TIM-3: closed months are what they were, and no effect is left over.
    chapter = open_sample("05-time", as_of="2026-03-31")
    found = of_the_sample(chapter)
    without, _ = time.seasonality(
        found["history"], chapter.parameters.model_copy(update={"festivals": []}), chapter.horizon, found["calendar"]
    )
    then, closed = chapter.last_year("product", "month"), chapter.booked("product", "month")
    drivers = time.month_drivers(found["plan"], then, found["season"], without, closed, None, chapter.horizon)
    bridge = drivers.bridge(found["result"].plan)

    assert bridge["rules_effect"].abs().max() < 0.002
    assert bridge["plan_share"].sum() == pytest.approx(1)
    actual = chapter.orders("month", months=chapter.horizon.closed)["amount"].tolist()
    assert found["result"].by("month")["amount"].tolist()[:3] == actual


def test_the_alert_of_the_sample_follows_its_line_and_weeks(open_sample):
    # TIM-4: three weeks of March that sell a quarter less than expected.
    found = of_the_sample(open_sample("05-time"))
    days = found["days"].groupby("day", as_index=False)["amount"].sum()
    weak = days[days["day"] < "2026-04-01"].copy()
    bad = weak["day"].between("2026-03-02", "2026-03-22")
    weak["amount"] = weak["amount"].where(~bad, (weak["amount"] * 0.75).round().astype("int64"))

    def alerts(line: float, weeks: int) -> int:
        return time.alarms(time.run_rate(days, weak, line, weeks, 0.5))

    assert (alerts(0.15, 2), alerts(0.24, 3), alerts(0.26, 2), alerts(0.15, 4)) == (1, 1, 0, 0)


def test_false_alarms_of_the_sample_are_counted_and_fewer_with_a_wider_line(open_sample):
    # TIM-4
    found = of_the_sample(open_sample("05-time"))
    counted = [
        time.false_alarms(
            found["history"], found["daily"], found["weights"], found["asked"], found["horizon"], found["calendar"],
            line=line, weeks=2, least=0.5,
        )
        for line in (0.05, 0.15, 0.60)
    ]  # fmt: skip
    alerts = [int(table["alerts"].sum()) for table in counted]

    assert counted[1]["year"].tolist() == ["2023-01", "2024-01", "2025-01"]
    assert alerts[0] > alerts[1] >= alerts[2] == 0
    assert counted[1]["weeks"].between(48, 52).all()


def test_stock_staff_and_money_of_the_peaks_follow_their_parameters(open_sample):
    # TIM-5: the sample's peaks are June, November and December.
    chapter = open_sample("05-time")
    found = of_the_sample(chapter)
    asked, path = found["asked"], found["result"].by("month")
    peaks = time.peaks(path, asked.peak_line)
    costs = time.unit_values(chapter.orders("product", months=chapter.horizon.last_twelve))
    by_product = tables.rollup(found["plan"], ["product"])

    def stock(months: int, extra: float) -> pd.Series:
        steps = time.stock_steps(peaks, months, extra)
        table = time.stock_plan(by_product, steps, costs, 1.0, chapter.tables.get("inventory"), chapter.horizon)
        return time.peak_months(peaks, table, 100, 0.20, 0).set_index("month")["stock"]

    assert set(peaks.loc[peaks["peak"], "month"]) >= {"2026-11", "2026-12"}
    assert len(time.peaks(path, 1.5).query("peak")) == 0
    usual, most = stock(3, 0.30), stock(3, 0.60)
    assert usual["2026-10"] / usual["2026-12"] == pytest.approx(1.30, abs=0.001)
    assert most["2026-10"] / most["2026-12"] == pytest.approx(1.60, abs=0.001)
    assert stock(1, 0.30)["2026-08"] == usual["2026-12"] < usual["2026-09"]
    heads = time.employed(chapter.tables.get("staff"), chapter.horizon.as_of)
    assert 100 < heads < 250


def test_the_peak_calendar_and_the_caps_of_the_sample_follow_their_parameters(open_sample):
    # TIM-5, TIM-6
    chapter = open_sample("05-time")
    found = of_the_sample(chapter)
    asked, calendar = found["asked"], found["calendar"]
    feasts = time.holiday_plan(found["days"], found["near"], asked.ad_cap, asked.held_back).set_index("holiday")
    half = time.holiday_plan(found["days"], found["near"], 0.04, 0.15).set_index("holiday")

    assert set(feasts.index) == set(asked.holidays)
    assert (feasts["ad_cap"] <= 0.08 * feasts["sales"]).all() and (feasts["ad_cap"] > 0.0799 * feasts["sales"]).all()
    assert (half["ad_cap"] - feasts["ad_cap"] / 2).abs().max() <= 1
    assert (half["held_back"] / half["ad_cap"]).to_numpy() == pytest.approx(0.15, abs=1e-6)
    assert time.holiday_sales(found["days"], found["near"], chapter.horizon)["sales"].sum() == feasts["sales"].sum()
    table = feasts.reset_index()
    soon = time.peak_calendar(table, time.presales(table, calendar, 48), 3, chapter.horizon.as_of).set_index("holiday")
    # Rivals opened Double 11 28 days ahead in 2025, the earliest so far: October 14, and ours two days before.
    assert soon.loc["Double 11", ["rivals_expected", "presale"]].tolist() == ["2026-10-14", "2026-10-12 00:00"]
    assert soon.loc["618", "stock_from"] == "2026-03-01"
    later = time.peak_calendar(table, time.presales(table, calendar, 48), 3, date(2026, 6, 30))
    assert "618" not in set(later["holiday"])


def test_regions_of_the_sample_differ_in_their_holidays_within_reason(open_sample):
    # TIM-6: own lifts spread far wider than shrunk ones, and the company as a whole is near 1.
    found = of_the_sample(open_sample("05-time"))
    lift = time.holiday_lift(found["before"], found["near"])
    sold = found["before"].groupby("region")["amount"].sum().reindex(lift["region"]).to_numpy()

    assert lift["lift"].std() < lift["own"].std()
    assert np.average(lift["lift"], weights=sold) == pytest.approx(1, abs=0.03)
    assert of_the_sample(open_sample("05-time", holidays={}))["near"].empty


def test_a_year_that_starts_in_july_and_half_is_closed():
    # TIM-1, TIM-3
    horizon = Horizon(2025, 7, date(2025, 12, 31))
    months = [str(month) for month in pd.period_range("2023-07", "2025-12", freq="M")]
    history = pd.DataFrame({"product": "p", "month": months, "amount": 1000})
    season, _ = time.seasonality(history, PARAMETERS, horizon)
    booked = history[history["month"].isin(horizon.closed)]
    in_force = pd.DataFrame({"product": "p", "month": horizon.months, "amount": 800})
    plan = pd.DataFrame({"product": ["p"], "amount": [11_000]})
    strong = time.strong_quarter(plan, season, booked, in_force, horizon, 0.10, 0.05)
    weights = time.weights(season, plan, horizon, strong.factors)

    assert (strong.closed, strong.next, strong.over) == ("Q2", "Q3", pytest.approx(0.25))
    # 5,000 are left: 2,500 by season, 2,520 with the lift over 2,400 planned.
    assert (strong.before, strong.goal) == (2500, 2520)
    path = split(plan, "month", weights, booked=booked).by("month")
    assert path["amount"].tolist()[:6] == [1000] * 6 and sum(path["amount"].tolist()[6:9]) == 2520
