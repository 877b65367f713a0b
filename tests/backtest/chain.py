"""The whole chain on past years of the sets: orders alone, default parameters, the true total; its plan beside simple splits.

`python -m tests.backtest.chain` plans them (minutes) and writes plans.csv: one row per set-year and level, percent of sales
that lay elsewhere by last year's shares, by the mean of the last two years' and by the chain's plan. README shows its sums.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml

from tests.backtest.sets import SET_YEARS, Set, calendar, compared
from tests.conftest import ROOT, planlib

FILE = ROOT / "tests" / "backtest" / "plans.csv"
# What a set has beside date, places and revenue.
MORE = {
    "contoso": {"order_id": "SalesOrderID", "customer": "CustomerAccountNumber", "quantity": "Units", "unit_cost": "Unit Cost"},
    "medicines_au": {"order_id": "order_id", "quantity": "scripts"},
    "electricity_us": {"order_id": "order_id", "customer": "state", "quantity": "mwh"},
    "fuel_br": {"order_id": "order_id", "customer": "state", "quantity": "m3"},
    "sample": {},
}
FESTIVALS = {"festivals": ["Spring Festival", "Mid-Autumn Festival"], "days_before": 30}


def planned(each: Set, year: int, folder: Path) -> pd.DataFrame:
    """The chain's plan by region, product, channel and month (calendar names)."""
    orders: dict[str, object] = {"file": str(each.file)}
    if each.name != "sample":
        orders["columns"] = {**each.columns, **MORE[each.name]}
    total = int(each.year(year)["amount"].sum())
    asked = {
        "run": f"{each.name}-{year}", "company": each.name, "year": year, "fiscal_start": each.start, "currency": "USD",
        "as_of": each.as_of(year), "data": {"orders": orders}, "strategy": {"growth": 0.10, "target": total / 100},
        **({"time": FESTIVALS} if each.name == "sample" else {}),
    }  # fmt: skip
    params = ROOT / "params" / f".backtest-{each.name}-{year}.yml"
    params.write_text(yaml.safe_dump(asked, sort_keys=False), encoding="utf-8")
    try:
        ended = planlib("run", params, "--reports", folder)
    finally:
        params.unlink()
    assert ended.code == 0, ended.err
    return calendar(pd.read_parquet(folder / f"{each.name}-{year}" / "plan" / "05-time.parquet"))


def scored(each: Set, year: int, folder: Path) -> pd.DataFrame:
    return compared(each, year, planned(each, year, folder))


def summed(table: pd.DataFrame) -> pd.DataFrame:
    """One row per set-year, README's table: set, year, last_year, two_years, ours (means over levels), ratio, worst (the level
    at which ours is most above last year's shares) and both errors there."""
    rows = []
    for (name, year), levels in table.groupby(["set", "year"], sort=False):
        worst = levels.loc[(levels["ours"] - levels["last_year"]).round(6).idxmax()]
        mean = levels[["last_year", "two_years", "ours"]].mean()
        rows.append((name, year, *mean, mean["ours"] / mean["last_year"], worst["level"], worst["last_year"], worst["ours"]))
    columns = ["set", "year", "last_year", "two_years", "ours", "ratio", "worst", "worst_last", "worst_ours"]
    return pd.DataFrame(rows, columns=columns)


def markdown(table: pd.DataFrame) -> str:
    lines = [
        "| set, plan year | last year's shares | mean of two years | the plan | plan / last year "
        "| worst level: last year, plan |",
        "|---|---|---|---|---|---|",
    ]
    for row in summed(table).itertuples():
        lines.append(
            f"| {row.set} {row.year} | {row.last_year:.1f} | {row.two_years:.1f} | {row.ours:.1f} | {row.ratio:.2f} | "
            f"{row.worst}: {row.worst_last:.1f}, {row.worst_ours:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        frames = []
        for each, year in SET_YEARS:
            frames.append(scored(each, year, Path(place)))
            print(each.name, year, file=sys.stderr, flush=True)
    table = pd.concat(frames, ignore_index=True).round(2)
    table.to_csv(FILE, index=False, lineterminator="\n")
    print(markdown(table))
