"""03 product: history by region, life-cycle stage from data (PRD-1), exits."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from planlib import plan as tables
from planlib.chapters.base import SplitParameters
from planlib.errors import ParameterError
from planlib.plan import AMOUNT, Horizon

Stage = Literal["introduction", "growth", "maturity", "decline", "exit"]
Factor = Annotated[float, Field(ge=0, le=3)]


QUESTION = "Which product carries how much, given where it stands in its life?"


class Parameters(SplitParameters):
    introduction_months: Annotated[int, Field(ge=1, le=36)] = 12
    growth_line: Annotated[float, Field(ge=0, le=2)] = 0.15
    decline_line: Annotated[float, Field(ge=-1, le=0)] = -0.10
    silent_months: Annotated[int, Field(ge=1, le=12)] = 3
    stage_factor: dict[Stage, Factor] = {"introduction": 1.3, "growth": 1.15, "maturity": 1.0, "decline": 0.8, "exit": 0.0}
    exits: list[str] = []


def stages(history: pd.DataFrame, parameters: Parameters, horizon: Horizon) -> pd.DataFrame:
    """Each product's life-cycle stage from its orders.

    `history`: product, month, amount (all months there are). Introduction: first sold less than `introduction_months` ago;
    exit: named in `exits`, or nothing sold in the last `silent_months`; growth and decline: the last twelve months over the
    twelve before, relative to the company, beyond the lines; maturity: the rest.
    Returns product, first_month, last_twelve (minor units), growth (over the twelve months before, missing where new), pace
    (growth less the company's, points), stage, factor.
    """
    last = horizon.last_twelve
    before = [str(pd.Period(month, freq="M") - 12) for month in last]
    table = history.pivot_table(index="product", columns="month", values=AMOUNT, aggfunc="sum", fill_value=0)
    unknown = sorted(set(parameters.exits) - set(table.index))
    if unknown:
        raise ParameterError(
            f"exits: no product {unknown} in the orders, expected some of {sorted(table.index)[:6]} ...; correct it."
        )
    sold = table.reindex(columns=sorted(set(table.columns) | set(last) | set(before)), fill_value=0)
    frame = pd.DataFrame({"first_month": (table > 0).idxmax(axis=1), "last_twelve": sold[last].sum(axis=1).astype("int64")})
    frame["growth"] = tables.ratio(frame["last_twelve"] - sold[before].sum(axis=1), sold[before].sum(axis=1))
    company = float(frame["last_twelve"].sum()) / max(1.0, float(sold[before].to_numpy().sum())) - 1.0
    age = pd.PeriodIndex([last[-1]] * len(frame), freq="M").asi8 - pd.PeriodIndex(frame["first_month"], freq="M").asi8
    silent = sold[last[-parameters.silent_months :]].sum(axis=1) <= 0
    frame["pace"] = pace = frame["growth"] - (company if np.isfinite(company) else 0.0)
    frame["stage"] = np.select(
        [
            silent.to_numpy() | frame.index.isin(parameters.exits),
            age < parameters.introduction_months,
            (pace > parameters.growth_line).to_numpy(),
            (pace < parameters.decline_line).to_numpy(),
        ],
        ["exit", "introduction", "growth", "decline"],
        default="maturity",
    )
    factors = {str(stage): factor for stage, factor in parameters.stage_factor.items()}
    frame["factor"] = frame["stage"].map(factors).fillna(1.0).astype(float)
    return frame.rename_axis("product").reset_index()


def weights(plan: pd.DataFrame, history: pd.DataFrame, staged: pd.DataFrame) -> pd.DataFrame:
    """History of each region over products times the stage's factor; a region whose products all exit uses the company's mix.

    Returns region, product, weight.
    """
    frame = tables.history_weights(plan, history, "product").merge(staged[["product", "factor"]], on="product", how="left")
    frame["weight"] = frame["weight"] * frame.pop("factor").fillna(1.0)
    empty = frame.groupby("region")["weight"].transform("sum") == 0
    if empty.any():
        mix = frame.groupby("product")["weight"].sum()
        frame.loc[empty, "weight"] = frame.loc[empty, "product"].map(mix)
    return frame


def introduced(history: pd.DataFrame, staged: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """History with a young product's months scaled up to a full year, so that it is not planned on a part of one.

    `history`: region, product, month, amount over the last twelve months. Returns region, product, amount (int64).
    """
    since = staged.set_index("product")["first_month"]
    last = horizon.last_twelve
    sold_months = since.map(lambda first: max(1, sum(month >= first for month in last)))
    sums = tables.rollup(history, ["region", "product"])
    sums[AMOUNT] = (sums[AMOUNT] * 12 / sums["product"].map(sold_months)).round().astype("int64")
    return sums
