"""What each product owes, as targets with what was found: by stage, by quadrant, and after a launch (PRD-1 to PRD-3).

Every goal is one row: product, method, goal, target, found, unit (share, points, money, factor, int, text), met (yes, no, open,
not known), by (day it is due, or empty).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from planlib.plan import AMOUNT, EVERYTHING, Horizon

COLUMNS = ["product", "method", "goal", "target", "found", "unit", "met", "by"]
VERDICTS = ("no", "open", "not known", "yes")


def of_stages(
    staged: pd.DataFrame,
    bought: pd.DataFrame,
    launches: pd.DataFrame | None,
    marketing: pd.DataFrame | None,
    parameters: Any,
    horizon: Horizon,
) -> pd.DataFrame:
    """The goals of each product's stage (PRD-1).

    `bought`: product, customer, month, amount (minor units). Introduction: part of the target users that bought in the first
    quarter on sale. Growth: growth a quarter (the fourth root of the last quarter over the same one a year before, which has no
    season in it; over the quarter before where there is none) and the part of customers that bought in two months or
    more, next to that of all products. Maturity: acquisition cost (marketing by revenue over customers that first bought the
    product) against the year before; months until the decline at last year's drift, to be put off by `longer_life`.
    Decline: a decision, within `dog_months`.
    """
    users = {} if launches is None else launches.set_index("product")["target_users"].to_dict()
    again = _again(bought, horizon)
    cost = _acquisition(bought, marketing, horizon)
    rows: list[tuple[Any, ...]] = []
    for row in staged.sort_values("product").itertuples():
        name = str(row.product)
        if row.stage == "introduction":
            reached, over = _first_buyers(bought, name, 3, horizon)
            found = reached / users[name] if users.get(name) and reached is not None else None
            rows.append(
                _row(name, "PRD-1", "target users reached in the first quarter", parameters.reach, found, "share", over)
            )
        elif row.stage == "growth":
            found = _a_quarter(bought[bought["product"] == name], horizon)
            rows.append(_row(name, "PRD-1", "growth a quarter", parameters.quarter_growth, found, "share"))
            rows.append(_row(name, "PRD-1", "customers who buy again", again.get(EVERYTHING), again.get(name), "share"))
        elif row.stage == "maturity":
            rows.append(
                _row(
                    name,
                    "PRD-1",
                    "acquisition cost, change in a year",
                    -parameters.acquisition_cut,
                    cost.get(name),
                    "share",
                    at_most=True,
                )
            )
            left = _months_left(float(row.pace), float(row.pace_before), parameters.decline_line)
            target = None if left is None else left + parameters.longer_life
            met = "yes" if left is None else "open"
            rows.append((name, "PRD-1", "months until decline", target, left, "int", met, ""))
        elif row.stage == "decline":
            by = f"{pd.Timestamp(horizon.as_of) + pd.DateOffset(months=parameters.dog_months):%Y-%m-%d}"
            goal = "falls behind the company: renew, harvest or leave"
            rows.append((name, "PRD-1", goal, None, _plain(row.pace), "points", "open", by))
    return pd.DataFrame(rows, columns=COLUMNS)


def of_quadrants(placed: pd.DataFrame, bought: pd.DataFrame, parameters: Any, horizon: Horizon) -> pd.DataFrame:
    """The goals of each product's quadrant (PRD-2).

    `placed`: of `planned`; `bought`: product, customer, month, amount. Star: planned growth, and a defence: growing no slower
    than its market. Cash cow: net margin, and the star or question mark that most of its customers have not bought yet.
    Question mark: market share against the same months a year before, to be doubled, else exit is considered. Dog: exit or
    restructuring by a day; at once where the net margin is under the stop-loss.
    """
    rows: list[tuple[Any, ...]] = []
    crossed = _cross_sell(bought, placed, horizon)
    for row in placed.sort_values("product").itertuples():
        name, by = str(row.product), str(row.decide_by)
        if row.last_month:
            rows.append((name, "PRD-2", "off the market after", None, str(row.last_month), "text", "yes", ""))
        elif row.quadrant == "star":
            rows.append(_row(name, "PRD-2", "planned growth", parameters.star_growth, row.plan_growth, "share"))
            if row.basis == "market":
                rows.append(_row(name, "PRD-2", "defence: grow with the market", row.growth, row.plan_growth, "share"))
        elif row.quadrant == "cash cow":
            rows.append(_row(name, "PRD-2", "net margin", parameters.cow_margin, row.margin, "share"))
            if name in crossed:
                rows.append((name, "PRD-2", "cross-sell", None, crossed[name], "text", "open", ""))
        elif row.quadrant == "question mark":
            market = float(row.growth) if row.basis == "market" else 0.0
            found = _share_gained(bought[bought["product"] == name], parameters.question_months, market, horizon)
            goal = "market share, times a year before, or exit"
            rows.append((*_row(name, "PRD-2", goal, 2.0, found, "factor")[:-1], by))
        else:
            loses = pd.notna(row.margin) and row.margin < parameters.stop_loss
            goal = "stop-loss reached: take it off" if loses else "exit or restructuring decided; net margin over the stop-loss"
            met = "no" if loses else "open"
            day = f"{horizon.as_of}" if loses else by
            rows.append((name, "PRD-2", goal, parameters.stop_loss, _plain(row.margin), "share", met, day))
    return pd.DataFrame(rows, columns=COLUMNS)


def of_launches(
    staged: pd.DataFrame,
    bought: pd.DataFrame,
    carried: pd.DataFrame,
    products: pd.DataFrame | None,
    launches: pd.DataFrame | None,
    parameters: Any,
    horizon: Horizon,
) -> pd.DataFrame:
    """Targets and attainment of products launched within the last twelve months (PRD-3).

    `bought`: product, customer, month, amount, and cost where known; `carried`: product, channel, month, amount; `launches`:
    target_users, core_channels, spend, feedback, improvements. A customer's lifetime value is the launch's average customer's
    gross profit of the last twelve months, of all products, over the part of all customers that does not come back in a year;
    acquisition cost is the launch's marketing per customer won by it. What is not known is said to be.
    """
    rows: list[tuple[Any, ...]] = []
    every = carried["channel"].nunique()
    for name, first in sorted(_launched(staged, products, horizon).items()):
        given = {} if launches is None else launches[launches["product"] == name].iloc[:1].to_dict("list")
        of = {key: given[key][0] if given.get(key) else None for key in ("target_users", "core_channels", "spend")}
        early = _window(first, parameters.launch_months)
        over = early[-1] <= f"{horizon.as_of:%Y-%m}"
        sold = carried[(carried["product"] == name) & carried["month"].isin(early) & (carried[AMOUNT] > 0)]
        found = min(1.0, sold["channel"].nunique() / float(of["core_channels"] or every))
        by = "" if over else early[-1]
        rows.append(_row(name, "PRD-3", "core channels that carry it", parameters.core_channels, found, "share", over, by=by))
        buyers, _ = _first_buyers(bought, name, parameters.launch_months, horizon)
        found = None if buyers is None or not of["target_users"] else buyers / of["target_users"]
        rows.append(_row(name, "PRD-3", "target users converted", parameters.converted, found, "share", over, by=by))
        months = _window(first, parameters.payback_months)
        over, mine = months[-1] <= f"{horizon.as_of:%Y-%m}", bought[bought["product"] == name]
        within = mine[mine["month"].isin(months)]
        earned = None if "cost" not in within else float(within[AMOUNT].sum() - within["cost"].sum())
        found = None if earned is None or not of["spend"] else earned / of["spend"]
        by = "" if over else months[-1]
        rows.append(_row(name, "PRD-3", "marketing paid back, times", 1.0, found, "factor", over, by=by))
        won = set(_known(mine[mine[AMOUNT] > 0])["customer"])
        value = _lifetime_value(bought, won, horizon)
        found = value * len(won) / of["spend"] if of["spend"] and value is not None else None
        rows.append(_row(name, "PRD-3", "lifetime value over acquisition cost", parameters.ltv_over_cac, found, "factor"))
        for column, goal in (("feedback", "valid feedback in 30 days"), ("improvements", "improvements from it")):
            found = given[column][0] if given.get(column) else None
            rows.append(_row(name, "PRD-3", goal, getattr(parameters, column), found, "int"))
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
    count = goals["met"].value_counts()
    told = [
        f"{count[key]} {word}"
        for key, word in zip(VERDICTS, ("missed", "open", "not known", "met"), strict=True)
        if key in count
    ]
    return f"What each product owes by its stage and quadrant: {', '.join(told)}"


def sentence(placed: pd.DataFrame, goals: pd.DataFrame) -> str:
    """The chapter in one sentence: the stars' share, what leaves, and what is missed most."""
    stars = placed[placed["quadrant"] == "star"]
    gone = sorted(placed.loc[placed["last_month"] != "", "product"])
    lead = f"Stars carry {stars['plan_share'].sum():.0%} of the target" if len(stars) else "No product is a star"
    leaving = f"; off the market: {', '.join(gone)}" if gone else ""
    missed = int((goals["met"] == "no").sum())
    return f"{lead}{leaving}; {missed} of {len(goals)} goals of stage and quadrant are missed."


