"""Online and offline: customers who move each way, and one stock for both, routed to the cheapest (CHN-7)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planlib.chapters.members import counted, refuse, strays
from planlib.estimates.windows import Coverage, a_year_before
from planlib.lp.routing import Routing, route
from planlib.periods import Horizon
from planlib.plan import AMOUNT, EVERYTHING


def online_of(channels: pd.DataFrame | None, names: Sequence[str], parameters: Any) -> list[str]:
    """The channels that count as online (CHN-7): those named by `online`, else those of type online.

    `names`: the channels of the orders; raises ParameterError where `online` names another.
    """
    if parameters.online:
        refuse("online", parameters.online, names, "channel of the orders")
        return sorted(parameters.online)
    if channels is None or "type" not in channels:
        return []
    return sorted(channels.loc[channels["type"] == "online", "channel"])


def traffic(bought: pd.DataFrame, online: Sequence[str], horizon: Horizon) -> dict[str, float]:
    """Customers who moved between online and offline from one year to the next (CHN-7).

    `bought`: customer, channel, month, amount (minor units) of all orders. A customer is on the side where more than half of
    its money of a year went. Returns then_offline and then_online (customers of the twelve months before the last twelve),
    offline_to_online and online_to_offline (customers of them who moved), money_online and money_offline (what those who moved
    to each spent in the last twelve months); empty where it cannot be told, see `untold`.
    """
    if untold(bought, online, horizon):
        return {}
    known = bought[(bought["customer"] != EVERYTHING) & (bought[AMOUNT] > 0)]
    parts = []
    for year in (a_year_before(horizon.last_twelve), horizon.last_twelve):
        money = known[known["month"].isin(year)]
        total = money.groupby("customer")[AMOUNT].sum()
        there = money[money["channel"].isin(online)].groupby("customer")[AMOUNT].sum().reindex(total.index).fillna(0)
        parts.append(pd.DataFrame({"online": there / total > 0.5, "amount": total}))
    both = parts[0].join(parts[1], how="inner", suffixes=("_then", "_now"))
    came, left = both[~both["online_then"] & both["online_now"]], both[both["online_then"] & ~both["online_now"]]
    there = int(parts[0]["online"].sum())
    return {
        "then_offline": len(parts[0]) - there,
        "then_online": there,
        "offline_to_online": len(came),
        "online_to_offline": len(left),
        "money_online": float(came["amount_now"].sum()),
        "money_offline": float(left["amount_now"].sum()),
    }


def untold(bought: pd.DataFrame, online: Sequence[str], horizon: Horizon) -> str:
    """Why traffic between online and offline cannot be told, as half a sentence; "" where it can (CHN-7)."""
    known = bought[(bought["customer"] != EVERYTHING) & (bought[AMOUNT] > 0)]
    if known.empty:
        return "orders name no customer"
    if not set(online) & set(known["channel"]):
        return "no channel of the orders is known to be online"
    coverage = Coverage.of(bought["month"], horizon.until)
    spans = {"the last twelve months": horizon.last_twelve, "the year before": a_year_before(horizon.last_twelve)}
    short = [window for window in (coverage.window(*span) for span in spans.items()) if not window.whole]
    return f"{short[-1].says()}, and two whole years are asked for" if short else ""


def moving(found: dict[str, float], why: str, show: Callable[[Any, str], str]) -> str:
    """Traffic each way in a sentence (CHN-7). `found`: see `traffic`; `why`: see `untold`."""
    if not found:
        return f"Traffic between online and offline is left out: {why}."
    sides = []
    for here, there in (("offline", "online"), ("online", "offline")):
        count, moved = int(found[f"then_{here}"]), int(found[f"{here}_to_{there}"])
        if not count:
            sides.append(f"nobody bought mostly {here}")
        elif not moved:
            sides.append(f"of {counted(count, 'customer')} who bought mostly {here}, none now buys mostly {there}")
        else:
            money = show(round(found[f"money_{there}"]), "money")
            verb, spend = ("buys", "spends") if moved == 1 else ("buy", "spend")
            sides.append(
                f"of {counted(count, 'customer')} who bought mostly {here}, {moved} ({moved / count:.1%}) now {verb} mostly "
                f"{there} and {spend} {money} a year"
            )
    return f"A year ago: {sides[0]}; {sides[1]}."


def unpriced(plan: pd.DataFrame, sold: pd.DataFrame) -> list[str]:
    """Planned products of which nobody knows a price: no piece was sold in the last twelve months (CHN-7).

    `plan`: product, amount; `sold`: product, amount, quantity of the last twelve months.
    """
    priced = sold.loc[(sold["quantity"] > 0) & (sold[AMOUNT] > 0), "product"]
    return strays(plan.loc[plan[AMOUNT] > 0, "product"], priced)


def demand(plan: pd.DataFrame, sold: pd.DataFrame, online: Sequence[str], parameters: Any) -> pd.DataFrame:
    """Pieces that the plan asks for in `demand_days`, online and offline: product, region, side, quantity, without.

    `plan`: region, product, channel, amount; `sold`: product, channel, amount, quantity, cost where known, of the last twelve
    months. Pieces = planned money over the price realised in the channel, or over all channels where that one sold none; a
    product that nobody sold has no price and no pieces, see `unpriced`. A piece not served costs its margin, or
    its price where costs are not known (minor units).
    """
    sums = sold[(sold["quantity"] > 0) & (sold[AMOUNT] > 0)]
    by = sums.groupby("product")[[AMOUNT, "quantity", *(["cost"] if "cost" in sums else [])]].sum()
    own = sums.groupby(["product", "channel"])[[AMOUNT, "quantity"]].sum()
    price = (own[AMOUNT] / own["quantity"]).rename("price").reset_index()
    frame = plan.merge(price, how="left", on=["product", "channel"])
    frame["price"] = frame["price"].fillna(frame["product"].map(by[AMOUNT] / by["quantity"]))
    frame = frame[frame["price"].notna()]
    frame["pieces"] = frame[AMOUNT] / frame["price"] * parameters.demand_days / 365
    frame["side"] = np.where(frame["channel"].isin(online), "online", "offline")
    whole = frame.groupby(["product", "region", "side"], as_index=False)["pieces"].sum()
    whole["quantity"] = np.rint(whole.pop("pieces").round(6))
    margin = (by[AMOUNT] - by.get("cost", 0)) / by["quantity"]
    return whole.assign(without=whole["product"].map(margin.clip(lower=0)))


def routed(
    inventory: pd.DataFrame | None,
    routes: pd.DataFrame | None,
    plan: pd.DataFrame,
    sold: pd.DataFrame,
    online: Sequence[str],
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
