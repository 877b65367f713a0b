"""Orders alone, in yen, with a year that starts in July: seven chapters, and a line for all that was left out."""

import itertools
import json
import os
import random
from pathlib import Path

import pandas as pd
import pytest

from planlib import plan as tables
from planlib.periods import months
from tests.conftest import copy_project, planlib

PARAMS = """\
company: Hokuto
year: 2025
fiscal_start: 7
currency: JPY
as_of: 2025-09-30
data:
  orders: {file: orders.csv, columns: {date: day, product: item, revenue: yen}, date_format: "%Y/%m/%d", delimiter: ";"}
strategy: {growth: 0.1}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("alone") / "project")
    rng = random.Random(3)
    lines = ["order_id;day;region;item;quantity;yen;note"]
    for number, month in enumerate([*months(2023, 7), *months(2024, 7), *months(2025, 7)[:3]]):
        for region, item in itertools.product(["Kanto", "Kansai", "NA"], ["007", "008"]):
            yen = rng.randrange(10_000, 90_000)
            lines.append(f"{number}-{region}-{item};{month.replace('-', '/')}/15;{region};{item};2;{yen};free text")
    lines.append("back;2025/08/20;Kanto;007;-1;-5000;returned")
    (project / "params" / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (project / "params" / "alone.yml").write_text(PARAMS, encoding="utf-8")
    ended = planlib("run", "params/alone.yml", cwd=project, env={**os.environ, "PYTHONPATH": str(project)})
    assert ended.code == 0, ended.err
    return project / "reports" / "alone"


def plan(run: Path, stem: str) -> pd.DataFrame:
    return pd.read_parquet(run / "plan" / f"{stem}.parquet")


def test_seven_chapters_tie_out_in_whole_yen(run):
    orders = pd.read_csv(run.parent.parent / "params" / "orders.csv", sep=";", dtype=str, keep_default_na=False)
    orders["month"] = orders["day"].str[:7].str.replace("/", "-")
    orders["yen"] = orders["yen"].astype(int)
    last = int(orders.loc[orders["month"].isin(months(2024, 7)), "yen"].sum())
    stems = ["01-strategy", "02-region", "03-product", "04-channel", "05-time", "06-customer"]

    assert plan(run, "01-strategy")["amount"].tolist() == [round(last * 1.1)]
    for parent, child in itertools.pairwise(stems):
        assert tables.residuals(plan(run, parent), plan(run, child)).empty
    assert plan(run, "07-budget")["amount"].sum() == round(round(last * 1.1) * 0.12)


def test_the_year_starts_in_july_and_closed_months_are_actuals(run):
    orders = pd.read_csv(run.parent.parent / "params" / "orders.csv", sep=";", dtype=str, keep_default_na=False)
    august = orders[orders["day"].str.startswith("2025/08")]["yen"].astype(int).sum()
    by_month = plan(run, "05-time").groupby("month")["amount"].sum()

    assert by_month.index.tolist() == months(2025, 7)
    assert by_month["2025-08"] == august  # the return is netted


def test_codes_stay_text(run):
    table = plan(run, "03-product")

    assert set(table["region"]) == {"Kanto", "Kansai", "NA"}
    assert set(table["product"]) == {"007", "008"}


def test_what_was_left_out_is_said(run):
    said = json.loads((run / "run.json").read_text(encoding="utf-8"))
    text = " ".join(said["left_out"])

    for name in ("channel", "customer", "cost", "regions", "marketing", "staff", "targets"):
        assert name in text
    assert set(plan(run, "04-channel")["channel"]) == {"all"}
    assert set(plan(run, "06-customer")["segment"]) == {"All"}
