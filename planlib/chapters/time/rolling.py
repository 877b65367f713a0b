"""Each quarter end plans the rest again: what has closed stays, and a strong quarter lifts the next."""

from dataclasses import dataclass

import pandas as pd

from planlib import plan as tables
from planlib.chapters.time.months import open_amounts, weights
from planlib.chapters.time.weeks import quarter_of
from planlib.periods import Horizon
from planlib.plan import AMOUNT

MOST_PULL = 50.0  # how far a product's own excess may count towards the lift, at most
HALVINGS = 80


@dataclass(frozen=True)
class Lift:
    """What the last closed quarter does to the next (TIM-3).

    closed, next  their names; empty when no quarter has closed, or none is left
    over          the closed quarter over its plan in force, share; missing without a plan in force
    goal, before  the next quarter's target with and without the rule (minor units); equal when the rule does not apply
    factors       product, month, factor on the open months of the next quarter; no rows when the rule does not apply
    products      product, planned_share and closed_share of the closed quarter, over (share), carries (the lift, as a factor)
    why           one word: lifted, below (the line), enough (season gives it already), last (no later quarter), or none
    """

    closed: str
    next: str
    over: float
    goal: int
    before: int
    factors: pd.DataFrame
    products: pd.DataFrame
    why: str


def quarters(path: pd.DataFrame, last_year: pd.DataFrame, in_force: pd.DataFrame | None, horizon: Horizon) -> pd.DataFrame:
    """The quarters of the plan year, the sums of their months: quarter, amount, share, last_year, growth (TIM-1, TIM-3).

    `path`, `last_year` (under this year's month names) and `in_force` (each month as it stood before it closed): month, amount
    (minor units). With a plan in force also plan_in_force, difference (minor units) and share_over. A quarter of which a month
    is not known, of last year or because no plan had it open, is missing.
    """
    quarter = pd.Series(quarter_of(horizon))

    def summed(frame: pd.DataFrame) -> pd.Series:
        sums = frame.astype({AMOUNT: "Int64"}).groupby("month")[AMOUNT].sum(min_count=1).reindex(horizon.months)
        whole = sums.notna().groupby(quarter).all()
        found = sums.fillna(0).groupby(quarter).sum()
        return found.astype("int64") if whole.all() else found.where(whole).astype("float64")

    every = pd.DataFrame({"month": horizon.months, AMOUNT: 0})
    now, then = summed(pd.concat([path, every])), summed(last_year)
    frame = pd.DataFrame({AMOUNT: now, "share": now / max(1, int(now.sum())), "last_year": then})
    frame["growth"] = tables.ratio(now - then, then)
    if in_force is not None:
        frame["plan_in_force"] = summed(in_force)
        frame["difference"] = frame[AMOUNT] - frame["plan_in_force"]
        frame["share_over"] = tables.ratio(frame["difference"], frame["plan_in_force"])
    return frame.rename_axis("quarter").reset_index()


