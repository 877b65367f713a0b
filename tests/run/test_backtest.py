"""The back-test: which years can be judged, what a plan is held against, and that it knew nothing of what came later."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from planlib.errors import InputDataError, ParameterError
from planlib.periods import Horizon, months
from planlib.run import backtest, backtest_page, params
from planlib.run.backtest_cut import as_known
from planlib.run.backtest_table import judged
from tests.chain import tiny
from tests.conftest import ROOT, planlib


@pytest.fixture
def asked(tmp_path):
    """The tiny company's orders up to 2026-06, and a params file that closes 2025."""
    tiny.write(tmp_path / "orders.csv", "2026-06")
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    (tmp_path / "params").mkdir()  # what makes a folder a project, with the notebooks
    path = tmp_path / "asked.yml"
    path.write_text("run: t\ncompany: <Tiny>\nyear: 2026\ncurrency: EUR\ndata: {orders: {file: orders.csv}}\n")
    return path


def test_the_years_that_can_be_judged(asked, tmp_path):
    settings = params.load(asked)
    orders = backtest.known_orders(settings, tmp_path / "store")
    # by hand: orders begin in 2024-01 and as_of is 2025-12-31, so 2025 alone is whole with a whole year before it
    assert backtest.judgeable(settings, orders) == [2025] and orders["month"].max() == "2025-12"
    with pytest.raises(ParameterError, match="found 2024, expected whole years of orders with a year before them, here 2025"):
        backtest.judgeable(settings, orders, [2024, 2025])
    with pytest.raises(InputDataError, match="found 2025-02 to 2025-12, expected a whole plan year"):
        backtest.judgeable(settings, orders[orders["month"] > "2025-01"])
    many = pd.concat([orders.assign(month=[f"{int(m[:4]) - back}{m[4:]}" for m in orders["month"]]) for back in (0, 2, 4)])
    assert backtest.judgeable(settings, many) == [2023, 2024, 2025]  # 2021 to 2025 could be judged


HORIZON = Horizon(2025, 1, dt.date(2024, 12, 31))


def table(**regions):
    """Twelve equal months of one product and channel: what each region sells a month, by year."""
    rows = [
        (region, "P", "C", month, amount)
        for region, by_year in regions.items()
        for year, amount in by_year.items()
        for month in months(year, 1)
    ]
    return pd.DataFrame(rows, columns=["region", "product", "channel", "month", "amount"])


def test_errors_by_level_are_those_of_a_hand_case():
    orders = table(A={2023: 10, 2024: 50, 2025: 60}, B={2023: 30, 2024: 50, 2025: 40})
    plan = table(A={2025: 75}, B={2025: 25})
    levels, sizes, told = judged(plan, orders, HORIZON)
    region = levels.set_index("level").loc["region"]
    # by hand, of 100 a month: ours |75-60|+|25-40|, last year |50-60|+|50-40|, mean of shares (25+50)/2 = 37.5 and 62.5
    assert region["ours"] == pytest.approx(0.30) and region["last_year"] == pytest.approx(0.20)
    assert region["two_years"] == pytest.approx(0.45) and region["equal"] == pytest.approx(0.20)
    assert pd.isna(region["three_years"]) and region["cells"] == 2
    assert region["bias"] == pytest.approx(0.25)  # A alone holds half of sales: 75 over 60
    assert region["best"] == "last_year" and region["better"] == "last_year"  # 0.30 > 0.20 * 1.1 + 0.01
    assert list(levels["level"]) == ["region", "month", "region x month"]  # one product and one channel tell nothing
    assert levels.set_index("level").loc["month", "ours"] == 0
    assert "2025, region: last year's split came nearer than the plan, 20.0% off against 30.0%." in told
    assert "2025: 2 whole years lie before it: the mean of three years cannot be told." in told
    # thirds of 1200: A's cells are 60 each (before < 400: 7 cells, < 800: A's other 5 and B's first 2), ours 15 off each
    assert list(sizes["cells"]) == [7, 7, 10] and sizes["ours"].iloc[0] == pytest.approx(15 / 60)


def test_the_plan_scaled_to_another_total_has_the_same_error():
    orders = table(A={2024: 50, 2025: 60}, B={2024: 50, 2025: 40})
    one, two = (judged(table(A={2025: 75 * k}, B={2025: 25 * k}), orders, HORIZON)[0] for k in (1, 1000))
    pd.testing.assert_frame_equal(one, two)


def by_files(jobs, progress):
    """In place of the chain: a plan that is a digest of nothing, so that the inputs alone are compared."""
    found = []
    for settings, _ in jobs:
        files = {name: Path(each["file"]).read_bytes().hex() for name, each in settings.data.items()}
        found.append(backtest.Made({"05-time": "same"}, files, pd.DataFrame()))
    return found


