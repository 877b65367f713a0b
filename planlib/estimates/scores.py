"""How far shares were from what happened: the measures of a back-test. Every method is scaled to the true total first."""

import itertools
from collections.abc import Iterator, Sequence

import pandas as pd


def levels(dims: Sequence[str], most: int = 3) -> Iterator[list[str]]:
    """All combinations of up to `most` dimensions, in their order."""
    for count in range(1, most + 1):
        yield from (list(chosen) for chosen in itertools.combinations(dims, count))


def aligned(actual: pd.DataFrame, shares: pd.DataFrame, dims: Sequence[str]) -> pd.DataFrame:
    """One row per cell of either: `actual`, and `expected` scaled to the total of `actual`, in its unit; sorted by cell.

    Both tables need `dims` and `amount`. Raises ValueError where one of the two sums to 0 or less.
    """
    both = pd.DataFrame(
        {name: each.groupby(list(dims))["amount"].sum() for name, each in (("actual", actual), ("expected", shares))}
    )
    both = both.fillna(0).sort_index()
    if both["actual"].sum() <= 0 or both["expected"].sum() <= 0:
        raise ValueError("found a table that sums to 0 or less, expected sales; leave the year out")
    both["expected"] *= both["actual"].sum() / both["expected"].sum()
    return both


def error(cells: pd.DataFrame) -> float:
    """Weighted absolute error over actual, share: sum |expected - actual| / sum actual. `cells` is from `aligned`."""
    return float((cells["expected"] - cells["actual"]).abs().sum() / cells["actual"].sum())


def bias(cells: pd.DataFrame) -> float:
    """Signed relative error of the larger half of sales, share: above 0 where large members are expected too high.

    The total is given, so that the sum over all cells says nothing. Cells in order of their actual sales until they hold half.
    """
    ordered = cells.sort_values("actual", ascending=False, kind="stable")
    before = ordered["actual"].cumsum() - ordered["actual"]
    large = ordered[before < ordered["actual"].sum() / 2]
    return float(large["expected"].sum() / large["actual"].sum() - 1)