def strong_quarter(
    plan: pd.DataFrame,
    season: pd.DataFrame,
    booked: pd.DataFrame | None,
    in_force: pd.DataFrame | None,
    horizon: Horizon,
    line: float,
    lift: float,
) -> Lift:
    """A quarter that closes at least `line` over its plan lifts the next quarter's target by `lift` (TIM-3).

    `plan`: the level above, product and amount at least; `season`: product, month, weight; `booked` and `in_force`: product,
    month, amount (closed months; each month as it stood before it closed). Amounts in minor units. The year's total stays,
    chapter 01 owns it: what the next quarter gains the later ones give. The lift lies on the products that beat their plan, in
    proportion to how much they did, so that their weights follow what sold; where that cannot reach the goal, it reaches what
    it can.
    """
    number = sum(set(names) <= set(horizon.closed) for names in horizon.quarters)
    if booked is None or in_force is None or number == 0:
        return _none("none")
    months = horizon.quarters
    if not set(months[number - 1]) <= set(in_force["month"]):
        return _none("none")
    products = _compared(booked, in_force, months[number - 1])
    planned = int(in_force.loc[in_force["month"].isin(months[number - 1]), AMOUNT].sum())
    done = int(booked.loc[booked["month"].isin(months[number - 1]), AMOUNT].sum())
    over = done / planned - 1 if planned > 0 else float("nan")
    closed, following = f"Q{number}", f"Q{number + 1}" if number < 4 else ""
    if not round(over, 9) >= line:
        return _none("below", closed, following, over, products)
    if number >= 3:
        return _none("last", closed, following, over, products)
    following_months = [month for month in months[number] if month in horizon.open]
    sold = int(booked.loc[booked["month"].isin(months[number]), AMOUNT].sum())
    left = open_amounts(tables.rollup(plan, ["product"]), booked)
    open_weights = weights(season, plan, horizon)
    pull = products.set_index("product")["over"].clip(lower=0, upper=1).reindex(left.index).fillna(max(0.0, min(1.0, over)))

    def reached(strength: float) -> float:
        return sold + _of_quarter(open_weights, left, 1 + strength * pull, following_months)

    before = round(reached(0.0))
    goal = round(int(in_force.loc[in_force["month"].isin(months[number]), AMOUNT].sum()) * (1 + lift))
    if before >= goal:
        return Lift(closed, following, over, before, before, _factors(pull * 0, []), products, "enough")
    low, high = 0.0, MOST_PULL
    for _ in range(HALVINGS if reached(high) > goal else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) < goal else (low, middle)
    factors = (1 + high * pull).round(9)
    products = products.assign(carries=products["product"].map(factors).fillna(1.0))
    return Lift(closed, following, over, round(reached(high)), before, _factors(factors, following_months), products, "lifted")


def _none(
    why: str, closed: str = "", following: str = "", over: float = float("nan"), products: pd.DataFrame | None = None
) -> Lift:
    empty = pd.DataFrame({"product": [], "planned_share": [], "closed_share": [], "over": [], "carries": []})
    none = pd.Series(dtype=float, index=pd.Index([], name="product"))
    return Lift(closed, following, over, 0, 0, _factors(none, []), empty if products is None else products, why)


def _factors(factors: pd.Series, months: list[str]) -> pd.DataFrame:
    frame = factors.rename("factor").rename_axis("product").reset_index()
    return frame.merge(pd.DataFrame({"month": pd.Series(months, dtype=str)}), how="cross")[["product", "month", "factor"]]


def _of_quarter(open_weights: pd.DataFrame, left: pd.Series, factors: pd.Series, months: list[str]) -> float:
    """What a quarter's open months get of what is left, with a factor on each product's weights there."""
    inside = open_weights["month"].isin(months)
    weight = open_weights["weight"].where(~inside, open_weights["weight"] * open_weights["product"].map(factors).fillna(1.0))
    total = weight.groupby(open_weights["product"]).sum()
    share = weight.where(inside, 0.0).groupby(open_weights["product"]).sum() / total.where(total > 0)
    return float((share.reindex(left.index).fillna(0.0) * left).sum())


def _compared(booked: pd.DataFrame, in_force: pd.DataFrame, months: list[str]) -> pd.DataFrame:
    """Each product's part of a closed quarter beside its part of the plan: the weights as planned and as they came."""
    sums = {
        name: frame[frame["month"].isin(months)].groupby("product")[AMOUNT].sum()
        for name, frame in (("planned", in_force), ("closed", booked))
    }
    frame = pd.DataFrame(sums).fillna(0).rename_axis("product").reset_index()
    frame["over"] = tables.ratio(frame["closed"] - frame["planned"], frame["planned"])
    for name in ("planned", "closed"):
        frame[f"{name}_share"] = frame[name].astype(float) / max(1, int(frame[name].sum()))
    frame["carries"] = 1.0
    return frame.sort_values("product")[["product", "planned_share", "closed_share", "over", "carries"]].reset_index(drop=True)
