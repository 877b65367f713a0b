"""05 time: months by seasonality with moving holidays, closed months as they were (TIM-1, TIM-3)."""

from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from planlib.chapters.base import SplitParameters
from planlib.estimates.season import exposure, festival_days, seasonality
from planlib.plan import AMOUNT, Horizon

__all__ = ["QUESTION", "Parameters", "a_year_on", "by_month", "exposure", "festival_days", "rolling", "seasonality", "weights"]

Festival = Literal["Spring Festival", "Dragon Boat Festival", "Mid-Autumn Festival"]


QUESTION = "When does the year's target come due, month by month, holidays and closed months included?"


class Parameters(SplitParameters):
    festivals: list[Festival] = []
    days_before: Annotated[int, Field(ge=0, le=60)] = 21
    days_after: Annotated[int, Field(ge=0, le=60)] = 10
    shrink_months: Annotated[int, Field(ge=0, le=120)] = 24


def weights(season: pd.DataFrame, plan: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """The season's weights for open months only; closed months are booked, not planned: product, month, weight.

    A product without a season of its own (never sold before) takes the mean of the others.
    """
    frame = season[season["month"].isin(horizon.open)]
    missing = sorted(set(plan["product"]) - set(frame["product"]))
    if missing:
        mean = frame.groupby("month")["weight"].mean().reset_index()
        frame = pd.concat([frame, mean.merge(pd.DataFrame({"product": missing}), how="cross")], ignore_index=True)
    # A product with no history in any open month shares what is open equally over them.
    flat = frame.groupby("product")["weight"].transform("sum") <= 0
    return frame.assign(weight=frame["weight"].where(~flat, 1.0)).reset_index(drop=True)


def by_month(frame: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """Last year's months summed and named as the plan year's, all twelve of them: month, amount (minor units)."""
    sums = frame.groupby("month")[AMOUNT].sum().reindex(horizon.last_year).fillna(0).astype("int64")
    return pd.DataFrame({"month": horizon.months, AMOUNT: sums.to_numpy()})


def a_year_on(frame: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """Last year's rows under the plan year's month names, so that a rule on growth finds the month it grows from."""
    return frame.assign(month=frame["month"].map(dict(zip(horizon.last_year, horizon.months, strict=True))))


def rolling(path: pd.DataFrame, baseline: pd.DataFrame | None, horizon: Horizon) -> pd.DataFrame:
    """Plan and actual by quarter of the plan year: quarter, plan_in_force, amount, difference (minor units), share_over.

    `path` and `baseline`: month, amount. Without a baseline the plan in force is missing. Source: TIM-3.
    """
    quarter = {month: f"Q{position // 3 + 1}" for position, month in enumerate(horizon.months)}
    now = path.groupby(path["month"].map(quarter))[AMOUNT].sum()
    frame = now.rename_axis("quarter").reset_index()
    if baseline is not None:
        frame["plan_in_force"] = baseline.groupby(baseline["month"].map(quarter))[AMOUNT].sum().reindex(now.index).to_numpy()
        frame["difference"] = frame[AMOUNT] - frame["plan_in_force"]
        frame["share_over"] = frame["difference"] / frame["plan_in_force"]
    return frame
