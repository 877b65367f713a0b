"""What each limit of a spend costs: the response that relaxing it by a unit would bring."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from planlib.lp.spending.case import Case
from planlib.lp.spending.curves import level
from planlib.lp.spending.program import Found, without, worth_of

COLUMNS = [
    "rule", "unit", "limit", "found", "slack", "binds", "price", "step", "low", "high", "unique", "sentence",
]  # fmt: skip
# On a curve a price changes with every unit; its range is where it stays within this share of what is shown.
BAND = 0.1
# A limit is moved by this share of itself to see the price on either side of it.
NUDGE = 1e-6
# A change of the response smaller than this share of it is the solver's, not the limit's.
NOISE = 1e-7
# Natural steps where projects make the response jump: a hundredth of the money, a hundredth of ROI.
MONEY_STEP, ROI_STEP = 0.01, 0.01


@dataclass(frozen=True)
class Limit:
    """One limit on money (minor units) or on the ROI: kind, the number of its item or pool, who it is about, its value, what
    the plan has, and the values it could take at most when tightened and when relaxed. Of a budget these are what is spent;
    `held` of it is the reserve, a `share` of the whole."""

    kind: str
    number: int
    about: str
    value: float
    found: float
    tightest: float
    widest: float
    held: float = 0.0
    share: float = 0.0

    def stated(self, value: float) -> float:
        """A value of the limit as the planner states it: a budget with its reserve."""
        reserved = (value - self.value) * self.share / (1.0 - self.share) if self.share < 1 else 0.0
        return value + self.held + reserved

    @property
    def relaxing(self) -> float:
        return 1.0 if self.kind in ("budget", "cap", "group cap") else -1.0

    @property
    def slack(self) -> float:
        return self.relaxing * (self.value - self.found)

    def moved(self, case: Case, value: float) -> Case:
        """The same case with this limit elsewhere."""
        if self.kind == "budget":
            return replace(case, money=value)
        if self.kind == "roi":
            return replace(case, roi=value)
        field = {"floor": "floor", "cap": "cap", "group floor": "pool_floor", "group cap": "pool_cap"}[self.kind]
        values = getattr(case.curves, field).copy()
        values[self.number] = value
        return replace(case, curves=replace(case.curves, **{field: values}))


def prices(
    case: Case,
    found: Found,
    amounts: np.ndarray,
    items: list[str],
    groups: list[str],
    roi: float,
    reserve: int = 0,
    reserve_share: float = 0.0,
) -> pd.DataFrame:
    """One row per limit: rule, unit (amount, ratio or choice), limit, found, slack, binds, price, step, low, high, unique,
    sentence. `amounts` are the plan's whole minor units, `roi` its response per money spent. The total budget counts with its
    reserve: of one more unit, the share that is not held back can be spent.

    price   response (minor units) per unit of money by which the limit is relaxed, per 0.01 of ROI, or for a rule between
            projects of dropping it; positive: relaxing helps. 0: it holds nothing back.
    step    over how much the price is taken: 1 unit for curves, a hundredth of the money where projects are chosen
    low     to `high`: the values of the limit over which the price is within a tenth of what is shown; with projects, the step
    unique  false where the price holds in the relaxing direction only, because something else gives way at this very point,
            or, with projects, because others are chosen after the step
    Method: for curves the derivative of the best response by the limit, which at equal marginal returns is the item's own
    marginal return against the common one (envelope theorem), exact where a piecewise linear program's dual is only as good
    as its pieces. With projects, by solving again with the limit moved by a step.
    """
    limits = _limits(case, amounts, found.chosen, items, groups, roi)
    limits[0] = replace(limits[0], held=float(reserve), share=reserve_share)
    rows = [_of_curves(case, limit) if not len(case.cost) else _by_solving(case, limit, found) for limit in limits]
    for kind, pairs in (("requires", case.requires), ("excludes", case.excludes)):
        for number, (one, other) in enumerate(pairs):
            freed = worth_of(without(case, kind, number), found.chosen)
            gain = 0.0 if freed is None else freed[0] - found.value
            if gain > NOISE * max(1.0, found.value):
                rows.append(_of_dependency(f"{case.names[one]} {kind} {case.names[other]}", gain))
    return pd.DataFrame(rows, columns=COLUMNS)


def _limits(
    case: Case, amounts: np.ndarray, chosen: np.ndarray, items: list[str], groups: list[str], roi: float
) -> list[Limit]:
    """The limits that can hold something back: no floor of 0, no cap that all the money fits under."""
    curves, money, held = case.curves, float(case.money), case.curves.pooled(amounts)
    spent = float(amounts.sum() + case.cost[chosen].sum())
    limits = [Limit("budget", 0, "", money, spent, float(curves.least.sum()), 1e3 * money)]
    for i, item in enumerate(items):
        if curves.floor[i] > 0:
            top = float(min(curves.cap[i], money))
            limits.append(Limit("floor", i, item, float(curves.floor[i]), float(amounts[i]), top, 0.0))
        if curves.cap[i] < money:
            limits.append(Limit("cap", i, item, float(curves.cap[i]), float(amounts[i]), float(curves.floor[i]), money))
    for pool, group in enumerate(groups, start=1):
        low, high = float(curves.pool_floor[pool]), float(curves.pool_cap[pool])
        if low > 0:
            limits.append(Limit("group floor", pool, group, low, float(held[pool]), min(high, money), 0.0))
        if high < money:
            limits.append(Limit("group cap", pool, group, high, float(held[pool]), float(curves.least[pool]), money))
    if case.roi is not None:
        limits.append(Limit("roi", 0, "", case.roi, roi, 1e3 * case.roi, 1e-3 * case.roi))
    return limits


def _of_curves(case: Case, limit: Limit) -> dict[str, object]:
    """A row for a limit over curves alone: the derivative on the relaxing side, and whether the other side agrees."""

    def price(value: float) -> float | None:
        return _derivative(limit.moved(case, value), limit, value)

    nudge = limit.relaxing * NUDGE * limit.value
    now, tighter = price(limit.value + nudge) or 0.0, price(limit.value - nudge)
    unit = 0.01 * float(case.money) if limit.kind == "roi" else 1.0
    common = level(case.curves, float(case.money), case.roi)
    noise = 1e-4 * unit * (common.price if common is not None else 1.0)
    now = 0.0 if now < 1e-2 * noise else now
    unique = tighter is not None and abs(tighter - now) <= 1e-3 * max(now, tighter) + noise
    if now == 0.0:
        low, high = sorted((limit.found, np.inf if limit.relaxing > 0 else 0.0))
    else:
        relaxed = _where(price, limit.value + nudge, limit.widest, now)
        tight = _where(price, limit.value, limit.tightest, now) if unique else limit.value
        if limit.kind == "budget" and relaxed == limit.widest:
            relaxed = np.inf
        low, high = sorted((tight, relaxed))
    return _row(limit, now, 0.01 if limit.kind == "roi" else 1.0, low, high, unique, case.money, by_step=False)


def _derivative(case: Case, limit: Limit, value: float) -> float | None:
    """The best response's derivative by a limit, in the relaxing direction; None where the limits cannot hold."""
    aim = level(case.curves, float(case.money), case.roi)
    if aim is None:
        return None
    if limit.kind == "budget":
        return aim.price if aim.boost == 1.0 else 0.0
    if limit.kind == "roi":
        return 0.01 * (aim.boost - 1.0) * float(aim.spend.sum())
    if limit.kind in ("floor", "cap"):
        pool = aim.pool_price[case.curves.pool[limit.number]]
        own = float(
            case.curves.marginal(np.maximum(case.curves.floor if limit.kind == "floor" else case.curves.cap, 1.0))[limit.number]
        )
        return aim.boost * max(0.0, limit.relaxing * (own - float(pool)))
    return aim.boost * max(0.0, limit.relaxing * (float(aim.pool_price[limit.number]) - aim.price))


