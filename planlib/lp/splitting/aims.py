"""The aims of a split side by side: one level, the same rules, every aim that its tables allow."""

from typing import Any

import pandas as pd

from planlib.lp.rules import Aim
from planlib.lp.splitting.split import split


def aims(**given: Any) -> pd.DataFrame:
    """One row per aim, in the columns of `Split.measures` (see `explain.compared`), all by the distance from the drivers.

    Parameters: those of `split` but for `aim` and `beside`. Rows: nearest to the drivers, most profit (with `margins`), equal
    chance (with `misses`), then the proportions of the drivers and, with `history`, last year's shares, both without any rule.
    Raises what `split` does.
    """
    stated = {"most profit": ("margins", Aim(profit=1.0)), "equal chance": ("misses", Aim(equal_chance=1.0))}
    others = {name: split(**given, aim=aim).plan for name, (table, aim) in stated.items() if given.get(table) is not None}
    table = split(**given, beside=others).measures.replace({"split": {"this plan": "nearest to the drivers"}})
    order = ["nearest to the drivers", *others, "proportional", "last year's shares"]
    return table.set_index("split").reindex([name for name in order if name in set(table["split"])]).reset_index()
