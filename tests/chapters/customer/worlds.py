"""Small companies of any history for chapter 06: their orders, their stored tables, the chapter's notebook run on them."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from planlib import plan as tables
from planlib.chapters import customer
from planlib.data.sources import Tables
from planlib.estimates.windows import Coverage, span_of
from planlib.lp import split
from planlib.periods import Horizon
from planlib.plan import EVERYTHING
from tests.conftest import ROOT

DIMS = ["region", "product", "channel"]
INDUSTRIES = ["Hotels", "Offices", "Schools", "Clinics"]


def orders_of(first: str, last: str, seed: int = 1, count: int = 40, lost: Sequence[str] = ()) -> pd.DataFrame:
    """Orders of `count` customers: a third there from the start, the others come month by month, some fall silent for good.

    One line an order; a few returns. The months `lost` have no rows. Columns as the data dictionary's, date as text.
    """
    rng = np.random.default_rng(seed)
    months = span_of(first, last)
    rows = []
    for number in range(count):
        start = 0 if number % 3 == 0 else int(rng.integers(0, len(months)))
        end = len(months) if rng.random() < 0.7 else int(rng.integers(start + 1, len(months) + 1))
        rate, size = rng.uniform(0.3, 0.9), int(rng.integers(1_000, 60_000))
        for month in months[start:end]:
            if rng.random() < rate or month == months[start]:
                amount = size + int(rng.integers(0, 5_000))
                day, product = int(rng.integers(1, 28)), "AB"[int(rng.integers(0, 2))]
                rows.append((f"{month}-{day:02d}", f"c{number:03d}", product, amount))
                if rng.random() < 0.03:
                    rows.append((f"{month}-28", f"c{number:03d}", product, -amount // 2))
    frame = pd.DataFrame(rows, columns=["date", "customer", "product", "revenue"])
    frame["region"] = np.where(frame["customer"].str[-1].isin(list("02468")), "North", "South")
    frame = frame[~frame["date"].str[:7].isin(lost)].reset_index(drop=True)
    return frame.assign(order_id=[f"o{place}" for place in range(len(frame))], channel="Shop", quantity=1.0)


class World:
    """A company's orders, stored as a run stores them, and the plan of its months."""

    def __init__(self, folder: Path, orders: pd.DataFrame, as_of: str, growth: float = 0.1, named: bool = True) -> None:
        self.orders = orders if named else orders.assign(customer=EVERYTHING)
        self.horizon = Horizon(2026, 1, date.fromisoformat(as_of))
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        stored = pa.table(
            {
                **{name: pa.array(self.orders[name]) for name in ("order_id", "region", "product", "channel", "customer")},
                "date": pa.array([date.fromisoformat(day) for day in self.orders["date"]], pa.date32()),
                "quantity": pa.array(self.orders["quantity"]),
                "revenue": pa.array(self.orders["revenue"].astype("int64")),
            }
        )
        self.inputs = {"orders": folder / "orders.parquet"}
        pq.write_table(stored, self.inputs["orders"])
        if named:
            names = sorted(set(orders["customer"]))
            industry = [INDUSTRIES[place % 4] for place in range(len(names))]
            city = [f"City {place % 7}" for place in range(len(names))]
            firms = pd.DataFrame({"customer": names, "region": "", "industry": industry, "size": "", "city": city, "need": ""})
            self.inputs["customers"] = folder / "customers.parquet"
            pq.write_table(pa.Table.from_pandas(firms, preserve_index=False), self.inputs["customers"])
        self.tables = Tables(self.inputs)
        self.target = round(self.money(span_of("2025-01", "2025-12")) * (1 + growth))
        self.plan = self._plan()

    def money(self, months: Sequence[str], customers: Sequence[str] | None = None) -> int:
        """What these customers (all) brought in these months, from the raw orders."""
        inside = self.orders["date"].str[:7].isin(list(months))
        if customers is not None:
            inside &= self.orders["customer"].isin(list(customers))
        return int(self.orders.loc[inside, "revenue"].sum())

    def bought_before(self, day: str) -> pd.DataFrame:
        """Customers with a purchase before a day: customer, first, last."""
        found = self.orders[(self.orders["date"] < day) & (self.orders["revenue"] > 0)]
        return found.groupby("customer")["date"].agg(first="min", last="max").reset_index()

    def _plan(self) -> pd.DataFrame:
        """Closed months as booked, the rest of the target in equal months over last year's cells."""
        horizon = self.horizon
        marked = self.orders.assign(month=self.orders["date"].str[:7]).rename(columns={"revenue": "amount"})
        booked = tables.rollup(marked[marked["month"].isin(horizon.closed)], [*DIMS, "month"])
        left = max(0, self.target - int(booked["amount"].sum()))
        mix = tables.rollup(marked, DIMS).rename(columns={"amount": "weight"})
        mix["weight"] = mix["weight"].clip(lower=1)
        if not horizon.open:
            return tables.canonical(booked.astype({"amount": "int64"}))
        each = tables.proportional(tables.company(left), pd.DataFrame({"month": horizon.open, "weight": 1}), "month")
        ahead = tables.proportional(each, mix, DIMS)
        return tables.canonical(pd.concat([booked, ahead], ignore_index=True).astype({"amount": "int64"}))