def _where(price: Callable[[float], float | None], start: float, end: float, shown: float) -> float:
    """The limit's value between `start` and `end` at which its price leaves the band around what is shown, or the end."""

    def outside(value: float) -> float:
        found = price(value)
        return min(1.0, np.inf if found is None else abs(found / shown - 1.0)) - BAND

    if outside(start) >= 0:
        return start
    return end if outside(end) <= 0 else float(brentq(outside, start, end, xtol=1e-6 * max(start, 1e-9), rtol=1e-6))


def _by_solving(case: Case, limit: Limit, found: Found) -> dict[str, object]:
    """A row for a limit where projects are chosen: the change of the best response over a natural step."""
    step = ROI_STEP if limit.kind == "roi" else max(1.0, round(MONEY_STEP * case.money))
    step = min(step, limit.value) if limit.relaxing < 0 else step
    value = limit.value + limit.relaxing * step
    again = worth_of(limit.moved(case, value), found.chosen)
    gain = 0.0 if again is None else again[0] - found.value
    gain = gain if gain > NOISE * max(1.0, found.value) else 0.0
    unique = again is not None and bool((again[1] == found.chosen).all())
    price = gain * ROI_STEP / step if limit.kind == "roi" else gain / step
    low, high = sorted((limit.value, value))
    return _row(limit, price, step, low, high, unique, case.money, by_step=True)


