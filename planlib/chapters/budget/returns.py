"""What the money returns, never without its interval: the board, and what the plan gains over the naive split."""

import numpy as np
import pandas as pd

from planlib.chapters.budget.money import Allocation
from planlib.estimates.response.result import stated
from planlib.plan import AMOUNT

BOARD = ["level", "item", "spend_last_year", "return_", "cost_per_customer", "state", AMOUNT, "next_unit", "caveat"]


def board(limits: pd.DataFrame, activities: pd.DataFrame, marketing: pd.DataFrame, year: list[str]) -> pd.DataFrame:
    """The board of returns by activity and by the sales channel they feed (BUD-6).

    Parameters
        limits      as `bounds` gives them; activities as Allocation has them
        marketing   as activities.known gives it; new customers are those won in `year`
    Returns level (activity, channel), item, spend_last_year, return_ (of last year), cost_per_customer (minor units, missing
    where not known), state ("frozen", "frozen, not surely" where the interval reaches the line, ""), amount (planned),
    next_unit (return of the next unit of the plan), caveat. Every return is text with its interval.
    A channel's interval is that of a sum of independent estimates, see `summed`.
    """
    won = marketing[marketing["month"].isin(year)].groupby("activity") if "new_customers" in marketing else None
    customers = won["new_customers"].sum() if won is not None else pd.Series(dtype=float)
    frame = limits.assign(customers=limits["item"].map(customers).astype(float), level="activity")
    planned = activities.set_index("item")
    frame[AMOUNT] = frame["item"].map(planned[AMOUNT]).astype("int64")
    frame["next_unit"] = next_units(limits, activities).to_numpy()
    reaches = frame["roi_high"].astype(float) >= frame["line"]
    frame["state"] = np.where(frame["frozen"], np.where(reaches, "frozen, not surely", "frozen"), "")
    frame = frame.sort_values([AMOUNT, "item"], ascending=[False, True])
    last = marketing.sort_values("month").groupby("activity")["channel"].last()
    frame["fed"] = frame["item"].map(last).fillna("")
    rows = [_channel(str(name), mine) for name, mine in frame[frame["fed"] != ""].groupby("fed")]
    both = pd.concat([frame, pd.DataFrame(rows)], ignore_index=True) if rows else frame.reset_index(drop=True)
    both["cost_per_customer"] = both["spend"] / both["customers"].where(both["customers"] > 0)
    return both.rename(columns={"spend": "spend_last_year"})[BOARD]


def _channel(name: str, mine: pd.DataFrame) -> dict[str, object]:
    spend = mine["spend"].astype(float)
    known = mine["roi"].notna()
    three = summed(*((spend * mine[end].astype(float))[known].to_numpy() for end in ("roi", "roi_low", "roi_high")))
    paid = float(spend[known].sum())
    return {
        "level": "channel",
        "item": name,
        "spend": float(spend.sum()),
        "return_": stated(*(value / paid for value in three)) if paid > 0 else "–",
        "customers": float(mine["customers"].sum(min_count=1)),
        AMOUNT: int(mine[AMOUNT].sum()),
        "state": "",
        "next_unit": "",
        "caveat": "",
    }


def next_units(limits: pd.DataFrame, activities: pd.DataFrame) -> pd.Series:
    """The return of the next unit of the plan as text with its interval, which is as wide as that at last year's spend."""
    at = limits["item"].map(activities.set_index("item")["marginal"]).astype(float)
    three = ((at * limits[end].astype(float) / limits["marginal"].astype(float)) for end in ("marginal_low", "marginal_high"))
    return pd.Series([stated(*row) for row in zip(at, *three, strict=True)], index=limits["item"])


def brings(curves: pd.DataFrame, spend: pd.Series) -> pd.Series:
    """Response of each curve at a spend (minor units, indexed by item): scale * x / (x + half), or scale * x ** elasticity."""
    curve = curves.set_index("item")
    money = spend.reindex(curve.index).astype(float)
    scale, half, bend = (curve[name].astype(float) for name in ("scale", "half", "elasticity"))
    power = curve["form"] == "power"
    return pd.Series(np.where(power, scale * money**bend, scale * money / (money + half)), index=curve.index)


def gain(limits: pd.DataFrame, found: Allocation, simple: pd.DataFrame) -> tuple[float, float, float]:
    """What the plan brings beyond the naive split of the same money: estimate, low, high (minor units).

    Activities are told on the same curves, whose level is in doubt and whose shape is taken as fitted; chosen projects by their
    owners' ranges, where none is given without doubt. Critical projects are in both.
    """
    amounts, plain = (frame.set_index("item")[AMOUNT] for frame in (found.activities, simple))
    known = limits[limits["roi"].notna()].set_index("item", drop=False)
    more = brings(known, amounts) - brings(known, plain.reindex(known["item"]).fillna(0))
    ends = [more * (known[end] / known["roi"]).astype(float) for end in ("roi_low", "roi_high")]
    won = found.projects[found.projects["funding"].isin(["whole", "reduced"])]
    expected = won["response"].astype(float)
    low, high = (won[end].fillna(expected) for end in ("low", "high"))
    return summed(np.r_[more, expected], np.r_[np.minimum(*ends), low], np.r_[np.maximum(*ends), high])


def summed(estimates: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float, float]:
    """A sum of independent estimates with the interval that theirs give it.

    low = sum - sqrt(sum((estimate - low)^2)), high alike. Source: Zou and Donner 2008, Construction of confidence limits about
    effect measures: a general approach, Statistics in Medicine 27 (MOVER).
    """
    whole = float(estimates.sum())
    return (
        whole,
        whole - float(np.sqrt(((estimates - low) ** 2).sum())),
        whole + float(np.sqrt(((high - estimates) ** 2).sum())),
    )
