"""Plans made before last year has closed, and orders that lack a month: the cases from the field, and a plan made again.

Right values: cases/README.md (the company without a fault sold 326,516.91 in 2025, at +10% the target is 359,168.60), and sums
of the orders files themselves.
"""

import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from planlib.data.ingest import ingest
from planlib.errors import InputDataError
from planlib.run import params
from planlib.run.chain import CHAPTERS
from planlib.run.doors import Doors, mappings
from tests.chain.in_process import Worked, work
from tests.conftest import ROOT

PLACES = (ROOT.parent / "shared" / "cases", ROOT.parent.parent / "shared" / "cases")
WHOLE, TARGET = 32_651_691, 35_916_860  # cents
FIRST, MONTHS = CHAPTERS[:1], CHAPTERS[:5]


def case(name: str, folder: Path, **changed: Any) -> dict[str, Any]:
    """A case's first params file, its orders copied into `folder`."""
    found = next((place / name for place in PLACES if (place / name).is_dir()), None)
    if found is None:
        pytest.skip(f"the cases from the field are not beside this repository (../shared/cases/{name})")
    shutil.copy(found / "orders.csv", folder / "orders.csv")
    return {**yaml.safe_load((found / "params.yml").read_text(encoding="utf-8")), **changed}


def sold(folder: Path) -> pd.Series:
    """Cents by month, from the file."""
    orders = pd.read_csv(folder / "orders.csv", dtype=str)
    return (orders["revenue"].astype(float) * 100).round().astype("int64").groupby(orders["date"].str[:7]).sum()


def target(worked: Worked) -> int:
    return int(worked.plans["01-strategy"]["amount"].sum())


def asked_door(folder: Path, asked: dict[str, Any]) -> list[str]:
    """What the chain says of missing months before any chapter starts."""
    for name in ("notebooks", "params"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "asked.yml").write_text(yaml.safe_dump(asked), encoding="utf-8")
    settings = params.load(folder / "asked.yml")
    ingested, _ = ingest(mappings(settings.data), settings.currency, folder / "inputs")
    return Doors().months(settings, ingested)


@pytest.fixture(scope="module")
def november(tmp_path_factory: pytest.TempPathFactory) -> Worked:
    """Case 09 as it can be planned in November."""
    folder = tmp_path_factory.mktemp("november")
    return work(folder, case("09-planned-in-november", folder, as_of=date(2025, 10, 31)))


def test_a_plan_made_in_november_stands_on_ten_months_sold_and_two_expected(november: Worked):
    assert target(november) == pytest.approx(TARGET, rel=0.005)
    months = november.table("05-time", "Months of the plan year").set_index("month")
    booked = sold(november.folder.parent)
    for month in [f"{n:02}" for n in range(1, 11)]:
        assert months.loc[f"2026-{month}", "last_year"] == booked[f"2025-{month}"]
    assert months["last_year_is"].tolist() == ["sold"] * 10 + ["expected"] * 2
    assert int(months["last_year"].sum()) == pytest.approx(WHOLE, rel=0.005)
    # the plain company grows alike in every month: so do the months that lie more than a year ahead
    assert months["growth"].tolist() == pytest.approx([0.10] * 12, abs=0.001)
    for stem, plan in november.plans.items():
        assert stem == "07-budget" or int(plan["amount"].sum()) == target(november)


def test_every_chapter_names_that_base_wherever_it_compares(november: Worked):
    said = re.compile(r"months sold, 2 expected|of 12 months| known of ")
    for stem, items in november.items.items():
        assert "10 months sold, 2 expected" in items[0]["base"] and items[0]["as_of"] == "2025-10-31"
        assert any("as sold up to 2025-10" in item.get("text", "") for item in items), stem
        for item in items:
            texts = [str(item.get(name) or "") for name in ("text", "title", "label", "alt")]
            texts += [column["label"] for column in item.get("columns", [])]
            texts += [cell for row in item.get("rows", []) for cell in row if isinstance(cell, str)]
            texts += [item["compare"]["label"]] if item.get("compare") else []
            for text in texts:
                spoken = re.search(r"(?<!the )[Ll]ast year\b", text)
                assert not spoken or said.search(text), (stem, text)


