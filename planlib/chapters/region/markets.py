"""The market of each region: economic capacity, customers that can be reached, rivals, and the oceans they make (REG-1)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.chapters.members import some
from planlib.chapters.region.parameters import Parameters
from planlib.data.sources import Tables
from planlib.estimates import rfm
from planlib.periods import Horizon
from planlib.plan import AMOUNT

OCEANS = ("blue ocean", "red ocean", "calm", "crowded")
NOT_KNOWN = "not known"
MOST_ROWS = 16  # of a heat map that still reads


@dataclass(frozen=True)
class _Cuts:
    dormant_months: int
    high_value_share: float = 0.20
    potential_share: float = 0.30


def potential(regions: pd.DataFrame | None, expected: pd.DataFrame) -> pd.DataFrame:
    """Share of economic capacity (REG-1): region, share.

    Capacity = GDP x (1 + its growth) x income per head to the mean x consumption index, as far as `regions` has them.
    `expected`: region, share, what stands without it; a region the table lacks gets that, so that nobody loses for missing
    data. Empty without a table.
    """
    if regions is None:
        return pd.DataFrame({"region": pd.Series(dtype=str), "share": pd.Series(dtype=float)})
    table = regions.set_index("region").reindex(expected["region"])
    size = table["gdp"].astype(float)
    if "gdp_growth" in table:
        size = size * (1 + table["gdp_growth"].astype(float).fillna(0))
    size = size * (table["income"].astype(float) / table["income"].astype(float).mean())
    if "consumption" in table:
        size = size * table["consumption"].astype(float).fillna(1)
    own, known = expected["share"].to_numpy(dtype=float), size.notna().to_numpy()
    share = own.copy()
    if known.any() and size[known].sum() > 0:
        share[known] = size.to_numpy()[known] / size[known].sum() * own[known].sum()
    return pd.DataFrame({"region": expected["region"].to_numpy(), "share": share})


def reachable(customers: pd.DataFrame, bought: pd.DataFrame, day: pd.Timestamp, parameters: Parameters) -> pd.DataFrame | None:
    """Customers that can be reached, by region, from recency, frequency and money (REG-1).

    Parameters
        customers  customer, last (date), orders, amount (minor units) before `day`
        bought     region, customer, amount: where each buys
    An active customer counts what its group brings on average in the whole company, next to an Ordinary one; a dormant one
    counts `dormant_counts` of an Ordinary one. What a customer counts lies where it buys, in proportion; its head is counted
    once, where it bought most. Returns region, active, dormant (customers), share (sums to 1), sorted; None where orders name
    no customer.
    """
    if set(customers["customer"]) <= {"all"}:
        return None
    groups = rfm.segments(customers, day, _Cuts(parameters.dormant_months))
    held = groups.merge(customers[["customer", AMOUNT]], on="customer")
    held = held.sort_values("customer", ignore_index=True)  # so that sums of fractions are the same in any row order
    means = held.groupby("segment")[AMOUNT].mean().clip(lower=0)
    usual = float(means.get("Ordinary", 0.0))
    worth = {name: float(means.get(name, 0.0)) / usual if usual > 0 else 1.0 for name in rfm.ACTIVE}
    worth[rfm.DORMANT] = parameters.dormant_counts
    places = bought[["region", "customer", AMOUNT]].merge(held[["customer", "segment"]], on="customer")
    places = places.sort_values(["customer", AMOUNT, "region"], ascending=[True, False, True], ignore_index=True)
    home = ~places.duplicated("customer")
    kept = places[AMOUNT].clip(lower=0)
    total = kept.groupby(places["customer"]).transform("sum")
    # Who gave back all it took counts where it took most.
    places["worth"] = places["segment"].map(worth).astype(float) * (kept / total.where(total > 0)).fillna(home.astype(float))
    places["active"] = home & (places["segment"] != rfm.DORMANT)
    places["dormant"] = home & (places["segment"] == rfm.DORMANT)
    sums = {"active": ("active", "sum"), "dormant": ("dormant", "sum"), "worth": ("worth", "sum")}
    found = places.groupby("region").agg(**sums).reset_index()
    found["share"] = found["worth"] / found["worth"].sum() if found["worth"].sum() > 0 else 0.0
    return found[["region", "active", "dormant", "share"]]


def pressure(regions: pd.DataFrame | None, parameters: Parameters) -> pd.DataFrame:
    """How hard rivals press in a region, 0-1 (REG-1): region, pressure, and the parts rival_share, rival_coverage, rival_price.

    The mean, weighted by `rival_parts`, of what is known: the rivals' share, their coverage, and their price (0.5 where
    they ask what the company asks, one point more for each point they are cheaper). Missing where nothing is known.
    """
    columns = {"share": "rival_share", "coverage": "rival_coverage", "price": "rival_price"}
    names = pd.Series(dtype=str) if regions is None else regions["region"]
    frame = pd.DataFrame({"region": names.to_numpy()})
    for column in columns.values():
        known = regions is not None and column in regions
        frame[column] = regions[column].to_numpy(dtype=float) if known and regions is not None else np.nan
    parts = frame[list(columns.values())].assign(rival_price=(1.5 - frame["rival_price"]).clip(0, 1))
    weight = pd.Series({column: parameters.rival_parts.get(part, 0.0) for part, column in columns.items()})  # type: ignore[call-overload]
    counted = parts.notna() * weight
    total = counted.sum(axis=1)
    frame["pressure"] = ((parts.fillna(0) * counted).sum(axis=1) / total.where(total > 0)).round(9)
    return frame


def competition(pressed: pd.DataFrame, expected: pd.DataFrame, parameters: Parameters) -> pd.DataFrame:
    """Rivals as a factor (REG-1): region, factor = 1 + competition_weight x (the company's pressure - the region's).

    `pressed`: see `pressure`; the company's is the mean weighted by `expected` (region, share). A region of which nothing is
    known has 1.0.
    """
    both = expected.merge(pressed[["region", "pressure"]], how="left", on="region")
    known = both[both["pressure"].notna()]
    if known.empty or known["share"].sum() <= 0:
        return pd.DataFrame({"region": expected["region"], "factor": 1.0})
    mean = float((known["pressure"] * known["share"]).sum() / known["share"].sum())
    factor = 1 + parameters.competition_weight * (mean - both["pressure"].fillna(mean))
    return pd.DataFrame({"region": both["region"], "factor": factor.clip(lower=0)})


def reached(source: Tables, horizon: Horizon, parameters: Parameters) -> pd.DataFrame | None:
    """`reachable` on the last closed day, from the run's orders (REG-1); dormant is missing where they are too young."""
    day = pd.Timestamp(horizon.as_of)
    bought = source.orders(["region", "customer"], until=horizon.until)
    customers = source.customers(f"{day:%Y-%m-%d}")
    found = reachable(customers, bought, day + pd.Timedelta(days=1), parameters)
    return found if found is None else told_dormant(found, customers, day, parameters)


