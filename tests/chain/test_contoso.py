"""Contoso, data none of us made: mapped by a params file alone, planned for 2015, planned again after June."""

import itertools
import json
from pathlib import Path

import pandas as pd
import pytest

from planlib import plan as tables
from tests.conftest import ROOT, planlib

pytestmark = pytest.mark.slow
CONTOSO = ROOT.parent / "shared" / "data" / "contoso"
SPLITS = ["01-strategy", "02-region", "03-product", "04-channel", "05-time", "06-customer"]
KEYS = ["year", "region", "channel", "category"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    if not CONTOSO.is_dir():
        pytest.skip("the Contoso files are not beside this repository (../shared/data/contoso)")
    reports = tmp_path_factory.mktemp("contoso") / "reports"
    ended = planlib("run", "tests/contoso/2015H2.yml", "--reports", reports)
    assert ended.code == 0, ended.err
    return reports


def plan(folder: Path, stem: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "plan" / f"{stem}.parquet")


def control() -> pd.DataFrame:
    frame = pd.read_csv(CONTOSO / "control_totals.csv", dtype=str, keep_default_na=False)
    frame["cents"] = [round(float(text) * 100) for text in frame["revenue"]]
    return frame


@pytest.mark.parametrize("run", ["2015", "2015H2"])
def test_every_chapter_ties_out(runs, run):
    for parent, child in itertools.pairwise(SPLITS):
        assert tables.residuals(plan(runs / run, parent), plan(runs / run, child)).empty
    deepest = plan(runs / run, "06-customer")
    for order in itertools.permutations(tables.DIMENSIONS, 3):
        assert tables.residuals(tables.rollup(deepest, order[:2]), tables.rollup(deepest, order)).empty
    lines = plan(runs / run, "07-budget")
    assert lines["amount"].sum() == round(int(plan(runs / run, "01-strategy")["amount"].sum()) * 0.12)


def test_the_target_stands_on_the_control_totals(runs):
    sold = control()
    last = int(sold.loc[sold["year"] == "2014", "cents"].sum())

    assert plan(runs / "2015", "01-strategy")["amount"].tolist() == [round(last * 1.10)]
    # The plan in force stays the target when half the year has closed.
    assert plan(runs / "2015H2", "01-strategy")["amount"].tolist() == [round(last * 1.10)]


def test_closed_months_are_what_was_sold(runs):
    orders = pd.read_csv(CONTOSO / "sales.csv.gz", dtype=str, keep_default_na=False)
    half = orders[orders["OrderDate"].between("2015-01-01", "2015-06-30")]
    months = plan(runs / "2015H2", "05-time")
    closed = months[months["month"] <= "2015-06"]
    sold = half.assign(cents=[round(float(text) * 100, 1) for text in half["Sales Amount"]])
    by = sold.groupby([sold["Country"], sold["Category"], sold["SalesChannelCode"], sold["OrderDate"].str[:7]])["cents"].sum()
    planned = closed.set_index(["region", "product", "channel", "month"])["amount"]
    both = pd.concat([by.rename_axis(planned.index.names), planned], axis=1).fillna(0)

    # Eight lines of the file carry tenths of a cent; they round to the cent within their group.
    assert (both["cents"] - both["amount"]).abs().max() <= 0.5


def test_what_orders_alone_cannot_tell_is_listed(runs):
    run = json.loads((runs / "2015" / "run.json").read_text())
    left_out = " ".join(run["left_out"])

    for table in ("regions", "channels", "marketing", "targets", "staff", "kpis"):
        assert table in left_out
    page = (runs / "2015" / "index.html").read_text(encoding="utf-8")
    assert all(line.split("(")[0][:30] in page for line in run["left_out"])
