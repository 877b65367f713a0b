"""History in the members of the plan year: hand-sized orders and tables, and random histories that lose and double nothing."""

import datetime as dt
import random
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planlib.data.changes import contradictions, read
from planlib.data.files import TableMapping
from planlib.data.ingest import Input, ingest
from planlib.data.restated import both_views, divided
from planlib.data.sources import Tables
from planlib.errors import InputDataError
from tests.data.test_changes import SOUTH, event

HEAD = "order_id,date,region,product,channel,customer,quantity,revenue,cost"
LINES = (
    "1,2024-03-05,North,Lamp,Shop,C1,1,10.00,4.00",
    "2,2024-11-20,West,Lamp,Web,C2,2,20.00,8.00",
    "2,2024-11-20,West,Chair,Web,C2,1,5.00,2.00",
    "3,2025-02-01,South,Lamp,Shop,C3,1,10.01,4.01",
    "3,2025-02-01,South,Chair,Shop,C3,3,0.03,0.01",
    "3,2025-03-01,South,Lamp,Shop,C3,-1,-10.01,-4.01",
    "4,2025-06-30,North,Chair,Shop,C1,1,7.77,3.00",
)


class Desk:
    """Tables as files in a folder, ingested with and without changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(
        self, *changes: dict[str, Any], lines: tuple[str, ...] = LINES, **tables: str
    ) -> tuple[Tables, dict[str, Input], list[str]]:
        mappings = {}
        for name, content in {"orders": "\n".join([HEAD, *lines]) + "\n", **tables}.items():
            (self.folder / f"{name}.csv").write_text(content, encoding="utf-8")
            mappings[name] = TableMapping(file=str(self.folder / f"{name}.csv"))
        inputs, told = ingest(mappings, "EUR", self.folder / "store", changes)
        return Tables({name: each.parquet for name, each in inputs.items()}), inputs, told

    def amounts(self, column: str, *changes: dict[str, Any], **more: Any) -> dict[str, int]:
        return self.read(*changes, **more)[0].orders([column]).set_index(column)["amount"].to_dict()


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


# ---------------------------------------------------------------- each kind, by hand


def test_a_merge_counts_both_histories_as_one(desk):
    # North 10.00 + 7.77, West 25.00, South 10.01 + 0.03 - 10.01
    assert desk.amounts("region", event("merge", ["North", "West"], "Northwest")) == {"Northwest": 4277, "South": 3}


def test_a_region_may_absorb_another_under_its_own_name(desk):
    assert desk.amounts("region", event("merge", ["North", "West"], "West")) == {"West": 4277, "South": 3}


def test_a_rename_keeps_lines_under_the_new_name(desk):
    lines = (*LINES, "5,2025-08-01,North,Lamp Neo,Shop,C1,1,1.00,0.50")
    found = desk.amounts("product", event("rename", "Lamp", "Lamp Neo", "2025-07", "product"), lines=lines)

    assert found == {"Lamp Neo": 3100, "Chair": 1280}


def test_a_split_divides_money_pieces_and_returns_and_counts_every_line_once(desk):
    tables, inputs, _ = desk.read(SOUTH)
    found = tables.orders(["region"]).set_index("region")

    # by hand: 1001 -> 601 + 400 (600.6, 400.4), 3 -> 2 + 1 (1.8, 1.2), the return as its order; lines 3 = 2 + 1
    assert found.loc["South", ["amount", "returned", "lines"]].tolist() == [2, -601, 2]
    assert found.loc["Southeast", ["amount", "returned", "lines"]].tolist() == [1, -400, 1]
    assert found.loc[["South", "Southeast"], "quantity"].tolist() == pytest.approx([1.8, 1.2])
    assert int(found["lines"].sum()) == len(LINES)
    assert inputs["orders"].control_total == int(found["amount"].sum()) == 4280


def test_an_order_that_was_divided_stays_one_order_of_one_customer(desk):
    before, after = (desk.read(*changes)[0].customers("2025-12-31") for changes in ((), (SOUTH,)))

    pd.testing.assert_frame_equal(before, after)


def test_the_parts_of_a_divided_line_were_not_bought_together(desk):
    halves = event("split", "Lamp", {"Lamp A": 0.5, "Lamp B": 0.5}, dimension="product")
    pairs = desk.read(halves)[0].pairs("2024-01", "2025-12")

    assert not ((pairs["product"] == "Lamp A") & (pairs["other"] == "Lamp B")).any()
    assert pairs["together"].sum() == 2  # orders 2 and 3 hold a lamp and a chair


def test_a_split_into_a_member_that_sells_already_adds_to_it(desk):
    found = desk.amounts("region", event("split", "North", {"North": 0.5, "West": 0.5}, "2025-01"))

    assert found == {"North": 500 + 777, "West": 2500 + 500, "South": 3}  # the line of June is North's own


def test_customers_who_move_take_their_history_along(desk):
    lines = (*LINES, "6,2025-09-01,West,Lamp,Shop,C1,1,3.00,1.00")
    found = desk.amounts("region", event("move", "C1", {"region": "West"}, "2025-07", "customer"), lines=lines)

    assert found == {"West": 2500 + 1777 + 300, "South": 3}


def test_a_customer_who_bought_in_two_regions_leaves_the_one_that_is_named(desk):
    lines = (*LINES, "6,2024-09-01,South,Lamp,Shop,C1,1,3.00,1.00")
    move = event("move", "C1", {"region": "West"}, "2025-07", "customer")
    with pytest.raises(InputDataError, match=r"C1.*North and South.*leaving: North"):
        desk.read(move, lines=lines)

    assert desk.amounts("region", move | {"leaving": "North"}, lines=lines) == {"West": 4277, "South": 303}


def test_lines_that_movers_book_elsewhere_after_the_move_stay_and_are_told(desk):
    move = event("move", "C1", {"region": "West"}, "2025-06", "customer")
    tables, _, told = desk.read(move)

    assert tables.orders(["region"]).set_index("region")["amount"].to_dict() == {"North": 777, "West": 3500, "South": 3}
    assert "Customers who moved to West in 2025-06 still bought in North since then (1 order lines): those stay there." in told


def test_customers_whose_numbers_were_merged_are_one(desk):
    tables = desk.read(event("merge", ["C1", "C2"], "C1", dimension="customer"))[0]

    assert tables.customers("2025-12-31").set_index("customer")[["orders", "amount"]].loc["C1"].tolist() == [3, 4277]


def test_who_leaves_a_region_that_was_split_leaves_all_its_parts(desk):
    found = desk.amounts("region", SOUTH, event("move", "C3", {"region": "West"}, "2026-02", "customer"))

    assert found == {"North": 1777, "West": 2500 + 3}


def test_events_count_in_the_order_of_their_days(desk):
    merged = event("merge", ["Nord", "West"], "Northwest", "2026-01")
    split = event("split", "Northwest", {"A": 0.25, "B": 0.75}, "2026-02")

    # (1000 + 2500 + 777) / 4 = 1069.25; each cell of product and channel is divided on its own, to within a cent
    found = desk.amounts("region", split, merged, event("rename", "North", "Nord", "2025-07"))
    assert found["A"] == pytest.approx(1069.25, abs=4)
    assert found["A"] + found["B"] == 4277


def test_a_name_used_before_belongs_to_whom_it_named_then(desk):
    old = "0,2023-05-01,North,Lamp Neo,Shop,C9,1,1.00,0.50"
    chain = [event("rename", "Lamp Neo", "Lamp 2023", "2024-01", "product")]
    chain += [event("rename", "Lamp", "Lamp Neo", "2025-07", "product")]
    new = "9,2025-08-01,North,Lamp Neo,Shop,C1,1,2.00,0.50"

    found = desk.amounts("product", *chain, lines=(old, *LINES, new))
    assert found == {"Lamp 2023": 100, "Lamp Neo": 3000 + 200, "Chair": 1280}


def test_both_views_stand_side_by_side_and_sum_to_the_same(desk):
    tables = desk.read(event("merge", ["North", "West"], "Northwest"))[0]
    years = {year: [f"{year}-{month:02d}" for month in range(1, 13)] for year in ("2024", "2025")}
    found = both_views(tables.both_views("region", "2025-12"), years)

    assert found.values.tolist() == [
        ["2024", "North", 1000, 0, -1000],
        ["2024", "Northwest", 0, 3500, 3500],
        ["2024", "West", 2500, 0, -2500],
        ["2025", "North", 777, 0, -777],
        ["2025", "Northwest", 0, 777, 777],
        ["2025", "all others", 3, 3, 0],
    ]
    assert tables.both_views("product", "2025-12") is None


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (event("rename", "Nort", "Nord"), r"'Nort'.*nearest: 'North'"),
        (event("rename", "North", "West"), r"2 lines of region 'West'.*a merge: write `kind: merge, of: \[North, West\]`"),
        (event("rename", "North", "Nord", "2025-01"), r"1 lines of region 'North' from 2025-06-30.*none from 2025-01 on"),
        (event("move", "C8", {"region": "West"}, dimension="customer"), "'C8'"),
    ],
)
def test_what_contradicts_the_orders_is_refused(desk, change, expected):
    with pytest.raises(InputDataError, match=expected):
        desk.read(change)


def test_a_member_that_may_not_be_there_is_told(desk):
    told = desk.read(event("rename", "East", "Ost", if_there=True))[2]

    assert "No order line is touched by this change: East is called Ost since 2026-01: its history counts as Ost." in told


# ---------------------------------------------------------------- the other tables

TARGETS = "year,region,amount\n2024,North,10.00\n2024,West,20.00\n2025,North,11.00\n2025,South,3.01\n"


def test_targets_of_merged_regions_are_summed_where_each_has_one(desk):
    tables, _, told = desk.read(event("merge", ["North", "West"], "Northwest"), targets=TARGETS)

    assert tables.frame("targets").values.tolist() == [[2025, "South", 301], [2024, "Northwest", 3000]]
    assert any("not each of North and West has a row of 2025" in text for text in told)


def test_targets_of_a_split_region_are_divided_before_it_alone(desk):
    rows = "year,region,amount\n2025,South,3.01\n2026,South,4.00\n2026,Southeast,2.00\n"
    lines = (*LINES, "8,2026-01-05,Southeast,Lamp,Shop,C3,1,1.00,1.00")
    tables = desk.read(SOUTH, targets=rows, lines=lines)[0]

    found = {(row.year, row.region): row.amount for row in tables.frame("targets").itertuples()}
    assert found == {(2025, "South"): 181, (2025, "Southeast"): 120, (2026, "South"): 400, (2026, "Southeast"): 200}


def test_targets_of_a_region_split_into_one_that_has_targets_are_added_to_them(desk):
    halves = event("split", "North", {"North": 0.5, "West": 0.5}, "2025-01")
    tables = desk.read(halves, targets="year,region,amount\n2024,North,10.00\n2024,West,20.00\n2025,North,11.00\n")[0]

    found = {(row.year, row.region): row.amount for row in tables.frame("targets").itertuples()}
    assert found == {(2024, "North"): 500, (2024, "West"): 2500, (2025, "North"): 1100}


def test_a_row_under_a_name_used_again_is_of_today_unless_the_new_bearer_stands_under_its_old_name(desk):
    chain = [event("rename", "Lamp Neo", "Lamp 2023", "2024-01", "product")]
    chain += [event("rename", "Lamp", "Lamp Neo", "2025-07", "product")]
    lines = ("0,2023-05-01,North,Lamp Neo,Shop,C9,1,1.00,0.50", *LINES)

    today = desk.read(*chain, lines=lines, products="product,list_price\nLamp Neo,9.00\n")[0].frame("products")
    of_old = desk.read(*chain, lines=lines, products="product,list_price\nLamp Neo,7.00\nLamp,8.00\n")[0].frame("products")
    assert today.set_index("product")["list_price"].to_dict() == {"Lamp Neo": 900}
    assert of_old.set_index("product")["list_price"].to_dict() == {"Lamp 2023": 700, "Lamp Neo": 800}


REGIONS = "region,gdp,income,population\nNorth,100,30,10\nWest,50,20,5\nSouth,80,25,8\n"


def test_a_table_that_speaks_of_today_stands_and_one_that_cannot_be_summed_is_left_out(desk):
    merge = event("merge", ["North", "West"], "Northwest")
    with_row, _, told = desk.read(merge, regions=REGIONS + "Northwest,150,27,15\n")
    assert with_row.frame("regions").set_index("region")["income"].to_dict() == {"South": 25, "Northwest": 27}
    assert any("the row of Northwest stands" in text for text in told)

    without, _, told = desk.read(merge, regions=REGIONS)
    assert without.frame("regions")["region"].tolist() == ["South"]
    assert any("differ in income" in text for text in told)


def test_a_region_that_absorbs_another_keeps_its_rates_and_adds_the_counts(desk):
    tables, _, told = desk.read(event("merge", ["North", "West"], "West"), regions=REGIONS)
    found = tables.frame("regions").set_index("region")

    assert found.loc["West", ["gdp", "income", "population"]].tolist() == [150, 20, 15]
    assert "regions: income of region West stand as its own row has them." in told


def test_a_split_region_gives_its_counts_by_shares_and_its_rates_as_they_are(desk):
    found = desk.read(SOUTH, regions=REGIONS)[0].frame("regions").set_index("region")

    assert found.loc["Southeast", ["gdp", "income", "population"]].tolist() == pytest.approx([32, 25, 3.2])
    assert found.loc["South", ["gdp", "income", "population"]].tolist() == pytest.approx([48, 25, 4.8])


def test_people_customers_and_spend_follow_their_members(desk):
    tables = desk.read(
        event("merge", ["North", "West"], "Northwest"),
        event("rename", "Web", "Online", dimension="channel"),
        event("move", "P3", {"region": "South"}, dimension="person"),
        event("move", "C2", {"region": "South"}, "2025-07", "customer"),
        staff="person,region,hired\nP1,North,2020-01-01\nP2,South,2020-01-01\nP3,West,2021-01-01\n",
        customers="customer,region\nC1,North\nC2,West\nC3,South\n",
        marketing="month,activity,spend,channel\n2025-01,Ads,5.00,Web\n",
    )[0]

    assert tables.frame("staff").set_index("person")["region"].to_dict() == {"P1": "Northwest", "P2": "South", "P3": "South"}
    assert tables.frame("customers")["region"].tolist() == ["Northwest", "South", "South"]
    assert tables.frame("marketing")["channel"].tolist() == ["Online"]


def test_without_changes_nothing_is_stored_anew(desk):
    plain, changed = desk.read()[1], desk.read(event("merge", ["North", "West"], "Northwest"))[1]

    assert desk.read()[1]["orders"].parquet == plain["orders"].parquet != changed["orders"].parquet
    assert changed["orders"].sha256 == plain["orders"].sha256
    assert changed["orders"].control_total == plain["orders"].control_total


# ---------------------------------------------------------------- properties


@given(
    st.lists(st.tuples(st.integers(-5000, 5000), st.sampled_from("ab")), max_size=60),
    st.lists(st.integers(1, 9), min_size=2, max_size=4),
)
def test_divided_amounts_keep_their_sum_and_sign_and_follow_the_shares(lines, weights):
    shares = [Fraction(weight, sum(weights)) for weight in weights]
    found = divided([amount for amount, _ in lines], shares, [cell for _, cell in lines])

    for (amount, _), *parts in zip(lines, *found, strict=True):
        assert sum(parts) == amount
        assert all(part * amount >= 0 for part in parts)
    for cell in "ab":
        total = sum(amount for amount, mine in lines if mine == cell)
        for share, parts in zip(shares, found, strict=True):
            given_ = sum(part for part, (_, mine) in zip(parts, lines, strict=True) if mine == cell)
            assert abs(given_ - share * total) < len(weights)


def history(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, set[str]]]:
    """A company whose members are renamed, merged, split, and whose customers move, and the lines it booked meanwhile.

    Returns events, lines, and the members there are in the end; every line is booked under a member there was on its day.
    """
    rng = random.Random(seed)
    alive = {"region": ["R1", "R2", "R3"], "product": ["P1", "P2"], "channel": ["H1", "H2"]}
    events: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    fresh = (f"new{number}" for number in range(99))
    home = {f"C{number}": rng.choice(alive["region"]) for number in range(5)}
    for month in [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]:
        if rng.random() < 0.35:
            dimension = rng.choice(list(alive))
            there, old = alive[dimension], rng.choice(alive[dimension])
            kind = rng.choice(["rename", "merge", "split", "move"])
            if kind == "rename":
                to, gone, new = (name := next(fresh)), {old}, [name]
            elif kind == "merge" and len(there) > 1:
                other = rng.choice([name for name in there if name != old])
                to = rng.choice([old, next(fresh)])
                gone, new, old = {old, other} - {to}, [to], [old, other]
            elif kind == "split":
                second = rng.choice([next(fresh), *(name for name in there if name != old)])
                to = {rng.choice([old, next(fresh)]): 0.3, second: 0.7}
                gone, new = {old} - set(to), list(to)
            elif kind == "move" and len(alive["region"]) > 1:
                customer, dimension, gone = rng.choice(list(home)), "customer", set()
                old, to = customer, {"region": rng.choice(alive["region"])}
                events.append(event("move", old, to, month, "customer", leaving=home[customer], if_there=True))
                home[customer] = to["region"]
                continue
            else:
                continue
            events.append(event(kind, old, to, month, dimension, if_there=True))
            alive[dimension] = sorted({*(name for name in there if name not in gone), *new})
            if dimension == "region":
                home = {name: region if region in alive["region"] else new[0] for name, region in home.items()}
        for number in range(rng.randrange(4)):
            customer = rng.choice(list(home))
            line = {
                "order_id": f"{month}-{rng.randrange(2)}",
                "date": f"{month}-{rng.randrange(1, 29):02d}",
                "region": home[customer],
                "product": rng.choice(alive["product"]),
                "channel": rng.choice(alive["channel"]),
                "customer": customer,
                "quantity": str(rng.randrange(-2, 9)),
                "revenue": f"{Decimal(rng.randrange(-300, 9999)).scaleb(-2)}",
                "cost": f"{Decimal(rng.randrange(0, 500)).scaleb(-2)}",
            }
            lines.append(line | {"number": number})
    return events, lines, {name: set(members) for name, members in alive.items()}


@pytest.mark.parametrize("seed", range(25))
def test_a_random_history_neither_loses_nor_doubles_an_amount_or_a_line(seed, tmp_path):
    events, lines, alive = history(seed)
    if not events or not lines:
        pytest.skip("nothing happened in this history")
    assert contradictions(read(events)) == []
    rows = tuple(",".join(line[name] for name in HEAD.split(",")) for line in lines)
    tables, inputs, _ = Desk(tmp_path).read(*events, lines=rows)

    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for line in lines:
        cents = int(Decimal(line["revenue"]).scaleb(2))
        month = line["date"][:7]
        expected["amount"][month] += cents
        expected["cost"][month] += int(Decimal(line["cost"]).scaleb(2))
        expected["lines"][month] += 1
        expected["quantity"][month] += int(line["quantity"])
        expected["returned"][month] += min(cents, 0)
        for name in alive:
            expected[f"booked {name}"][line[name]] += cents
        expected["customer"][line["customer"]] += cents
    found = tables.orders([*alive, "month"])
    for measure in ("amount", "cost", "lines", "quantity", "returned"):
        assert found.groupby("month")[measure].sum().round(6).to_dict() == dict(expected[measure]), measure
    assert tables.orders(["customer"]).set_index("customer")["amount"].to_dict() == dict(expected["customer"])
    assert inputs["orders"].control_total == found["amount"].sum()
    for name, members in alive.items():
        assert set(found[name]) <= members
        cells = tables.both_views(name, "2026-12")
        if cells is not None:
            booked = cells.groupby("booked")["amount"].sum()
            assert booked.to_dict() == dict(expected[f"booked {name}"])
    assert len({line["order_id"] for line in lines}) == len(set(tables.frame("orders")["order_id"]))
    assert dt.date.fromisoformat(lines[0]["date"]) <= pd.Timestamp(tables.frame("orders")["date"].max()).date()
