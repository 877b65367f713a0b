"""Where each product stands in its life, and what that does to its weight (PRD-1)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.drivers import Driver, Drivers, build
from planlib.errors import ParameterError
from planlib.estimates.shares import Expected
from planlib.plan import AMOUNT, Horizon


def stages(history: pd.DataFrame, parameters: Any, horizon: Horizon) -> pd.DataFrame:
    """Each product's life-cycle stage from its orders (PRD-1).

    `history`: product, month, amount (minor units, all months there are). Introduction: first sold less than
    `introduction_months` ago; exit: named in `exits`, or nothing sold in the last `silent_months`; growth and decline: the last
    twelve months over the twelve before, relative to the company, beyond the lines; maturity: the rest.
    Returns product, first_month, last_twelve (minor units), growth (over the twelve months before, missing where new), pace
    (growth less the company's, points), pace_before (the same a year earlier), stage, sold_months (of the last twelve since the
    first sale), last_month (the last one on the market; empty while no end is set).
    Raises ParameterError for an exit of a product without orders.
    """
    last = horizon.last_twelve
    table = history.pivot_table(index="product", columns="month", values=AMOUNT, aggfunc="sum", fill_value=0)
    unknown = sorted(set(parameters.exits) - set(table.index))
    if unknown:
        raise ParameterError(
            f"exits: no product {unknown} in the orders, expected some of {sorted(table.index)[:6]} ...; correct it."
        )
    before, earlier = ([str(pd.Period(month, freq="M") - back) for month in last] for back in (12, 24))
    sold = table.reindex(columns=sorted({*table.columns, *last, *before, *earlier}), fill_value=0)
    frame = pd.DataFrame({"first_month": (table > 0).idxmax(axis=1), "last_twelve": sold[last].sum(axis=1).astype("int64")})
    frame["growth"], frame["pace"] = _pace(sold[last].sum(axis=1), sold[before].sum(axis=1))
    frame["pace_before"] = _pace(sold[before].sum(axis=1), sold[earlier].sum(axis=1))[1]
    age = pd.PeriodIndex([last[-1]] * len(frame), freq="M").asi8 - pd.PeriodIndex(frame["first_month"], freq="M").asi8
    silent = sold[last[-parameters.silent_months :]].sum(axis=1) <= 0
    pace = frame["pace"]
    frame["stage"] = np.select(
        [
            silent.to_numpy() | frame.index.isin(list(parameters.exits)),
            age < parameters.introduction_months,
            (pace > parameters.growth_line).to_numpy(),
            (pace < parameters.decline_line).to_numpy(),
        ],
        ["exit", "introduction", "growth", "decline"],
        default="maturity",
    )
    frame["sold_months"] = np.minimum(12, age + 1).astype("int64")
    ended = (table > 0).iloc[:, ::-1].idxmax(axis=1).where(silent, "")
    frame["last_month"] = [parameters.exits.get(name, ended[name]) for name in frame.index]
    return frame.rename_axis("product").reset_index()


def on_sale(staged: pd.DataFrame, horizon: Horizon) -> pd.DataFrame:
    """The part of the year's open months in which a product is sold (PRD-1): product, factor 0-1; 0 after an exit."""
    closed = f"{horizon.as_of:%Y-%m}"

    def part(last_month: str) -> float:
        if not last_month:
            return 1.0
        return sum(month <= last_month for month in horizon.open) / len(horizon.open) if horizon.open else 0.0

    factors = [0.0 if end and end <= closed else part(end) for end in staged["last_month"]]
    return pd.DataFrame({"product": staged["product"], "factor": factors})


def drivers(
    regions: pd.DataFrame,
    last_year: pd.DataFrame,
    expected: Expected,
    staged: pd.DataFrame,
    parameters: Any,
    horizon: Horizon,
) -> Drivers:
    """From last year's share of each product to its weight: trend, stage, exit (PRD-1).

    Parameters
        regions    plan table by region
        last_year  region, product, amount (minor units)
        expected   shares of products within each region; a launch's part of a year counts there as a whole one
        staged     of `stages`
    """
    by_stage: Mapping[str, float] = {str(stage): factor for stage, factor in parameters.stage_factor.items()}
    stage = pd.DataFrame({"product": staged["product"], "factor": staged["stage"].map(by_stage).fillna(1.0).astype(float)})
    return build(
        regions,
        "product",
        last_year,
        [
            Driver("trend", "orders", "PRD-1", expected.shares),
            Driver("stage", "parameter stage_factor", "PRD-1", stage),
            Driver("on_sale", "parameter exits, orders: last sale", "PRD-1", on_sale(staged, horizon)),
        ],
    )


def _pace(now: pd.Series, then: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Growth of each product, and less the company's."""
    growth = tables.ratio(now - then, then)
    company = float(now.sum()) / float(then.sum()) - 1.0 if then.sum() > 0 else 0.0
    return growth, growth - company
