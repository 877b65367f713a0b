"""Spend a budget over response curves and projects: each unit of money goes where the next one returns most."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planlib.errors import ConflictError, ParameterError, PlanError, TieOutError
from planlib.lp.spending.case import Case, case_of, checked, out_of_reach, refuse_conflicts
from planlib.lp.spending.curves import Curves, chords
from planlib.lp.spending.prices import COLUMNS, prices
from planlib.lp.spending.program import REFUSED, Found, best, settled

# The solver's tolerance on a marginal return, in the program's units.
SOLVER_NOISE = 1e-6


def _empty(*columns: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))


@dataclass(frozen=True)
class Spend:
    """A budget, spent.

    allocation   item, amount (minor units), response, marginal (return of the next unit)
    curves       item, spend, response (minor units): the piecewise linear curves the program saw, for the chart
    reserve      minor units held back
    unspent      minor units that no item takes: its caps, or the ROI floor, leave them
    projects     project, chosen (bool), cost, response (minor units), roi
    prices       one row per limit, see planlib.lp.spending.prices.prices
    certificate  method, status, objective (response before rounding to whole minor units), upper bound (no plan brings more),
                 gap (share of the objective), passes, columns, rows, widest breakpoint (minor units, beside the plan)

    allocation + chosen projects + reserve + unspent = budget, to the minor unit.
    """

    allocation: pd.DataFrame
    curves: pd.DataFrame
    reserve: int
    unspent: int = 0
    projects: pd.DataFrame = field(default_factory=lambda: _empty("project", "chosen", "cost", "response", "roi"))
    prices: pd.DataFrame = field(default_factory=lambda: _empty(*COLUMNS))
    certificate: dict[str, object] = field(default_factory=dict)


def spend(
    budget: int,
    items: pd.DataFrame,
    reserve_share: float = 0.0,
    groups: pd.DataFrame | None = None,
    projects: pd.DataFrame | None = None,
    roi_floor: float | None = None,
) -> Spend:
    """Maximise the summed response of `budget` minor units, less a reserve, over concave curves and projects.

    Parameters
        budget         minor units, reserve included
        items          item (text, unique), scale, elasticity, floor, cap (minor units; cap >= floor); optional `group` (text,
                       may be empty), `form` ("power", the default, or "saturating") and `half` (minor units of spend).
                       power: response = scale * spend ** elasticity, 0 < elasticity < 1;
                       saturating: response = scale * spend / (spend + half), elasticity unused
        reserve_share  share of the budget held back, 0 to 1
        groups         group, floor, cap (minor units over the sum of its items; empty for none)
        projects       project (text, unique), cost, response (minor units); optional `requires` and `excludes`: a project or
                       a list of them. A project is chosen whole or not at all
        roi_floor      least response per money spent, curves and projects together; it holds for the plan's whole minor units
    Returns Spend. The money is spent wholly, unless there are projects or an ROI floor: then what the caps or the floor leave
    is `unspent`.
    Raises ConflictError when the limits cannot all hold, all conflicts in one message; ParameterError for unknown names or
    a reserve that is no share; PlanError for curves that do not fade, or a plan that cannot be proven.
    Method: see planlib.lp.spending.program.best; marginal returns of the unlimited items must agree within a breakpoint.
    """
    if not 0 <= reserve_share <= 1 or budget < 0:
        raise ParameterError(
            f"spend: found a budget of {budget:,} minor units and a reserve_share of {reserve_share}, expected 0 or more and a "
            "share from 0 to 1; correct them."
        )
    items = checked(items).sort_values("item").reset_index(drop=True)
    reserve = round(budget * reserve_share)
    case, group_names = case_of(budget - reserve, items, groups, projects, roi_floor)
    refuse_conflicts(case, items, group_names, reserve)
    found = best(case)
    if found is None:
        raise ConflictError(out_of_reach(case, reserve))
    found = settled(case, found) if len(case.cost) else found
    noise = SOLVER_NOISE * case.worth / case.unit
    check_equal_returns(case.curves, found.spend, found.width, list(items["item"]), noise)

    amounts = _whole_plan(case, found)
    chosen = found.chosen
    spent = int(amounts.sum() + case.cost[chosen].sum())
    response = np.rint(case.curves.response(amounts.astype(float))).astype("int64")
    if roi_floor is not None and spent == 0 and case.money > 0:
        raise ConflictError(out_of_reach(case, reserve))
    allocation = pd.DataFrame({"item": items["item"], "amount": amounts, "response": response})
    allocation["marginal"] = case.curves.marginal(np.maximum(amounts, 1.0))
    lines = chords(case.curves, found.points)
    roi = float(response.sum() + case.response[chosen].sum()) / max(spent, 1)
    return Spend(
        allocation,
        lines.assign(item=items["item"].to_numpy()[lines["item"]]),
        reserve,
        int(case.money) - spent,
        _project_table(case, chosen),
        prices(case, found, amounts, list(items["item"]), group_names, roi, reserve, reserve_share),
        {
            "method": "outer approximation" + (" with binary projects" if len(case.cost) else ""),
            "status": "Optimal" if found.gap <= REFUSED else "Best within the gap",
            "objective": found.value,
            "upper bound": found.bound,
            "gap": found.gap,
            "passes": found.passes,
            "columns": found.columns,
            "rows": found.rows,
            "widest breakpoint": float(found.width.max(initial=0.0)),
        },
    )


def check_equal_returns(curves: Curves, spent: np.ndarray, width: np.ndarray, items: list[str], noise: float = 0.0) -> None:
    """Refuse a plan in which money could move between two items that no limit holds and bring more.

    `spent` and `width` (minor units, per item): a piecewise linear optimum may lie up to the width of a piece from the true
    one, so the item's marginal return is only known between spent + width and spent - width. These must overlap, but for
    `noise`: returns so small that the solver cannot tell them from nothing.
    """
    slack = np.maximum(width, 1.0)
    free = (spent > curves.floor + slack) & (spent < curves.cap - slack) & (curves.scale > 0)
    held = curves.pooled(spent)
    room = curves.pooled(slack)
    bound = (held <= curves.pool_floor + room) | (held >= curves.pool_cap - room)
    bound[0] = False
    # Items of a group at its limit share a return of their own; all others share one.
    share = np.where(bound[curves.pool], curves.pool, 0)
    least = curves.marginal(spent + slack) * (1 - 1e-6)
    most = curves.marginal(np.maximum(spent - slack, 0.0)) * (1 + 1e-6)
    for one in np.unique(share[free]):
        mine = np.flatnonzero(free & (share == one))
        best_of, worst_of = mine[np.argmax(least[mine])], mine[np.argmin(most[mine])]
        if least[best_of] > most[worst_of] + noise:
            raise PlanError(
                f"spend: the next unit of money brings {curves.marginal(spent)[best_of]:.4g} in {items[best_of]} and "
                f"{curves.marginal(spent)[worst_of]:.4g} in {items[worst_of]}, expected the same where no limit holds them "
                "apart; the plan is not the best one, report this with the parameters."
            )


def _whole_plan(case: Case, found: Found) -> np.ndarray:
    """Whole minor units that hold every limit: first the groups' totals, then the items within each."""
    curves, chosen = case.curves, found.chosen
    room = int(case.money - case.cost[chosen].sum())
    top = np.minimum(curves.cap, case.money)
    most = np.minimum(curves.pool_cap, curves.pooled(top))
    full = int(min(room, most.sum()))
    # Curves never fall, so only an ROI floor leaves money that a cap would take.
    near = case.roi is None or found.spend.sum() >= full - 2e-6 * case.money
    total = full if near else max(int(found.spend.sum()), int(np.ceil(curves.least.sum())))

    loose = curves.pool == 0
    low, high = np.r_[curves.floor[loose], curves.least[1:]], np.r_[top[loose], most[1:]]
    first = _whole(np.r_[found.spend[loose], curves.pooled(found.spend)[1:]], low, high, total)
    amounts = np.zeros(len(top), dtype="int64")
    amounts[loose] = first[: loose.sum()]
    for pool, held in enumerate(first[loose.sum() :], start=1):
        mine = curves.pool == pool
        amounts[mine] = _whole(found.spend[mine], curves.floor[mine], top[mine], int(held))
    return amounts if case.roi is None else _returning(case, chosen, amounts)


