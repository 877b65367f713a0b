"""A small run folder as the chain leaves it, with hostile texts among its members and outputs."""

import json
from pathlib import Path

import pandas as pd

from planlib import charts

ITEM = "application/vnd.planlib.v1+json"
BREAKOUT = "</script><script>window.broken = 1</script>"
FORMULA = "=cmd|' /C calc'!A0"
IMAGE = '<img src=x onerror="window.broken = 2">'
REGIONS = ["East", "South", "Southwest", "North", "华北", "Northeast and Inner Mongolia", BREAKOUT, FORMULA, IMAGE]
MONTHS = [f"2026-{month:02d}" for month in range(1, 13)]


def item(kind, chart=None, **fields):
    data = {ITEM: {"kind": kind, **fields}, "text/plain": kind}
    if chart is not None:
        data[charts.MIME] = charts.spec(chart)
    return {"output_type": "display_data", "metadata": {}, "data": data}


def column(name, format="text", label=None):
    return {"name": name, "label": label or name.replace("_", " "), "format": format}


def table(title, columns, rows, role=None):
    return item("table", title=title, columns=columns, rows=rows, role=role)


def build(folder: Path, cells: int = 60, language: str = "en") -> Path:
    """Write the run folder and return it. `cells` is the number of products, so the sales plan has cells x 9 x 12 rows."""
    for name in ("notebooks", "plan", "gates", "tables"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    amounts = [(9 - place) * 12_345_678_90 + place for place in range(len(REGIONS))]
    compare = pd.DataFrame(
        {
            "member": REGIONS,
            "allocated": amounts,
            "naive": [int(a * 0.97) for a in amounts],
            "last_year": [int(a * (0.8 + place / 20)) if place != 3 else None for place, a in enumerate(amounts)],
        }
    )
    total = sum(amounts)
    _plans(folder, amounts, cells)
    steps = pd.DataFrame(
        {
            "label": ["2025 actual", "Market growth", "New products", "Lost customers", "Target 2026"],
            "amount": [total - 9_000_000_00, 12_000_000_00, 4_500_000_00, -7_500_000_00, total],
            "kind": ["total", "up", "up", "down", "total"],
        }
    )
    say = f"The target for 2026 is CNY {total / 1e8:,.1f} m, 6.9% above last year, carried by East and South."
    _notebook(
        folder,
        "01-strategy",
        [
            item("chapter", stem="01-strategy", title="Strategy", question="How much can the company sell in 2026, and why?"),
            item("kpi", label="Target 2026", value=total, format="money", compare=_change("vs 2025", 0.069), good=True),
            item("kpi", label="Gross margin", value=0.3127, format="share", compare=_change("vs 2025", -0.008), good=False),
            item("kpi", label="Market growth", value=0.045, format="share", compare=None, good=None),
            item(
                "kpi",
                label="Sales budget",
                value=48_250_000_00,
                format="money",
                compare=_money("2025", 45_100_000_00),
                good=None,
            ),
            item(
                "figure",
                charts.bridge(steps, "CNY"),
                title="The market brings two thirds of the growth",
                alt="A bridge from the 2025 actual to the 2026 target",
                role="headline",
            ),
            table(
                "Three scenarios",
                [column("scenario"), column("target", "money"), column("growth", "points"), column("chance", "share")],
                [
                    ["careful", int(total * 0.94), 0.005, 0.25],
                    ["base", total, 0.069, 0.5],
                    ["bold", int(total * 1.1), None, 0.25],
                ],
            ),
            item("say", text=say),
        ],
    )
    lines = [(month, "plan", 50_000_000_00 + 7_000_000_00 * ((place * 5) % 7)) for place, month in enumerate(MONTHS)]
    lines += [(month, "last year", 45_000_000_00 + 6_000_000_00 * ((place * 5) % 7)) for place, month in enumerate(MONTHS)]
    curve = [
        (name, spend * 1e8, (k + 1) * 4e9 * spend / (spend + 4))
        for k, name in enumerate(["Fairs", "Web"])
        for spend in range(20)
    ]
    heat = [
        (region, month, 1e8 * ((place * 7 + at) % 11))
        for place, region in enumerate(REGIONS[:6])
        for at, month in enumerate(MONTHS)
    ]
    _notebook(
        folder,
        "02-region",
        [
            item("chapter", stem="02-region", title="Region", question="Which region carries how much of the target?"),
            table(
                "What each region brings",
                [column("region"), column("gdp_growth", "share"), column("since", "date"), column("lift", "factor")],
                [[region, 0.05 + place / 100, "2024-03-01", 1 + place / 10] for place, region in enumerate(REGIONS)],
                role="drivers",
            ),
            item(
                "figure",
                charts.bullets(compare, "CNY", title="in chart"),
                title=f"East carries the growth {BREAKOUT}",
                alt=IMAGE,
                role=None,
            ),
            table(
                "The plan by region",
                [
                    column("region"),
                    *(column(name, "money") for name in ("allocated", "naive", "last_year")),
                    column("growth", "points"),
                ],
                [
                    [row.member, row.allocated, row.naive, None if pd.isna(row.last_year) else int(row.last_year), 0.02]
                    for row in compare.itertuples()
                ],
                role="plan",
            ),
            item("note", text="North is held at its floor: its depot opens in the second half."),
            item("left_out", text=f"rival_share is not in the regions table {IMAGE}"),
            item("gate", success=True, checks=12, residual=0),
            item("say", text="East, South and Southwest take 55% of the target."),
            {"output_type": "stream", "name": "stdout", "text": "debug"},
            {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<script>window.broken = 3</script>"}},
            {"output_type": "display_data", "metadata": {}, "data": {ITEM: {"kind": "html", "text": "<b>x</b>"}}},
        ],
    )
    _notebook(
        folder,
        "05-time",
        [
            item("chapter", stem="05-time", title="Month", question="When does it come in?"),
            item(
                "figure",
                charts.lines(pd.DataFrame(lines, columns=["month", "series", "amount"]), "CNY"),
                title="November stays the strongest month",
                alt="Lines by month",
                role=None,
            ),
            item(
                "figure",
                charts.heat(pd.DataFrame(heat, columns=["row", "column", "amount"]), "CNY"),
                title="The south peaks earlier",
                alt="Heat map",
                role=None,
            ),
            table(
                "Plan by month and region",
                [column("month"), column("region"), column("amount", "money")],
                [[month, region, 1_234_567_89 + at] for at, month in enumerate(MONTHS) for region in REGIONS[:6]],
            ),
            item("say", text="June and November together take 23% of the year."),
        ],
    )
    points = pd.DataFrame({"item": ["Fairs", "Web"], "spend": [4e8, 6e8], "response": [2e9, 4.8e9]})
    _notebook(
        folder,
        "07-budget",
        [
            item("chapter", stem="07-budget", title="Budget", question="What does it cost to get there?"),
            item("kpi", label="Cost ratio", value=0.0731, format="share", compare=_change("vs 2025", -0.004), good=True),
            item(
                "figure",
                charts.curves(pd.DataFrame(curve, columns=["item", "spend", "response"]), points, "CNY"),
                title="Web pays longer than fairs",
                alt="Response curves",
                role=None,
            ),
            item(
                "figure",
                charts.ranked(pd.DataFrame({"member": ["Web", "Fairs", "Print"], "value": [2.4, 1.3, 0.7]}), "factor"),
                title="Print no longer earns its cost",
                alt="Return by activity",
                role=None,
            ),
            item("say", text="The budget is 7.3% of the target."),
        ],
    )
    _records(folder, language)
    return folder


def _change(label, value):
    return {"label": label, "value": value, "format": "points"}


def _money(label, value):
    return {"label": label, "value": value, "format": "money"}


def _plans(folder, amounts, cells):
    pd.DataFrame({"amount": [sum(amounts)]}).to_parquet(folder / "plan/01-strategy.parquet", index=False)
    pd.DataFrame({"region": REGIONS, "amount": amounts}).to_parquet(folder / "plan/02-region.parquet", index=False)
    rows = [
        (region, f"P{product:03d}", month, (-1) ** (place == 8) * (1_000_05 + place * 31 + product * 7 + at))
        for place, region in enumerate(REGIONS)
        for product in range(cells)
        for at, month in enumerate(MONTHS)
    ]
    pd.DataFrame(rows, columns=["region", "product", "month", "amount"]).to_parquet(
        folder / "plan/05-time.parquet", index=False
    )
    pd.DataFrame(
        {
            "pool": ["marketing", "marketing", "reserve"],
            "item": ["Web", '+Fairs, "big"', "-"],
            "amount": [6_000_000_05, 4_000_000_00, -7],
        }
    ).to_parquet(folder / "plan/07-budget.parquet", index=False)


def _notebook(folder, stem, outputs):
    cells = [{"cell_type": "markdown", "metadata": {}, "source": "# not shown"}]
    cells += [
        {"cell_type": "code", "metadata": {}, "source": "", "execution_count": 1, "outputs": [output]} for output in outputs
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / f"notebooks/{stem}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    gate = {"chapter": stem, "success": True, "declared": 3, "evaluated": 3, "checks": [{"success": True}] * 3}
    (folder / f"gates/{stem}.json").write_text(json.dumps(gate), encoding="utf-8")


def _records(folder, language):
    run = {
        "run": "2026Q2",
        "report": "2026Q2.2",
        "settings": {
            "company": "Lanting Home & Co",
            "year": 2026,
            "fiscal_start": 1,
            "currency": "CNY",
            "as_of": "2026-03-31",
            "language": language,
        },
        "parameters": {
            "strategy": {"growth": 0.07, "weights": {"market": 0.4, "history": 0.6}},
            "region": {
                "priority": {IMAGE: 0.4},
                "rules": [{"name": "floor", "min": 0.02}, {"name": BREAKOUT, "min": 0.1}],
                "empty": [],
            },
        },
        "inputs": {
            "orders": {
                "parquet": "data/orders.parquet",
                "sha256": "ab" * 32,
                "rows": 123456,
                "control_total": 98_765_432_10,
                "notes": ["12 returns net out"],
            }
        },
        "left_out": ["customers: no table, so segments come from orders alone"],
        "baseline": {"run": "2026Q1", "path": "reports/2026Q1", "told": []},
    }
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    manifest = {
        "key": "0123456789abcdef" * 4,
        "params": {"seen": "above"},
        "environment": {"python": "3.11.7", "packages": {"pandas": "3.1.1"}},
        "solver": "HiGHS 1.12",
        "outputs": {"02-region": {"digest": "cd" * 32, "rows": 9}},
        "volatile": {"finished": "now"},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
