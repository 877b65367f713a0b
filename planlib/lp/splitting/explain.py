"""What every rule costs, in a table and in sentences, and how the plan compares with the simple splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.lp.rules import Lock
from planlib.lp.splitting.limits import Guardrail, Limit
from planlib.lp.splitting.shortfall import Sales

COLUMNS = [
    "rule", "unit", "min", "max", "found", "slack", "binds", "price", "per", "low", "high", "unique", "given_up", "cost",
    "hard", "met", "owner", "reason",
]  # fmt: skip
STEPS = {"share": "point", "growth": "point", "ratio": "0.01"}
THOUSAND = 100_000.0  # minor units
ZERO = 1e-9  # a pull below this is the arithmetic's
PER = {"amount": "unit of money", "share": "point", "growth": "point", "ratio": "0.01"}


@dataclass(frozen=True)
class Prices:
    """What one unit more on each limit's right side adds to the aim's cost, and where that holds (see `even.ranges`)."""

    price: np.ndarray
    down: np.ndarray
    up: np.ndarray
    unique: np.ndarray
    bend: np.ndarray

    @classmethod
    def none(cls, count: int) -> "Prices":
        """Nothing binds."""
        return cls(np.zeros(count), np.full(count, -np.inf), np.full(count, np.inf), np.full(count, True), np.zeros(count))


@dataclass(frozen=True)
class Bounds:
    """What holds single cells, one entry per cell.

    pull         what one unit of money more in the cell would add to the cost: the price of what holds it
    sure         whether no limit or total could carry that price instead
    low, high    what the cell must and may get
    lows, highs  how many of booked amount, lock and guardrails ask for just that
    """

    pull: np.ndarray
    sure: np.ndarray
    low: np.ndarray
    high: np.ndarray
    lows: np.ndarray
    highs: np.ndarray

    @classmethod
    def of(
        cls, low: np.ndarray, high: np.ndarray, own_low: np.ndarray, own_high: np.ndarray, guardrails: Sequence[Guardrail]
    ) -> "Bounds":
        """Of a level before it is solved; `own_low` and `own_high` hold without any guardrail."""
        lows, highs = (own_low == low).astype(int), (own_high == high).astype(int)
        for guardrail in guardrails:
            lows[guardrail.cells] += guardrail.low == low[guardrail.cells]
            highs[guardrail.cells] += guardrail.high == high[guardrail.cells]
        return cls(np.zeros(len(low)), np.ones(len(low), dtype=bool), low, high, lows, highs)


def rules_table(
    limits: Sequence[Limit],
    prices: Prices,
    amounts: np.ndarray,
    locks: dict[str, tuple[Lock, int]],
    guardrails: Sequence[Guardrail],
    bounds: Bounds,
) -> pd.DataFrame:
    """One row per rule and lock, see `Split.rules`."""
    rows = []
    for number, limit in enumerate(limits):
        row = limit.report(amounts)
        raw = float(prices.price[number])
        step = limit.money_per_step(amounts)
        at = limit.low if raw > 0 else limit.high
        if raw and at is not None and step:
            natural = (limit.natural[0] if raw > 0 else limit.natural[1]) or 0.0
            # A quotient's ends come in its own unit, the others' in money.
            unit = 1.0 if limit.unit == "amount" or limit.whole is not None else step * 100
            row["low"], row["high"] = natural + prices.down[number] / unit, natural + prices.up[number] / unit
        row |= {"price": abs(raw) * step, "per": PER[limit.unit], "unique": bool(prices.unique[number])}
        gave = not limit.hard and not row["met"]
        row["given_up"] = max(0.0, -float(row["slack"])) if gave else 0.0  # type: ignore[arg-type]
        row["cost"] = limit.missed(amounts) * limit.penalty if gave else 0.0
        rows.append(row)
    for lock, place in locks.values():
        held, price = float(round(lock.amount)), abs(float(bounds.pull[place]))
        unique = bool(bounds.sure[place]) and bounds.lows[place] == bounds.highs[place] == 1
        rows.append({
            "rule": lock.name, "unit": "amount", "min": held, "max": held, "found": held, "slack": 0.0, "binds": True,
            "price": price, "per": PER["amount"], "low": np.nan, "high": np.nan, "unique": unique, "given_up": 0.0,
            "cost": 0.0, "hard": True, "met": True, "owner": lock.owner, "reason": lock.reason,
        })  # fmt: skip
    for guardrail in guardrails:
        rows.append(_guarded(guardrail, amounts, bounds))
    table = pd.DataFrame(rows).reindex(columns=COLUMNS) if rows else pd.DataFrame(columns=COLUMNS)
    return table.sort_values(["rule", "min"]).reset_index(drop=True)


def _guarded(guardrail: Guardrail, amounts: np.ndarray, bounds: Bounds) -> dict[str, object]:
    """A guardrail's row: the cell nearest to its limit as found; the price of easing it in every cell that it holds."""
    rule, cells, mine = guardrail.rule, guardrail.cells, amounts[guardrail.cells]
    room = np.minimum(mine - guardrail.low, guardrail.high - mine)
    pull = bounds.pull[cells]
    floors = (pull > ZERO) & (guardrail.low == bounds.low[cells])
    caps = (pull < -ZERO) & (guardrail.high == bounds.high[cells])
    holds, step = floors | caps, 1.0 if rule.unit == "amount" else 0.01
    alone = np.where(floors, bounds.lows[cells] == 1, bounds.highs[cells] == 1) & bounds.sure[cells]
    nearest = int(np.argmin(room)) if len(room) else -1
    shift = 1.0 if rule.unit == "growth" else 0.0
    return {
        "rule": rule.name, "unit": rule.unit, "min": rule.min, "max": rule.max,
        "found": float(mine[nearest] / guardrail.base[nearest] - shift) if len(room) else np.nan,
        "slack": float(room[nearest] / guardrail.base[nearest]) if len(room) else np.inf,
        "binds": bool((room <= 1).any()), "price": float((np.abs(pull) * guardrail.base)[holds].sum() * step),
        "per": PER[rule.unit], "unique": bool(alone[holds].all()), "given_up": 0.0, "cost": 0.0, "hard": True,
        "met": bool((room >= 0).all()), "owner": rule.owner, "reason": rule.reason,
    }  # fmt: skip