def _whole(wanted: np.ndarray, floors: np.ndarray, caps: np.ndarray, total: int) -> np.ndarray:
    """Whole minor units within floor and cap that sum to `total`: nearest, the rest to the largest remainders."""
    low, high = floors.astype("int64"), caps.astype("int64")
    clean = np.round(wanted, 2)
    whole = np.clip(np.floor(clean).astype("int64"), low, high)
    order = np.lexsort((np.arange(len(whole)), -(clean - np.floor(clean))))
    while (left := total - int(whole.sum())) != 0:
        step = 1 if left > 0 else -1
        can = [i for i in order if (whole[i] < high[i] if step > 0 else whole[i] > low[i])]
        if not can:
            raise TieOutError(f"spend: {left:,} minor units find no place after rounding; report this with the parameters.")
        share = max(1, abs(left) // len(can))
        for i in can[: abs(left)]:
            whole[i] += step * min(share, int(high[i] - whole[i] if step > 0 else whole[i] - low[i]))
    return whole


def _returning(case: Case, chosen: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """The amounts, less the few minor units by which rounding missed the ROI floor, taken where they return least."""
    curves, amounts = case.curves, amounts.copy()
    roi = case.roi or 0.0
    for _ in range(1000):
        response = curves.response(amounts.astype(float))
        brings = float(min(np.rint(response).sum(), response.sum()) + case.response[chosen].sum())
        short = roi * float(amounts.sum() + case.cost[chosen].sum()) - brings
        if short <= 0:
            return amounts
        spare = np.minimum(amounts - curves.floor, (curves.pooled(amounts) - curves.pool_floor)[curves.pool])
        returns = np.where(spare >= 1, curves.marginal(np.maximum(amounts, 1.0)), np.inf)
        worst = int(np.argmin(returns))
        if returns[worst] >= roi:
            break
        amounts[worst] -= int(np.clip(np.ceil(short / (roi - returns[worst])), 1, spare[worst]))
    raise ConflictError(
        f"spend: in whole minor units the plan misses the ROI floor of {roi:.6g} by {short:,.2f} of response, expected none; "
        "lower the ROI floor a little, or lower a floor."
    )


def _project_table(case: Case, chosen: np.ndarray) -> pd.DataFrame:
    with np.errstate(divide="ignore", invalid="ignore"):
        roi = np.where(case.cost > 0, case.response / case.cost, np.nan)
    columns = {"project": case.names, "chosen": chosen, "cost": case.cost, "response": case.response, "roi": roi}
    return pd.DataFrame(columns)