def test_after_the_last_order_the_run_stops_before_it_starts_and_says_what_was_expected(tmp_path: Path, november: Worked):
    asked = case("09-planned-in-november", tmp_path)
    with pytest.raises(InputDataError) as stopped:
        asked_door(tmp_path, asked)
    for words in ("no line in 2025-11 and 2025-12", "EUR", "as_of: 2025-10-31", "missing_months: expect", "zero"):
        assert words in str(stopped.value)
    (told,) = asked_door(tmp_path, {**asked, "missing_months": "expect"})
    assert "as of 2025-10-31" in told
    same = work(tmp_path, {**asked, "missing_months": "expect"}, chapters=FIRST)
    assert target(same) == target(november)


def test_zero_says_that_nothing_was_sold_there(tmp_path: Path):
    worked = work(tmp_path, case("09-planned-in-november", tmp_path, missing_months="zero"), chapters=FIRST)
    assert target(worked) == round(1.1 * int(sold(tmp_path)["2025-01":"2025-12"].sum()))


def test_a_month_lost_inside_is_told_and_counts_as_expected(tmp_path: Path):
    asked = case("31-month-lost", tmp_path)
    (told,) = asked_door(tmp_path, asked)
    assert "no line in 2025-05" in told and "missing_months: zero" in told
    with pytest.raises(InputDataError, match="2025-05"):
        asked_door(tmp_path, {**asked, "missing_months": "stop"})
    worked = work(tmp_path, asked, chapters=MONTHS)
    assert target(worked) == pytest.approx(TARGET, rel=0.001)
    months = worked.table("05-time", "Months of the plan year").set_index("month")
    assert months.index[months["last_year_is"] == "expected"].tolist() == ["2026-05"]
    booked = sold(tmp_path)
    assert months.loc["2026-04", "last_year"] == booked["2025-04"] and months.loc["2026-06", "last_year"] == booked["2025-06"]


def test_a_shop_that_opens_in_april_has_its_months_joined_by_name(tmp_path: Path):
    asked = case("35-seasonal-shop", tmp_path)
    assert asked_door(tmp_path, asked) == []  # closed every winter: nothing is missing
    months = work(tmp_path, asked, chapters=MONTHS).table("05-time", "Months of the plan year").set_index("month")
    assert months.loc["2026-01", "naive"] == 0 and months.loc["2026-12", "naive"] == 0
    assert months.loc["2026-04", "naive"] == pytest.approx(2_916_885, rel=0.001)
    assert months.loc["2026-04", "last_year"] == sold(tmp_path)["2025-04"]


@pytest.mark.slow
def test_a_later_plan_says_what_the_months_sold_since_changed(tmp_path: Path, november: Worked):
    early, late = tmp_path / "early", tmp_path / "late"
    for folder in (early, late):
        folder.mkdir()
    summer = work(early, case("09-planned-in-november", early, as_of=date(2025, 8, 31)), chapters=MONTHS)
    worked = work(late, case("09-planned-in-november", late, as_of=date(2025, 10, 31)), baseline=summer, chapters=CHAPTERS[:4])
    months = worked.table("01-strategy", "What the months sold since changed").set_index("month")
    booked = sold(late)
    assert months["sold_since"].tolist() == [booked["2025-09"], booked["2025-10"], booked["2025-09"] + booked["2025-10"]]
    assert months.loc["all", "difference"] == months["difference"].iloc[:2].sum()
    for stem in ("02-region", "03-product", "04-channel"):
        moved = worked.table(stem, "What the months sold since changed")
        assert int(moved["difference"].sum()) == target(worked) - target(summer)
        assert int(moved["sold_since"].sum()) == months.loc["all", "sold_since"]
    assert any("the target asks for" in text and "the gap is" in text for text in worked.texts("01-strategy"))