def _row(
    limit: Limit, price: float, step: float, low: float, high: float, unique: bool, money: float, by_step: bool
) -> dict[str, object]:
    ratio = limit.kind == "roi"
    names = {"budget": "total budget", "roi": "roi floor"}
    group = limit.kind.startswith("group")
    rule = names.get(limit.kind, f"{limit.kind.split()[-1]} of {'group ' if group else ''}{limit.about}")
    slack = limit.slack
    price, low, high = price * (1.0 - limit.share), limit.stated(low), limit.stated(high)
    step = step / (1.0 - limit.share) if by_step and limit.share < 1 else step
    return {
        "rule": rule,
        "unit": "ratio" if ratio else "amount",
        "limit": limit.value + limit.held,
        "found": limit.found + limit.held,
        "slack": slack,
        # Rounding to whole minor units leaves a little of an ROI floor that binds.
        "binds": bool(slack <= (1e-6 * limit.value if ratio else 0.5) or (ratio and price > 0 and not by_step)),
        "price": price,
        "step": step,
        "low": low if ratio else float(np.round(low)),
        "high": high if ratio else float(np.round(high)),
        "unique": unique,
        "sentence": _sentence(limit, rule, price, step, unique, by_step),
    }


def _sentence(limit: Limit, rule: str, price: float, step: float, unique: bool, by_step: bool) -> str:
    value = limit.value + limit.held
    shown = f"{value:.2f}" if limit.kind == "roi" else f"{value:,.0f} minor units"
    left = f"{limit.slack:.2f}" if limit.kind == "roi" else f"{limit.slack:,.0f} minor units"
    gain = f"{price:.2f}" if price >= 0.1 else f"{price:.2g}"
    whom = f"group {limit.about}" if limit.kind.startswith("group") else limit.about
    if price == 0.0:
        return f"Relaxing the {rule}, {shown}, would bring nothing; {left} are left to it."
    said = {
        "budget": f"One more unit of money in total would bring {gain}",
        "floor": f"One unit of money less for {whom} would bring {gain} more elsewhere; its floor holds it at {shown}",
        "cap": f"One more unit of money for {whom} would bring {gain} more than elsewhere; its cap holds it at {shown}",
        "roi": f"A return floor 0.01 lower would bring {price:,.0f} minor units more; it is {shown}",
    }[limit.kind.split()[-1]]
    if by_step:
        over = f"{step:.2g}" if limit.kind == "roi" else f"{step:,.0f} minor units"
        return f"{said} (on average over {over}{'' if unique else ', with other projects'})."
    return f"{said}." if unique else f"{said}. The price holds in this direction only."


def _of_dependency(rule: str, gain: float) -> dict[str, object]:
    said = f"Without the rule that {rule}, the plan would bring {gain:,.0f} minor units more."
    values = [rule, "choice", 0.0, 0.0, 0.0, True, gain, 1.0, 0.0, 1.0, True, said]
    return dict(zip(COLUMNS, values, strict=True))
