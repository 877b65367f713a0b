"""A whole year of plans, each on the one before: orders grow, a parameter changes, an order comes late.

Every comparison is worked out again from the orders file as it stood and from the plan tables as they were published.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from planlib import plan as tables
from planlib import workbook
from planlib.periods import months
from planlib.run import chain, params
from planlib.run.audit import audit
from planlib.run.kernels import Kernels
from tests.chain import tiny
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

QUARTERS = {"q1": "2025-12-31", "q2": "2026-03-31", "q3": "2026-06-30", "q4": "2026-09-30"}
FIRST = (
    "company: Tiny\nyear: 2026\ncurrency: EUR\nas_of: 2025-12-31\ndata: {orders: {file: orders.csv}}\nstrategy: {growth: 0.1}\n"
)
LATE = "late,2026-02-10,East,Pump,Web,C01,1,777.77"  # of a month that closed with the second quarter's plan
LATE_FROM, CHANGED_FROM = ("q3", "q4"), ("q3", "q4")
STEMS = ("01-strategy", "02-region", "03-product", "04-channel", "05-time", "06-customer")


class Told(chain.Progress):
    """What a run said, sentence by sentence."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def say(self, text: str) -> None:
        self.texts.append(text)


@dataclass
class Year:
    """The project, its published quarters, and the orders file as each quarter found it.

    The chain itself, with one template process for all its kernels; without the last chapter, which changes no plan, and
    without pages, which `test_sample_report.py` reads.
    """

    project: Path
    doors: chain.Doors = field(default_factory=lambda: chain.Doors(report=lambda folder: None, warm=lambda: None))

    def run(self, quarter: str, chapters: tuple[str, ...] = STEMS) -> tuple[Path, list[str]]:
        """Run a quarter's params file; its report's folder, and what was said."""
        told = Told()
        settings = params.load(self.project / "params" / f"{quarter}.yml")
        return chain.run(settings, chapters=chapters, doors=self.doors, progress=told), told.texts

    def folder(self, quarter: str) -> Path:
        return self.project / "reports" / quarter

    def plan(self, quarter: str, stem: str = "05-time") -> pd.DataFrame:
        return pd.read_parquet(self.folder(quarter) / "plan" / f"{stem}.parquet")

    def manifest(self, quarter: str) -> dict:
        return json.loads((self.folder(quarter) / "manifest.json").read_text(encoding="utf-8"))

    def sold(self, quarter: str) -> pd.Series:
        """Cents by region, product and month in the file as the quarter found it."""
        found = pd.Series(tiny.sold(self.project / "kept" / f"{quarter}.csv"))
        return found.rename_axis(["region", "product", "month"]).sort_index()

    def stood(self, quarter: str) -> pd.DataFrame:
        """Each month from the newest earlier plan in which it was open, straight from the published tables."""
        before = list(QUARTERS)[: list(QUARTERS).index(quarter)]
        parts = []
        for month in months(2026, 1):
            name = next(each for each in reversed(before) if QUARTERS[each][:7] < month)
            plan = self.plan(name)
            parts.append(plan[plan["month"] == month])
        return tables.canonical(pd.concat(parts, ignore_index=True))


@pytest.fixture(scope="module")
def year(tmp_path_factory) -> Iterator[Year]:
    project = tmp_path_factory.mktemp("year") / "project"
    shutil.copytree(ROOT / "notebooks", project / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for name in ("params", "kept"):
        (project / name).mkdir()
    shutil.copy2(ROOT / "requirements.lock", project)
    found = Year(project)
    with Kernels(project / "notebooks") as kernels, pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "_kernels", lambda way, stack: kernels)
        for number, (quarter, as_of) in enumerate(QUARTERS.items()):
            before = list(QUARTERS)[number - 1]
            text = FIRST if not number else f"extends: {before}.yml\nas_of: {as_of}\nbaseline: {before}.yml\n"
            text += "strategy: {target: 175000.0}\n" if quarter == CHANGED_FROM[0] else ""
            (project / "params" / f"{quarter}.yml").write_text(text, encoding="utf-8")
            tiny.write(project / "params" / "orders.csv", as_of[:7], *([LATE] if quarter in LATE_FROM else []))
            shutil.copy2(project / "params" / "orders.csv", project / "kept" / f"{quarter}.csv")
            assert found.run(quarter)[0] == found.folder(quarter)
        yield found


@pytest.mark.parametrize("quarter", QUARTERS)
def test_the_year_sums_to_its_target_and_closed_months_are_what_was_sold(year, quarter):
    sold, plan = year.sold(quarter), year.plan(quarter)
    last = int(sold[sold.index.get_level_values("month").str[:4] == "2025"].sum())
    # the growth asked for makes the year's first target, which stands until another one is stated
    target = 17_500_000 if quarter in CHANGED_FROM else last * 1.1
    closed = [month for month in months(2026, 1) if month <= QUARTERS[quarter][:7]]

    assert year.plan(quarter, "01-strategy")["amount"].sum() == pytest.approx(target, abs=0.51)
    for stem in STEMS:
        assert year.plan(quarter, stem)["amount"].sum() == year.plan(quarter, "01-strategy")["amount"].sum()
    actual = plan[plan["month"].isin(closed)].groupby(["region", "product", "month"])["amount"].sum()
    expected = sold[sold.index.get_level_values("month").isin(closed)]
    assert actual[actual != 0].to_dict() == expected.to_dict()


