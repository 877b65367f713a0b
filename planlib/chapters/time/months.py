"""The months' drivers: the season, where the festivals fall, what has closed, and what a strong quarter adds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.drivers import Driver, Drivers, build
from planlib.estimates.lives import Lives
from planlib.estimates.outlook import Outlook
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon
from planlib.plan import AMOUNT


def weights(
    season: pd.DataFrame,
    plan: pd.DataFrame,
    horizon: Horizon,
    lift: pd.DataFrame | None = None,
    lives: Lives | None = None,
) -> pd.DataFrame:
    """The season's weights for open months only; closed months are booked, not planned (TIM-1, TIM-2).

    `season`: any dimensions of the plan, product among them, month, weight; returns the same columns. A quarter comes out in
    the shape that is expected of it, since a cell's amount follows these weights in proportion. A cell without a season of its
    own takes its product's; `lift`: product, month, factor, what a strong quarter adds to the next (TIM-3);
    `lives`: members have nothing outside of theirs.
    """
    frame = complete(season, plan)
    frame = frame[frame["month"].isin(horizon.open)].reset_index(drop=True)
    # A cell of which nothing is expected in any open month shares what is open equally over them.
    flat = frame.groupby(_cells(frame))["weight"].transform("sum") <= 0
    frame["weight"] = frame["weight"].where(~flat, 1.0)
    if lives:
        frame["weight"] = frame["weight"].where(lives.inside(frame), 0.0)
    if lift is not None and len(lift):
        factor = frame[["product", "month"]].merge(lift, how="left", on=["product", "month"])["factor"]
        frame["weight"] = frame["weight"] * factor.fillna(1.0).to_numpy()
    return frame


def _cells(season: pd.DataFrame) -> list[str]:
    return [name for name in season.columns if name not in ("month", "weight")]


def months_of(expected: Outlook) -> pd.DataFrame:
    """An outlook's table as a season's weights: its dimensions, month, weight (TIM-1)."""
    return expected.table.rename(columns={"share": "weight"})


def on_market(season: pd.DataFrame, stages: pd.DataFrame | None) -> pd.DataFrame:
    """The season's weights without the months after a product's last one on the market (TIM-1).

    `stages`: product, last_month (empty while no end is set), of chapter 03; None leaves all.
    """
    if stages is None or "last_month" not in stages:
        return season
    last = season["product"].map(stages.set_index("product")["last_month"]).fillna("")
    return season.assign(weight=season["weight"].where((last == "") | (season["month"] <= last), 0.0))


def complete(season: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """The season's weights with every cell of the plan in it, by the season's own dimensions.

    A cell that has none takes its product's mean, a product that has none the mean of all; each counts alike.
    """
    cells = _cells(season)
    wanted = plan[cells].drop_duplicates().merge(season[cells].drop_duplicates(), how="left", on=cells, indicator=True)
    missing = wanted.loc[wanted["_merge"] == "left_only", cells]
    if missing.empty:
        return season.reset_index(drop=True)
    share = season["weight"] / season.groupby(cells)["weight"].transform("sum").replace(0, np.nan)
    known = season[["product", "month"]].assign(weight=share).dropna()
    own = known.groupby(["product", "month"])["weight"].mean().reset_index()
    every = known.groupby("month")["weight"].mean().reset_index()
    found = [own, *(every.assign(product=name) for name in sorted(set(missing["product"]) - set(own["product"])))]
    return pd.concat([season, missing.merge(pd.concat(found), on="product")[season.columns]], ignore_index=True)


def by_product(season: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """The season's weights by product and month, each cell weighing what the plan gives it: product, month, weight."""
    cells, frame = _cells(season), complete(season, plan)
    share = frame["weight"] / frame.groupby(cells)["weight"].transform("sum").replace(0, np.nan)
    frame = frame.assign(weight=share.fillna(0.0)).merge(tables.rollup(plan, cells), on=cells)
    frame["weight"] = frame["weight"] * frame[AMOUNT].clip(lower=1)
    return frame.groupby(["product", "month"])["weight"].sum().reset_index()


