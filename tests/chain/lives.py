"""A small company of flat months, and how its plans are asked for members that open and close."""

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pandas as pd

from planlib.estimates.lives import Closing, Lives, Opening, Size, outside
from planlib.periods import Horizon
from planlib.plan import residuals, rollup
from tests.chain.in_process import Worked, orders_csv, work

REGIONS, PRODUCTS, CHANNELS = {"North": 300, "South": 200, "West": 100}, {"Desk": 3, "Lamp": 2}, {"Shop": 4, "Web": 1}
CHAIN = ("01-strategy", "02-region", "03-product", "04-channel", "05-time", "06-customer", "07-budget")


def lines(
    first: str = "2023-01", last: str = "2025-12", more: tuple[tuple[str, str, str, str, float], ...] = ()
) -> pd.DataFrame:
    """One order a month in each cell, the same every month; `more`: further ones (month, region, product, channel, revenue)."""
    months = [str(month) for month in pd.period_range(first, last, freq="M")]
    rows = []
    for month in months:
        for number, (region, product, channel) in enumerate(itertools.product(REGIONS, PRODUCTS, CHANNELS)):
            amount = REGIONS[region] * PRODUCTS[product] * CHANNELS[channel]
            rows.append((f"{month}-15", region, product, channel, f"C{number}", 1, amount))
    rows += [(f"{month}-10", region, product, channel, "N1", 1, amount) for month, region, product, channel, amount in more]
    return pd.DataFrame(rows, columns=["date", "region", "product", "channel", "customer", "quantity", "revenue"])


def asked(folder: Path, orders: pd.DataFrame, **more: Any) -> dict[str, Any]:
    """A params file's content for these orders: the year 2026 as last year, but for what is asked."""
    plain = {"run": "lives", "company": "Flat", "year": 2026, "currency": "EUR", "as_of": dt.date(2025, 12, 31)}
    data = {"orders": orders_csv(folder / "orders.csv", orders), **more.pop("data", {})}
    return {**plain, "strategy": {"growth": 0.0}, "data": data, **more}


def planned(folder: Path, orders: pd.DataFrame | None = None, **more: Any) -> Worked:
    """The chapters on the company, see `asked`; `baseline` is an earlier plan, `chapters` those to run, all by default."""
    how = {name: more.pop(name) for name in ("baseline", "chapters") if name in more}
    return work(folder, asked(folder, lines() if orders is None else orders, **more), **how)


def ties_out(found: Worked) -> None:
    """Every level sums to the one above, to the cent."""
    stems = [stem for stem in CHAIN if stem in found.plans][:6]
    for above, below in itertools.pairwise(stems):
        assert residuals(found.plans[above], found.plans[below]).empty, (above, below)


def by(plan: pd.DataFrame, dim: str, member: str) -> pd.DataFrame:
    return plan[plan[dim] == member]


def of(horizon: Horizon, openings: list[dict[str, Any]] = (), closings: list[dict[str, Any]] = ()) -> Lives:  # type: ignore[assignment]
    """The lives as a params file states them, sizes told by `at` or by none."""
    sizes = tuple(Size(Opening.model_validate(one)) for one in openings)
    return Lives(horizon, sizes, tuple(Closing.model_validate(one) for one in closings))


def within(found: Worked, lives: Lives, booked: pd.DataFrame | None = None) -> None:
    """No plan has money outside a life."""
    for stem in CHAIN[1:6]:
        plan = found.plans[stem]
        plan = plan if "segment" not in plan else rollup(plan, ["region", "product", "channel", "month"])
        over = outside(plan, lives, booked)
        assert (over["outside"] == 0).all(), (stem, over[over["outside"] != 0].head())