@pytest.mark.parametrize("quarter", ["q2", "q3", "q4"])
def test_each_closed_month_is_held_against_the_plan_before_it_closed(year, quarter, monkeypatch):
    folder = year.folder(quarter)
    settings = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    chapter = workbook.Chapter("05-time", folder, settings, None, year.project)

    pd.testing.assert_frame_equal(chapter.stood_before("05-time"), year.stood(quarter))


@pytest.mark.parametrize("quarter", ["q2", "q3", "q4"])
def test_incentives_are_released_against_the_plan_before_each_month_closed(year, quarter):
    shown = pd.read_parquet(year.folder(quarter) / "tables" / "02-region" / "incentive-released-by-the-closed-months.parquet")
    closed = [month for month in months(2026, 1) if month <= QUARTERS[quarter][:7]]
    stood, sold = year.stood(quarter), year.sold(quarter)
    planned = stood[stood["month"].isin(closed)].groupby("region")["amount"].sum()
    booked = sold[sold.index.get_level_values("month").isin(closed)].groupby("region").sum()
    shown = shown.set_index("region")

    assert shown["planned"].to_dict() == planned.to_dict()
    assert shown["booked"].to_dict() == booked.to_dict()
    assert shown["month_attained"].to_dict() == pytest.approx((booked / planned).to_dict())


def test_a_late_order_is_in_later_plans_and_in_no_earlier_one(year):
    cell = ("East", "Pump", "2026-02")
    late = {quarter: year.sold(quarter).get(cell, 0) for quarter in ("q2", "q3")}
    planned = {
        quarter: year.plan(quarter).set_index(["region", "product", "month"])["amount"].sort_index().loc[[cell]].sum()
        for quarter in QUARTERS
    }

    assert late["q3"] - late["q2"] == 77_777
    assert planned["q2"] == late["q2"] and planned["q3"] == planned["q4"] == late["q3"]
    assert planned["q1"] not in (late["q2"], late["q3"])  # what was planned, and stays what the month is held against
    stood = year.stood("q4").set_index(["region", "product", "month"])["amount"].sort_index()
    assert stood.loc[[cell]].sum() == planned["q1"]


def test_each_plan_names_the_one_it_follows_and_tells_what_has_changed_since(year):
    for before, quarter in (("q1", "q2"), ("q2", "q3"), ("q3", "q4")):
        said = json.loads((year.folder(quarter) / "run.json").read_text(encoding="utf-8"))["baseline"]
        assert said["path"] == f"reports/{before}" and said["key"] == year.manifest(before)["key"]
        assert said["told"] == [f"{before} stays the plan in force, though since it was made there changed: inputs (orders)."]
        assert year.manifest(quarter)["baseline"]["key"] == year.manifest(before)["key"]
    keys = {quarter: year.manifest(quarter)["key"] for quarter in QUARTERS}
    assert len(set(keys.values())) == 4
    assert len({year.manifest(quarter)["baseline"]["digest"] for quarter in ("q2", "q3", "q4")}) == 3


def test_a_second_firing_does_nothing(year):
    folder, said = year.run("q4")

    assert folder == year.folder("q4") and any("nothing to do" in text for text in said)
    assert sorted(path.name for path in (year.project / "reports").glob("q*")) == list(QUARTERS)


def test_an_audit_names_the_inputs_of_every_plan_that_stood_before(year):
    told: list[str] = []
    code = audit(year.folder("q4"), root=year.project, chapters=STEMS, doors=year.doors, tell=told.append)

    assert code == 2, told
    for quarter in ("q1", "q2", "q3"):
        assert any(f"{quarter}: orders: not comparable: params/orders.csv is not the bytes it was" in line for line in told)
    assert not any(line.startswith("q4: orders") for line in told)


def test_a_plan_of_the_year_that_is_gone_is_told_and_makes_another_key(year, tmp_path):
    there = Year(Path(shutil.copytree(year.project, tmp_path / "project", symlinks=True)), year.doors)
    shutil.rmtree(there.project / "reports" / "q1")
    folder, said = there.run("q4", chapters=STEMS[:1])  # the first chapter is enough for its key

    assert any("report q1, which stood before q2, is not there any more" in text for text in said)
    assert folder.name == "q4.2"
    first = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert first["baseline"]["digest"] != year.manifest("q4")["baseline"]["digest"]
    assert first["chapters"]["01-strategy"]["key"] != year.manifest("q4")["chapters"]["01-strategy"]["key"]