def _row(
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
    target, found = _plain(target), _plain(found)
    if found is None or target is None:
        return (product, method, goal, target, found, unit, "not known", by)
    met = round(found, 9) <= round(target, 9) if at_most else round(found, 9) >= round(target, 9)
    return (product, method, goal, target, found, unit, "yes" if met else "no" if over else "open", by)


def _plain(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _known(bought: pd.DataFrame) -> pd.DataFrame:
    return bought[bought["customer"] != EVERYTHING]


def _window(first: str, months: int) -> list[str]:
    return [str(pd.Period(first, freq="M") + step) for step in range(months)]


def _launched(staged: pd.DataFrame, products: pd.DataFrame | None, horizon: Horizon) -> dict[str, str]:
    """Products launched within the last twelve months, with their first month; by the orders where no day is known."""
    first = staged.set_index("product")["first_month"]
    found = first[first.isin(horizon.last_twelve) & (first > first.min())].to_dict()
    if products is None or "launched" not in products:
        return {str(name): str(month) for name, month in found.items()}
    day = products.dropna(subset=["launched"]).set_index("product")["launched"].dt.strftime("%Y-%m")
    found = {name: month for name, month in found.items() if name not in day.index}
    return found | day[day.isin(horizon.last_twelve) & day.index.isin(first.index)].to_dict()


def _first_buyers(bought: pd.DataFrame, product: str, months: int, horizon: Horizon) -> tuple[int | None, bool]:
    """Customers who bought a product in its first months on sale, and whether these are over; None without customers."""
    mine = bought[(bought["product"] == product) & (bought[AMOUNT] > 0)]
    if mine.empty:
        return None, False
    window = _window(str(mine["month"].min()), months)
    buyers = _known(mine[mine["month"].isin(window)])["customer"].nunique()
    return buyers or None, window[-1] <= f"{horizon.as_of:%Y-%m}"


def _again(bought: pd.DataFrame, horizon: Horizon) -> dict[str, float]:
    """The part of the last twelve months' customers that bought in two months or more, by product and (as `all`) of any."""
    recent = _known(bought[bought["month"].isin(horizon.last_twelve) & (bought[AMOUNT] > 0)])
    if recent.empty:
        return {}
    months = recent.groupby(["product", "customer"])["month"].nunique()
    parts = (months >= 2).groupby("product").mean()
    # Over all products each weighs as much as its customers: a customer of two products counts twice.
    return {**{str(name): float(part) for name, part in parts.items()}, EVERYTHING: float((months >= 2).mean())}


def _acquisition(bought: pd.DataFrame, marketing: pd.DataFrame | None, horizon: Horizon) -> dict[str, float]:
    """Change of each product's acquisition cost over the year before."""
    if marketing is None:
        return {}
    known = _known(bought[bought[AMOUNT] > 0])
    first = known.groupby(["product", "customer"])["month"].min().reset_index()
    costs = []
    for back in (0, 12):
        year = [str(pd.Period(month, freq="M") - back) for month in horizon.last_twelve]
        sold = bought[bought["month"].isin(year)].groupby("product")[AMOUNT].sum().clip(lower=0)
        spend = float(marketing.loc[marketing["month"].isin(year), "spend"].sum())
        won = first[first["month"].isin(year)].groupby("product")["customer"].nunique()
        costs.append(spend * sold / max(1, int(sold.sum())) / won.where(won > 0))
    change = costs[0] / costs[1].where(costs[1] > 0) - 1
    return {str(name): float(value) for name, value in change.dropna().items()}


def _a_quarter(mine: pd.DataFrame, horizon: Horizon) -> float | None:
    sums = mine.groupby("month")[AMOUNT].sum()

    def three(back: int) -> float:
        last = [str(pd.Period(month, freq="M") - back) for month in horizon.last_twelve[-3:]]
        return float(sums.reindex(last).fillna(0).sum())

    if three(12) > 0:
        return float(max(0.0, three(0) / three(12)) ** 0.25 - 1)
    return float(three(0) / three(3) - 1) if three(3) > 0 else None


def _months_left(pace: float, before: float, line: float) -> int | None:
    """Months until a product's pace meets the line of decline if it falls on as in the last year; None if it does not fall."""
    if not np.isfinite(pace) or not np.isfinite(before) or round(before - pace, 9) <= 0:
        return None
    return min(60, round(12 * max(0.0, pace - line) / (before - pace)))


def _share_gained(mine: pd.DataFrame, months: int, market_growth: float, horizon: Horizon) -> float | None:
    """Share of the market in the last months over that of the same months a year before."""
    sums = mine.groupby("month")[AMOUNT].sum()
    last = pd.period_range(end=f"{horizon.as_of:%Y-%m}", periods=months, freq="M")
    now, then = (float(sums.reindex([str(month - back) for month in last]).fillna(0).sum()) for back in (0, 12))
    return now / then / (1 + market_growth) if then > 0 else None


def _cross_sell(bought: pd.DataFrame, placed: pd.DataFrame, horizon: Horizon) -> dict[str, str]:
    """For each cash cow the star or question mark that most of its customers buy, and how many do not yet."""
    recent = _known(bought[bought["month"].isin(horizon.last_twelve) & (bought[AMOUNT] > 0)])
    buyers = {str(name): set(group["customer"]) for name, group in recent.groupby("product")}
    place = placed.set_index("product")["quadrant"]
    rising = sorted(name for name in buyers if place.get(name) in ("star", "question mark"))
    found = {}
    for cow in sorted(name for name in buyers if place.get(name) == "cash cow"):
        both = {name: len(buyers[cow] & buyers[name]) for name in rising}
        if both:
            best = min(both, key=lambda name: (-both[name], name))
            found[cow] = f"{best}: {1 - both[best] / len(buyers[cow]):.0%} of its customers do not buy it yet"
    return found


def _lifetime_value(bought: pd.DataFrame, won: set[str], horizon: Horizon) -> float | None:
    """Gross profit of the average of some customers in the last twelve months over the part of all that left within a year."""
    known = _known(bought[bought[AMOUNT] > 0]) if "cost" in bought else bought.iloc[:0]
    last = horizon.last_twelve
    before = {str(pd.Period(month, freq="M") - 12) for month in last}
    now, then = (set(known.loc[known["month"].isin(list(year)), "customer"]) for year in (last, before))
    if not won or not then:
        return None
    year = bought[bought["month"].isin(last) & bought["customer"].isin(won)]
    stayed = len(now & then) / len(then)
    return float(year[AMOUNT].sum() - year["cost"].sum()) / len(won) / max(0.05, 1 - stayed)
