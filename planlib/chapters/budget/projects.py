"""Projects from zero: every one justifies itself again against the marketing money it would take (BUD-2, BUD-5)."""

from typing import Protocol

import numpy as np
import pandas as pd

from planlib.errors import ParameterError
from planlib.plan import AMOUNT

PERSPECTIVES = ("finance", "customer", "process", "learning")
REDUCED = " at reduced money"


class Funding(Protocol):
    """The parameters that say how projects are funded."""

    critical_funding: float
    other_funding: float


def variants(projects: pd.DataFrame | None, parameters: Funding) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is funded whatever it returns, and what the programme may choose (BUD-2, BUD-5).

    `projects`: project, perspective, cost, response (minor units), and critical, requires where known. A project on the
    critical path is funded at `critical_funding` of its cost, and its response does not grow by that: the money buys certainty.
    Any other may be chosen whole, or at `other_funding` of cost and response, not both. `requires` asks for the whole of the
    other project; one on the critical path is always there.
    Returns (forced: project, perspective, cost, response), (choices: project, cost, response, requires, excludes).
    """
    columns = ["project", "cost", "response", "requires", "excludes"]
    if projects is None or projects.empty:
        none = pd.DataFrame(columns=["project", "perspective", "cost", "response"])
        return none.astype({"cost": "int64", "response": "int64"}), pd.DataFrame(columns=columns)
    table = projects.sort_values("project").reset_index(drop=True)
    critical = (table["critical"] == "yes") if "critical" in table else pd.Series(False, index=table.index)
    forced = table.loc[critical, ["project", "perspective", "cost", "response"]].copy()
    forced["cost"] = (forced["cost"] * parameters.critical_funding).round().astype("int64")
    rows: list[tuple[str, int, int, list[str], list[str]]] = []
    needed = table["requires"].fillna("") if "requires" in table else pd.Series("", index=table.index)
    names = set(table["project"])
    for row, needs in zip(table[~critical].itertuples(), needed[~critical], strict=True):
        if needs and needs not in names:
            raise ParameterError(
                f"projects: {row.project!r} requires {needs!r}, found none of that name; expected one of {sorted(names)[:6]}; "
                "correct it."
            )
        requires = [needs] if needs and needs not in set(forced["project"]) else []
        rows.append((row.project, row.cost, row.response, requires, []))
        if parameters.other_funding < 1:
            cost, response = (round(value * parameters.other_funding) for value in (row.cost, row.response))
            rows.append((row.project + REDUCED, cost, response, requires, [row.project]))
    return forced.reset_index(drop=True), pd.DataFrame(rows, columns=columns)


def chosen(projects: pd.DataFrame | None, forced: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Every project with its verdict (BUD-2): project, perspective, funding (text), asked, amount, response
    (minor units), roi.

    `found`: Spend.projects. A project that is not funded keeps amount 0: it did not earn its place against the activities.
    """
    columns = ["project", "perspective", "funding", "asked", AMOUNT, "response", "roi"]
    if projects is None or projects.empty:
        return pd.DataFrame(columns=columns).astype({"asked": "int64", AMOUNT: "int64", "response": "int64", "roi": "float64"})
    table = projects.sort_values("project")[["project", "perspective", "cost", "response"]].reset_index(drop=True)
    table = table.rename(columns={"cost": "asked"})
    must = forced.set_index("project")["cost"]
    won = found[found["chosen"].astype(bool)].set_index("project")["cost"] if len(found) else pd.Series(dtype="int64")
    whole, less = table["project"].map(won), (table["project"] + REDUCED).map(won)
    table["funding"] = np.select(
        [table["project"].isin(must.index), whole.notna(), less.notna()],
        ["critical path", "whole", "reduced"],
        default="not funded",
    )
    table[AMOUNT] = table["project"].map(must).fillna(whole).fillna(less).fillna(0).astype("int64")
    table["roi"] = table["response"] / table["asked"].where(table["asked"] > 0)
    order = table["funding"].map({"critical path": 0, "whole": 1, "reduced": 2, "not funded": 3})
    return (
        table.assign(_o=order)
        .sort_values(["_o", "roi", "project"], ascending=[True, False, True])[columns]
        .reset_index(drop=True)
    )


def scorecard(
    projects: pd.DataFrame, activities: pd.DataFrame, growth: float, last_spend: int, budget: int, per_growth: float
) -> tuple[pd.DataFrame, int | None]:
    """The budget by perspective of the balanced scorecard, and what growth alone would ask for (BUD-1).

    `projects`: as `chosen` gives them; marketing activities serve the customer perspective. `growth`: of revenue over last
    year; the budget that goes with it is last year's spend x (1 + per_growth x growth), None without spend last year.
    Returns (perspective, projects, amount, share), aligned budget (minor units).
    """
    funded = projects[projects[AMOUNT] > 0]
    money = funded.groupby("perspective")[AMOUNT].sum().reindex(PERSPECTIVES).fillna(0).astype("int64")
    money["customer"] += int(activities[AMOUNT].sum())
    frame = pd.DataFrame({"perspective": PERSPECTIVES, AMOUNT: money.to_numpy()})
    frame.insert(1, "projects", funded.groupby("perspective").size().reindex(PERSPECTIVES).fillna(0).astype("int64").to_numpy())
    frame["share"] = frame[AMOUNT] / max(1, budget)
    return frame, round(last_spend * (1 + per_growth * growth)) if last_spend > 0 else None
