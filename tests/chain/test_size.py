"""Companies near the largest amounts that int64 holds, through all seven chapters; beyond, one message.

Expected sums are Python's whole numbers over the lines that the test wrote (cases README, 04 rupiah-size).
"""

import datetime as dt
import itertools
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from planlib import plan as tables
from planlib.plan import digest
from planlib.run.chain import CHAPTERS
from tests import field
from tests.chain.in_process import Worked, work
from tests.conftest import ROOT, planlib

SCALE = 1_200_000_000_000_000  # minor units of a line's smallest part
YEARS = {2023: 0.1, 2024: 0.3, 2025: 1, 2026: 1}
KEYS = ["region", "product", "channel"]
LOCK = 2_000_000_000_000_000_019  # minor units
TARGET = 8_920_800_000_008_834_742  # 5,097,600,000,005,048,424 sold in 2025, and three quarters of it more


def lines(last: str = "2026-03", scale: int = SCALE) -> pd.DataFrame:
    """An order line a month for each of twelve cells, in odd minor units: date, region, product, channel, customer, minor."""
    rows = []
    for year, month in itertools.product(YEARS, range(1, 13)):
        if f"{year}-{month:02d}" > last:
            break
        for k, cell in enumerate(itertools.product(("North", "South", "West"), ("Lamp", "Desk"), ("Shop", "Web"))):
            size = 7 + 3 * k + 2 * ((month + k) % 5) + year - 2023
            minor = size * int(scale * YEARS[year]) + (len(rows) + 1) * 97 + month * 13 + k
            rows.append((dt.date(year, month, 5 + k), *cell, f"C{(len(rows) + 1) % 17}", 1 + (len(rows) + 1) % 3, minor))
    return pd.DataFrame(rows, columns=["date", *KEYS, "customer", "quantity", "minor"])


def written(folder: Path, orders: pd.DataFrame) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    revenue = [f"{minor // 100}.{minor % 100:02d}" for minor in orders["minor"]]
    ids = [f"O{number}" for number in range(len(orders))]
    orders.drop(columns="minor").assign(order_id=ids, revenue=revenue).to_csv(folder / "orders.csv", index=False)
    return "orders.csv"


def asked(file: str, **more: Any) -> dict[str, Any]:
    head = {
        "company": "Big",
        "year": 2026,
        "currency": "IDR",
        "as_of": dt.date(2025, 12, 31),
        "data": {"orders": {"file": file}},
    }
    return {**head, "strategy": {"growth": 0.75}, **more}


def summed(orders: pd.DataFrame, *by: str) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for row in orders.itertuples():
        key = tuple(getattr(row, name) for name in by)
        found[key] = found.get(key, 0) + int(row.minor)
    return found