def leaky(settings, year, folder):
    """A cut that lets one later month through."""
    known, told = as_known(settings, year, folder)
    file = folder / "orders.csv"
    cells, every = (pd.read_csv(path, dtype=str) for path in (file, settings.data["orders"]["file"]))
    late = every.loc[every["date"].str.startswith(f"{year}-01"), list(cells.columns)]
    pd.concat([cells, late]).to_csv(file, index=False)
    day = known.as_of.replace(year=year, month=1, day=31)
    return known.model_copy(update={"as_of": day}), told


def test_another_future_does_not_reach_a_past_plan_and_a_leak_is_caught(asked, tmp_path, monkeypatch):
    monkeypatch.setattr(backtest, "_side_by_side", by_files)
    settings = params.load(asked)
    assert backtest.proven(settings, 2025, reports=tmp_path / "reports") == []
    assert backtest.proven(settings, 2025, reports=tmp_path / "reports", cut=leaky) == ["input orders"]


def test_who_left_later_was_still_there(asked, tmp_path):
    (tmp_path / "staff.csv").write_text(
        "person,region,role,hired,left\nA,East,Rep,2020-01-01,2025-03-31\nB,East,Rep,2020-01-01,2024-06-30\nC,East,Rep,2025-02-01,\n"
    )
    asked.write_text(asked.read_text().replace("orders.csv}", "orders.csv}, staff: {file: staff.csv}"))
    as_known(params.load(asked), 2025, tmp_path / "cut")
    rows = sorted((tmp_path / "cut" / "staff.csv").read_text().replace('"', "").splitlines())
    assert [sorted(row.split(",")) for row in rows[:2]] == [
        sorted(["A", "East", "Rep", "2020-01-01", ""]),
        sorted(["B", "East", "Rep", "2020-01-01", "2024-06-30"]),
    ]
    assert len(rows) == 3  # C was not hired yet


def test_the_page_escapes_what_comes_from_data():
    levels, sizes, told = judged(table(A={2025: 1}), table(A={2024: 1, 2025: 1}), HORIZON)
    total = pd.DataFrame([{"year": 2025, "actual": 1200, "expected": 1200, "low": 1, "high": 2, "last_year": 3, "off": 0.0}])
    facts = {"company": "<script>x</script>", "currency": "EUR", "years": [2025], "told": ["<b>", *told]}
    page = backtest_page.page(facts, {"levels": levels, "sizes": sizes, "total": total})
    assert "<script" not in page and "&lt;script&gt;" in page and "&lt;b&gt;" in page


def test_years_that_are_no_years_are_a_usage_fault():
    ended = planlib("backtest", "params/2026Q1.yml", "--years", "last")
    assert ended.code == 2 and ended.out == "" and "--years: found 'last'" in ended.err


@pytest.mark.slow
def test_a_past_year_is_planned_judged_and_proven(asked, tmp_path):
    """The chain itself on the tiny company: rules that cannot hold are dropped with a sentence, a second call does nothing."""
    asked.write_text(
        asked.read_text()
        + "region:\n  rules: [{name: East is huge, where: {region: [East]}, min: 0.9},"
        + " {name: East is small, where: {region: [East]}, max: 0.1}]\n"
    )
    ended = planlib("backtest", asked, "--years", "2025", "--reports", tmp_path / "reports")
    assert ended.code == 0, ended.err
    folder = tmp_path / "reports" / "t-backtest"
    levels, total = (pd.read_parquet(folder / f"{name}.parquet") for name in ("levels", "total"))
    assert set(levels["year"]) == {2025} and (levels["ours"] < 1).all() and "region x month" in ended.out
    told = json.loads((folder / "backtest.json").read_text())["told"]
    assert any("planned without the rules and locks of today" in text and "East is" in text for text in told)
    # cents of 2025, added up from the file itself
    sold = tiny.sold(tmp_path / "orders.csv")
    assert int(total["actual"].iloc[0]) == sum(cents for key, cents in sold.items() if key[2].startswith("2025"))
    again = planlib("backtest", asked, "--years", "2025", "--reports", tmp_path / "reports")
    assert again.code == 0 and again.out == ended.out and "nothing to do" in again.err


@pytest.mark.slow
def test_a_plan_that_looked_ahead_differs_when_the_future_does(asked, tmp_path):
    settings = params.load(asked)
    assert backtest.proven(settings, 2025, reports=tmp_path / "reports") == []
    caught = backtest.proven(settings, 2025, reports=tmp_path / "reports", cut=leaky)
    assert "input orders" in caught and "plan 02-region" in caught
