"""The tables of a spend as the arrays of a case, and every conflict between their limits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.errors import ConflictError, ParameterError, PlanError, collected
from planlib.lp.spending.curves import Curves, richest

# A cap that all the money fits under is no limit; its number only has to be finite and large.
UNLIMITED = 1e4
# The program counts in thousandths of the money: its solver's tolerance of a millionth is then a billionth of the money. A
# curve that is steep at 0 would turn a millionth of money that is not there into a plan that looks better than it is.
PARTS = 1000.0


@dataclass(frozen=True)
class Case:
    """What is to be spent on what, in order of name. Money and response in minor units.

    money      what may be spent
    whole      all of it must be spent
    curves     items' curves, floors, caps and pools
    cost       of each project; `response` what it brings; `names` for ties
    requires   pairs of project numbers: the first needs the second; `excludes`: not both
    roi        least response per money spent, or None
    """

    money: float
    whole: bool
    curves: Curves
    names: list[str]
    cost: np.ndarray
    response: np.ndarray
    requires: list[tuple[int, int]]
    excludes: list[tuple[int, int]]
    roi: float | None

    @property
    def unit(self) -> float:
        """The program's unit of money."""
        return max(self.money, 1) / PARTS

    @property
    def worth(self) -> float:
        """The program's unit of response, in which the slopes of the curves are near 1."""
        top = self.curves.response(np.minimum(self.curves.cap, self.money)).max(initial=0.0)
        return (float(max(top, self.response.max(initial=0.0))) or PARTS) / PARTS

    def brings(self, spend: np.ndarray, chosen: np.ndarray) -> float:
        return float(self.curves.response(spend).sum() + self.response[chosen].sum())


def checked(items: pd.DataFrame) -> pd.DataFrame:
    """The items with every optional column, refused where a curve is not concave or a limit not a range."""
    frame = items.assign(
        elasticity=items["elasticity"].astype(float) if "elasticity" in items else np.nan,
        form=items["form"].fillna("power") if "form" in items else "power",
        half=items["half"].astype(float) if "half" in items else np.nan,
        group=items["group"].fillna("").astype(str) if "group" in items else "",
    )
    power = frame["form"] == "power"
    fades = np.where(power, frame["elasticity"].between(0, 1, inclusive="neither"), frame["half"] > 0)
    faults = frame[
        ~fades
        | ~frame["form"].isin(["power", "saturating"])
        | ~np.isfinite(frame["scale"])
        | (frame["scale"] < 0)
        | ~(frame["floor"] <= frame["cap"])
        | ~(frame["floor"] >= 0)
    ]
    if len(faults) or frame["item"].duplicated().any() or frame.empty:
        raise PlanError(
            f"spend: items {list(faults['item']) or list(items['item'])} need a unique name, scale >= 0, elasticity inside 0-1 "
            "(saturating: half > 0) and 0 <= floor <= cap; correct them."
        )
    # Each form reads its own parameter only.
    return frame.assign(half=frame["half"].where(~power), elasticity=frame["elasticity"].where(power, 0.5))


def case_of(
    money: int, items: pd.DataFrame, groups: pd.DataFrame | None, projects: pd.DataFrame | None, roi: float | None
) -> tuple[Case, list[str]]:
    """The tables as arrays in order of name, and the groups' names in order of their pools."""
    if roi is not None and not (np.isfinite(roi) and roi > 0):
        raise ParameterError(f"spend: found roi_floor {roi}, expected a number above 0 or None; correct it.")
    groups = pd.DataFrame({"group": [], "floor": [], "cap": []}) if groups is None else groups.sort_values("group")
    names = [str(name) for name in groups["group"]]
    strangers = sorted(set(names) - set(items["group"]))
    if strangers or len(set(names)) < len(names):
        raise ParameterError(
            f"spend: groups {strangers or names} must each occur once and have items, found items in "
            f"{sorted(set(items['group']))}; correct the groups' names."
        )
    numbers = {name: number for number, name in enumerate(names, start=1)}
    without = UNLIMITED * max(money, 1)

    def cap(values: pd.Series) -> np.ndarray:
        found = values.astype(float).fillna(np.inf).to_numpy()
        return np.where(found >= money, without, found)

    curves = Curves(
        scale=items["scale"].to_numpy(dtype=float),
        elasticity=items["elasticity"].to_numpy(dtype=float),
        half=items["half"].to_numpy(dtype=float),
        floor=items["floor"].to_numpy(dtype=float),
        cap=np.maximum(cap(items["cap"]), items["floor"].to_numpy(dtype=float)),
        pool=np.array([numbers.get(name, 0) for name in items["group"]], dtype=np.int64),
        pool_floor=np.r_[0.0, groups["floor"].astype(float).fillna(0.0).to_numpy()],
        pool_cap=np.r_[np.inf, cap(groups["cap"])],
    )
    table = pd.DataFrame({"project": [], "cost": [], "response": []}) if projects is None else projects.sort_values("project")
    _check_projects(table)
    order = {str(name): number for number, name in enumerate(table["project"])}
    case = Case(
        money=money,
        whole=not len(table) and roi is None,
        curves=curves,
        names=list(order),
        cost=table["cost"].to_numpy(dtype="int64"),
        response=table["response"].to_numpy(dtype="int64"),
        requires=_pairs(table, "requires", order),
        excludes=_pairs(table, "excludes", order),
        roi=roi,
    )
    return case, names


