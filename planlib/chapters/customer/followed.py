"""The groups' amounts that follow the growth bridge: each cell near to its own mix, all cells the bridge's sums (CUS-6)."""

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.customer.bridge import Bridge, wanted
from planlib.periods import Horizon
from planlib.plan import AMOUNT, largest_remainder

CELL = ["region", "product", "channel", "month"]
# What of a cell a group may have where the cell's own past gives it nothing: else sums could be out of reach.
LEAST = 1e-6
ROUNDS = 500
NEAR = 1e-10


def followed(
    plan: pd.DataFrame, shares: pd.DataFrame, steps: Bridge, booked: pd.DataFrame | None, horizon: Horizon, part: float
) -> pd.DataFrame:
    """What each group has in each cell: region, product, channel, month, segment, weight (minor units of what is open there).

    plan: region, product, channel, month, amount; shares: its cells with segment and weight (each cell's sum to 1); booked:
    closed months with segment. Open amounts sum to the plan in every cell, and over all cells to what the bridge asks of each
    group less what closed months brought it, exactly; `part` of the way where it is under 1. Closed cells have what came.
    """
    cells = tables.canonical(plan)
    names = sorted(set(shares["segment"]) | _missing(shares, steps))
    wide = shares.pivot_table(index=CELL, columns="segment", values="weight", aggfunc="sum", fill_value=0.0)
    mix = wide.reindex(index=pd.MultiIndex.from_frame(cells[CELL]), columns=names).fillna(0.0).to_numpy()
    ahead = cells["month"].isin(horizon.open).to_numpy()
    rows, start = cells.loc[ahead, AMOUNT].to_numpy(), mix[ahead]
    came = np.zeros(len(names), dtype=np.int64)
    if booked is not None:
        came = booked.groupby("segment")[AMOUNT].sum().reindex(names, fill_value=0).to_numpy()
    sums = _sums(names, rows @ start, int(rows.sum()), steps, came, part)
    amounts = np.zeros(mix.shape, dtype=np.int64)
    amounts[ahead] = whole(fitted(rows, start, sums), rows, sums)
    frame = cells[CELL].loc[np.repeat(cells.index, len(names))].reset_index(drop=True)
    frame = frame.assign(segment=names * len(cells), weight=amounts.ravel())
    if booked is None:
        return frame
    came_here = tables.amounts_at(frame[[*CELL, "segment"]], booked)
    return frame.assign(weight=frame["weight"] + came_here.clip(lower=0))


def _sums(names: list[str], free: np.ndarray, total: int, steps: Bridge, came: np.ndarray, part: float) -> np.ndarray:
    """What each group has of the open months, minor units: between the drivers' sums and the bridge's; they add to `total`."""
    asked = np.zeros(len(names), dtype=np.int64)
    for groups, amount in wanted(steps).items():
        at = [place for place, name in enumerate(names) if name in groups]
        left = max(0, amount - int(came[at].sum()))
        if at:
            asked[at] = largest_remainder(left, pd.Series(free[at], index=[names[place] for place in at]))
    if part < 1:
        return largest_remainder(total, pd.Series(part * asked + (1 - part) * free, index=names))
    return asked if asked.sum() == total else largest_remainder(total, pd.Series(asked, index=names))


def _missing(shares: pd.DataFrame, steps: Bridge) -> set[str]:
    """Groups that the past does not have and the bridge gives money to: the last of those that carry a source."""
    there = set(shares["segment"])
    return {groups[-1] for groups, amount in wanted(steps).items() if amount > 0 and not there & set(groups)}


def fitted(rows: np.ndarray, mix: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Amounts in proportion to `mix` by row and column factors, so that rows sum to `rows` and columns to `sums` (raking).

    rows: amount of each cell; mix: cells x groups, each row's shares; sums: of each group, with the same total as `rows`.
    Source: iterative proportional fitting, Deming and Stephan 1940.
    """
    total = float(rows.sum())
    if total <= 0:
        return np.zeros(mix.shape)
    found = (mix + LEAST * (sums / total)[None, :]) * rows[:, None]
    for _ in range(ROUNDS):
        by = found.sum(axis=0)
        found = found * np.divide(sums, by, out=np.zeros(len(by)), where=by > 0)[None, :]
        of = found.sum(axis=1)
        found = found * np.divide(rows, of, out=np.zeros(len(of)), where=of > 0)[:, None]
        if np.abs(found.sum(axis=0) - sums).max() <= NEAR * total:
            break
    return found


def whole(found: np.ndarray, rows: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Whole minor units near to `found` whose rows sum to `rows` and columns to `sums` exactly (controlled rounding).

    Each row by largest remainder; then single units move from a column that has too much to one that has too little, in the
    rows where that costs least.
    """
    order = np.arange(found.shape[1])
    group = np.repeat(np.arange(len(rows)), len(order))
    amounts = tables.apportion(rows, group, np.maximum(found, 0.0).ravel(), np.tile(order, len(rows))).reshape(found.shape)
    while (over := amounts.sum(axis=0) - sums).any():
        more, less = int(over.argmax()), int(over.argmin())
        cost = np.where(amounts[:, more] > 0, (found[:, more] - amounts[:, more]) - (found[:, less] - amounts[:, less]), np.inf)
        count = min(int(over[more]), -int(over[less]), int((amounts[:, more] > 0).sum()))
        at = np.argsort(cost, kind="stable")[:count]
        step = np.ones(count, dtype=np.int64)
        if rows.sum(dtype=float) > tables.EXACT:  # too many units to move them one by one
            step = np.clip(min(int(over[more]), -int(over[less])) // count, 1, amounts[at, more])
        amounts[at, more] -= step
        amounts[at, less] += step
    return amounts
