"""The year's target and the targets beside it: finance, customers, products (STR-1 to STR-3)."""

from collections.abc import Callable

import pandas as pd

from planlib.chapters.strategy.parameters import Parameters
from planlib.errors import ParameterError
from planlib.estimates.momentum import expect
from planlib.plan import AMOUNT, Horizon


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


def targets(
    parameters: Parameters,
    amount: int,
    orders: pd.DataFrame,
    horizon: Horizon,
    kpis: pd.DataFrame | None = None,
    marketing: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The targets of the year (STR-1, STR-2, STR-3), each with all that the SMART check asks for (MET-1).

    Parameters
        amount     the year's revenue target, minor units
        orders     month, amount and, where known, cost (minor units)
        kpis       month, kpi, value: the mean of last year is the baseline
        marketing  month, spend (minor units)
    Returns metric, unit (money in minor units, share, int), baseline, value, source, deadline, owner, perspective (of the
    scorecard), at_most (less is better), probability (of reaching it as the measure's own past goes, no new action); a baseline
    or probability that no table tells stays empty. A market share of 0 is not asked for. Raises ParameterError for an owner of
    a target that is not there.
    """
    months = orders.groupby("month")[[name for name in (AMOUNT, "cost") if name in orders]].sum().astype(float)
    sold = months[AMOUNT].where(months[AMOUNT] > 0)
    margin = 1 - months["cost"] / sold if "cost" in months else None
    spent = None if marketing is None else (marketing.groupby("month")["spend"].sum() / sold).dropna()

    def kpi(name: str) -> pd.Series | None:
        rows = None if kpis is None else kpis[kpis["kpi"] == name]
        return None if rows is None or rows.empty else rows.groupby("month")["value"].mean().astype(float)

    rows = [
        ("Revenue", "money", months[AMOUNT], amount, "orders", "finance", False),
        ("Gross margin", "share", margin, parameters.margin, "orders: cost", "finance", False),
        ("Market share", "share", kpi("market_share"), parameters.market_share, "kpis", "finance", False),
        ("Revenue from new markets", "share", kpi("new_market_share"), parameters.new_market_share, "kpis", "finance", False),
        ("Marketing cost, at most", "share", spent, parameters.marketing_ratio, "marketing", "finance", True),
        ("New valid leads a year", "int", kpi("valid_leads"), parameters.new_leads, "kpis", "customer", False),
        ("Repurchase rate", "share", kpi("repurchase_rate"), parameters.repurchase_rate, "kpis", "customer", False),
        ("NPS, rank in the industry", "share", kpi("nps_rank"), parameters.nps_rank, "kpis", "customer", True),
        ("Product launches", "int", kpi("launches"), parameters.launches, "kpis", "process", False),
        ("Product upgrades", "int", kpi("upgrades"), parameters.upgrades, "kpis", "process", False),
    ]
    names = ["metric", "unit", "series", "value", "source", "perspective", "at_most"]
    frame = pd.DataFrame(rows, columns=names)
    frame = frame[(frame["metric"] != "Market share") | (frame["value"] > 0)].reset_index(drop=True)
    strangers = sorted(set(parameters.owners) - set(frame["metric"]))
    if strangers:
        raise ParameterError(f"owners: found {strangers}, expected targets out of {list(frame['metric'])}; correct the name.")
    known = list(zip(frame["series"], frame["unit"], strict=True))
    frame["baseline"] = [_last_year(series, unit, horizon) for series, unit in known]
    ratios = {"Gross margin": _margin(months, horizon), "Marketing cost, at most": _ratio(marketing, months, horizon)}
    frame["baseline"] = [ratios.get(m, b) for m, b in zip(frame["metric"], frame["baseline"], strict=True)]
    frame["probability"] = [
        chance(row.series, row.value, row.unit == "share", horizon, parameters.damping, parameters.usual_error, row.at_most)
        for row in frame.itertuples(index=False)
    ]
    frame["deadline"] = pd.Period(horizon.months[-1], freq="M").end_time.date().isoformat()
    frame["owner"] = [parameters.owners.get(metric, parameters.owner) for metric in frame["metric"]]
    wanted = ["metric", "unit", "baseline", "value", "source", "deadline", "owner", "perspective", "at_most", "probability"]
    return frame[wanted].astype({"baseline": "float64", "value": "float64", "probability": "float64"})


def chance(
    series: pd.Series | None,
    value: float,
    mean: bool,
    horizon: Horizon,
    damping: float,
    usual_error: float,
    at_most: bool = False,
) -> float | None:
    """Probability that a monthly measure reaches its year's target as its own past goes (MET-1); None without a past.

    `series`: value by month, summed over the year or, with `mean`, averaged. Closed months count as they were.
    """
    as_of = f"{horizon.as_of:%Y-%m}"
    known = None if series is None else series[series.index <= as_of].dropna()
    if known is None or known.empty or (known < 0).any():
        return None
    last = min(as_of, str(known.index.max()))
    ahead = [month for month in horizon.months if month > last]
    done = known[known.index.isin(horizon.months)]
    if not ahead or (pd.Period(ahead[-1], freq="M") - pd.Period(last, freq="M")).n > len(horizon.months):
        return None
    return expect(known, last, ahead, damping, usual_error).chance(value * (12 if mean else 1) - float(done.sum()), at_most)


def readable(checked: pd.DataFrame, show: Callable[[float | None, str], str]) -> pd.DataFrame:
    """The targets with their SMART check, baseline and value as text in their own units; `show(value, format)` writes them."""
    text = checked.copy()
    for name in ("baseline", "value"):
        text[name] = [show(None if pd.isna(v) else v, unit) for v, unit in zip(text[name], text["unit"], strict=True)]
    return text[["metric", "baseline", "value", "deadline", "owner", "source", "probability", "smart", "lacks"]]


def _last_year(series: pd.Series | None, unit: str, horizon: Horizon) -> float | None:
    """The measure over last year: the mean of a share, the sum of money, twelve mean months of a count."""
    rows = None if series is None else series[series.index.isin(horizon.last_year)].dropna()
    if rows is None or rows.empty:
        return None
    return float(rows.sum()) if unit == "money" else float(rows.mean()) * (12 if unit == "int" else 1)


def _margin(months: pd.DataFrame, horizon: Horizon) -> float | None:
    last = months[months.index.isin(horizon.last_year)].sum()
    return None if "cost" not in months or last[AMOUNT] <= 0 else float(1 - last["cost"] / last[AMOUNT])


def _ratio(marketing: pd.DataFrame | None, months: pd.DataFrame, horizon: Horizon) -> float | None:
    revenue = float(months.loc[months.index.isin(horizon.last_year), AMOUNT].sum())
    if marketing is None or revenue <= 0:
        return None
    return float(marketing.loc[marketing["month"].isin(horizon.last_year), "spend"].sum()) / revenue