def _check_projects(projects: pd.DataFrame) -> None:
    faults = projects[projects["project"].duplicated() | ~(projects["cost"] >= 0) | ~(projects["response"] >= 0)]
    if len(faults):
        raise ParameterError(
            f"spend: projects {list(faults['project'])} need a unique name, a cost and a response of at least 0 minor units; "
            "correct them."
        )


def _pairs(projects: pd.DataFrame, column: str, order: dict[str, int]) -> list[tuple[int, int]]:
    """Pairs of project numbers from a column of names, lists of names or nothing."""
    pairs, unknown = [], []
    for name, named in zip(projects["project"], projects.get(column, []), strict=False):
        others = [named] if isinstance(named, str) else named if isinstance(named, Sequence | np.ndarray) else []
        for other in sorted(other for other in others if other):
            if other in order and other != name:
                pairs.append((order[str(name)], order[other]))
            else:
                unknown.append(f"{name!r} {column} {other!r}")
    if unknown:
        raise ParameterError(
            f"spend: projects: found {', '.join(unknown)}, expected other projects out of {list(order)}; correct the name."
        )
    return pairs


def refuse_conflicts(case: Case, items: pd.DataFrame, groups: list[str], reserve: int) -> None:
    """Every limit that cannot hold together with others, in one message."""
    curves, faults = case.curves, []
    floors, caps = curves.pooled(curves.floor), curves.pooled(curves.cap)
    for pool, group in enumerate(groups, start=1):
        low, high = curves.pool_floor[pool], curves.pool_cap[pool]
        if low > high:
            faults.append(
                f"group {group}: has a floor of {low:,.0f} minor units over its cap of {high:,.0f} minor units; lower the floor"
            )
        if floors[pool] > high:
            faults.append(
                f"group {group}: its items' floors need {floors[pool]:,.0f} minor units, its cap is "
                f"{high:,.0f} minor units; raise the cap"
            )
        if caps[pool] < low:
            faults.append(
                f"group {group}: its items' caps take {caps[pool]:,.0f} minor units, its floor is "
                f"{low:,.0f} minor units; lower the floor"
            )
    least, most = curves.least.sum(), np.minimum(curves.most, case.money).sum()
    if least > case.money:
        faults.append(
            f"the floors of {len(items)} items and {len(groups)} groups need {least:,.0f} minor units, "
            f"{case.money:,} minor units are to be spent "
            f"after a reserve of {reserve:,} minor units; lower a floor or change the budget "
            f"by {least - case.money:,.0f} minor units"
        )
    if case.whole and most < case.money:
        faults.append(
            f"the caps of {len(items)} items and {len(groups)} groups take {most:,.0f} minor units, "
            f"{case.money:,} minor units are to be spent after a "
            f"reserve of {reserve:,} minor units; raise a cap or change the budget by {case.money - most:,.0f} minor units"
        )
    if faults:
        raise ConflictError(collected("spend: the limits cannot all hold.", faults))


def out_of_reach(case: Case, reserve: int) -> str:
    """The ROI floor that no plan meets: what could be had, what is needed, what to do."""
    asked = case.roi or 0.0
    low, high = 0.0, asked
    for _ in range(60):
        middle = (low + high) / 2
        spent = richest(case.curves, case.money, middle)
        above = float((case.curves.response(spent) - middle * spent).sum())
        above += float(np.maximum(case.response - middle * case.cost, 0.0).sum())
        low, high = (middle, high) if above > 0 else (low, middle)
    return (
        f"spend: the ROI floor is out of reach: {asked:.4g} is needed, the items and projects can return at most about "
        f"{low:.4g} of {case.money:,} minor units (reserve {reserve:,} minor units); lower the ROI floor to that, "
        "or lower floors."
    )
