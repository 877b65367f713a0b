"""07 budget: money to where it returns, a reserve, and not a cent lost."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from planlib.chapters import budget
from planlib.plan import Horizon, months

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
PARAMETERS = budget.Parameters()


def marketing(noise: float = 0.05) -> pd.DataFrame:
    """Two activities whose return fades: revenue = scale x spend / (spend + half)."""
    rng = np.random.default_rng(7)
    rows = []
    for activity, scale, half in (("Search", 9_000_000.0, 1_500_000.0), ("TV", 5_000_000.0, 2_500_000.0)):
        for year in (2023, 2024, 2025):
            for number, month in enumerate(months(year)):
                spend = 1_000_000 + 150_000 * number
                revenue = scale * spend / (spend + half) * np.exp(noise * rng.standard_normal())
                rows.append((month, activity, spend, round(revenue)))
    return pd.DataFrame(rows, columns=["month", "activity", "spend", "revenue"])


@pytest.mark.parametrize("known", [True, False])
def test_pools_projects_and_reserve_sum_to_the_budget(known):
    # REG-6 and BUD-4: what a region's pool holds for risk is a part of the reserve, so that no money is counted twice.
    table = budget.known(marketing() if known else None, HORIZON)
    channels = pd.DataFrame({"region": ["E", "E", "W"], "product": "p", "channel": ["a", "b", "a"], "amount": [500, 300, 200]})
    total = 50_000_001
    curves = budget.curves(table, HORIZON).curves
    forced, choices = budget.variants(None, PARAMETERS)
    simple = budget.naive(curves, channels, total - 5_000_000)
    spent = pd.DataFrame({"item": [], "amount": []})
    limits = budget.bounds(curves, total - 5_000_000, total, PARAMETERS, spent, budget.traits(table))
    found = budget.allocate(limits, forced, choices, simple, total, PARAMETERS)
    regions = budget.two_ways(found.activities, channels, table)
    plan = budget.pools(
        regions.by("region"),
        budget.pool_shares(None, channels),
        budget.chosen(None, forced, found.projects),
        found.reserve,
        found.unspent,
    )

    assert plan["amount"].sum() == total and found.activities["amount"].sum() == 45_000_001
    held = plan.loc[plan["pool"].isin(["reserve", "region risk reserve"]), "amount"].sum()
    assert held == found.reserve == 5_000_000
    base = plan.loc[plan["pool"] == "region base", "amount"].sum()
    assert base == pytest.approx(0.6 / 0.9 * 45_000_001, abs=2)


@pytest.mark.parametrize("words", [{"reserve_share": 0.09}, {"reserve_share": 0.16}, {"marketing_ratio": 0.21}])
def test_the_books_bounds_hold(words):
    with pytest.raises(ValidationError):
        budget.Parameters(**words)