def told_dormant(found: pd.DataFrame, customers: pd.DataFrame, day: pd.Timestamp, parameters: Parameters) -> pd.DataFrame:
    """`reachable` with dormant missing where no order is old enough for anybody to be (REG-1). `customers`: first (date)."""
    oldest = pd.to_datetime(customers["first"]).min()
    return found if oldest < day - pd.DateOffset(months=parameters.dormant_months) else found.assign(dormant=np.nan)


def market(
    regions: pd.DataFrame | None, expected: pd.DataFrame, reach: pd.DataFrame | None, parameters: Parameters
) -> pd.DataFrame | None:
    """The market table of the regions with orders (REG-1), see `oceans`; None without the table `regions`."""
    return oceans(potential(regions, expected), pressure(regions, parameters), reach, regions)


def oceans(
    economy: pd.DataFrame, pressed: pd.DataFrame, reach: pd.DataFrame | None, regions: pd.DataFrame | None
) -> pd.DataFrame | None:
    """The market table (REG-1), one row per region, largest potential first; None where no rival and no potential is known.

    `economy`: see `potential`. `pressed`: see `pressure`. `reach`: see `reachable`. A region's potential is high when above
    the middle region's, its rivals are strong when they press harder than in the whole market (the mean weighted by
    potential). High with weak rivals is a blue ocean, high with strong ones a red ocean, low with weak ones calm, low with
    strong ones crowded.
    Returns region, potential, rival_share, rival_coverage, rival_price, pressure, active, dormant, penetration (active
    customers per million inhabitants), ocean; columns of which nothing is known are left out.
    """
    if economy.empty or regions is None:
        return None
    frame = economy.rename(columns={"share": "potential"}).merge(pressed, how="left", on="region")
    if reach is not None:
        frame = frame.merge(reach[["region", "active", "dormant"]], how="left", on="region")
        known = ["active", "dormant"] if reach["dormant"].notna().any() else ["active"]
        frame[known] = frame[known].fillna(0).astype("int64")
        if "population" in regions:
            people = frame["region"].map(regions.set_index("region")["population"].astype(float))
            frame["penetration"] = 100 * frame["active"] / people.where(people > 0)
    high = frame["potential"].round(9) > round(float(frame["potential"].median()), 9)
    if frame["pressure"].notna().any():
        strong = frame["pressure"].round(9) > round(_mean(frame["pressure"], frame["potential"]), 9)
        named = np.select([high & ~strong, high, ~strong], OCEANS[:3], default=OCEANS[3])
        frame["ocean"] = np.where(frame["pressure"].notna(), named, NOT_KNOWN)
    columns = [name for name in frame.columns if frame[name].notna().any()]
    return frame.sort_values(["potential", "region"], ascending=[False, True], ignore_index=True)[columns]


