"""The budget in tables and sentences for a reader."""

import pandas as pd

from planlib.plan import AMOUNT


def compare(allocation: pd.DataFrame, simple: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    """One row per activity in order of size: member, allocated, naive and, where known, last_year (minor units)."""
    frame = allocation[["item", AMOUNT]].rename(columns={"item": "member", AMOUNT: "allocated"})
    frame["naive"] = frame["member"].map(simple.set_index("item")[AMOUNT]).astype("int64")
    if len(limits):
        frame["last_year"] = frame["member"].map(limits.set_index("item")["spend"]).astype("int64")
    return frame.sort_values(["allocated", "member"], ascending=[False, True]).reset_index(drop=True)


def sentence(total: str, held: str, first: str, most: str, limits: pd.DataFrame) -> str:
    """The chapter in one sentence, of amounts as a reader sees them."""
    if limits.empty:
        return f"Of {total} for marketing, {held} is held back; the rest follows the channels' planned revenue."
    return f"Of {total} for marketing, {held} is held back and {first} gets the most, {most}."


def message(allocation: pd.DataFrame) -> str:
    """What the curves say: where the next unit of money brings most and least."""
    if "marginal" not in allocation:
        return "No response curves are known"
    ranked = allocation.sort_values(["marginal", "item"], ascending=[False, True])
    best, least = ranked.iloc[0], ranked.iloc[-1]
    return f"The next unit brings {best['marginal']:.2f} in {best['item']}, {least['marginal']:.2f} in {least['item']}"


def reason(allocation: pd.DataFrame, limits: pd.DataFrame, freeze_roi: float) -> str:
    """Why the money lies where it lies, in a sentence (BUD-6)."""
    if limits.empty:
        return "No marketing history is known: the money follows the channels' planned revenue, without response curves."
    frozen = limits.loc[limits["frozen"], "item"].tolist()
    best, least = allocation["marginal"].max(), allocation["marginal"].min()
    text = f"The next unit of money brings {least:.2f} to {best:.2f}; where activities differ, a limit holds them apart."
    return f"{text} Frozen under a return of {freeze_roi:.1f}: {', '.join(frozen)}." if frozen else text