def planned(world: World, parameters: customer.Parameters) -> SimpleNamespace:
    """The chapter's steps up to the split, as its notebook takes them, without lifetime values."""
    stored, horizon = world.tables, world.horizon
    everyone = stored.orders(["customer"])
    coverage = Coverage.of(stored.orders(["month"])["month"], f"{horizon.as_of:%Y-%m}")
    seen = customer.known(coverage, everyone, horizon)

    def known(month: str) -> pd.DataFrame:
        return stored.customers(until=f"{pd.Timestamp(f'{month}-01') - pd.Timedelta(days=1):%Y-%m-%d}")

    before, now = customer.grouped(known, everyone, seen, parameters)
    span = {"since": horizon.last_year[0], "until": horizon.last_year[-1]}
    last_year = stored.orders([*DIMS, "segment"], **span, groups=before)[[*DIMS, "segment", "amount"]]
    booked = None
    if horizon.closed:
        keys = [*DIMS, "month", "segment"]
        booked = stored.orders(keys, since=horizon.closed[0], until=horizon.closed[-1], groups=now)[[*keys, "amount"]]
    people = customer.people(stored, horizon, now, parameters)
    ground = customer.ground(customer.spending(stored, horizon, seen), before, now, seen, parameters)
    target, industries = int(world.plan["amount"].sum()), customer.industries(people, parameters, seen.change)
    key = customer.key_revenue(stored, people, industries, horizon)
    cities = customer.opened(stored, people, coverage, horizon)
    floors = customer.floors(world.plan, industries, key, cities, ground, horizon, parameters)
    bridge = customer.bridge(customer.existing(ground, parameters), floors, ground, target, parameters, booked)
    past = customer.past(stored, horizon, everyone, now, seen, parameters)
    own = customer.months_of_groups(past, horizon, seen)
    flat = pd.DataFrame({"segment": sorted(set(now["segment"])), "factor": 1.0})
    trend = customer.outlook(past, own, horizon)
    drivers = customer.build(world.plan, last_year, trend, flat, own, bridge, booked, horizon, parameters)
    result = split(world.plan, "segment", drivers.weights, parameters.rules, parameters.locks, last_year, booked)
    asked = customer.targets(result.plan, bridge, ground, people, [], key, 100, horizon, parameters)
    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "world"})


def notebook(world: World, monkeypatch: pytest.MonkeyPatch, **parameters: Any) -> SimpleNamespace:
    """Notebook 06 run on a world, cell by cell: its items (`said`, `left_out`, `notes`, `tables` by title) and its names."""
    run = world.folder / "run"
    (run / "plan").mkdir(parents=True)
    world.plan.to_parquet(run / "plan" / "05-time.parquet", index=False)
    settings = {
        "run": "made-up",
        "settings": {
            "currency": "EUR",
            "language": "en",
            "year": 2026,
            "fiscal_start": 1,
            "as_of": f"{world.horizon.as_of}",
        },
        "inputs": {name: {"parquet": str(path)} for name, path in world.inputs.items()},
        "parameters": {"customer": {}},
        "baseline": None,
    }
    (run / "run.json").write_text(json.dumps(settings))
    items: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "planlib.workbook.chapter.display", lambda bundle, raw: items.append(bundle["application/vnd.planlib.v1+json"])
    )
    monkeypatch.chdir(ROOT)
    given = {**customer.Parameters(**parameters).model_dump(), "run": str(run)}
    names: dict[str, Any] = {}
    for cell in json.loads((ROOT / "notebooks" / "06-customer.ipynb").read_text(encoding="utf-8"))["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            names.update(given)
        elif cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)

    def texts(kind: str) -> list[str]:
        return [item["text"] for item in items if item["kind"] == kind]

    shown = {
        item["title"]: pd.DataFrame(item["rows"], columns=[column["name"] for column in item["columns"]])
        for item in items
        if item["kind"] == "table"
    }
    return SimpleNamespace(
        said=texts("say")[0], notes=texts("note"), left_out=texts("left_out"), tables=shown, names=names, items=items
    )
