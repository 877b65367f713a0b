"""Routing: Dantzig's transport problem as GAMS ships it, and what sharing stock is worth."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from planlib.errors import PlanError
from planlib.lp.routing import route
from tests.conftest import seeds

PLANTS = {"Seattle": 350, "San Diego": 600}
MARKETS = {"New York": 325, "Chicago": 300, "Topeka": 275}
MILES = {"Seattle": (2.5, 1.7, 1.8), "San Diego": (2.5, 1.8, 1.4)}  # thousand miles, 90 $ per case and thousand miles


def stock(held: dict[str, float] = PLANTS) -> pd.DataFrame:
    return pd.DataFrame([("case", *pair) for pair in held.items()], columns=["product", "warehouse", "quantity"])


def demand(asked: dict[str, float] = MARKETS, without: float = 9.0) -> pd.DataFrame:
    frame = pd.DataFrame([("case", *pair) for pair in asked.items()], columns=["product", "region", "quantity"])
    return frame.assign(without=without)


def routes() -> pd.DataFrame:
    rows = [
        (plant, market, 90 * miles / 1000) for plant, far in MILES.items() for market, miles in zip(MARKETS, far, strict=True)
    ]
    return pd.DataFrame(rows, columns=["warehouse", "region", "cost"])


def test_dantzigs_transport_problem_as_gams_solves_it():
    found = route(stock(), demand(), routes())

    # CHN-7; GAMS model library, trnsport: cost 153.675 thousand dollars; marginals of demand .225, .153, .126 and of supply 0.
    assert found.cost == pytest.approx(153.675, abs=1e-6) and found.unserved == 0
    assert found.demand.set_index("region")["price"].to_dict() == pytest.approx(
        {"New York": 0.225, "Chicago": 0.153, "Topeka": 0.126}, abs=1e-5
    )
    assert found.stock["price"].abs().max() < 1e-5
    assert found.flows.groupby("warehouse")["quantity"].sum().le(pd.Series(PLANTS)).all()


def test_where_stock_is_short_the_dearest_piece_goes_without_and_stock_has_a_price():
    found = route(stock({"Seattle": 350, "San Diego": 500}), demand(without=1.0), routes())

    # 50 of 900 cases are missing. Serving New York costs .225 from either plant, the most; leaving it gains .225 a case.
    assert found.unserved == 50 and found.missed == pytest.approx(50.0)
    assert found.demand.set_index("region")["unserved"].to_dict() == {"Chicago": 0, "New York": 50, "Topeka": 0}
    assert found.stock["price"].tolist() == pytest.approx([0.775, 0.775], abs=1e-5)


def test_a_way_dearer_than_doing_without_is_not_used():
    found = route(stock(), demand(without=0.2), routes())

    assert found.demand.set_index("region").loc["New York", "unserved"] == 325


def test_it_agrees_with_scipy_on_two_products():
    held = pd.concat([stock(), stock({"Seattle": 40, "San Diego": 90}).assign(product="barrel")])
    asked = pd.concat([demand(), demand({"Chicago": 80, "Topeka": 70}, 0.5).assign(product="barrel")])
    found = route(held, asked, routes())

    # The barrels by themselves, in SciPy's form: x = S-Chi, S-Top, D-Chi, D-Top, unserved Chi, Top.
    cost = [0.153, 0.162, 0.162, 0.126, 0.5, 0.5]
    equal, most = [[1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]], [[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0]]
    alone = linprog(cost, A_ub=most, b_ub=[40, 90], A_eq=equal, b_eq=[80, 70])
    assert found.cost + found.missed == pytest.approx(153.675 + alone.fun, abs=1e-5)


def test_row_order_does_not_matter_and_doubled_rows_are_refused():
    usual, turned = route(stock(), demand(), routes()), route(stock()[::-1], demand()[::-1], routes()[::-1])

    assert usual.flows.equals(turned.flows)
    with pytest.raises(PlanError, match="routes has rows twice"):
        route(stock(), demand(), pd.concat([routes(), routes()]))
    with pytest.raises(PlanError, match="negative"):
        route(stock({"Seattle": -1}), demand(), routes())


def test_where_stock_just_meets_demand_one_more_piece_in_stock_saves_nothing():
    held = pd.DataFrame({"product": ["p"], "warehouse": ["w"], "quantity": [10.0]})
    asked = pd.DataFrame({"product": ["p"], "region": ["r"], "quantity": [10.0], "without": [20.0]})
    found = route(held, asked, pd.DataFrame({"warehouse": ["w"], "region": ["r"], "cost": [3.0]}))

    # An eleventh piece asked for goes unserved at 20; an eleventh in stock has nobody to go to.
    assert found.demand["price"].tolist() == [20.0] and found.stock["price"].tolist() == [0.0]


def solved(held: pd.DataFrame, asked: pd.DataFrame, ways: pd.DataFrame) -> float:
    """The least cost by SciPy, unserved pieces included."""
    pairs = [
        (i, j, cost)
        for i, (product, warehouse) in enumerate(zip(held["product"], held["warehouse"], strict=True))
        for j, (wanted, region) in enumerate(zip(asked["product"], asked["region"], strict=True))
        if product == wanted
        for cost in ways.loc[(ways["warehouse"] == warehouse) & (ways["region"] == region), "cost"]
    ]
    most, equal = np.zeros((len(held), len(pairs) + len(asked))), np.zeros((len(asked), len(pairs) + len(asked)))
    for k, (i, j, _) in enumerate(pairs):
        most[i, k] = equal[j, k] = 1
    equal[:, len(pairs) :] = np.eye(len(asked))
    cost = [*(cost for _, _, cost in pairs), *asked["without"]]
    return linprog(cost, A_ub=most, b_ub=held["quantity"], A_eq=equal, b_eq=asked["quantity"]).fun


@pytest.mark.parametrize("seed", seeds(8, 120))
def test_prices_are_what_solving_again_with_one_more_piece_says(seed):
    # Small whole numbers make equal sums, equal ways and exhausted stock usual: the optima are degenerate.
    pick = np.random.default_rng(seed)
    places, regions = [f"w{n}" for n in range(pick.integers(1, 4))], [f"r{n}" for n in range(pick.integers(1, 4))]
    goods = ["p", "q"][: pick.integers(1, 3)]
    held = pd.DataFrame(
        [(p, w, pick.integers(0, 4) * 5.0) for p in goods for w in places], columns=["product", "warehouse", "quantity"]
    )
    asked = pd.DataFrame(
        [(p, r, pick.integers(0, 4) * 5.0, float(pick.integers(3, 9))) for p in goods for r in regions],
        columns=["product", "region", "quantity", "without"],
    )
    ways = pd.DataFrame(
        [(w, r, float(pick.integers(1, 7))) for w in places for r in regions], columns=["warehouse", "region", "cost"]
    )
    ways = ways[pick.random(len(ways)) < 0.8]
    found, least = route(held, asked, ways), solved(held, asked, ways)

    assert found.cost + found.missed == pytest.approx(least, abs=1e-6)
    for frame, given, sign in ((found.demand, asked, 1.0), (found.stock, held, -1.0)):
        for n in range(len(given)):
            more = given.copy()
            more.loc[n, "quantity"] += 1.0
            again = solved(held, more, ways) if sign > 0 else solved(more, asked, ways)
            assert frame["price"].iloc[n] == pytest.approx(sign * (again - least), abs=1e-6)
