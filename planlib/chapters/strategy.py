"""01 strategy: the year's target, the momentum baseline, the gap between them (STR-1 to STR-5, MET-1)."""

from collections.abc import Callable
from typing import Annotated

import pandas as pd
from pydantic import Field

from planlib.chapters.base import ChapterParameters, Share
from planlib.errors import InputDataError, ParameterError
from planlib.plan import AMOUNT, Horizon

QUESTION = "What do we want to reach this year, what would come by itself, and what must new action bring?"


class Parameters(ChapterParameters):
    growth: Annotated[float, Field(ge=-0.9, le=5, allow_inf_nan=False)] = 0.30
    target: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    damping: Share = 0.5
    margin: Share = 0.40
    market_share: Share = 0.0
    new_market_share: Share = 0.15
    marketing_ratio: Annotated[float, Field(gt=0, le=0.5)] = 0.20
    new_leads: Annotated[int, Field(ge=0)] = 5000
    repurchase_rate: Share = 0.45
    nps_rank: Share = 0.10
    launches: Annotated[int, Field(ge=0)] = 3
    upgrades: Annotated[int, Field(ge=0)] = 10
    owner: str = "Board"


def trend(history: pd.DataFrame, horizon: Horizon, damping: float) -> float:
    """Growth that goes on without new action: the last twelve months over the twelve before, damped toward 0.

    `history`: month, amount. Missing earlier months give 0. A trend is only half believed by default because trends turn.
    """
    months = history.groupby("month")[AMOUNT].sum()
    last = horizon.last_twelve
    before = [str(pd.Period(month, freq="M") - 12) for month in last]
    if not set(before) <= set(months.index) or months.reindex(before).sum() <= 0:
        return 0.0
    return damping * (float(months.reindex(last).fillna(0).sum()) / float(months.reindex(before).sum()) - 1.0)


def momentum(history: pd.DataFrame, horizon: Horizon, growth: float) -> pd.DataFrame:
    """Month by month what the year brings with no new action: actuals where closed, else last year's month times the trend.

    Returns month, last_year, amount (int64 minor units), closed.
    """
    months = history.groupby("month")[AMOUNT].sum()
    last = months.reindex(horizon.last_year).fillna(0).astype("int64").to_numpy()
    if last.sum() <= 0:
        raise InputDataError(
            f"orders: no revenue in {horizon.last_year[0]} to {horizon.last_year[-1]}, the year before the plan; "
            "expected twelve months of orders. Correct `year`, or add the orders."
        )
    frame = pd.DataFrame({"month": horizon.months, "last_year": last})
    frame["closed"] = frame["month"].isin(horizon.closed)
    actual = months.reindex(horizon.months).fillna(0).astype("int64").to_numpy()
    silent = [month for month in horizon.closed if month not in months.index]
    if silent:
        raise InputDataError(
            f"orders: no line in {', '.join(silent)}, which as_of {horizon.as_of} says is closed; they end in "
            f"{months.index.max()}. Add the orders, or set as_of to the last month they are complete for."
        )
    forecast = (frame["last_year"] * (1.0 + growth)).round().astype("int64")
    frame[AMOUNT] = forecast.where(~frame["closed"], actual).astype("int64")
    return frame[["month", "last_year", AMOUNT, "closed"]]


def target(parameters: Parameters, last_year: int, exponent: int, in_force: int | None) -> int:
    """The year's target in minor units: as stated, else the plan in force, else last year with the growth asked for."""
    if parameters.target:
        return round(parameters.target * 10**exponent)
    if in_force is not None:
        return in_force
    return round(last_year * (1.0 + parameters.growth))


def check_reachable(amount: int, booked: int) -> None:
    """A target below what is already earned cannot be split over the months that are left."""
    if amount < booked:
        raise ParameterError(
            f"target: {amount:,} minor units is less than the {booked:,} already booked in closed months; raise the target."
        )


