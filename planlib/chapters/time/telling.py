"""What the time chapter says in sentences, each rendered from its values; `show` writes a value as a reader sees it."""

from collections.abc import Callable, Sequence

import pandas as pd

from planlib.chapters.time.pace import ALERT, STILL, alarms
from planlib.chapters.time.rolling import Lift
from planlib.drivers import Drivers

Show = Callable[..., str]


def told(found: Lift, line: float, lift: float, show: Show) -> str:
    """What the rolling rule did (TIM-3)."""
    if found.why == "none":
        return "No quarter has closed against a plan in force: the rolling rule has nothing to compare yet."
    start = f"{found.closed} closed {found.over:+.1%} against its plan"
    if found.why == "below":
        return f"{start}; the line for lifting the next quarter is {show(line, 'share')}, so its target stays with the season."
    if found.why == "last":
        return f"{start}, but no later quarter is left to take from: the year's total stays."
    if found.why == "enough":
        return f"{start}; the season alone already gives {found.next} {show(lift, 'share')} more than its plan in force."
    return (
        f"{start}: {found.next} is lifted from {show(found.before)} to {show(found.goal)}, carried by the products that beat "
        "their plan. The year's total stays; later quarters give what it gains."
    )


def told_drivers(drivers: Drivers, plan: pd.DataFrame) -> str:
    """Which month gains most against its share of last year (TIM-1)."""
    bridge = drivers.bridge(plan)
    change = (bridge["plan_share"] - bridge["last_year_share"]).round(9)
    most = bridge.assign(_change=change).sort_values(["_change", "month"], ascending=[False, True]).iloc[0]
    return f"{most['month']} gains most against last year: {100 * most['_change']:+.1f} points of share"


def told_pace(table: pd.DataFrame) -> str:
    """How the closed weeks lie against the plan in force, and whether an alert stands (TIM-4)."""
    if table.empty:
        return "No whole week has closed yet."
    over = table["actual"].sum() / table["expected_sales"].sum() - 1 if table["expected_sales"].sum() > 0 else 0.0
    start = (
        f"{len(table)} whole weeks have closed, {abs(over):.1%} {'over' if over >= 0 else 'under'} what was expected of them"
    )
    last = table.iloc[-1]
    if last["state"] in (ALERT, STILL):
        return f"{start}. Alert: sales are behind as of week {last['week']}."
    count = alarms(table)
    if count:
        return f"{start}. {count} {'alert was' if count == 1 else 'alerts were'} raised, none stands today."
    return f"{start}. No alert was raised."


def told_alarms(table: pd.DataFrame, weeks: int) -> str:
    """What the alert would have said of past years that came in as expected (TIM-4)."""
    if table.empty:
        return "How often the weekly alert is false cannot be told: no complete year lies before the plan year."
    seen, count = int(table["weeks"].sum()), int(table["alerts"].sum())
    return (
        f"How far to trust the weekly alert ({weeks} weeks behind in a row): in {len(table)} past years, each measured against "
        f"its own total in its seasonal shape, it would have been raised {count} times in {seen} weeks, each time falsely."
    )


def told_regions(lift: pd.DataFrame) -> str:
    """Where holiday seasons count most and least (TIM-6)."""
    if lift.empty or lift["lift"].max() - lift["lift"].min() < 0.005:
        return "Holiday seasons count about as much in every region; no difference stands out from chance."
    ranked = lift.sort_values(["lift", "region"], ascending=[False, True])
    high, low = ranked.iloc[0], ranked.iloc[-1]
    return (
        f"Holiday seasons count most in {high['region']} ({high['lift'] - 1:+.1%} against the company) and least in "
        f"{low['region']} ({low['lift'] - 1:+.1%}), after shrinking towards the company; the plan's days follow that."
    )


def told_accounts(accounts: pd.DataFrame, show: Show) -> str:
    """How much the key accounts have to sign before the peaks (TIM-5)."""
    if accounts["to_sign"].isna().any():
        return (
            f"{len(accounts)} key accounts bought {show(int(accounts['last_year'].sum()))} in what is known of last year, "
            "which has none of the coming peaks: what they are to sign is not known. The largest is "
            f"{accounts['customer'].iloc[0]}."
        )
    return (
        f"{len(accounts)} key accounts bought {show(int(accounts['last_year'].sum()))} last year; "
        f"{show(int(accounts['to_sign'].sum()))} of the peaks are to be signed with them before stock is built. "
        f"The largest is {accounts['customer'].iloc[0]}."
    )


def told_tiers(tiers: pd.DataFrame, listed: Callable[[Sequence[str]], str]) -> str:
    """Which kind of promotion each product gets, by its stage of life (TIM-5)."""
    parts = [f"{name} for {listed(sorted(part['product']))}" for name, part in tiers.groupby("promotion", sort=True)]
    return f"Promotion by stage of life: {'; '.join(parts)}."


def told_exceptions(busiest: pd.DataFrame, hours: int) -> str:
    """What service the busiest day asks for (TIM-5)."""
    if busiest.empty:
        return "No day is left to plan service for."
    row = busiest.iloc[0]
    return (
        f"The busiest day still to come is {row['day']} with about {row['lines']:,} order lines; at the usual rate "
        f"{row['exceptions']:,} of them go wrong. Put right within {hours} hours, at most {row['open_at_once']:,} wait at "
        "a time."
    )


def told_test(base: float, lift: float, size: int, show: Show) -> str:
    """How large a test of two channel mixes has to be (TIM-6)."""
    return (
        f"Channel mixes of a holiday season are chosen by test: from {show(base, 'share')} of visits that become leads, each "
        f"arm needs {size:,} visits to tell a relative lift of {show(lift, 'share')} from chance."
    )
