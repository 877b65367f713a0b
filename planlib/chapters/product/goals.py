"""What each product owes, as targets with what was found: by stage and by quadrant (PRD-1, PRD-2).

Every goal is one row: product, method, goal, target, found, unit (share, points, money, factor, int, text), met (yes, no, open,
not known), by (day it is due, or empty).
"""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from planlib.chapters.product import evidence
from planlib.chapters.product.evidence import plain
from planlib.chapters.product.portfolio import MARKET, day_after, leaves
from planlib.chapters.product.stages import UNKNOWN
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon
from planlib.plan import EVERYTHING

COLUMNS = ["product", "method", "goal", "target", "found", "unit", "met", "by"]
DECLINING = "falls behind the company: renew, harvest or leave"
VERDICTS = ("no", "open", "not known", "yes")


def of_stages(
    staged: pd.DataFrame,
    bought: pd.DataFrame,
    launches: pd.DataFrame | None,
    marketing: pd.DataFrame | None,
    parameters: Any,
    horizon: Horizon,
    coverage: Coverage | None = None,
    standing: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The goals of each product's stage (PRD-1).

    Parameters
        bought    product, customer, month, amount (minor units)
        coverage  the months that the orders cover; those of `bought` by default
        standing  the goals of the plan in force: a day set there stands while the product still declines
    Introduction: part of the target users reached in the first quarter on sale: its buyers were, who else was is not known.
    Growth: growth a quarter (the fourth root
    of the last quarter over the same one a year before, which has no season in it; over the quarter before where there is
    none) and the part of customers that bought in two months or more, next to that of all products. Maturity: acquisition cost
    (marketing by revenue over customers that first bought the product) against the year before; months until the decline at
    last year's drift, to be put off by `longer_life`. Decline: a decision, within `dog_months` of when it was first asked for.
    """
    users = {} if launches is None else launches.set_index("product")["target_users"].to_dict()
    coverage = Coverage.of(bought["month"], horizon.until) if coverage is None else coverage
    known = {str(name): coverage.since(first) for name, first in zip(staged["product"], staged["first_month"], strict=True)}
    started = dict(zip(staged["product"].astype(str), staged["start_known"], strict=True))
    again = evidence.again(bought, known, horizon)
    cost = evidence.acquisition(bought, marketing, known, started, coverage, horizon)
    set_before = {} if standing is None else standing[standing["goal"] == DECLINING].set_index("product")["by"].to_dict()
    rows: list[tuple[Any, ...]] = []
    for row in staged.sort_values("product").itertuples():
        name, first = str(row.product), str(row.first_month)
        if row.stage == "introduction":
            reached, over = evidence.first_buyers(bought, name, first, 3, coverage)
            found = reached / users[name] if users.get(name) and reached is not None else None
            enough = found is not None and round(found, 9) >= parameters.reach
            goal = "target users reached in the first quarter"
            rows.append(a_goal(name, "PRD-1", goal, parameters.reach, found if enough else None, "share", over))
        elif row.stage == "growth":
            found = evidence.a_quarter(bought[bought["product"] == name], known[name], horizon)
            rows.append(a_goal(name, "PRD-1", "growth a quarter", parameters.quarter_growth, found, "share"))
            rows.append(a_goal(name, "PRD-1", "customers who buy again", again.get(EVERYTHING), again.get(name), "share"))
        elif row.stage == "maturity":
            goal, most = "acquisition cost, change in a year", -parameters.acquisition_cut
            rows.append(a_goal(name, "PRD-1", goal, most, cost.get(name), "share", at_most=True))
            rows.append(_longer_life(name, plain(row.pace), plain(row.pace_before), parameters))
        elif row.stage == "decline":
            by = set_before.get(name) or day_after(horizon, parameters.dog_months)
            met = "no" if by <= f"{horizon.as_of}" else "open"
            rows.append((name, "PRD-1", DECLINING, None, plain(row.pace), "points", met, by))
    return pd.DataFrame(rows, columns=COLUMNS)


def of_quadrants(
    placed: pd.DataFrame, bought: pd.DataFrame, parameters: Any, horizon: Horizon, coverage: Coverage | None = None
) -> pd.DataFrame:
    """The goals of each product's quadrant (PRD-2).

    `placed`: of `planned`; `bought`: product, customer, month, amount; `coverage`: the months that the orders cover. Star:
    planned growth, and a defence: growing no slower than its market. Cash cow: net margin, and the star or question mark that
    most of its customers have not bought yet. Question mark: market share against the same months a year before, to be
    doubled by a day, else exit is considered. Dog: exit or restructuring by a day; at once where the net margin is under the
    stop-loss. A day that has passed without a decision is missed. A product whose quadrant is not known owes nothing,
    and one whose market is not known no exit.
    """
    coverage = Coverage.of(bought["month"], horizon.until) if coverage is None else coverage
    rows: list[tuple[Any, ...]] = []
    crossed = evidence.cross_sell(bought, placed, horizon)
    today = f"{horizon.as_of}"
    for row in placed.sort_values("product").itertuples():
        name, by = str(row.product), str(row.decide_by)
        if leaves(row.last_month, horizon):
            gone = "yes" if row.last_month <= horizon.until else "open"
            rows.append((name, "PRD-2", "off the market after", None, str(row.last_month), "text", gone, ""))
        elif row.quadrant == "star":
            rows.append(a_goal(name, "PRD-2", "planned growth", parameters.star_growth, row.plan_growth, "share"))
            if row.basis == "market":
                rows.append(a_goal(name, "PRD-2", "defence: grow with the market", row.growth, row.plan_growth, "share"))
        elif row.quadrant == "cash cow":
            rows.append(a_goal(name, "PRD-2", "net margin", parameters.cow_margin, row.margin, "share"))
            if name in crossed:
                rows.append((name, "PRD-2", "cross-sell", None, crossed[name], "text", "open", ""))
        elif row.quadrant != UNKNOWN and row.basis != MARKET:
            continue
        elif row.quadrant == "question mark":
            own = coverage.since(str(row.first_month))
            mine = bought[bought["product"] == name]
            found = evidence.share_gained(mine, parameters.question_months, float(row.growth), own, horizon)
            goal = "market share, times a year before, or exit"
            rows.append(a_goal(name, "PRD-2", goal, 2.0, found, "factor", over=by <= today, by=by))
        elif row.quadrant != UNKNOWN:
            if pd.notna(row.margin) and row.margin < parameters.stop_loss:
                goal = "stop-loss reached: take it off"
                rows.append((name, "PRD-2", goal, parameters.stop_loss, plain(row.margin), "share", "no", today))
            else:
                met = "no" if by <= today else "open"
                rows.append((name, "PRD-2", "exit or restructuring decided", None, "no decision", "text", met, by))
    return pd.DataFrame(rows, columns=COLUMNS)


def readable(goals: pd.DataFrame, show: Callable[[Any, str], str], missed_only: bool = False) -> pd.DataFrame:
    """Goals as text, those missed first (only those not met, if asked): product, goal, target, found, met, by, method."""
    frame = goals[goals["met"] != "yes"].copy() if missed_only else goals.copy()
    for column in ("target", "found"):
        pairs = zip(frame[column], frame["unit"], strict=True)
        frame[column] = ["" if value is None or value != value else show(value, unit) for value, unit in pairs]
    rank = frame["met"].map({name: place for place, name in enumerate(VERDICTS)})
    frame = frame.assign(_rank=rank).sort_values(["_rank", "product", "goal"]).drop(columns=["_rank", "unit"])
    return frame[["product", "goal", "target", "found", "met", "by", "method"]].reset_index(drop=True)


def collected(goals: list[pd.DataFrame]) -> pd.DataFrame:
    """Several goal tables as one."""
    return pd.DataFrame([row for table in goals for row in table.itertuples(index=False)], columns=COLUMNS)


def verdict(goals: pd.DataFrame) -> str:
    """How many goals are met, missed, open or not known, as a table's title."""
    if goals.empty:
        return "What each product owes by its stage and quadrant: nothing that can be told yet"
    count = goals["met"].value_counts()
    told = [
        f"{count[key]} {word}"
        for key, word in zip(VERDICTS, ("missed", "open", "not known", "met"), strict=True)
        if key in count
    ]
    return f"What each product owes by its stage and quadrant: {', '.join(told)}"


def sentence(placed: pd.DataFrame, goals: pd.DataFrame, horizon: Horizon, listed: Callable[[Sequence[str]], str]) -> str:
    """The chapter in one sentence: the stars' share, what has left, what leaves this year, and how many goals are missed."""
    stars = placed[placed["quadrant"] == "star"]
    ends = placed[placed["last_month"] != ""]
    left = ends["last_month"] <= horizon.until
    soon = ~left & (ends["last_month"] <= horizon.months[-1])
    unknown = len(placed) > 0 and (placed["quadrant"] == UNKNOWN).all()
    none = "No product's place in the portfolio is known" if unknown else "No product is a star"
    lead = f"Stars carry {stars['plan_share'].sum():.0%} of the target" if len(stars) else none
    gone = f"; off the market: {listed(sorted(ends.loc[left, 'product']))}" if left.any() else ""
    leaving = f"; leaving this year: {listed(sorted(ends.loc[soon, 'product']))}" if soon.any() else ""
    missed = int((goals["met"] == "no").sum())
    if goals.empty:
        return f"{lead}{gone}{leaving}; no goal of stage or quadrant can be told yet."
    if len(goals) == 1 and goals["met"].iloc[0] in ("open", "not known"):
        return f"{lead}{gone}{leaving}; the one goal of stage and quadrant is {goals['met'].iloc[0]}."
    every = "the one goal" if len(goals) == 1 else f"{missed or 'none'} of {len(goals)} goals"
    verb = ("is" if missed else "is not") if len(goals) == 1 else "are" if missed > 1 else "is"
    count = goals["met"].value_counts()
    rest = ", ".join(f"{count[key]} {key}" for key in ("open", "not known") if key in count)
    return f"{lead}{gone}{leaving}; {every} of stage and quadrant {verb} missed{', ' + rest if rest else ''}."


def a_goal(
    product: str,
    method: str,
    goal: str,
    target: float | None,
    found: float | None,
    unit: str,
    over: bool = True,
    at_most: bool = False,
    by: str = "",
) -> tuple[Any, ...]:
    """A goal with its verdict; one whose time is not over is open unless it is met already."""
    target, found = plain(target), plain(found)
    if found is None or target is None:
        return (product, method, goal, target, found, unit, "not known", by)
    met = round(found, 9) <= round(target, 9) if at_most else round(found, 9) >= round(target, 9)
    return (product, method, goal, target, found, unit, "yes" if met else "no" if over else "open", by)


def _longer_life(product: str, pace: float | None, before: float | None, parameters: Any) -> tuple[Any, ...]:
    """Months until the decline; met by a product that does not fall, not known where a year's pace is not."""
    goal = "months until decline"
    if pace is None or before is None:
        return (product, "PRD-1", goal, None, None, "int", "not known", "")
    left = evidence.months_left(pace, before, parameters.decline_line)
    target = None if left is None else left + parameters.longer_life
    return (product, "PRD-1", goal, target, left, "int", "yes" if left is None else "open", "")