def month_drivers(
    plan: pd.DataFrame,
    last_year: pd.DataFrame,
    season: pd.DataFrame,
    without: pd.DataFrame,
    booked: pd.DataFrame | None,
    lift: pd.DataFrame | None,
    horizon: Horizon,
) -> Drivers:
    """Why a month gets its share: last year's, then season, festivals, closed months and a strong quarter (TIM-1, TIM-3).

    `plan`: the level above; `last_year`: product, month, amount of last year; `season` and `without`: product, month, weight
    with the festivals where they fall, and as if none moved; `booked`: product, month, amount of the closed months; `lift`:
    product, month, factor. Amounts in minor units. The drivers are taken by product, the mix of regions and channels stays.
    """
    products = tables.rollup(plan, ["product"])
    season, without = complete(season, plan), complete(without, plan)
    both = season.merge(without, on=["product", "month"], suffixes=("", "_without"))
    both["factor"] = np.divide(
        both["weight"], both["weight_without"], out=np.ones(len(both)), where=(both["weight_without"] > 0).to_numpy()
    )
    drivers = [
        Driver(
            "season",
            "orders by month",
            "TIM-1",
            both[["product", "month"]].assign(share=both["weight_without"]),
            kind="expected",
        ),
        Driver("festivals", "calendar", "TIM-1", both[["product", "month", "factor"]], kind="expected"),
    ]
    if booked is not None:
        drivers.append(
            Driver("closed_months", "orders", "TIM-3", _path(products, season, booked, None, horizon), kind="expected")
        )
        if lift is not None and len(lift):
            drivers.append(Driver("strong_quarter", "plan in force", "TIM-3", _path(products, season, booked, lift, horizon)))
    return build(products, "month", a_year_on(last_year, horizon), drivers)


def by_month(frame: pd.DataFrame, horizon: Horizon, coverage: Coverage | None = None) -> pd.DataFrame:
    """Last year's months summed and named as the plan year's, all twelve of them: month, amount (minor units).

    A month that the orders do not cover is missing; `coverage`: which they do, all by default.
    """
    sums = frame.groupby("month")[AMOUNT].sum().reindex(horizon.last_year, fill_value=0)
    known = horizon.last_year if coverage is None else coverage.window("last year", horizon.last_year).known
    amounts = sums if len(known) == len(sums) else sums.astype(float).where(sums.index.isin(known))
    return pd.DataFrame({"month": horizon.months, AMOUNT: amounts.to_numpy()})


def beside(
    path: pd.DataFrame, naive: pd.DataFrame, last: pd.DataFrame, horizon: Horizon, expected: Sequence[str] = ()
) -> pd.DataFrame:
    """The plan's months with the naive split and last year, joined by month: month, allocated, naive, last_year, growth.

    `path`, `naive`, `last` (under this year's month names): month, amount (minor units); one that `naive` lacks has 0 there,
    one that `last` does not know is missing. With `expected`, months of last year that are expected and not sold, also
    last_year_is (sold or expected).
    """
    frame = path.rename(columns={AMOUNT: "allocated"})
    for name, table in (("naive", naive), ("last_year", last)):
        frame = frame.merge(table.rename(columns={AMOUNT: name}), how="left", on="month", validate="one_to_one")
    frame["naive"] = frame["naive"].fillna(0).astype("int64")
    frame["growth"] = tables.ratio(frame["allocated"] - frame["last_year"], frame["last_year"])
    if expected:
        ahead = {month for month, before in zip(horizon.months, horizon.last_year, strict=True) if before in expected}
        frame["last_year_is"] = np.where(frame["month"].isin(ahead), "expected", "sold")
    return frame


def a_year_on(frame: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """Last year's rows under the plan year's month names, so that a rule on growth finds the month it grows from."""
    return frame.assign(month=frame["month"].map(dict(zip(horizon.last_year, horizon.months, strict=True))))


def _path(
    products: pd.DataFrame, season: pd.DataFrame, booked: pd.DataFrame, lift: pd.DataFrame | None, horizon: Horizon
) -> pd.DataFrame:
    """Each product's share by month: closed months as they were, what is left by season and lift."""
    left = open_amounts(products, booked)
    frame = weights(season, products, horizon, lift)
    frame["share"] = frame["weight"] / frame.groupby("product")["weight"].transform("sum") * frame["product"].map(left)
    closed = booked.assign(share=booked[AMOUNT].clip(lower=0).astype(float))
    path = pd.concat([frame, closed])[["product", "month", "share"]]
    path = path[path["product"].isin(products["product"])]
    return path.groupby(["product", "month"], as_index=False)["share"].sum()


def open_amounts(products: pd.DataFrame, booked: pd.DataFrame) -> pd.Series:
    """What closed months leave of each product's target, by product (minor units, never below 0) (TIM-3)."""
    done = booked.groupby("product")[AMOUNT].sum()
    target = products.groupby("product")[AMOUNT].sum()
    return (target - done.reindex(target.index, fill_value=0)).clip(lower=0)
