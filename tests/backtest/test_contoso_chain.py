"""The whole chain on Contoso at the true totals of 2014 and 2015: how far its plan is off, against last year's shares."""

import re

import pandas as pd
import pytest

from tests.conftest import ROOT, planlib

pytestmark = pytest.mark.slow
CONTOSO = ROOT.parent / "shared" / "data" / "contoso"
LEVELS = [
    ["region"],
    ["channel"],
    ["product"],
    ["region", "product"],
    ["region", "channel"],
    ["region", "product", "channel"],
    ["month"],
    ["region", "product", "channel", "month"],
]


@pytest.mark.parametrize("year", [2014, 2015])
def test_the_chains_plan_is_nearer_than_last_years_shares_at_every_level(year, tmp_path, record_property):
    if not CONTOSO.is_dir():
        pytest.skip("the Contoso files are not beside this repository (../shared/data/contoso)")
    named = {"Country": "region", "Category": "product", "SalesChannelCode": "channel"}
    orders = pd.read_csv(CONTOSO / "sales.csv.gz", dtype=str, keep_default_na=False).rename(columns=named)
    orders = orders.assign(
        amount=[round(float(text) * 100) for text in orders["Sales Amount"]], month=orders["OrderDate"].str[5:7]
    )
    ended = planlib("run", f"tests/contoso/{year}-sold.yml", "--reports", tmp_path)
    assert ended.code == 0, ended.err
    plan = pd.read_parquet(tmp_path / f"{year}-sold" / "plan" / "05-time.parquet")
    plan = plan.assign(month=plan["month"].str[5:])
    past = orders["OrderDate"].str[:4]

    told = readme(year)
    for dims in LEVELS:
        frames = (orders[past == str(year)], orders[past == str(year - 1)], plan)
        actual, last, ours = (frame.groupby(dims)["amount"].sum() for frame in frames)
        cells = actual.index.union(last.index).union(ours.index)
        actual, last, ours = (series.reindex(cells).fillna(0) for series in (actual, last, ours))
        by_last, by_chain = (
            100 * float((shares / shares.sum() * actual.sum() - actual).abs().sum() / actual.sum()) for shares in (last, ours)
        )
        record_property(" x ".join(dims), f"{by_chain:.2f} against {by_last:.2f}")
        print(f"{year} {' x '.join(dims)}: {by_last:.2f}% by last year's shares, {by_chain:.2f}% by the chain")
        assert by_chain < by_last, (year, dims, by_chain, by_last)
        if (name := " x ".join(dims).replace("product", "category")) in told:
            assert told.pop(name) == pytest.approx((by_last, by_chain), abs=0.06), f"README's table: {name} in {year}"
    assert not told


def readme(year: int) -> dict[str, tuple[float, float]]:
    """Last year's shares and the chain by level, as README's table tells them."""
    rows = re.findall(
        r"^\| ([a-z x]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", (ROOT / "README.md").read_text(), re.M
    )
    first = 1 if year == 2014 else 3
    return {row[0]: (float(row[first]), float(row[first + 1])) for row in rows}
