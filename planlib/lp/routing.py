"""Orders routed to the cheapest stock that can serve them: a transport program over warehouses and regions, product by product.

Every piece asked for comes from a warehouse that holds it, at the cost of its route, or goes unserved at the price of doing
without. Stock is one for all who order: who shares it is decided by whose stock and whose demand are put together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pulp

from planlib.errors import PlanError
from planlib.lp import solver


@dataclass(frozen=True)
class Routing:
    """The cheapest way to serve demand from stock.

    flows     product, warehouse, region, quantity, cost (of all its pieces): only what flows
    demand    the demand given, with served, unserved and price (what one more piece asked for would cost)
    stock     the stock given, with left and price (what one more piece there would save, >= 0)
    cost      of all routes used
    unserved  pieces that no stock could serve for less than doing without them
    missed    what doing without them costs
    """

    flows: pd.DataFrame
    demand: pd.DataFrame
    stock: pd.DataFrame
    cost: float
    unserved: float
    missed: float


def route(stock: pd.DataFrame, demand: pd.DataFrame, routes: pd.DataFrame) -> Routing:
    """Serve demand from stock at least cost.

    Parameters
        stock   product, warehouse, quantity (pieces)
        demand  product, region, quantity (pieces), without (cost of leaving a piece unserved)
        routes  warehouse, region, cost (per piece, in the same money as `without`)
    Raises PlanError for rows that occur twice, or negative or missing numbers. Source: the transportation problem (Hitchcock
    1941, Dantzig 1951). With whole pieces the optimum is whole; which of equal optima it is, is settled by names. A price is
    that of one piece more: where one more and one less differ, a solver's dual may be either, so prices come from the routes.
    """
    for name, frame, keys, values in (
        ("stock", stock, ["product", "warehouse"], ["quantity"]),
        ("demand", demand, ["product", "region"], ["quantity", "without"]),
        ("routes", routes, ["warehouse", "region"], ["cost"]),
    ):
        _checked(name, frame, keys, values)
    held = stock.sort_values(["product", "warehouse"], ignore_index=True).assign(_from=lambda t: range(len(t)))
    asked = demand.sort_values(["product", "region"], ignore_index=True).assign(_to=lambda t: range(len(t)))
    ways = held[["product", "warehouse", "_from"]].merge(routes, on="warehouse")
    ways = ways.merge(asked[["product", "region", "_to", "without"]], on=["product", "region"])
    # A route that costs more than doing without is never used.
    ways = ways[ways["cost"] < ways["without"]].sort_values(["_from", "_to"], ignore_index=True)
    tie = [solver.generic_weight(f"{r.product} {r.warehouse} {r.region}") for r in ways.itertuples()]

    # Variables: pieces on each way, and pieces left unserved.
    problem = pulp.LpProblem("routing", pulp.LpMinimize)
    flow = [problem.add_variable(f"flow_{n}", lowBound=0) for n in range(len(ways))]
    short = [problem.add_variable(f"unserved_{n}", lowBound=0) for n in range(len(asked))]

    # Objective: cost of the ways, and of doing without; the ten-millionth part of a unit settles ties.
    per = [cost + 1e-7 * own for cost, own in zip(ways["cost"], tie, strict=True)]
    problem += pulp.lpSum(cost * x for cost, x in zip(per, flow, strict=True)) + pulp.lpSum(
        price * x for price, x in zip(asked["without"], short, strict=True)
    )

    # Limits: no more than there is; every piece asked for is served or counted.
    for n, group in ways.groupby("_from"):
        problem += pulp.lpSum(flow[place] for place in group.index) <= float(held.loc[n, "quantity"]), f"stock_{n}"
    by_demand = {n: list(group.index) for n, group in ways.groupby("_to")}
    for n in range(len(asked)):
        served = pulp.lpSum([*(flow[place] for place in by_demand.get(n, [])), short[n]])
        problem += served == float(asked.loc[n, "quantity"]), f"demand_{n}"

    # Solve, and read back.
    if len(asked) and not solver.optimise(problem):
        raise PlanError("routing: no way to serve or leave the demand, expected one always; check stock and demand for gaps.")
    ways["quantity"] = _clean([x.varValue for x in flow])
    asked["unserved"] = _clean([x.varValue for x in short])
    asked["served"] = asked["quantity"] - asked["unserved"]
    held["left"] = held["quantity"] - held["_from"].map(ways.groupby("_from")["quantity"].sum()).fillna(0.0)
    asked["price"], held["price"] = (_clean(each) for each in _one_more(held, asked, ways))
    flows = ways.loc[ways["quantity"] > 0, ["product", "warehouse", "region", "quantity", "cost"]].reset_index(drop=True)
    flows["cost"] = flows["cost"] * flows["quantity"]
    missed = float((asked["unserved"] * asked["without"]).sum())
    return Routing(
        flows,
        asked.drop(columns="_to"),
        held.drop(columns="_from"),
        float(flows["cost"].sum()),
        float(asked["unserved"].sum()),
        missed,
    )


def _one_more(held: pd.DataFrame, asked: pd.DataFrame, ways: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """What one more piece asked for costs, and what one more piece in stock saves.

    One more piece asked for comes from stock that is left or goes unserved, along the cheapest way that may redirect pieces
    already on their way (the shortest path of the residual network); one more in stock takes the best such way back.
    Source: Ahuja, Magnanti and Orlin 1993, Network Flows, sections 9.2 and 9.4.
    """
    start, end, cost = (ways[name].to_numpy() for name in ("_from", "_to", "cost"))
    without = asked["without"].to_numpy(dtype=float)
    used, unserved = (ways["quantity"] > 0).to_numpy(), (asked["unserved"] > 0).to_numpy()
    # The way to each place from stock that is left, or from doing without; and the way back to where nothing is needed.
    supply, price = np.where(held["left"] > 0, 0.0, np.inf), without.copy()
    saved, freed = np.zeros(len(held)), np.where(unserved, -without, np.inf)
    for _ in range(len(held) + len(asked) + 1):
        before = supply.copy(), saved.copy()
        np.minimum.at(price, end, supply[start] + cost)
        np.minimum.at(supply, start[used], price[end[used]] - cost[used])
        # A piece that arrives frees the dearest piece there: one not served, or one that can go elsewhere.
        np.minimum.at(freed, end[used], saved[start[used]] - cost[used])
        np.minimum.at(saved, start, freed[end] + cost)
        if np.array_equal(before[0], supply) and np.array_equal(before[1], saved):
            break
    return price, -saved


def _clean(values: Sequence[float] | np.ndarray, places: int = 6) -> np.ndarray:
    found = np.round(np.array(values, dtype=float), places)
    return np.where(np.abs(found) < 10.0**-places, 0.0, found)


def _checked(name: str, frame: pd.DataFrame, keys: list[str], values: list[str]) -> None:
    lacking = [column for column in [*keys, *values] if column not in frame.columns]
    if lacking:
        raise PlanError(f"routing: {name} lacks {lacking}, expected columns {[*keys, *values]}; add them.")
    if frame.duplicated(keys).any():
        raise PlanError(f"routing: {name} has rows twice, expected one per {' and '.join(keys)}; sum them first.")
    wrong = [column for column in values if not (np.isfinite(frame[column]) & (frame[column] >= 0)).all()]
    if wrong:
        raise PlanError(f"routing: {name} has missing or negative {wrong}, expected numbers of 0 or more; correct them.")
