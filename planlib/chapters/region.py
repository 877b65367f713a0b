"""02 region: weights from history, potential, priority, maturity, attainment and team (REG-1 to REG-5)."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from planlib.chapters.base import Share, SplitParameters
from planlib.errors import ParameterError
from planlib.plan import AMOUNT, Horizon

Maturity = Literal["incubating", "growing", "mature"]
Uplift = Annotated[float, Field(ge=0.30, le=0.50)]
Factor = Annotated[float, Field(gt=0, le=3)]


QUESTION = "Which region carries how much of the target, and why?"


class Parameters(SplitParameters):
    potential_weight: Share = 0.25
    priority: dict[str, Uplift] = {}
    maturity: dict[Maturity, Factor] = {"incubating": 0.8, "growing": 1.0, "mature": 1.2}
    over_line: Annotated[float, Field(ge=1.0, le=2.0)] = 1.05
    over_uplift: Annotated[float, Field(ge=0.15, le=0.20)] = 0.15
    under_line: Annotated[float, Field(ge=0.0, le=1.0)] = 0.90
    newcomer_line: Share = 0.40
    newcomer_cut: Annotated[float, Field(ge=0.0, le=0.30)] = 0.10
    newcomer_months: Annotated[int, Field(ge=1, le=36)] = 12


def drivers(
    history: pd.DataFrame,
    parameters: Parameters,
    horizon: Horizon,
    regions: pd.DataFrame | None = None,
    attained: pd.DataFrame | None = None,
    staff: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per region, one column per driver, the weight they multiply to.

    Parameters
        history   region, amount: the last twelve months (minor units)
        regions   region, gdp, income, maturity and rival_share where known; missing: potential and maturity are neutral
        attained  region, year, attainment (result over target); missing: neutral
        staff     region, hired, left (blank = still there); missing: neutral
    Returns region, history (share), potential (share), base (their blend), priority, maturity, attainment, team (factors),
    weight (share, sums to 1) and review (text: what to look at by hand).
    """
    frame = history.groupby("region", sort=True)[AMOUNT].sum().clip(lower=0).rename("amount").reset_index()
    frame["history"] = frame["amount"] / frame["amount"].sum()
    frame["potential"] = potential(frame["region"], regions, frame["history"])
    frame["base"] = (1 - parameters.potential_weight) * frame["history"] + parameters.potential_weight * frame["potential"]
    _known(parameters.priority, frame["region"])
    frame["priority"] = frame["region"].map(lambda name: 1.0 + parameters.priority.get(name, 0.0))
    frame["maturity"] = maturity(frame["region"], regions, parameters)
    steady = attainment(frame["region"], attained)
    frame["attainment"] = np.where(steady["least"] >= parameters.over_line, 1.0 + parameters.over_uplift, 1.0)
    newcomers = newcomer_share(frame["region"], staff, horizon, parameters.newcomer_months)
    frame["team"] = np.where(newcomers > parameters.newcomer_line, 1.0 - parameters.newcomer_cut, 1.0)
    product = frame["base"] * frame["priority"] * frame["maturity"] * frame["attainment"] * frame["team"]
    frame["weight"] = product / product.sum()
    # An under-achiever is looked at, never cut by a formula (REG-3).
    frame["review"] = np.where(steady["mean"] < parameters.under_line, "is the target reasonable?", "")
    columns = ["region", "history", "potential", "base", "priority", "maturity", "attainment", "team", "weight", "review"]
    return frame[columns]


def potential(names: pd.Series, regions: pd.DataFrame | None, history: pd.Series) -> pd.Series:
    """Share of economic potential: GDP grown by its growth times income per head to the mean, less the rivals' share.

    A region the table lacks gets its share of history, so that nobody loses for missing data.
    """
    if regions is None:
        return history
    table = regions.set_index("region").reindex(names)
    size = table["gdp"].astype(float)
    if "gdp_growth" in table:
        size = size * (1 + table["gdp_growth"].astype(float).fillna(0))
    size = size * (table["income"].astype(float) / table["income"].astype(float).mean())
    if "rival_share" in table:
        size = size * (1 - table["rival_share"].astype(float).fillna(0))
    known = size.notna().to_numpy()
    share = history.copy()
    if known.any():
        reach = history[known].sum()
        share[known] = size.to_numpy()[known] / size.to_numpy()[known].sum() * reach
    return share


def maturity(names: pd.Series, regions: pd.DataFrame | None, parameters: Parameters) -> pd.Series:
    """Channel maturity as a factor (REG-4), 1.0 where unknown."""
    if regions is None or "maturity" not in regions:
        return pd.Series(1.0, index=names.index)
    stage = regions.set_index("region")["maturity"].reindex(names)
    factors = {str(stage): factor for stage, factor in parameters.maturity.items()}
    return stage.map(factors).fillna(1.0).astype(float).set_axis(names.index)


def attainment(names: pd.Series, attained: pd.DataFrame | None) -> pd.DataFrame:
    """Least and mean attainment of the last three years by region; 1.0 where fewer than three years are known (REG-3)."""
    if attained is None or attained.empty:
        return pd.DataFrame({"least": 1.0, "mean": 1.0}, index=names.index)
    recent = attained.sort_values("year").groupby("region").tail(3)
    result = recent.groupby("region")["attainment"].agg(["min", "mean", "count"]).reindex(names)
    enough = result["count"] >= 3
    return pd.DataFrame(
        {"least": result["min"].where(enough, 1.0).to_numpy(), "mean": result["mean"].where(enough, 1.0).to_numpy()},
        index=names.index,
    )


def attained(targets: pd.DataFrame | None, results: pd.DataFrame, horizon: Horizon) -> pd.DataFrame | None:
    """Attainment by region and plan year: result over target from summed parts. `results`: region, month, amount."""
    if targets is None:
        return None
    month = pd.PeriodIndex(results["month"], freq="M")
    year = month.year - (month.month < horizon.fiscal_start).astype(int)
    sums = results.assign(year=year).groupby(["region", "year"])[AMOUNT].sum().rename("result").reset_index()
    both = targets.assign(year=targets["year"].astype(int)).merge(sums, on=["region", "year"], validate="one_to_one")
    both = both[(both["year"] < horizon.year) & (both["amount"] > 0)]
    return both.assign(attainment=both["result"] / both["amount"])[["region", "year", "attainment"]]


def newcomer_share(names: pd.Series, staff: pd.DataFrame | None, horizon: Horizon, months: int) -> np.ndarray:
    """Share of today's people hired in the last `months` months, by region; 0 where nobody is known (REG-5)."""
    if staff is None or staff.empty:
        return np.zeros(len(names))
    today = pd.Timestamp(horizon.as_of)
    hired = pd.to_datetime(staff["hired"])
    left = pd.to_datetime(staff["left"]) if "left" in staff else pd.Series(pd.NaT, index=staff.index)
    here = staff[(hired <= today) & (left.isna() | (left > today))]
    new = pd.to_datetime(here["hired"]) > today - pd.DateOffset(months=months)
    return new.groupby(here["region"]).mean().reindex(names).fillna(0.0).to_numpy()


def _known(named: dict[str, float], regions: pd.Series) -> None:
    unknown = sorted(set(named) - set(regions))
    if unknown:
        raise ParameterError(
            f"priority: no region {unknown} in the orders, expected some of {sorted(regions)[:6]} ...; correct it."
        )
