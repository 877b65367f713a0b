"""What every rule costs, in a table and in sentences, and how the plan compares with the simple splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.lp.rules import Lock
from planlib.lp.splitting.limits import Guardrail, Limit

COLUMNS = [
    "rule", "unit", "min", "max", "found", "slack", "binds", "price", "per", "low", "high", "unique", "given_up", "cost",
    "hard", "met", "owner", "reason",
]  # fmt: skip
STEPS = {"share": "point", "growth": "point", "ratio": "0.01"}
THOUSAND = 100_000.0  # minor units
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


def rules_table(
    limits: Sequence[Limit],
    prices: Prices,
    amounts: np.ndarray,
    locks: dict[str, tuple[Lock, int]],
    guardrails: Sequence[Guardrail],
    pull: np.ndarray,
) -> pd.DataFrame:
    """One row per rule and lock, see `Split.rules`. `pull`: what one unit of money more in each cell adds to the cost."""
    rows = []
    for number, limit in enumerate(limits):
        row = limit.report(amounts)
        raw = float(prices.price[number])
        step = limit.money_per_step(amounts)
        at = limit.low if raw > 0 else limit.high
        if raw and at is not None and step:
            natural = (limit.natural[0] if raw > 0 else limit.natural[1]) or 0.0
            unit = step if limit.unit == "amount" else step * 100
            row["low"], row["high"] = natural + prices.down[number] / unit, natural + prices.up[number] / unit
        row |= {"price": abs(raw) * step, "per": PER[limit.unit], "unique": bool(prices.unique[number])}
        gave = not limit.hard and not row["met"]
        row["given_up"] = max(0.0, -float(row["slack"])) if gave else 0.0  # type: ignore[arg-type]
        row["cost"] = limit.missed(amounts) * limit.penalty if gave else 0.0
        rows.append(row)
    for lock, place in locks.values():
        held, price = float(round(lock.amount)), abs(float(pull[place]))
        rows.append({
            "rule": lock.name, "unit": "amount", "min": held, "max": held, "found": held, "slack": 0.0, "binds": True,
            "price": price, "per": PER["amount"], "low": np.nan, "high": np.nan, "unique": True, "given_up": 0.0, "cost": 0.0,
            "hard": True, "met": True, "owner": lock.owner, "reason": lock.reason,
        })  # fmt: skip
    for guardrail in guardrails:
        rows.append(_guarded(guardrail, amounts, pull))
    table = pd.DataFrame(rows).reindex(columns=COLUMNS) if rows else pd.DataFrame(columns=COLUMNS)
    return table.sort_values(["rule", "min"]).reset_index(drop=True)


def _guarded(guardrail: Guardrail, amounts: np.ndarray, pull: np.ndarray) -> dict[str, object]:
    """A guardrail's row: the cell nearest to its limit as found, the dearest binding cell's price."""
    rule, mine = guardrail.rule, amounts[guardrail.cells]
    room = np.minimum(mine - guardrail.low, guardrail.high - mine)
    binding = room <= 1
    step = 1.0 if rule.unit == "amount" else 0.01
    costs = np.where(binding, np.abs(pull[guardrail.cells]) * guardrail.base * step, 0.0)
    nearest = int(np.argmin(room)) if len(room) else -1
    shift = 1.0 if rule.unit == "growth" else 0.0
    return {
        "rule": rule.name, "unit": rule.unit, "min": rule.min, "max": rule.max,
        "found": float(mine[nearest] / guardrail.base[nearest] - shift) if len(room) else np.nan,
        "slack": float(room[nearest] / guardrail.base[nearest]) if len(room) else np.inf,
        "binds": bool(binding.any()), "price": float(costs.max(initial=0.0)), "per": PER[rule.unit],
        "unique": True, "given_up": 0.0, "cost": 0.0, "hard": True, "met": bool((room >= 0).all()),
        "owner": rule.owner, "reason": rule.reason,
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
) -> pd.DataFrame:
    """The plan beside simple splits, in the same measures: one row per candidate.

    split     this plan, proportional to the drivers, last year's shares
    distance  money-weighted squared relative deviation from the drivers, minor units: the aim's own cost
    moved     money that lies elsewhere than the drivers would have it, minor units
    broken    hard rules that it breaks
    profit    where margins are given, minor units
    """
    rows = []
    for name, amounts in candidates.items():
        away = amounts - reference
        missed = [limit.name for limit in limits if limit.hard and not limit.holds(amounts)]
        for guardrail in guardrails:
            mine = amounts[guardrail.cells]
            missed += [guardrail.rule.name] * bool(((mine < guardrail.low) | (mine > guardrail.high)).any())
        row: dict[str, object] = {
            "split": name,
            "distance": float((away**2 / np.maximum(size, 1.0)).sum()),
            "moved": float(np.abs(away).sum() / 2),
            "broken": len(set(missed)),
        }
        if margin is not None:
            row["profit"] = float(margin @ amounts)
        rows.append(row)
    return pd.DataFrame(rows)