def bridge(path: pd.DataFrame, amount: int, horizon: Horizon) -> pd.DataFrame:
    """From last year to the target in steps: label, amount (minor units), kind (total, up, down). Steps sum exactly.

    Closed months: what they brought over the same months of last year. Momentum: what the open ones add with no new action.
    """
    last, baseline = int(path["last_year"].sum()), int(path[AMOUNT].sum())
    closed = path[path["closed"]]
    earned = int((closed[AMOUNT] - closed["last_year"]).sum())
    steps: list[tuple[str, int, str]] = [("Last year", last, "total")]
    if len(closed):
        steps.append(("Closed months", earned, "up" if earned >= 0 else "down"))
    going = baseline - last - earned
    steps.append(("Momentum", going, "up" if going >= 0 else "down"))
    gap = amount - baseline
    steps.append(("Gap to fill", gap, "up" if gap >= 0 else "down"))
    steps.append((f"Target {horizon.year}", amount, "total"))
    return pd.DataFrame(steps, columns=["label", AMOUNT, "kind"])


def targets(
    parameters: Parameters,
    amount: int,
    orders: pd.DataFrame,
    horizon: Horizon,
    kpis: pd.DataFrame | None = None,
    marketing: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The targets of the year (STR-1 to STR-3), each with metric, unit, baseline, value, deadline, owner and source (MET-1).

    Parameters
        amount     the year's revenue target, minor units
        orders     month, amount and, where known, cost (minor units)
        kpis       month, kpi, value: the mean of last year is the baseline
        marketing  month, spend (minor units)
    Returns metric, unit (money in minor units, share, int), baseline, value, source, deadline, owner; a baseline that no
    table tells stays empty.
    """
    last = orders[orders["month"].isin(horizon.last_year)]
    revenue = int(last[AMOUNT].sum())
    margin = _over(revenue - int(last["cost"].sum()), revenue) if "cost" in last else None
    seen = (
        {}
        if kpis is None
        else kpis[kpis["month"].isin(horizon.last_year)].groupby("kpi")["value"].mean().astype(float).to_dict()
    )
    spent = None if marketing is None else int(marketing.loc[marketing["month"].isin(horizon.last_year), "spend"].sum())
    rows = [
        ("Revenue", "money", revenue, amount, "orders"),
        ("Gross margin", "share", margin, parameters.margin, "orders: cost"),
        ("Market share", "share", seen.get("market_share"), parameters.market_share or None, "kpis"),
        ("Revenue from new markets", "share", seen.get("new_market_share"), parameters.new_market_share, "kpis"),
        ("Marketing cost, at most", "share", _over(spent, revenue), parameters.marketing_ratio, "marketing"),
        ("New valid leads a year", "int", _yearly(seen.get("valid_leads")), parameters.new_leads, "kpis"),
        ("Repurchase rate", "share", seen.get("repurchase_rate"), parameters.repurchase_rate, "kpis"),
        ("NPS, rank in the industry", "share", None, parameters.nps_rank, "parameters"),
        ("Product launches", "int", None, parameters.launches, "parameters"),
        ("Product upgrades", "int", None, parameters.upgrades, "parameters"),
    ]
    frame = pd.DataFrame(rows, columns=["metric", "unit", "baseline", "value", "source"])
    frame["deadline"] = pd.Period(horizon.months[-1], freq="M").end_time.date().isoformat()
    frame["owner"] = parameters.owner
    return frame


def readable(frame: pd.DataFrame, show: Callable[[float | None, str], str]) -> pd.DataFrame:
    """The targets table with baseline and value as text, each in its own unit; `show(value, format)` writes them."""
    text = frame.copy()
    for name in ("baseline", "value"):
        text[name] = [show(None if pd.isna(v) else v, unit) for v, unit in zip(frame[name], frame["unit"], strict=True)]
    return text.drop(columns="unit")


def _over(part: int | None, whole: int) -> float | None:
    return None if part is None or not whole else part / whole


def _yearly(monthly: float | None) -> float | None:
    return None if monthly is None else monthly * 12
