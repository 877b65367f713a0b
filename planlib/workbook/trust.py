"""How far to trust the plan, as a page of the report and tables of the notebook: items with the role `trust`."""

import pandas as pd

from planlib import charts
from planlib.estimates import trust as estimates
from planlib.estimates.outlook import Outlook
from planlib.plan import AMOUNT, rollup
from planlib.workbook.chapter import Chapter

ROLE = "trust"
INTERVALS = "Intervals of cells"
DIMS = ("region", "product", "channel", "month")
# Down to which levels the page goes: each dimension, and what the chapters plan.
LEVELS = [("region",), ("product",), ("channel",), ("month",), ("region", "product"), DIMS[:3], ("region", "month"), DIMS]
MOST_DRAWN = 16


def trust(chapter: Chapter, ahead: Outlook, plan: pd.DataFrame, booked: pd.DataFrame | None = None) -> pd.DataFrame:
    """Show how far the plan can be trusted: two sentences, skill and width by level, intervals by member, the worst misses.

    Parameters: `ahead`, the outlook of region, product, channel and month; `plan` and `booked` (closed months) with them.
    Keeps the interval of every cell. Returns one row per level, see `estimates.trust.by_level`.
    """
    table = ahead.table[ahead.table["month"].isin(chapter.horizon.open)]
    if table["share"].sum() <= 0:
        chapter.note("No month is open: what the plan comes to has come already.", ROLE)
        return pd.DataFrame(columns=["level"])
    table = table.assign(share=table["share"] / table["share"].sum())
    found = {" x ".join(dims): estimates.likely(table, ahead.skill, plan, dims, booked) for dims in LEVELS}
    chapter.keep(found[" x ".join(DIMS)], INTERVALS)
    levels = estimates.by_level(ahead.skill, found)
    for text in estimates.told(levels, chapter.show):
        chapter.note(text, ROLE)
    chapter.table(levels, "Each level in the past, and how wide its cells are now", role=ROLE)
    if not levels["typical"].notna().any():
        return levels
    for dims in LEVELS[:4]:
        _members(chapter, dims[0], found[dims[0]])
    _thin(chapter, found)
    told = estimates.stories(ahead.past)
    if len(told):
        chapter.table(told, "The worst misses of the last year, had it been expected at its start", role=ROLE)
    return levels


def _members(chapter: Chapter, dim: str, frame: pd.DataFrame) -> None:
    """One dimension's members with their intervals, no more digits than these have."""
    ordered = frame if dim == "month" else frame.sort_values([AMOUNT, dim], ascending=[False, True], ignore_index=True)
    shown = estimates.readable(ordered).rename(columns={dim: "member"})
    drawn = shown[shown[AMOUNT] > 0].head(MOST_DRAWN)
    outside = drawn[(drawn[AMOUNT] > drawn["high"]) | (drawn[AMOUNT] < drawn["low"])]
    title = f"What each {dim} comes to in four years of five, if the total is reached"
    if len(drawn) > 1:
        more = f"; the plan of {chapter.listed(list(outside['member']))} lies outside" if len(outside) else ""
        chapter.figure(charts.intervals(drawn, chapter.currency), f"{title}{more}", role=ROLE)
    columns = ["member", AMOUNT, "low", "high", "width"]
    chapter.table(shown[columns].rename(columns={"member": dim, AMOUNT: "allocated"}), title, role=ROLE)


def _thin(chapter: Chapter, found: dict[str, pd.DataFrame]) -> None:
    """Cells too thin to plan by themselves, rolled up to their region and product and named, largest sums first."""
    cells = found[" x ".join(DIMS)]
    thin = cells[cells["thin"]]
    if thin.empty:
        return
    sums = rollup(thin, ["region", "product"])
    counts = thin.groupby(["region", "product"], sort=True).size().rename("thin_cells").reset_index()
    every = rollup(cells, ["region", "product"]).rename(columns={AMOUNT: "allocated"})
    table = sums.merge(counts, on=["region", "product"]).merge(every, on=["region", "product"])
    table["thin_share"] = table[AMOUNT] / table["allocated"]
    table = table.sort_values([AMOUNT, "region", "product"], ascending=[False, True, True], ignore_index=True)
    chapter.table(
        table[["region", "product", "allocated", AMOUNT, "thin_share", "thin_cells"]].rename(columns={AMOUNT: "thin_amount"}),
        "Cells by month too thin to plan one by one, as sums by region and product",
        role=ROLE,
    )
