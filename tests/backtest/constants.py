"""Constants of the expectation that are ours, not the company's: chosen on all sets but one, judged on that one.

`python -m tests.backtest.constants` tries every combination of GRID on every set-year (minutes) and writes constants.csv: one
row per combination and set-year with our error over last year's shares, summed over levels. `chosen` reads it.
"""

import itertools
from collections.abc import Mapping
from unittest import mock

import pandas as pd

from planlib.estimates import candidates, weighing
from planlib.estimates import outlook as outlooks
from planlib.estimates.outlook import outlook
from tests.backtest.sets import SET_YEARS, calendar, compared
from tests.conftest import ROOT

FILE = ROOT / "tests" / "backtest" / "constants.csv"
# pull toward what counts before evidence; what last year's shares count before any; which part of a mean cell is small
GRID = {"pull": (0.02, 0.04, 0.08), "last": (0.25, 0.5, 1.0), "small": (0.25, 0.5, 1.0)}
USED = {"pull": weighing.PULL, "last": candidates.PRIOR[candidates.LAST], "small": outlooks.SMALL}


def tried(constants: Mapping[str, float]) -> pd.DataFrame:
    """Our error over last year's shares by set-year under some constants: set, year, ratio."""
    prior = {**candidates.PRIOR, candidates.LAST: constants["last"]}
    rows = []
    with (
        mock.patch.object(weighing, "PULL", constants["pull"]),
        mock.patch.object(outlooks, "PRIOR", prior),
        mock.patch.object(outlooks, "SMALL", constants["small"]),
    ):
        for each, year in SET_YEARS:
            sums = compared(each, year, calendar(outlook(each.sold(), each.dims, each.horizon(year)).table), "share")
            rows.append((each.name, year, sums["ours"].sum() / sums["last_year"].sum()))
    return pd.DataFrame(rows, columns=["set", "year", "ratio"])


def chosen(table: pd.DataFrame) -> pd.DataFrame:
    """Leaving each set out in turn: left_out, the constants that are best on the others (mean of their sets' means), and the
    mean ratio on the set left out, with them and with those in use."""
    names, rows = list(GRID), []
    means = table.groupby([*names, "set"])["ratio"].mean().unstack("set")
    for left in means.columns:
        best = means.drop(columns=left).mean(axis=1).round(6).idxmin()
        rows.append((left, *best, means.loc[best, left], means.loc[tuple(USED[name] for name in names), left]))
    return pd.DataFrame(rows, columns=["left_out", *names, "ratio", "ratio_in_use"])


if __name__ == "__main__":
    frames = []
    for values in itertools.product(*GRID.values()):
        constants = dict(zip(GRID, values, strict=True))
        frames.append(tried(constants).assign(**constants))
        print(constants, round(frames[-1]["ratio"].mean(), 4), flush=True)
    table = pd.concat(frames)[[*GRID, "set", "year", "ratio"]].round(4)
    table.to_csv(FILE, index=False, lineterminator="\n")
    print(chosen(table).to_string(index=False))
