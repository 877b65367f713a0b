"""A company that sells the same every month, seen through histories that are short, cut, paused or incomplete.

Whatever the history shows, nothing grows, is won or is lost, and next year is like every year: each cell's plan is its monthly
rate times the months, known by hand. What cannot be known of growth, stages or retention may be missing, never wrong.
"""

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest

from planlib import plan as tables
from planlib.estimates.windows import span_of
from planlib.periods import months
from tests.chain.in_process import Worked, orders_csv, work

# What each region, product and channel sells in every month it is open, in whole units; each cell has its own two customers.
PARTS = ({"East": 2, "North": 1, "South": 1}, {"Filter": 3, "Heater": 2}, {"Shop": 1, "Web": 1})
RATES = {cell: 100 * math.prod(map(dict.__getitem__, PARTS, cell)) for cell in itertools.product(*PARTS)}


@dataclass(frozen=True)
class World:
    """A history: its first and last month, months lost or closed, and members that start or end."""

    first: str
    last: str
    lost: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()  # calendar months without sales, every year
    starts: dict[str, str] = field(default_factory=dict)  # region or product: first month
    ends: dict[str, str] = field(default_factory=dict)  # region or product: last month
    year: int = 2026
    near: float = 0.02  # a member that starts or ends is believed by and by

    @property
    def two_years(self) -> bool:
        return self.first <= f"{self.year - 2}-01" and not self.lost

    def sells(self, cell: tuple[str, ...], month: str) -> bool:
        alive = all(self.starts.get(name, "") <= month <= self.ends.get(name, "9999") for name in cell)
        return alive and month[5:] not in self.closed

    def lines(self) -> pd.DataFrame:
        rows = []
        for month in span_of(self.first, self.last):
            if month in self.lost:
                continue
            for cell, rate in RATES.items():
                if self.sells(cell, month):
                    for half in (1, 2):
                        rows.append(
                            (f"{month}-{7 * half:02d}", *cell, f"{'-'.join(cell)} {half}", rate // 100, rate / 2, rate / 4)
                        )
        return pd.DataFrame(rows, columns=["date", "region", "product", "channel", "customer", "quantity", "revenue", "cost"])


WORLDS = {
    "3 months": World("2025-10", "2025-12"),
    "6 months": World("2025-07", "2025-12"),
    "11 months": World("2025-02", "2025-12"),
    "13 months": World("2024-12", "2025-12"),
    "18 months": World("2024-07", "2025-12"),
    "25 months": World("2023-12", "2025-12"),
    "three years": World("2023-01", "2025-12"),
    "a month lost": World("2023-01", "2025-12", lost=("2025-05",)),
    "a month lost the year before": World("2023-01", "2025-12", lost=("2024-08",)),
    "a closed season": World("2023-01", "2025-12", closed=("01", "02")),
    "6 months of the plan year": World("2023-01", "2026-06"),
    "8 months, 2 of them of the plan year": World("2025-07", "2026-02"),
    "a closed season, planned in it": World("2023-01", "2026-02", closed=("01", "02")),
    "a product starts in July": World("2023-01", "2025-12", starts={"Heater": "2025-07"}, near=0.15),
    "a region starts in July": World("2023-01", "2025-12", starts={"East": "2025-07"}, near=0.12),
    "a channel starts in the plan year": World("2023-01", "2026-03", starts={"Web": "2026-01"}, near=0.25),
    "a product ends in March": World("2023-01", "2025-12", ends={"Heater": "2025-03"}, near=0.05),
    "a region ends in the plan year": World("2023-01", "2026-06", ends={"North": "2026-01"}, near=0.1),
}
FAST = ("6 months", "a month lost")


def wanted(world: World) -> dict[tuple[str, ...], int]:
    """Cents of each cell and month of the plan year."""
    return {
        (*cell, month): 100 * rate for cell, rate in RATES.items() for month in months(world.year) if world.sells(cell, month)
    }


def told(world: World, tmp_path) -> Worked:
    mapping = orders_csv(tmp_path / "orders.csv", world.lines())
    as_of = pd.Period(world.last, freq="M").end_time.date()
    asked: dict[str, Any] = {
        "company": "Flat", "year": world.year, "currency": "EUR", "as_of": as_of,
        "data": {"orders": mapping},
        "strategy": {"growth": 0.0},
    }  # fmt: skip
    if world.starts or world.ends:  # no year to grow from: what the months to come sell is stated
        asked["strategy"]["target"] = sum(wanted(world).values()) / 100
    return work(tmp_path, asked)


@pytest.mark.parametrize("name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in WORLDS])
def test_a_flat_company_is_planned_flat_and_nothing_is_said_to_move(name, tmp_path):
    world = WORLDS[name]
    worked = told(world, tmp_path)
    right_cells = wanted(world)

    plan = worked.plans["05-time"]
    assert plan["amount"].sum() == pytest.approx(sum(right_cells.values()), rel=1e-6)
    levels = [["region"], ["product"], ["channel"], ["region", "product", "channel"]]
    # The first months of a member that starts are not yet told from a season of the company's.
    levels += [] if world.starts else [["month"], ["region", "product", "channel", "month"]]
    for dims in levels:
        found = tables.rollup(plan, dims).set_index(dims)["amount"]
        places = [("region", "product", "channel", "month").index(dim) for dim in dims]
        right = pd.Series({tuple(key[at] for at in places): 0 for key in right_cells})
        for key, amount in right_cells.items():
            right[tuple(key[at] for at in places)] += amount
        if len(dims) == 1:
            right.index = [key[0] for key in right.index]
        both = pd.concat([found, right], axis=1, keys=["found", "right"]).fillna(0)
        off = both[
            (both["found"] - both["right"]).abs()
            > world.near * both["right"].clip(lower=both["right"].mean() * (1 if world.ends else 0)) + 2
        ]
        assert off.empty, f"{dims}: {off.head(12)}"
    if not world.starts and not world.ends:
        assert not moved(worked, world), "\n".join(moved(worked, world))


GROWS = ("growth", "change", "gain", "drift", "trend_effect", "stage_effect", "season_effect")
FULL = ("retention", "attainment")
NEVER = ("inf%", "nan", "introduction", "New customers won", "Dormant: ")


def moved(worked: Worked, world: World) -> list[str]:
    """Every growth that is neither none nor missing, every whole that is not 1, every stage of a company in motion.

    Where two whole years are not known, what customers stay is the parameter `retention`, and groups move by it.
    """
    faults = []
    for stem, items in worked.items.items():
        for item in items:
            if item["kind"] != "table":
                continue
            names = [column["name"] for column in item["columns"]]
            for (at, name), row in itertools.product(enumerate(names), item["rows"]):
                value, nobody = row[at], "customers" in names and row[names.index("customers")] == 0
                number = isinstance(value, (int, float)) and not isinstance(value, bool)
                if number and not math.isfinite(value):
                    faults.append(f"{stem}, {item['title']}, {name}: {value}")
                # Whole cents leave a flat company off by less than this.
                if number and name in GROWS and abs(value) > 0.02 and not (stem == "06-customer" and not world.two_years):
                    faults.append(f"{stem}, {item['title']}, {row[0]}, {name}: {value}")
                if number and name in FULL and abs(value - 1) > 0.02:
                    faults.append(f"{stem}, {item['title']}, {row[0]}, {name}: {value}")
                if name == "stage" and not nobody and value in ("introduction", "growth", "decline", "exit"):
                    faults.append(f"{stem}, {item['title']}, {row[0]}, {name}: {value}")
        faults += [f"{text}" for text in worked.texts(stem) if any(word in text for word in NEVER)]
    return faults
