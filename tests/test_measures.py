"""What rules on ratios measure: columns of a company's tables, per unit of money; expected values by hand."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from planlib import plan as tables
from planlib.data.files import TableMapping
from planlib.data.ingest import ingest
from planlib.data.sources import Tables
from planlib.errors import ParameterError
from planlib.lp import Rule, split
from planlib.workbook import Chapter
from planlib.workbook.measures import measured
from tests.chain.tiny import HEAD
from tests.conftest import ROOT
from tests.test_notebooks import cells

AS_OF = date(2025, 12, 31)
SOLD = {
    "region": pd.DataFrame({"region": ["East", "North"], "amount": [80_000_00, 20_000_00]}),
    "channel": pd.DataFrame({"channel": ["Online", "Shops"], "amount": [50_000_00, 50_000_00]}),
}
STAFF = pd.DataFrame(
    {
        "person": list("abcdef"),
        "region": ["East", "East", "East", "North", "North", "North"],
        "hired": pd.to_datetime(["2020-01-01"] * 5 + ["2026-02-01"]),
        "left": pd.to_datetime([None, "2025-06-30", None, None, None, None]),
    }
)


def stored(folder: Path, **frames: pd.DataFrame) -> Tables:
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")
    return Tables({name: folder / f"{name}.parquet" for name in frames})


def ratio(**words) -> Rule:
    return Rule(**{"name": "r", "unit": "ratio", "max": 1.0, **words})


def test_people_count_per_major_unit_of_last_years_money(tmp_path):
    # East: three hired, one left, 2 people on 80 thousand; North: two there, one comes later, 2 on 20 thousand.
    found = measured([ratio(measure="staff.people")], stored(tmp_path, staff=STAFF), SOLD.get, AS_OF, 2)

    assert found.set_index("region")["staff.people"].to_dict() == pytest.approx({"East": 2 / 80_000, "North": 2 / 20_000})


def test_a_part_of_last_year_is_no_whole_one(tmp_path, monkeypatch):
    """Sales are even: people per unit of a year's money are the same, whether orders know three months or twelve."""
    found, told = {}, []
    monkeypatch.setattr(Chapter, "left_out", lambda chapter, text: told.append(text))
    for known in (12, 3):
        days = [f"2025-{month:02d}-15" for month in range(13 - known, 13)]
        lines = [
            f"{region}{day},{day},{region},P,C,K,1,{amount}" for day in days for region, amount in (("A", 800), ("B", 200))
        ]
        (tmp_path / "orders.csv").write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
        (tmp_path / "regions.csv").write_text("region,population,gdp,income\nA,4800,1,1\nB,4800,1,1\n", encoding="utf-8")
        mappings = {name: TableMapping(file=str(tmp_path / f"{name}.csv")) for name in ("orders", "regions")}
        inputs, _ = ingest(mappings, "EUR", tmp_path / "store")
        header = {"currency": "EUR", "language": "en", "as_of": "2025-12-31", "year": 2026, "fiscal_start": 1}
        settings = {"settings": header, "inputs": {name: {"parquet": str(each.parquet)} for name, each in inputs.items()}}
        chapter = Chapter("02-region", tmp_path, settings, None, tmp_path)
        chapter.rules = [ratio(measure="regions.population")]
        found[known] = chapter.measures.set_index("region")["regions.population"].to_dict()

    assert found[12] == found[3] == pytest.approx({"A": 4800 / (12 * 800), "B": 4800 / (12 * 200)})
    assert len(told) == 1 and "known for 3 of 12 months (2025-10 to 2025-12)" in told[0]


def test_a_rate_is_taken_as_it_is_and_a_price_in_major_units(tmp_path):
    channels = pd.DataFrame({"channel": ["Online", "Shops"], "price_low": [0.9, 0.7], "capacity": [100_000_00, 25_000_00]})
    rules = [ratio(measure="channels.price_low"), ratio(name="s", measure="channels.capacity")]
    found = measured(rules, stored(tmp_path, channels=channels), SOLD.get, AS_OF, 2).set_index("channel")

    assert found["channels.price_low"].to_dict() == {"Online": 0.9, "Shops": 0.7}
    # Money over money has no unit: 100 thousand on 50, 25 on 50.
    assert found["channels.capacity"].to_dict() == {"Online": 2.0, "Shops": 0.5}


def test_measures_of_two_dimensions_stand_in_one_table(tmp_path):
    given = stored(tmp_path, staff=STAFF, channels=pd.DataFrame({"channel": ["Online", "Shops"], "price_low": [0.9, 0.7]}))
    found = measured([ratio(measure="staff.people"), ratio(name="s", measure="channels.price_low")], given, SOLD.get, AS_OF, 0)

    assert len(found) == 4 and {"region", "channel", "staff.people", "channels.price_low"} == set(found.columns)


def test_a_rule_on_people_moves_the_plan_as_far_as_it_asks(tmp_path):
    # 2 / 80 and 2 / 20 people per thousand; the drivers' half and half carries .0625, at most .05 is asked:
    # .025 e + .1 (1 - e) = .05, e = 2/3.
    rule = ratio(measure="staff.people", max=0.05 / 1000)
    measures = measured([rule], stored(tmp_path, staff=STAFF), SOLD.get, AS_OF, 2)
    weights = pd.DataFrame({"region": ["East", "North"], "weight": [1.0, 1.0]})
    found = split(tables.company(90_000_00), "region", weights, [rule], measures=measures)

    assert found.plan.set_index("region")["amount"]["East"] == pytest.approx(60_000_00, abs=200)
    assert found.rules["found"].iloc[0] <= 0.05 / 1000 + 1e-12


def test_without_a_ratio_there_is_nothing_to_measure(tmp_path):
    assert measured([Rule(name="x", max=0.5)], stored(tmp_path), SOLD.get, AS_OF, 2) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"measure": "heads"}, "expected table.column of one of the tables"),
        ({"measure": "regions.gdp"}, "bring the table"),
        ({"measure": "staff.heads"}, "no number 'heads', expected one of"),
        ({"measure": "staff.people", "per": "staff.left"}, "no number 'left'"),
    ],
)
def test_a_measure_that_no_table_has_is_named(tmp_path, words, says):
    with pytest.raises(ParameterError, match=says):
        measured([ratio(**words)], stored(tmp_path, staff=STAFF), SOLD.get, AS_OF, 2)


@pytest.mark.parametrize("stem", [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))])
def test_every_notebook_that_splits_hands_its_measures_on(stem):
    splitting = [line for cell in cells(stem, "code") for line in cell.splitlines() if "split(" in line]

    assert all("chapter.measures" in line for line in splitting)
