"""The sample company's two quarters, from orders to report."""

import itertools
import json
from pathlib import Path

import pandas as pd
import pytest

from planlib import plan as tables
from planlib.data.sources import Tables
from planlib.run.chain import CHAPTERS
from tests.conftest import planlib

SPLITS = ["01-strategy", "02-region", "03-product", "04-channel", "05-time", "06-customer"]


def plan(folder: Path, stem: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "plan" / f"{stem}.parquet")


@pytest.mark.parametrize("run", ["2026Q1", "2026Q2"])
def test_every_chapter_ties_out_in_every_order_of_dimensions(sample_reports, run):
    folder = sample_reports / run
    deepest = plan(folder, "06-customer")
    for parent, child in itertools.pairwise(SPLITS):
        assert tables.residuals(plan(folder, parent), plan(folder, child)).empty
    # Each order of the five dimensions is a way from the company to the cell over sets of them, one dimension at a time:
    # if every such step sums, every order does. Where a chapter planned a set, its table is the one that sums.
    planned = {frozenset(tables.level(plan(folder, stem))): plan(folder, stem) for stem in SPLITS}
    sums = {
        frozenset(some): tables.rollup(deepest, some)
        for count in range(6)
        for some in itertools.combinations(tables.DIMENSIONS, count)
    }
    for above, below in itertools.permutations(sums, 2):
        if above < below and len(below) == len(above) + 1:
            assert tables.residuals(sums[above], sums[below]).empty
    assert all(tables.digest(planned[some]) == tables.digest(sums[some]) for some in planned)
    assert len(sums) == 32 and len(planned) == 6


@pytest.mark.parametrize("run", ["2026Q1", "2026Q2"])
def test_budget_lines_and_reserve_sum_to_the_budget(sample_reports, run):
    folder = sample_reports / run
    lines = plan(folder, "07-budget")
    target = int(plan(folder, "01-strategy")["amount"].sum())

    assert lines["amount"].sum() == round(target * 0.12)  # params/2026Q1.yml: marketing_ratio
    # A region's risk reserve is a part of the reserve (REG-6, BUD-4).
    held = lines["pool"].isin(["reserve", "region risk reserve"])
    assert lines.loc[held, "amount"].sum() == round(round(target * 0.12) * 0.10)


def test_the_target_is_last_year_with_the_growth_asked_for(sample_reports):
    orders = pd.read_csv("data/sample/orders.csv", dtype=str)
    cents = orders["revenue"].str.replace(".", "", regex=False).astype(int)  # two decimals on every line
    last = int(cents[orders["date"].str.startswith("2025")].sum())

    assert orders["revenue"].str.fullmatch(r"-?\d+\.\d\d").all()
    assert plan(sample_reports / "2026Q1", "01-strategy")["amount"].tolist() == [round(last * 1.30)]
    assert plan(sample_reports / "2026Q2", "01-strategy")["amount"].tolist() == [round(last * 1.30)]


def test_closed_months_are_the_orders_to_the_cent(sample_reports):
    orders = pd.read_csv("data/sample/orders.csv", dtype=str, keep_default_na=False)
    orders["month"] = orders["date"].str[:7]
    orders["amount"] = orders["revenue"].str.replace(".", "", regex=False).astype(int)
    closed = orders[orders["month"].between("2026-01", "2026-03")]
    actual = closed.groupby(["region", "product", "channel", "month"])["amount"].sum()
    months = plan(sample_reports / "2026Q2", "05-time")
    planned = months[months["month"] <= "2026-03"].set_index(["region", "product", "channel", "month"])["amount"]

    both = pd.concat([actual, planned], axis=1, keys=["actual", "planned"]).fillna(0)
    assert (both["actual"] == both["planned"]).all()


@pytest.mark.parametrize("run", ["2026Q1", "2026Q2"])
def test_promotion_is_proposed_for_what_is_still_to_be_sold(sample_reports, run):
    months = plan(sample_reports / run, "05-time")
    first_open = {"2026Q1": "2026-01", "2026Q2": "2026-04"}[run]
    ahead = months[(months["month"] >= first_open) & (months["amount"] > 0)]
    tiers = pd.read_parquet(sample_reports / run / "tables" / "05-time" / "promotion-by-product.parquet")

    assert sorted(tiers["product"]) == sorted(ahead["product"].unique())
    assert "Pitcher One" not in set(tiers["product"])  # params/2026Q1.yml: exits at the end of 2025


def test_no_channel_is_planned_above_its_capacity(sample_reports):
    capacity = pd.read_csv("data/sample/channels.csv").set_index("channel")["capacity"] * 100
    for run in ("2026Q1", "2026Q2"):
        planned = plan(sample_reports / run, "04-channel").groupby("channel")["amount"].sum()
        assert (planned <= capacity.reindex(planned.index)).all()
        # The cap that binds; whole minor units by region and product may leave a few of them free.
        assert 0 <= capacity["E-commerce"] - planned["E-commerce"] < 100


def test_every_gate_evaluated_what_it_declared(sample_reports):
    for run, stem in itertools.product(["2026Q1", "2026Q2"], CHAPTERS):
        gate = json.loads((sample_reports / run / "gates" / f"{stem}.json").read_text())
        assert gate["success"] is True and gate["declared"] == gate["evaluated"] > 5


def test_nothing_to_do_the_second_time(sample_reports):
    before = {path: path.stat().st_mtime_ns for path in (sample_reports / "2026Q2").rglob("*")}
    ended = planlib("run", "params/2026Q2.yml", "--reports", sample_reports)

    assert ended.code == 0 and "nothing to do" in ended.err
    assert before == {path: path.stat().st_mtime_ns for path in (sample_reports / "2026Q2").rglob("*")}


def test_the_manifest_names_every_plan_by_its_digest(sample_reports):
    manifest = json.loads((sample_reports / "2026Q2" / "manifest.json").read_text())

    for stem in CHAPTERS:
        assert manifest["outputs"][stem]["digest"] == tables.digest(plan(sample_reports / "2026Q2", stem))
    assert str(Path.home()) not in json.dumps(manifest)


def test_the_data_note_counts_returns(sample_reports):
    run = json.loads((sample_reports / "2026Q2" / "run.json").read_text())
    stored = Tables({"orders": Path(run["inputs"]["orders"]["parquet"])})
    returned = stored.orders(by=[])["returned"].iloc[0]
    orders = pd.read_csv("data/sample/orders.csv", dtype=str)
    negative = orders[orders["revenue"].str.startswith("-")]

    assert returned == negative["revenue"].str.replace(".", "", regex=False).astype(int).sum() < 0
    assert str(len(negative)) in " ".join(run["inputs"]["orders"]["notes"]).replace(",", "")


def test_every_output_of_a_notebook_is_an_item_of_the_report(sample_reports):
    # A bare expression at a cell's end would be left out of the page, and in the notebook repeat what is shown.
    page = (sample_reports / "2026Q2" / "index.html").read_text(encoding="utf-8")

    assert "none was dropped" in page