def map_of(market: pd.DataFrame) -> pd.DataFrame:
    """The market table as a heat map: row (region), column, amount (-1 to 1; REG-1).

    Potential from the middle region's, rivals from the whole market's mean, the largest distance of a column being 1; what is
    good for the company is above zero, so that blue means water to sail and red a fight. Only the largest regions by
    potential are drawn, best chances first.
    """
    columns = {"potential": 1, "rival_share": -1, "rival_coverage": -1, "rival_price": 1, "pressure": -1}
    names = {"potential": "potential", "rival_share": "rivals' share", "rival_coverage": "rivals' coverage"}
    names |= {"rival_price": "rivals' price", "pressure": "all rivals"}
    places = pd.DataFrame({"row": market["region"]})
    drawn = [name for name in columns if name in market]
    for name in drawn:
        middle = float(market[name].median()) if name == "potential" else _mean(market[name], market["potential"])
        distance = (market[name] - middle).round(9) * columns[name]
        places[names[name]] = distance / (float(distance.abs().max()) or 1.0)
    shown = [names[name] for name in drawn]
    places["_chance"] = places[[names[name] for name in ("potential", "pressure") if name in market]].sum(axis=1).round(9)
    places = places.head(MOST_ROWS).sort_values(["_chance", "row"], ascending=[False, True])
    long = places.melt("row", shown, "column", AMOUNT)
    order = {name: place for place, name in enumerate(places["row"])}
    return long.sort_values("row", key=lambda rows: rows.map(order), kind="stable", ignore_index=True)


def told_oceans(market: pd.DataFrame) -> str:
    """The market in one sentence: the blue and red oceans with the most potential (REG-1)."""
    if "ocean" not in market:
        return "Nothing is known of rivals: no region is called a blue or a red ocean."
    blue, red = (list(market.loc[market["ocean"] == kind, "region"]) for kind in OCEANS[:2])
    first = f"Blue ocean{'s' if len(blue) > 1 else ''}: {some(blue)}" if blue else "No blue ocean"
    return f"{first}; red: {some(red)}" if red else f"{first}; no red one"


def _mean(values: pd.Series, weight: pd.Series) -> float:
    """The mean of what is known, weighted."""
    known = values.notna() & (weight > 0)
    return float((values[known] * weight[known]).sum() / weight[known].sum()) if known.any() else float(values.mean())
