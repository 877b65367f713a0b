"""A reconciled forecast from kept libraries, as a back-test's measure: Holt-Winters (statsmodels), made to agree by MinTrace.

Forecast are the total and each member of each dimension; a cell below brings what it brought a year ago. Minimum trace
reconciliation with structural weights (Wickramasuriya et al. 2019; `hierarchicalforecast`) then makes all of them agree.
The two libraries are the extra `backtest` of this package and are imported here alone, when asked for: no plan needs them.
"""

import importlib.util
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from planlib import periods
from planlib.plan import AMOUNT

LEAST = 2  # years that a season and a trend are told from
MOST_CELLS = 4000  # a dense matrix of cells by cells: 4000 take some 20 s
LIBRARIES = ("hierarchicalforecast", "statsmodels")


def absent() -> list[str]:
    """Which of the libraries are not installed."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name) is None]


def reconciled(history: pd.DataFrame, dims: Sequence[str], ahead: Sequence[str]) -> pd.DataFrame | None:
    """What the year `ahead` brings in every cell of `dims`: dims, month, amount (float, minor units, never below 0).

    `history`: dims, month, amount, up to the month before the first of `ahead`; a month in which a cell has no line counts 0.
    Returns None where a library is absent, fewer than two years are known or there are more than 4000 cells.
    """
    months, year = periods.span(history["month"].min(), periods.step(ahead[0], -1)), len(ahead)
    dims = list(dims)
    cells = history.pivot_table(index=dims, columns="month", values=AMOUNT, aggfunc="sum", fill_value=0)
    cells = cells.reindex(columns=months, fill_value=0).astype("float64").sort_index()
    if absent() or len(months) < LEAST * year or len(cells) > MOST_CELLS:
        return None
    from hierarchicalforecast.methods import MinTrace

    keys = cells.index.to_frame(index=False)
    above = [np.ones((1, len(cells)))]
    for name in dims:
        members = sorted(keys[name].unique())
        if len(members) > 1 and len(dims) > 1:
            above.append((keys[name].to_numpy()[None, :] == np.array(members, dtype=object)[:, None]).astype("float64"))
    sums = np.vstack([*above, np.eye(len(cells))])
    upper = np.vstack(above) @ cells.to_numpy()
    found = np.vstack([*(_ahead(series, year)[None, :] for series in upper), cells.to_numpy()[:, -year:]])
    made = MinTrace(method="wls_struct").fit_predict(S=sums, y_hat=found)["mean"][-len(cells) :]
    frame = pd.DataFrame(np.clip(made, 0.0, None), index=cells.index, columns=pd.Index(list(ahead), name="month"))
    return frame.stack().rename(AMOUNT).reset_index()


def _ahead(series: np.ndarray, year: int) -> np.ndarray:
    """A year more of a series by Holt-Winters: additive season, damped trend."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    unit = float(np.abs(series).mean()) or 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a series that does not converge keeps its best fit so far
        model = ExponentialSmoothing(
            series / unit,
            trend="add",
            damped_trend=True,
            seasonal="add",
            seasonal_periods=year,
            initialization_method="heuristic",
        )
        made = np.asarray(model.fit().forecast(year)) * unit
    return np.where(np.isfinite(made), made, series[-year:])
