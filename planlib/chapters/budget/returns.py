"""What the money returns, never without its interval: the board, and what the plan gains over the naive split."""

import numpy as np
import pandas as pd

from planlib.chapters.budget.money import Allocation
from planlib.estimates.response import Response, stated
from planlib.plan import AMOUNT

BOARD = ["level", "item", "spend_last_year", "return_", "cost_per_customer", AMOUNT, "next_unit", "remark"]


def board(
    response: Response, limits: pd.DataFrame, activities: pd.DataFrame, marketing: pd.DataFrame, year: list[str]
) -> pd.DataFrame:
    """The board of returns by activity and by the sales channel they feed (BUD-6).

    Parameters
        response    as activities.curves gives it; limits as `bounds` gives them; activities as Allocation has them
        marketing   as activities.known gives it
    Returns level (activity, channel), item, spend_last_year, return_ (of last year), cost_per_customer (minor units: spend over
    customers won, both of the months of `year` in which these are known; missing where none are), amount (planned), next_unit
    (return of the next unit of the plan), remark (frozen, not surely where the interval reaches the line; what else to know of
    the curve). Every return is text with its interval.
    """
    counted = marketing[marketing["month"].isin(year)] if "new_customers" in marketing else marketing.head(0)
    counted = counted[counted["new_customers"].notna()] if len(counted) else counted
    won = {name: counted.groupby("activity")[name].sum() for name in ("new_customers", "spend")} if len(counted) else {}
    customers, paid = (
        limits["item"].map(won.get(name, pd.Series(dtype=float))).astype(float) for name in ("new_customers", "spend")
    )
    frame = limits.assign(customers=customers, paid=paid, level="activity")
    frame[AMOUNT] = frame["item"].map(activities.set_index("item")[AMOUNT]).astype("int64")
    frame["next_unit"] = frame["item"].map(next_units(response, activities)).astype("str").fillna("–")
    reaches = frame["roi_high"].astype(float) >= frame["line"]
    state = np.where(frame["frozen"], np.where(reaches, "Frozen, not surely. ", "Frozen. "), "")
    frame["remark"] = (state + frame["caveat"].fillna("")).str.strip()
    frame = frame.sort_values([AMOUNT, "item"], ascending=[False, True])
    fed = frame["item"].map(marketing.sort_values("month").groupby("activity")["channel"].last()).fillna("")
    rows = [_channel(str(name), mine, response) for name, mine in frame[fed != ""].groupby(fed[fed != ""])]
    both = pd.concat([frame, pd.DataFrame(rows)], ignore_index=True) if rows else frame.reset_index(drop=True)
    both["cost_per_customer"] = both["paid"] / both["customers"].where(both["customers"] > 0)
    return both.rename(columns={"spend": "spend_last_year"})[BOARD]


def _channel(name: str, mine: pd.DataFrame, response: Response) -> dict[str, object]:
    """A channel's row: what its activities brought together."""
    spend = mine.set_index("item")["spend"].astype(float)
    low, middle, high = _within(response, brought(response, spend).sum(axis=1), best(response, spend).sum())
    row: dict[str, object] = {"level": "channel", "item": name, "spend": spend.sum(), AMOUNT: int(mine[AMOUNT].sum())}
    row["return_"] = stated(*(end / spend.sum() for end in (middle, low, high))) if spend.sum() > 0 else "–"
    told = {name: mine[name].sum(min_count=1) for name in ("customers", "paid")}
    return row | told | {"next_unit": "", "remark": ""}


def next_units(response: Response, activities: pd.DataFrame) -> pd.Series:
    """The return of the next unit of the plan as text with its interval, the index the activities that have a curve (BUD-6)."""
    return response.at(activities.set_index("item")[AMOUNT].astype(float)).set_index("item")["marginal_"]


def best(response: Response, spend: pd.Series) -> np.ndarray:
    """What a year's spend (minor units, the index the items) brings on each curve as estimated, minor units; 0 for none."""
    curves = response.curves
    shape = curves["elasticity"].where(curves["form"] == "power", curves["half"])
    return _brings(response, spend, curves["scale"].to_numpy(dtype=float)[None], shape.to_numpy(dtype=float)[None])[0]


def brought(response: Response, spend: pd.Series) -> np.ndarray:
    """The same for what the data leave open: draws x items."""
    if response.curves.empty:
        return np.zeros((1, 0))
    scale, shape = (
        np.stack(each, axis=1) for each in zip(*(response.draws[i].T for i in response.curves["item"]), strict=True)
    )
    return _brings(response, spend, scale, shape)


def _brings(response: Response, spend: pd.Series, scale: np.ndarray, shape: np.ndarray) -> np.ndarray:
    money = response.curves["item"].map(spend).fillna(0.0).to_numpy(dtype=float)
    power = (response.curves["form"] == "power").to_numpy()
    safe = np.maximum(money, 1e-9)
    found: np.ndarray = np.where(power, scale * safe ** np.where(power, shape, 1.0), scale * money / (safe + shape))
    return np.where(money > 0, found, 0.0)


def gain(response: Response, found: Allocation, simple: pd.DataFrame) -> tuple[float, float, float]:
    """What the plan brings beyond the naive split of the same money: estimate, low, high (minor units).

    Activities are told on the same curves, with what the data leave open of them; chosen projects by their owners' ranges,
    where none is given without doubt. Critical projects are in both.
    """
    amounts, plain = (frame.set_index("item")[AMOUNT] for frame in (found.activities, simple))
    more = (brought(response, amounts) - brought(response, plain)).sum(axis=1)
    low, middle, high = _within(response, more, float((best(response, amounts) - best(response, plain)).sum()))
    won = found.projects[found.projects["funding"].isin(["whole", "reduced"])]
    expected = won["response"].astype(float)
    least, most = (won[end].fillna(expected) for end in ("low", "high"))
    return summed(np.r_[middle, expected], np.r_[low, least], np.r_[high, most])


def _within(response: Response, draws: np.ndarray, estimate: float) -> tuple[float, float, float]:
    """Low, estimate and high; the interval is of the fit's level and never leaves the estimate out."""
    level = response.fit.get("level", 0.9)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return min(float(low), estimate), estimate, max(float(high), estimate)


def summed(estimates: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float, float]:
    """A sum of independent estimates with the interval that theirs give it: sum, low, high.

    low = sum - sqrt(sum((estimate - low)^2)), high alike. Source: Zou and Donner 2008, Construction of confidence limits about
    effect measures: a general approach, Statistics in Medicine 27 (MOVER).
    """
    whole = float(estimates.sum())
    return (
        whole,
        whole - float(np.sqrt(((estimates - low) ** 2).sum())),
        whole + float(np.sqrt(((high - estimates) ** 2).sum())),
    )