def sentence(row: "pd.core.frame.Pandas", money: Callable[[float], str], gains: str = "nearer to the drivers") -> str:
    """What a rule costs, as a manager reads it. `row`: one of Split.rules; `money` writes an amount in minor units; `gains`:
    what easing a rule brings, see `Aim.gains`.
    """

    def named(value: float) -> str:
        return money(value) if row.unit == "amount" else f"{value:.4g}" if row.unit == "ratio" else f"{value:.1%}"

    if row.given_up > 0:
        by = f"{100 * row.given_up:.1f} points" if row.unit in ("share", "growth") else named(row.given_up)
        return f'"{row.rule}" was given up by {by}, at a cost of {money(row.cost)}: to keep it costs more.'
    if pd.isna(row.found) and row.unit == "growth":
        return f'"{row.rule}" could not apply: there was nothing last year to grow from.'
    if not row.binds:
        return (
            f'"{row.rule}" does not bind{f", {named(row.slack)} to spare" if np.isfinite(row.slack) else ""}: it costs nothing.'
        )
    if not row.unique:
        return f'"{row.rule}" binds together with other limits: what easing it alone would bring is not defined.'
    if row.price <= 0:
        return f'"{row.rule}" is met exactly, but costs nothing.'
    # A price per unit of money reads better by the thousand.
    step, price = (money(THOUSAND), row.price * THOUSAND) if row.unit == "amount" else (STEPS[row.unit], row.price)
    low, high = (named(end) if pd.notna(end) and np.isfinite(end) else "" for end in (row.low, row.high))
    both = f", while it stands between {low} and {high}" if low and high else ""
    holds = both or (f", from {low} up" if low else f", up to {high}" if high else "")
    return f'"{row.rule}" binds: each {step} by which it is eased brings the plan {money(price)} {gains}{holds}.'


def compared(
    candidates: dict[str, np.ndarray],
    reference: np.ndarray,
    size: np.ndarray,
    limits: Sequence[Limit],
    guardrails: Sequence[Guardrail],
    margin: np.ndarray | None,
    locked: Sequence[int] = (),
    sales: Sales | None = None,
) -> pd.DataFrame:
    """The plan beside simple splits, in the same measures: one row per candidate.

    split     this plan, proportional to the drivers, last year's shares
    distance  money-weighted squared relative deviation from the drivers, minor units: the aim's own cost. Missing for a
              candidate with money where the drivers place none: no deviation is relative to nothing. Cells that are `locked`
              there do not count, as no plan can choose
    moved     money that lies elsewhere than the drivers would have it, minor units
    broken    hard rules that it breaks
    profit    where margins are given, minor units
    miss, total_chance, lowest_chance, highest_chance   where `sales` are given: the cells' expected shortfall (minor units a
              year), the chance of the total (shares 0-1; the same for all that tie out), the least and most likely cell with a
              target
    """
    rows = []
    nowhere = size < 1
    counts = ~nowhere
    nowhere[list(locked)] = False
    for name, amounts in candidates.items():
        away = amounts - reference
        missed = [limit.name for limit in limits if limit.hard and not limit.holds(amounts)]
        for guardrail in guardrails:
            mine = amounts[guardrail.cells]
            missed += [guardrail.rule.name] * bool(((mine < guardrail.low) | (mine > guardrail.high)).any())
        row: dict[str, object] = {
            "split": name,
            # A single minor unit there is rounding.
            "distance": np.nan if (np.abs(away[nowhere]) > 1).any() else float((away[counts] ** 2 / size[counts]).sum()),
            "moved": float(np.abs(away).sum() / 2),
            "broken": len(set(missed)),
        }
        if margin is not None:
            row["profit"] = float(margin @ amounts)
        if sales is not None:
            chance = sales.chance(amounts)[amounts > 0]
            row |= {"miss": sales.miss(amounts), "total_chance": sales.chance_of_total(float(amounts.sum()))}
            row |= {"lowest_chance": chance.min(initial=1.0), "highest_chance": chance.max(initial=0.0)}
        rows.append(row)
    return pd.DataFrame(rows)
