"""06 customer: groups by recency, frequency and money (CUS-1), the growth bridge (CUS-6)."""

from collections.abc import Callable
from typing import Annotated

import pandas as pd
from pydantic import Field

from planlib import plan as tables
from planlib.chapters.base import Share, SplitParameters
from planlib.estimates import rfm
from planlib.plan import AMOUNT

SEGMENTS = ["High value", "Potential", "Ordinary", "Dormant", "New"]


QUESTION = "Which customers bring the target: those we have, those we win back, those we win?"


class Parameters(SplitParameters):
    dormant_months: Annotated[int, Field(ge=1, le=36)] = 6
    high_value_share: Share = 0.20
    potential_share: Share = 0.30
    retention: Share = 0.80
    upsell_reach: Share = 0.30
    upsell_lift: Share = 0.20
    crosssell_reach: Share = 0.50
    crosssell_lift: Share = 0.05
    referral_share: Share = 0.15
    winback_share: Share = 0.40


def groups(customers: pd.DataFrame, everyone: pd.DataFrame, month: str, parameters: Parameters) -> pd.DataFrame:
    """One row for everyone: customer, segment at the start of `month`; who had not bought by then is New.

    `customers`: see `segments`, before that month. `everyone`: customer, all that have orders. Where orders name no customer
    (one member, `all`), there is one group, `All`.
    """
    names = sorted(set(everyone["customer"]))
    if names == ["all"]:
        return pd.DataFrame({"customer": names, "segment": "All"})
    known = segments(customers, pd.Timestamp(f"{month}-01"), parameters).set_index("customer")["segment"]
    return pd.DataFrame({"customer": names, "segment": known.reindex(names).fillna("New").to_numpy()})


def segments(customers: pd.DataFrame, day: pd.Timestamp, parameters: Parameters) -> pd.DataFrame:
    """Each customer's group on `day` (CUS-1): customer, segment, score; who is not there yet is New. See rfm.segments."""
    return rfm.segments(customers, day, parameters)


def profile(grouped: pd.DataFrame, customers: pd.DataFrame, last_year: pd.DataFrame) -> pd.DataFrame:
    """One row per group: segment, customers, orders a customer, amount last year (minor units), share."""
    size = (
        grouped.merge(customers, on="customer", how="left")
        .groupby("segment")
        .agg(customers=("customer", "size"), orders=("orders", "mean"))
    )
    money = last_year.groupby("segment")[AMOUNT].sum()
    frame = size.join(money, how="outer").reindex(
        [name for name in [*SEGMENTS, "All"] if name in size.index.union(money.index)]
    )
    frame["customers"] = frame["customers"].fillna(0).astype("int64")
    frame[AMOUNT] = frame[AMOUNT].fillna(0).astype("int64")
    frame["share"] = frame[AMOUNT] / max(1, int(frame[AMOUNT].sum()))
    return frame.rename_axis("segment").reset_index()


def bridge(
    today: pd.DataFrame,
    last_year: pd.DataFrame,
    before: pd.DataFrame,
    now: pd.DataFrame,
    target: int,
    parameters: Parameters,
) -> pd.DataFrame:
    """Where the target comes from (CUS-4, CUS-6): label, amount (minor units), kind; the six sources sum to it exactly.

    Parameters
        today      segment, amount: last year's revenue by the customers' groups at the start of the plan year
        last_year  segment, amount: the same by their groups at the start of last year; New is what that year won
        before, now  customer, segment at the two starts
    Retained base = retention x what today's active customers brought; up-sell and cross-sell = reach x lift of that base;
    referral = the share of active customers who bring one x what a customer won last year brought; win-back = share x what
    today's dormant customers still brought last year. New customers carry what is left: a negative rest says that the
    other five are too hopeful. Empty where the orders name no customers.
    """
    money = today.groupby("segment")[AMOUNT].sum()
    if "All" in money.index:
        return pd.DataFrame({"label": [], AMOUNT: [], "kind": []})
    active = [name for name in SEGMENTS if name not in ("Dormant", "New")]
    base = int(money.reindex(active).fillna(0).sum())
    people = int(now["segment"].isin(active).sum())
    # New last year and known by the start of this one: won within last year.
    won = int((before["segment"] == "New").sum() - (now["segment"] == "New").sum())
    won_money = int(last_year.loc[last_year["segment"] == "New", AMOUNT].sum())
    retained = round(base * parameters.retention)
    sources = {
        "Retained base": retained,
        "Up-sell": round(retained * parameters.upsell_reach * parameters.upsell_lift),
        "Cross-sell": round(retained * parameters.crosssell_reach * parameters.crosssell_lift),
        "Referral": round(people * parameters.referral_share * won_money / won) if won > 0 else 0,
        "Win-back": round(max(0, int(money.get("Dormant", 0))) * parameters.winback_share),
    }
    sources["New customers"] = target - sum(sources.values())
    kinds = {name: "total" if name == "Retained base" else "up" if amount >= 0 else "down" for name, amount in sources.items()}
    rows = [(name, amount, kinds[name]) for name, amount in sources.items()]
    return pd.DataFrame([*rows, ("Target", target, "total")], columns=["label", AMOUNT, "kind"])


def new_in(steps: pd.DataFrame) -> int | None:
    """What the bridge leaves to new customers, minor units; None where there is no bridge."""
    return int(steps.set_index("label").loc["New customers", AMOUNT]) if len(steps) else None


def message(leader: str, share: float, new: int | None, show: Callable[[int], str]) -> str:
    """The chapter in one sentence."""
    if new is None:
        return "The orders name no customer, so the target is not split by customer group."
    rest = f"besides retention, up-sell, cross-sell, referral and win-back, new customers must bring {show(new)}"
    return f"{leader} customers bring {share:.0%} of the target; {rest}."


def weights(plan: pd.DataFrame, last_year: pd.DataFrame) -> pd.DataFrame:
    """Last year's amounts by group within region, product and channel: region, product, channel, segment, weight.

    Groups are those at the start of that year, so 'New' is what customers won during a year bring.
    """
    dims = ["region", "product", "channel"]
    return tables.history_weights(tables.rollup(plan, dims), last_year, "segment")
