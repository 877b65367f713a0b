"""Online and offline: customers who move each way, and one stock for both, routed to the cheapest (CHN-7)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from planlib.lp.routing import Routing, route
from planlib.plan import AMOUNT, EVERYTHING, Horizon


def online_of(channels: pd.DataFrame | None, parameters: Any) -> list[str]:
    """The channels that count as online (CHN-7): those named by `online`, else those of type online."""
    if parameters.online:
        return sorted(parameters.online)
    if channels is None or "type" not in channels:
        return []
    return sorted(channels.loc[channels["type"] == "online", "channel"])


def traffic(bought: pd.DataFrame, online: list[str], horizon: Horizon) -> dict[str, float]:
    """Customers who moved between online and offline from one year to the next (CHN-7).

    `bought`: customer, channel, month, amount (minor units). A customer of both years is where more than half of its money
    went. Returns offline_to_online and online_to_offline (shares of the customers who were there), and money_online,
    money_offline (what those who moved to each spent there in the last twelve months); empty where it cannot be told.
    """
    known = bought[(bought["customer"] != EVERYTHING) & (bought[AMOUNT] > 0)]
    if not online or known.empty or not set(online) & set(known["channel"]):
        return {}
    last = horizon.last_twelve
    before = [str(pd.Period(month, freq="M") - 12) for month in last]
    parts = []
    for year in (before, last):
        money = known[known["month"].isin(year)]
        total = money.groupby("customer")[AMOUNT].sum()
        there = money[money["channel"].isin(online)].groupby("customer")[AMOUNT].sum().reindex(total.index).fillna(0)
        parts.append(pd.DataFrame({"online": there / total > 0.5, "amount": total}))
    both = parts[0].join(parts[1], how="inner", suffixes=("_then", "_now"))
    came, left = both[~both["online_then"] & both["online_now"]], both[both["online_then"] & ~both["online_now"]]
    there = int(both["online_then"].sum())
    return {
        "offline_to_online": len(came) / max(1, len(both) - there),
        "online_to_offline": len(left) / max(1, there),
        "money_online": float(came["amount_now"].sum()),
        "money_offline": float(left["amount_now"].sum()),
    }


def moving(found: dict[str, float], show: Callable[[Any, str], str]) -> str:
    """Traffic each way in a sentence (CHN-7)."""
    if not found:
        return "Customers or online channels are not known: traffic between online and offline is left out."
    came, left = (show(round(found[f"money_{side}"]), "money") for side in ("online", "offline"))
    return (
        f"Of last year's offline customers {found['offline_to_online']:.1%} now buy mostly online and spend {came}; "
        f"of the online ones {found['online_to_offline']:.1%} came the other way and spend {left}."
    )


def demand(plan: pd.DataFrame, sold: pd.DataFrame, online: list[str], parameters: Any) -> pd.DataFrame:
    """Pieces that the plan asks for in `demand_days`, online and offline: product, region, side, quantity, without.

    `plan`: region, product, channel, amount; `sold`: product, channel, amount, quantity, cost where known, of the last twelve
    months. Pieces = planned money over the price realised in the channel. A piece not served costs its margin, or
    its price where costs are not known (minor units).
    """
    sums = sold[(sold["quantity"] > 0) & (sold[AMOUNT] > 0)]
    price = sums.assign(price=sums[AMOUNT] / sums["quantity"])[["product", "channel", "price"]]
    frame = plan.merge(price, on=["product", "channel"])
    frame["pieces"] = frame[AMOUNT] / frame["price"] * parameters.demand_days / 365
    frame["side"] = np.where(frame["channel"].isin(online), "online", "offline")
    whole = frame.groupby(["product", "region", "side"], as_index=False)["pieces"].sum()
    whole["quantity"] = np.rint(whole.pop("pieces").round(6))
    by = sums.groupby("product")[[AMOUNT, "quantity", *(["cost"] if "cost" in sums else [])]].sum()
    margin = (by[AMOUNT] - by.get("cost", 0)) / by["quantity"]
    return whole.assign(without=whole["product"].map(margin.clip(lower=0)))


def routed(
    inventory: pd.DataFrame | None,
    routes: pd.DataFrame | None,
    plan: pd.DataFrame,
    sold: pd.DataFrame,
    online: list[str],
    parameters: Any,
) -> dict[str, list[Routing]]:
    """Orders routed to the cheapest stock that can serve them, from one stock and from stock kept apart (CHN-7).

    `inventory`: product, warehouse, quantity; `routes`: warehouse, region, cost (minor units a piece); see `demand`.
    Kept apart, `online_stock` of every stock is for online orders, the rest for the others. Empty where one is not known.
    """
    if inventory is None or routes is None:
        return {}
    asked = demand(plan, sold, online, parameters)
    held = inventory.groupby(["product", "warehouse"], as_index=False)["quantity"].sum()
    held = held[held["product"].isin(set(asked["product"]))]
    keys = ["product", "region"]
    one = asked.groupby(keys, as_index=False).agg(quantity=("quantity", "sum"), without=("without", "first"))
    found = {"shared stock": [route(held, one, routes)]}
    if online:
        kept = np.floor(held["quantity"] * parameters.online_stock)
        sides = (("online", held.assign(quantity=kept)), ("offline", held.assign(quantity=held["quantity"] - kept)))
        found["stock kept apart"] = [
            route(mine, asked.loc[asked["side"] == side].drop(columns="side"), routes) for side, mine in sides
        ]
    return found


def served(found: dict[str, list[Routing]]) -> pd.DataFrame:
    """What each way to hold stock serves and costs (CHN-7).

    Returns held_as, pieces (asked for), unserved, freight, margin_lost (minor units), short_of (the product with most pieces
    unserved), best_place (where one more piece saves most) and stock_price (how much, minor units).
    """
    rows = []
    for name, parts in found.items():
        asked = pd.concat([part.demand for part in parts], ignore_index=True)
        held = pd.concat([part.stock for part in parts], ignore_index=True)
        gaps = asked.groupby("product")["unserved"].sum().round(6)
        dear = held.sort_values(["price", "product", "warehouse"], ascending=[False, True, True]).head(1)
        place = f"{dear['product'].iloc[0]} in {dear['warehouse'].iloc[0]}" if len(dear) and dear["price"].iloc[0] > 0 else ""
        price = round(float(dear["price"].iloc[0])) if place else 0
        short = str(gaps.idxmax()) if len(gaps) and gaps.max() > 0 else ""
        numbers = (asked["quantity"].sum(), asked["unserved"].sum(), sum(p.cost for p in parts), sum(p.missed for p in parts))
        rows.append((name, *(round(float(number)) for number in numbers), short, place, price))
    columns = ["held_as", "pieces", "unserved", "freight", "margin_lost", "short_of", "best_place", "stock_price"]
    return pd.DataFrame(rows, columns=columns)