@pytest.fixture(scope="module")
def closed(tmp_path_factory) -> Worked:
    """The first quarter closed; a lock, a floor and a cap."""
    folder = tmp_path_factory.mktemp("closed")
    more = {
        "as_of": dt.date(2026, 3, 31),
        "region": {
            "locks": [{"name": "South as agreed", "where": {"region": "South"}, "amount": LOCK // 100}],
            "rules": [{"name": "no region shrinks", "each": "region", "unit": "growth", "min": 0.0}],
        },
        "product": {"rules": [{"name": "lamps", "where": {"product": "Lamp"}, "max": 0.4}]},
    }
    return work(folder, asked(written(folder, lines()), **more))


def test_every_level_ties_out_to_the_unit(closed):
    assert summed(lines()[lines()["date"].map(lambda day: day.year) == 2025]) == {(): 5_097_600_000_005_048_424}
    assert sum(map(int, closed.plans["01-strategy"]["amount"])) == TARGET
    for above, below in itertools.pairwise(CHAPTERS[:6]):
        assert not len(tables.residuals(closed.plans[above], closed.plans[below])), below
        assert sum(map(int, closed.plans[below]["amount"])) == TARGET
    assert sum(map(int, closed.plans["07-budget"]["amount"])) == 1_070_496_000_001_060_169  # 12%, rounded half up


def test_locks_and_rules_hold_to_the_unit(closed):
    regions = closed.plans["02-region"].set_index("region")["amount"].map(int)
    last_year = summed(lines()[lines()["date"].map(lambda day: day.year) == 2025], "region")
    products = closed.plans["03-product"].groupby("product")["amount"].sum().map(int)

    assert regions["South"] == LOCK // 100 * 100
    assert all(regions[name] >= amount for (name,), amount in last_year.items())
    assert int(products["Lamp"]) * 10 <= TARGET * 4


def test_closed_months_are_what_was_booked(closed):
    orders = lines()
    orders = orders[orders["date"].map(lambda day: day.year) == 2026].assign(
        month=lambda frame: frame["date"].astype(str).str[:7]
    )
    plan = closed.plans["05-time"]
    plan = plan[plan["month"] <= "2026-03"].set_index([*KEYS, "month"])["amount"]

    assert {key: int(amount) for key, amount in plan.items() if amount} == summed(orders, *KEYS, "month")
    groups = tables.rollup(closed.plans["06-customer"], [*KEYS, "month"])
    groups = groups[groups["month"] <= "2026-03"].set_index([*KEYS, "month"])["amount"]
    assert groups.astype("int64").to_dict() == plan.to_dict()


def test_what_is_shown_is_exact(closed):
    """Every table with last year by region, or what is booked, to the unit."""
    orders = lines()
    year = orders["date"].map(lambda day: day.year)
    right = {
        "last_year": {"region": summed(orders[year == 2025], "region"), "product": summed(orders[year == 2025], "product")},
        "booked": {"region": summed(orders[year == 2026], "region"), "product": summed(orders[year == 2026], "product")},
    }
    seen = 0
    for items in closed.items.values():
        for item in items:
            if item["kind"] != "table":
                continue
            columns = [column["name"] for column in item["columns"]]
            for name, dimension in itertools.product(set(columns) & set(right), ("region", "product")):
                who = next((place for place, label in enumerate(columns) if label in (dimension, "member")), None)
                exact = right[name][dimension]
                rows = [row for row in item["rows"] if who is not None and (row[who],) in exact]
                if len(rows) == len(exact):
                    assert {(row[who],): row[columns.index(name)] for row in rows} == exact, item["title"]
                    seen += 1
    assert seen >= 2


def test_a_plan_of_such_size_is_the_same_in_any_row_order(closed, tmp_path):
    shuffled = lines(scale=SCALE // 2).sample(frac=1.0, random_state=1)
    again = work(tmp_path, asked(written(tmp_path, shuffled)), chapters=CHAPTERS[:3])
    plain = work(tmp_path / "b", asked(written(tmp_path / "b", lines(scale=SCALE // 2))), chapters=CHAPTERS[:3])

    assert [digest(again.plans[stem]) for stem in again.plans] == [digest(plain.plans[stem]) for stem in plain.plans]


@pytest.mark.parametrize(
    ("file", "target"),
    [
        # Each is the case's sum of 2025 and the growth asked for, in minor units.
        ("params.yml", None),
        pytest.param("params13.yml", None, marks=pytest.mark.slow),
        pytest.param("params13b.yml", None, marks=pytest.mark.slow),
        pytest.param("params1e9.yml", None, marks=pytest.mark.slow),
        pytest.param("params26e7.yml", None, marks=pytest.mark.slow),
        ("params2e8.yml", 7_183_372_020_000_000),
        pytest.param("params4e8.yml", None, marks=pytest.mark.slow),
    ],
)
def test_the_rupiah_cases_are_planned_exactly(tmp_path, file, target):
    folder = field.case("04-rupiah-size", tmp_path)
    told = yaml.safe_load((folder / file).read_text())
    orders = pd.read_csv(folder / told["data"]["orders"]["file"], dtype=str)
    sold = sum(int(text.replace(".", "")) for text in orders.loc[orders["date"].str[:4] == "2025", "revenue"])
    percent = round(told["strategy"]["growth"] * 100)
    made = work(folder, told, chapters=CHAPTERS[:5] if file != "params.yml" else CHAPTERS)

    right = (sold * (100 + percent) + 50) // 100
    assert right == (target or right)
    assert {sum(map(int, plan["amount"])) for stem, plan in made.plans.items() if stem != "07-budget"} == {right}


def test_beyond_one_message_names_the_limit(tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    params = tmp_path / "params"
    content = asked(written(params, lines(scale=2 * SCALE)), run="big")
    (params / "big.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    ended = planlib("run", params / "big.yml", "--reports", tmp_path / "reports", "--quiet")

    assert ended.code == 3 and not (tmp_path / "reports" / "big").exists()
    assert ended.err.count("92,233,720,368,547,758.07 IDR") == 1 and "decimals: 0" in ended.err and "thousands" in ended.err


def test_a_growth_beyond_is_refused_too(tmp_path):
    more = {"strategy": {"growth": 1.0}}
    with pytest.raises(tables.ParameterError, match="at most 9,223,372,036,854,775,807 minor units"):
        work(tmp_path, asked(written(tmp_path, lines("2025-12")), **more), chapters=CHAPTERS[:1])


def test_a_number_that_a_float_cannot_keep_is_refused(tmp_path):
    for folder in ("notebooks", "params"):
        (tmp_path / folder).mkdir()
    from planlib.run import params

    text = yaml.safe_dump(asked("orders.csv")).replace("growth: 0.75", "target: {}")
    path = tmp_path / "params" / "a.yml"
    path.write_text(text.format("80000000000000001.07"))
    with pytest.raises(tables.ParameterError, match="at most 15 digits"):
        params.load(path)
    path.write_text(text.format("80000000000000001"))
    assert params.load(path).parameters["strategy"]["target"] == 80_000_000_000_000_001
