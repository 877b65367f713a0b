"""Why a plan is what it is, in a reader's words: rules with their prices, the proof, and the plan beside simple splits.

Amounts come in minor units; `show(value, form)` writes one as the reader sees it (`Chapter.show`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from planlib.lp import sentence

Show = Callable[..., str]
PER = {"point": "per point", "unit of money": "per unit of money", "0.01": "per 0.01"}
# How many sentences a reader gets before the table.
MOST = 3


def rules(table: pd.DataFrame, show: Show) -> pd.DataFrame:
    """`Split.rules` as a reader's table, what binds and is dear first."""
    ranked = table.sort_values(["binds", "price", "rule"], ascending=[False, False, True])
    rows = []
    for row in ranked.itertuples():
        rows.append(
            {
                "rule": row.rule,
                "asks": _asks(row, show),
                "found": _measure(row.found, row.unit, show),
                "slack": _measure(row.slack, row.unit, show, difference=True),
                "binds": "yes" if row.binds else "no",
                "price": _price(row, show),
                "holds while": _range(row, show),
                "owner": row.owner,
                "reason": row.reason,
            }
        )
    return pd.DataFrame(rows)


def sentences(table: pd.DataFrame, show: Show, profit: bool = False) -> list[str]:
    """The dearest rules and those given up, a sentence each."""
    counts = table["binds"].astype(bool) & (table["price"] > 0) | (table["given_up"] > 0)
    ranked = table[counts].sort_values(["price", "rule"], ascending=[False, True]).head(MOST)
    return [sentence(row, show, profit) for row in ranked.itertuples()]


def proof(certificate: Mapping[str, Any], show: Show) -> str:
    """How well the plan is proven, in a sentence; the tables hold the whole certificate."""
    if certificate["method"] == "proportional":
        return "Every rule holds in the drivers' own proportions: nothing had to move."
    return (
        f"Proven{_within(certificate, show)}: within these rules no plan serves its aim, {certificate['aim']}, better. "
        f"Its distance from the drivers, squared relative deviation in money, is {show(certificate['objective'])}; "
        f"{certificate['solved cells']:,} cells were free to move."
    )


def proof_of_spend(certificate: Mapping[str, Any], show: Show) -> str:
    """The same for a budget."""
    return f"{certificate['status']}: within these limits no spend brings more{_within(certificate, show)}."


def _within(certificate: Mapping[str, Any], show: Show) -> str:
    open_ = abs(certificate["gap"] * certificate["objective"])
    return " to the last minor unit" if open_ < 1 else f" to {show(open_)}"


def beside(measures: pd.DataFrame, show: Show) -> pd.DataFrame:
    """`Split.measures` as a reader's table: split, distance and moved money, hard rules broken."""
    # Each distance in its own unit: a split that keeps a product which has gone lies so far off that it would hide the others.
    told = measures.assign(distance=measures["distance"].map(show))
    return told.rename(columns={"distance": "distance_from_drivers", "broken": "rules_broken"})


def limits(prices: pd.DataFrame, show: Show) -> pd.DataFrame:
    """`Spend.prices` as a reader's table: what each limit holds back, dearest first."""
    ranked = prices.sort_values(["binds", "price", "rule"], ascending=[False, False, True])
    rows = []
    for row in ranked.itertuples():
        ratio = row.unit == "ratio"
        rows.append(
            {
                "rule": row.rule,
                "limit": "" if row.unit == "choice" else show(row.limit, "factor") if ratio else show(row.limit),
                "binds": "yes" if row.binds else "no",
                "price": show(row.price) if ratio or row.unit == "choice" else f"{row.price:.3g} per unit of money",
                "unique": "yes" if row.unique else "no",
            }
        )
    return pd.DataFrame(rows)


def _price(row: Any, show: Show) -> str:
    if not row.binds or row.price <= 0:
        return "0"
    if not row.unique:
        return "shared with another rule"
    return f"{row.price:.3g} {PER[row.per]}" if row.unit == "amount" else f"{show(row.price)} {PER[row.per]}"


def _range(row: Any, show: Show) -> str:
    ends = [_measure(end, row.unit, show) if pd.notna(end) and np.isfinite(end) else "" for end in (row.low, row.high)]
    if not row.binds or not any(ends):
        return ""
    return " to ".join(ends) if all(ends) else f"from {ends[0]}" if ends[0] else f"to {ends[1]}"


def _asks(row: Any, show: Show) -> str:
    asked = [f"at least {_measure(row.min, row.unit, show)}"] if pd.notna(row.min) else []
    asked += [f"at most {_measure(row.max, row.unit, show)}"] if pd.notna(row.max) else []
    return f"{row.unit} {' and '.join(asked)}" + ("" if row.hard else " (soft)")


def _measure(value: float, unit: str, show: Show, difference: bool = False) -> str:
    if unit == "ratio":
        return f"{value:.3f}"
    return show(value, "money" if unit == "amount" else "points" if difference else "share")
