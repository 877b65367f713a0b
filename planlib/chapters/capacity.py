"""Caps at what a member can carry in a year, never below what it has sold already (REG-5, CHN-1)."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd

from planlib.lp import Rule
from planlib.lp.rules import Where
from planlib.plan import AMOUNT


def caps(
    dimension: Literal["region", "channel"],
    capacities: Mapping[str, float],
    booked: pd.DataFrame | None,
    name: str,
    reason: str,
    owner: str,
    hard: bool = True,
) -> list[Rule]:
    """One cap per member with a known capacity (minor units a year), by name.

    `booked`: the dimension and amount of the closed months: what has been sold is never capped away, and the rule says so.
    `name` is what comes before the member's.
    """
    sold = {} if booked is None else booked.groupby(dimension)[AMOUNT].sum().to_dict()
    rules = []
    for member, capacity in sorted(capacities.items()):
        done = int(sold.get(member, 0))
        why = f"{reason}; it has sold more already, which stands" if done > capacity else reason
        most = float(max(capacity, done))
        where: Where = {dimension: str(member)}
        rules.append(Rule(name=f"{name} {member}", where=where, unit="amount", max=most, hard=hard, owner=owner, reason=why))
    return rules
