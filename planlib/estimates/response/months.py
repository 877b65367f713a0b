"""Returns of activities that nobody attributed revenue to: their months of spend against the company's total revenue."""

from collections.abc import Sequence

import pandas as pd

from planlib import periods
from planlib.estimates.response.result import Response, finished, refuse
from planlib.estimates.response.total import fit
from planlib.estimates.windows import Coverage

# Two years tell a season from a campaign; each activity's size and shape take two months, the baseline ten.
LEAST_MONTHS, PER_ACTIVITY, BASELINE = 24, 2, 10


def fit_months(
    marketing: pd.DataFrame, revenue: pd.Series, year: Sequence[str] | None = None, level: float = 0.9, seed: int = 20260101
) -> Response:
    """Return, curve and interval of every activity from spend by month and total revenue by month (BUD-1, BUD-6).

    Parameters
        marketing  month (2025-01), activity, spend (minor units); a month without a row counts as no spend
        revenue    total by month, minor units, the index the months; those before or after all marketing are left aside. A
                   closed season brings 0; of months that are missing only what comes after the last one is used
        year       months the return is told for; the last twelve by default
        level      of the intervals, share; seed of the generator
    Returns Response, see `fit`; without curves, and with a note saying why, where the months are too few.
    Raises InputDataError for a missing column or spend below 0.
    """
    wanted = ["month", "activity", "spend"]
    missing = [name for name in wanted if name not in marketing.columns]
    refuse(bool(missing), f"no column {missing}", f"columns {wanted}")
    both = sorted(set(marketing["month"]) & set(revenue.index))
    months = periods.span(both[0], both[-1]) if both else []
    gaps = [month for month in Coverage.of(revenue.index, months[-1]).gaps if month in months] if months else []
    months = months[months.index(gaps[-1]) + 1 :] if gaps else months
    spend = marketing.pivot_table(index="month", columns="activity", values="spend", aggfunc="sum", fill_value=0)
    spend = spend.reindex(months, fill_value=0)
    spend = spend.loc[:, spend.sum() != 0]
    least = max(LEAST_MONTHS, BASELINE + PER_ACTIVITY * spend.shape[1])
    if len(months) < least or spend.empty:
        found = f"{len(months)} months of {spend.shape[1]} activities"
        after = f" after {gaps[-1]}, which is missing" if gaps else ""
        return finished(
            [], {}, f"Marketing spend and revenue are known of {found}{after}; {least} months at least tell returns."
        )
    cycle = periods.per_year(months[0])
    told = [month for month in (year or months[-cycle:]) if month in months]
    return fit(spend, revenue.reindex(months).fillna(0), periods_per_year=cycle, year=told or None, level=level, seed=seed)
