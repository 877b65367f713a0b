"""What the time chapter says in sentences, each rendered from its values; `show` writes a value as a reader sees it."""

from collections.abc import Callable, Collection, Sequence

import pandas as pd

from planlib.chapters.members import counted, listed
from planlib.chapters.time.pace import ALERT, SMALL, STILL, alarms
from planlib.chapters.time.rolling import Lift
from planlib.chapters.time.weeks import WEEK
from planlib.drivers import Drivers
from planlib.estimates.grain import WEEK as BY_WEEK
from planlib.estimates.moving import Moving
from planlib.plan import AMOUNT

Show = Callable[..., str]
SPELT = 3  # weeks that a title names


def told(found: Lift, line: float, lift: float, show: Show) -> str:
    """What the rolling rule did (TIM-3)."""
    if found.why == "none":
        return "No quarter has closed against a plan in force: the rolling rule has nothing to compare yet."
    if found.over != found.over:
        return f"Nothing was planned for {found.closed}, so no strong quarter can be told: its target stays with the season."
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


def told_moving(found: Moving, named: Collection[str]) -> str:
    """Which holidays move months although no festival is named so, a sentence or "" (TIM-1)."""
    also = sorted(set(found.spans) - set(named))
    if not also:
        return ""
    do = "they move" if len(also) > 1 else "it moves"
    return f"The days of {listed(also)} lie in other months from year to year: {do} months too."


def told_undated(found: Moving, effects: pd.DataFrame) -> list[str]:
    """Festivals that lack a date in the plan year or before it, and what follows: a sentence each (TIM-1).

    `effects`: what was read of them; none where two years of sales are lacking.
    """
    said = []
    if found.spans and effects.empty:
        does = "does" if len(found.spans) == 1 else "do"
        said.append(f"What {listed(sorted(found.spans))} {does} to months: two years of sales are needed to tell.")
    for frame, so in (
        (found.lost, "the months are planned without this festival"),
        (found.gaps, "what it did to the months of that time stays in them, and they do not count when its effect is read"),
    ):
        for (festival, region), part in frame.groupby(["festival", "region"], sort=True):
            where = f" in {region}" if region else ""
            years = listed([str(year) for year in sorted(part["year"])])
            said.append(f"{festival}{where} has no date in {years}: {so}; add it to the calendar table.")
    return said


def told_grain(grain: str) -> str:
    """What is left out where orders do not come by day (TIM-1)."""
    carry = "lie on one day of the week" if grain == BY_WEEK else "carry one day a month"
    return f"Weeks, days and holiday seasons: the orders {carry}, so nothing is known of the days between; months are planned."


def told_drivers(drivers: Drivers, plan: pd.DataFrame) -> str:
    """Which month gains most against its share of last year (TIM-1)."""
    bridge = drivers.bridge(plan)
    change = (bridge["plan_share"] - bridge["last_year_share"]).round(9)
    most = bridge.assign(_change=change).sort_values(["_change", "month"], ascending=[False, True]).iloc[0]
    return f"{most['month']} gains most against last year: {100 * most['_change']:+.1f} points of share"


def told_peak(path: pd.DataFrame, show: Show) -> str:
    """Which month of the plan year is the largest, a sentence; `path`: month, amount (TIM-1)."""
    names, most = _largest(path, "month"), show(int(path[AMOUNT].max()))
    if len(names) == len(path) > 1:
        return f"All months are equal, with {most} each."
    return f"The peak of the year is {listed(names)} with {most}{' each' if len(names) > 1 else ''}."


def headline_peak(path: pd.DataFrame, show: Show) -> str:
    """The same as a title."""
    names, part = _largest(path, "month"), show(float(path[AMOUNT].max()) / max(1.0, float(path[AMOUNT].sum())), "share")
    if len(names) == len(path) > 1:
        return f"All months are equal, with {part} of the year each"
    are = "are the peaks" if len(names) > 1 else "is the peak"
    return f"{listed(names)} {are} with {part} of the year{' each' if len(names) > 1 else ''}"


def headline_weeks(weeks: pd.DataFrame) -> str:
    """Which whole week is the fullest, as a title; `weeks`: week, days, amount (TIM-1)."""
    whole = weeks[weeks["days"] == WEEK]
    names = _largest(whole if len(whole) else weeks, "week", WEEK)
    if len(names) == max(len(whole), 1) > 1:
        return "All whole weeks are equal"
    if len(names) > SPELT:
        return f"{len(names)} weeks are equally full, {names[0]} the first of them"
    return f"Week {names[0]} is the fullest" if len(names) == 1 else f"Weeks {listed(names)} are the fullest"


def _largest(frame: pd.DataFrame, name: str, units: int = 1) -> list[str]:
    """The members with the largest amount, those that rounding to so many minor units sets below it included."""
    return frame.loc[frame[AMOUNT] >= frame[AMOUNT].max() - units, name].sort_values().tolist()


