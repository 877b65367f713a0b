"""Whether the weeks keep pace with the plan: expected and actual, and when two weeks behind are an alert."""

from dataclasses import replace
from typing import Any

import pandas as pd

from planlib import plan as tables
from planlib.chapters.time.weeks import WEEK, by_day, by_week, every_day, of_company
from planlib.estimates.moving import Moving, Near
from planlib.estimates.season import seasonality
from planlib.estimates.windows import Coverage
from planlib.periods import MONTHS, Calendar, Horizon
from planlib.plan import AMOUNT

BEHIND, ALERT, STILL, QUIET, SMALL = "behind", "alert", "still behind", "", "too small to count"


def run_rate(
    expected: pd.DataFrame,
    actual: pd.DataFrame,
    line: float,
    weeks: int,
    least: float,
    week_start: int = 1,
    periods: Calendar = MONTHS,
) -> pd.DataFrame:
    """Actual sales of each whole week beside what season and plan expect of it, and the alerts (TIM-4).

    `expected`: day, amount of the plan in force by day; `actual`: day, amount, the closed days. A week counts when at least
    `least` of a mean week is expected of it; it is behind when it lies more than `line` under; the alert comes with the
    `weeks`-th week behind in a row, goes on while weeks stay behind, and a week back above the line ends it. Weeks that do
    not count change nothing. Returns week, first_day, expected_sales, actual (minor units), over (share), counts, state
    (behind, alert, still behind, too small to count, or empty), in order of time.
    """
    inside = expected["day"].isin(actual["day"])
    plan = by_week(expected[inside], week_start=week_start, calendar=periods)
    done = by_week(actual[actual["day"].isin(expected["day"])], week_start=week_start, calendar=periods)
    table = plan.merge(done[["week", AMOUNT]], on="week", suffixes=("_plan", ""), validate="one_to_one")
    table = table[table["days"] == WEEK].rename(columns={f"{AMOUNT}_plan": "expected_sales", AMOUNT: "actual"})
    table["over"] = tables.ratio(table["actual"] - table["expected_sales"], table["expected_sales"])
    mean = float(table["expected_sales"].mean()) if len(table) else 0.0
    table["counts"] = (table["expected_sales"] > 0) & (table["expected_sales"] >= least * mean)
    states, behind = [], 0
    for row in table.itertuples():
        if not row.counts:
            states.append(SMALL)
            continue
        behind = behind + 1 if round(float(row.over), 9) < -line else 0
        states.append(QUIET if behind == 0 else BEHIND if behind < weeks else ALERT if behind == weeks else STILL)
    columns = ["week", "first_day", "expected_sales", "actual", "over", "counts", "state"]
    return table.assign(state=pd.Series(states, index=table.index, dtype=str))[columns].reset_index(drop=True)


def in_days(in_force: pd.DataFrame, weights: pd.DataFrame) -> pd.DataFrame:
    """The plan in force by day: region (of all together where days do not differ between them), month, day, amount (TIM-4)."""
    return by_day(in_force if "region" in weights else in_force.assign(region="all"), weights)


def alarms(table: pd.DataFrame) -> int:
    """How many alerts a run-rate table holds; one that goes on counts once (TIM-4)."""
    return int((table["state"] == ALERT).sum())


def false_alarms(
    history: pd.DataFrame,
    daily: pd.DataFrame,
    weights: pd.DataFrame,
    near: Near | Moving,
    horizon: Horizon,
    calendar: pd.DataFrame | None,
    **rule: Any,
) -> pd.DataFrame:
    """What the alert would have said of past years that came in as expected: year (its first month), weeks, alerts (TIM-4).

    `history`: product, month, amount; `daily`: day, amount; `weights`: from `day_weights`, over all of them; `rule`: as in
    `run_rate`. Each of the last complete years (three at most) is measured against its own total in its seasonal shape, so that
    by construction the year as a whole is not behind, and every alert is a false one. The season is fitted on all years.
    """
    rows, weights = [], of_company(weights, daily)
    coverage = Coverage.of(history["month"], horizon.until)
    for back in range(1, 4):
        past = replace(horizon, year=horizon.year - back)
        if not coverage.window("year", past.months).whole:
            continue
        season, _ = seasonality(history, near, past, calendar)
        totals = tables.rollup(history[history["month"].isin(past.months)], ["product"])
        totals[AMOUNT] = totals[AMOUNT].clip(lower=0)
        known = totals[totals["product"].isin(season["product"])]
        expected = tables.rollup(tables.proportional(known, season, "month"), ["month"]).assign(region="all")
        days = by_day(expected, weights[weights["month"].isin(past.months)])
        table = run_rate(days, every_day(daily[daily["day"].isin(days["day"])], horizon.calendar), **rule)
        rows.append((past.months[0], int(table["counts"].sum()), alarms(table)))
    return pd.DataFrame(rows, columns=["year", "weeks", "alerts"]).sort_values("year", ignore_index=True)
