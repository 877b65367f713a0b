"""Projects from zero: every one justifies itself again against the marketing money it would take (BUD-2, BUD-5)."""

import numpy as np
import pandas as pd

from planlib.chapters.budget.parameters import Parameters
from planlib.errors import ParameterError
from planlib.estimates.response.result import stated
from planlib.plan import AMOUNT, times

PERSPECTIVES = ("finance", "customer", "process", "learning")
REDUCED = " at reduced money"
CHOICES = ("project", "cost", "response", "requires", "excludes")
FUNDING = ("critical path", "whole", "reduced", "not funded", "frozen")


def known(projects: pd.DataFrame | None, parameters: Parameters) -> pd.DataFrame:
    """The projects in order of name: project, perspective, cost, response, low, high (minor units; missing where no range is
    given), critical, frozen (bool), requires (text, "" for none) (BUD-2).

    What the critical path requires is on it, step by step. Frozen is a project whose response per cost is under `freeze_roi`,
    unless it is critical or one not frozen needs it.
    Raises ParameterError where `requires` names no project.
    """
    if projects is None:
        none = {"project": "str", "perspective": "str", "cost": "int64", "response": "int64", "low": float, "high": float}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in none.items()}).assign(
            critical=pd.Series(dtype=bool), frozen=pd.Series(dtype=bool), requires=pd.Series(dtype="str")
        )
    table = projects.sort_values("project").reset_index(drop=True)
    frame = table[["project", "perspective", "cost", "response"]].copy()
    for name in ("low", "high"):
        frame[name] = table[f"response_{name}"].astype(float) if f"response_{name}" in table else np.nan
    frame["critical"] = table["critical"] == "yes" if "critical" in table else False
    frame["requires"] = table["requires"].fillna("") if "requires" in table else ""
    lost = frame.loc[~frame["requires"].isin([*frame["project"], ""]), ["project", "requires"]]
    if len(lost):
        raise ParameterError(
            f"projects: {lost['project'].iloc[0]!r} requires {lost['requires'].iloc[0]!r}, found none of that name; expected "
            f"one of {list(frame['project'])[:6]}; correct it."
        )
    frame["critical"] = _with_required(frame, frame["critical"])
    kept = (frame["response"] >= parameters.freeze_roi * frame["cost"]) | frame["critical"]
    frame["frozen"] = ~_with_required(frame, kept)
    return frame


def _with_required(projects: pd.DataFrame, kept: pd.Series) -> pd.Series:
    """Those kept, all they require, and what that requires."""
    while (more := ~kept & projects["project"].isin(projects.loc[kept, "requires"])).any():
        kept = kept | more
    return kept


def critical_money(projects: pd.DataFrame, parameters: Parameters) -> int:
    """What the critical path takes, whatever it returns: `critical_funding` of each cost, minor units (BUD-5)."""
    costs = projects.loc[projects["critical"], "cost"]
    return sum(times(int(cost), parameters.critical_funding) for cost in costs)


def variants(projects: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """What the programme may choose (BUD-2, BUD-5): project, cost, response (minor units), requires, excludes (lists).

    Any project that is neither critical nor frozen may be had whole, or at `other_funding` of cost and response, not both.
    `requires` asks for the whole of the other project; one on the critical path is always there.
    """
    always = set(projects.loc[projects["critical"], "project"])
    rows: list[tuple[str, int, int, list[str], list[str]]] = []
    for row in projects[~projects["critical"] & ~projects["frozen"]].itertuples():
        requires = [row.requires] if row.requires and row.requires not in always else []
        rows.append((row.project, row.cost, row.response, requires, []))
        if parameters.other_funding < 1:
            cost, response = (times(value, parameters.other_funding) for value in (row.cost, row.response))
            rows.append((row.project + REDUCED, cost, response, requires, [row.project]))
    return pd.DataFrame(rows, columns=list(CHOICES))


def verdicts(projects: pd.DataFrame, found: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """Every project with its verdict (BUD-2): project, perspective, funding (text), asked, amount, response (what the amount
    brings), low, high (minor units; missing where no range is given), return_ (text with its range, a dash without one).

    `found`: Spend.projects. A project without money did not earn its place against the activities. Money beyond the cost of a
    critical project buys certainty, not response.
    """
    frame = projects[["project", "perspective", "cost", "response"]].rename(columns={"cost": "asked"})
    won = set(found.loc[found["chosen"].astype(bool), "project"]) if len(found) else set()
    cases = [projects["critical"], frame["project"].isin(won), (frame["project"] + REDUCED).isin(won), ~projects["frozen"]]
    frame["funding"] = np.select(cases, FUNDING[:4], default=FUNDING[4]) if len(frame) else pd.Series(dtype="str")
    share = frame["funding"].map(
        dict(zip(FUNDING, (parameters.critical_funding, 1.0, parameters.other_funding, 0.0, 0.0), strict=True))
    )
    taken = [times(int(cost), float(part)) for cost, part in zip(frame["asked"], share, strict=True)]
    frame[AMOUNT] = pd.Series(taken, index=frame.index, dtype="int64")
    kept = share.astype(float).clip(upper=1.0)
    frame["response"] = (frame["response"] * kept).round().astype("int64")
    frame["low"], frame["high"] = projects["low"] * kept, projects["high"] * kept
    cost = projects["cost"].where(projects["cost"] > 0).astype(float)
    ends = zip(projects["response"] / cost, projects["low"] / cost, projects["high"] / cost, strict=True)
    frame["return_"] = [stated(*three) for three in ends]
    rank = frame["funding"].map({name: place for place, name in enumerate(FUNDING)})
    frame = frame.assign(_rank=rank, _worth=projects["response"] / cost)
    frame = frame.sort_values(["_rank", "_worth", "project"], ascending=[True, False, True]).reset_index(drop=True)
    return frame[["project", "perspective", "funding", "asked", AMOUNT, "response", "low", "high", "return_"]]


def scorecard(verdicts: pd.DataFrame, activities: int, budget: int) -> pd.DataFrame:
    """The money by perspective of the balanced scorecard (BUD-1): perspective, projects, amount (minor units), share.

    `activities`: their money; marketing serves the customer perspective. `budget`: the whole, which the shares are of.
    """
    funded = verdicts[verdicts[AMOUNT] > 0].groupby("perspective")[AMOUNT]
    money = funded.sum().reindex(PERSPECTIVES, fill_value=0)
    money["customer"] += activities
    count = funded.size().reindex(PERSPECTIVES).fillna(0).astype("int64")
    frame = pd.DataFrame({"perspective": PERSPECTIVES, "projects": count.to_numpy(), AMOUNT: money.to_numpy()})
    return frame.assign(share=frame[AMOUNT] / max(1, budget))


def aligned(last_spend: float | None, last_revenue: float | None, target: int, parameters: Parameters) -> int | None:
    """The budget that goes with the growth asked for (BUD-1), minor units: last year's spend x (1 + `marketing_per_growth` x
    growth), at 1.5 revenue +20% goes with marketing +30%; None where last year's spend or revenue is none or not known in full.
    """
    if last_spend is None or last_revenue is None or last_spend <= 0 or last_revenue <= 0:
        return None
    return round(last_spend * (1 + parameters.marketing_per_growth * (target / last_revenue - 1)))