def told_pace(table: pd.DataFrame) -> str:
    """How the closed weeks lie against the plan in force, and whether an alert stands (TIM-4)."""
    if table.empty:
        return "No whole week has closed yet."
    many = len(table) != 1
    closed = f"{counted(len(table), 'whole week')} {'have' if many else 'has'} closed"
    if table["expected_sales"].sum() <= 0:
        return f"{closed}; nothing was expected of {'them' if many else 'it'}."
    over = table["actual"].sum() / table["expected_sales"].sum() - 1
    way = "over" if over > 0 else "under"
    start = f"{closed}, {abs(over):.1%} {way} what was expected of {'them' if many else 'it'}"
    if round(over, 3) == 0:
        start = f"{closed}, as expected"
    counted_weeks = table[table["state"] != SMALL]
    if counted_weeks.empty:
        return f"{start}. Every week is too small to count."
    last = counted_weeks.iloc[-1]
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
    if not seen:
        return "How often the weekly alert is false cannot be told: no week of the past years was expected to sell."
    raised = "never" if not count else "once" if count == 1 else f"{count} times"
    falsely = "" if not count else ", falsely" if count == 1 else ", each time falsely"
    behind = f"{counted(weeks, 'week')} behind{' in a row' if weeks > 1 else ''}"
    past = "one past year" if len(table) == 1 else f"{len(table)} past years, each"
    return (
        f"How far to trust the weekly alert ({behind}): in {past} measured against "
        f"its own total in its seasonal shape, it would have been raised {raised} in {seen} weeks{falsely}."
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


def told_accounts(accounts: pd.DataFrame, coming: int, whole: bool, show: Show) -> str:
    """How much the key accounts have to sign before the peaks (TIM-5).

    `coming`: how many peaks are still to come; `whole`: last year is known in full.
    """
    many, first, sign = len(accounts) != 1, accounts["customer"].iloc[0], accounts["to_sign"]
    known = "last year" if whole else "in what is known of last year"
    start = f"{counted(len(accounts), 'key account')} bought {show(int(accounts['last_year'].sum()))} {known}"
    largest = f" The largest is {first}." if many else f" It is {first}."
    if not coming:
        return f"{start}; no peak is still to come, so there is nothing to sign before one.{largest}"
    if sign.isna().any():
        they = "they are" if many else "it is"
        return f"{start}, which has none of the coming peaks: what {they} to sign is not known.{largest}"
    if not sign.sum():
        return f"{start}, nothing in the months of the coming peaks: there is nothing to sign before them.{largest}"
    return (
        f"{start}; {show(int(sign.sum()))} of the peaks are to be signed with {'them' if many else 'it'} before stock is "
        f"built.{largest}"
    )


def told_tiers(tiers: pd.DataFrame, listed: Callable[[Sequence[str]], str]) -> str:
    """Which kind of promotion each product gets, by its stage of life (TIM-5)."""
    parts = [f"{name} for {listed(sorted(part['product']))}" for name, part in tiers.groupby("promotion", sort=True)]
    return f"Promotion by stage of life: {'; '.join(parts)}."


def told_exceptions(busiest: pd.DataFrame, hours: int, left: bool = True) -> str:
    """What service the busiest day asks for (TIM-5). `left`: months of the plan year are still to come."""
    if busiest.empty:
        why = "the last twelve months sold nothing that tells what an order line is worth"
        return f"The orders of the busiest day cannot be told: {why}." if left else "No day is left to plan service for."
    row = busiest.iloc[0]
    lines, wrong, waiting = (int(row[name]) for name in ("lines", "exceptions", "open_at_once"))
    about = f"about {counted(lines, 'order line')}" if lines else "less than one order line"
    start = f"The busiest day still to come is {row['day']} with {about}"
    if not wrong:
        return (
            f"{start}; nothing came back in the last twelve months, so none is expected to go wrong." if lines else f"{start}."
        )
    goes = "of it" if lines == 1 else "of them"
    return (
        f"{start}; at the usual rate {wrong:,} {goes} {'goes' if wrong == 1 else 'go'} wrong. Put right within "
        f"{counted(hours, 'hour')}, at most {waiting:,} {'waits' if waiting == 1 else 'wait'} at a time."
    )


def told_closed(path: pd.DataFrame, closed: Sequence[str]) -> str:
    """What closed months have earned of the year, a sentence or "". `path`: month, amount of the plan year (TIM-3)."""
    total = float(path[AMOUNT].sum())
    if not closed or total <= 0:
        return ""
    done = path.loc[path["month"].isin(closed), AMOUNT].sum() / total
    return f"{counted(len(closed), 'closed month')} {'has' if len(closed) == 1 else 'have'} earned {done:.0%} of the target."


def told_test(base: float, lift: float, size: int, show: Show) -> str:
    """How large a test of two channel mixes has to be (TIM-6)."""
    return (
        f"Channel mixes of a holiday season are chosen by test: from {show(base, 'share')} of visits that become leads, each "
        f"arm needs {size:,} visits to tell a relative lift of {show(lift, 'share')} from chance."
    )
