"""Why a plan is what it is, in a reader's words: rules with their prices, the proof, and the plan beside simple splits.

Amounts come in minor units; `show(value, form)` writes one as the reader sees it (`Chapter.show`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from planlib.lp import Split, sentence
from planlib.lp.splitting.explain import THOUSAND

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
                **({"expected miss": _missed(row, show)} if "miss_change" in table else {}),
                "holds while": _range(row, show),
                "owner": row.owner,
                "reason": row.reason,
            }
        )
    return pd.DataFrame(rows)


def sentences(result: Split, show: Show) -> list[str]:
    """The dearest rules and those given up, a sentence each."""
    table = result.rules
    counts = table["binds"].astype(bool) & (table["price"] > 0) | (table["given_up"] > 0)
    ranked = table[counts].sort_values(["price", "rule"], ascending=[False, True]).head(MOST)
    told = []
    for row in ranked.itertuples():
        told.append(sentence(row, show, str(result.certificate["gains"])))
        if "miss_change" in table and (felt := miss_sentence(row, show)):
            told[-1] += f" {felt}"
    return told


def miss_sentence(row: Any, show: Show) -> str:
    """What a rule does to the expected miss; `row`: one of `Split.rules` with `miss_change`. Nothing where it does nothing."""
    if pd.isna(row.miss_change) or not (row.binds or row.given_up > 0):
        return ""
    step, change = ("0.01" if row.unit == "ratio" else "one point"), float(row.miss_change)
    if row.unit == "amount":
        step, change = show(THOUSAND), change * THOUSAND
    if abs(change) < 1:
        return ""
    less = "less" if change < 0 else "more"
    return (
        f'Easing "{row.rule}" by {step} makes the plan miss {show(abs(change))} {less} a year; '
        f"the chance of the total stays {show(row.total_chance, 'share')}."
    )


def unlimited(result: Split) -> str:
    """What a split without any rule or lock follows."""
    certificate = result.certificate
    if certificate["method"] == "proportional":
        return f"No rule limits this split: what is still open is split in the proportions of {certificate['near']}."
    return f"No rule limits this split: it follows its aim alone, {certificate['aim']}."


def proof(result: Split, show: Show) -> str:
    """How well the plan is proven, in a sentence; the tables hold the whole certificate."""
    certificate = result.certificate
    if certificate["method"] == "proportional":
        return f"Every rule holds in the proportions of {certificate['near']}: nothing had to move."
    plan = result.measures.set_index("split").loc["this plan"]
    gave, cells = float(result.rules["cost"].sum()), int(str(certificate["solved cells"]))
    facts = [
        f"Its distance from {certificate['near']}, squared relative deviation in money, is {_distance(plan['distance'], show)}",
        *([f"the soft rules it gives up cost {show(gave)}"] if gave > 0 else []),
        *([f"its profit is {show(plan['profit'])}"] if "profit" in plan else []),
        f"{cells:,} {'cell was' if cells == 1 else 'cells were'} free to move",
    ]
    aim = f"Proven{_within(certificate, show)}: within these rules no plan serves its aim, {certificate['aim']}, better."
    return f"{aim} {'; '.join(facts)}."


def proof_of_spend(certificate: Mapping[str, Any], show: Show) -> str:
    """The same for a budget."""
    return f"{certificate['status']}: within these limits no spend brings more{_within(certificate, show)}."


def _within(certificate: Mapping[str, Any], show: Show) -> str:
    open_ = abs(certificate["gap"] * certificate["objective"])
    return " to the last minor unit" if open_ < 1 else f" to {show(open_)}"


def beside(result: Split, show: Show) -> pd.DataFrame:
    """`Split.measures` as a reader's table: split, distance and moved money, hard rules broken."""
    measures, near = result.measures, str(result.certificate["near"])
    # Each distance in its own unit: a split that keeps a product which has gone lies so far off that it would hide the others.
    told = measures.assign(distance=[_distance(one, show) for one in measures["distance"]])
    distance = f"distance_from_{near.removeprefix('the ').replace(' the ', ' ').replace(' ', '_')}"
    if near != "the drivers":
        told["split"] = told["split"].replace("proportional", f"in the proportions of {near}")
    return told.rename(columns={"distance": distance, "broken": "rules_broken"})


def _distance(value: float, show: Show) -> str:
    return "not defined: money where none is meant to be" if pd.isna(value) else show(value)


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
        return "not defined alone"
    return f"{row.price:.3g} {PER[row.per]}" if row.unit == "amount" else f"{show(row.price)} {PER[row.per]}"


def _missed(row: Any, show: Show) -> str:
    if pd.isna(row.miss_change):
        return "not defined"
    if (not row.binds and row.given_up <= 0) or row.miss_change == 0:
        return "0"
    size = abs(row.miss_change)
    sign = "-" if row.miss_change < 0 else "+"
    return f"{sign}{size:.3g} {PER[row.per]}" if row.unit == "amount" else f"{sign}{show(size)} {PER[row.per]}"


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
        return f"{value:.4g}"
    return show(value, "money" if unit == "amount" else "points" if difference else "share")
