"""Past years of companies that none of us made: what is expected at the start of each, beside simple splits (REG-1, CHN-1).

`pytest -s` prints the tables. Constants of the method that are ours are judged by leaving each set out, see `constants`.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from planlib.estimates.interplay import levels as all_levels
from planlib.estimates.outlook import outlook
from planlib.estimates.spread import deviation
from tests.backtest import constants
from tests.backtest.sets import SET_YEARS, SETS, calendar, compared, error, levels
from tests.conftest import ROOT

FOUND: dict[tuple[str, int], tuple[pd.DataFrame, float]] = {}


def found(each, year: int) -> tuple[pd.DataFrame, float]:
    """Errors by level, and the part of all levels' cells that lay within their 80% interval."""
    if not each.there():
        pytest.skip(f"{each.file.name} of {each.name} is not beside this repository (../shared/data)")
    if (each.name, year) not in FOUND:
        ahead = outlook(each.sold(), each.dims, each.horizon(year))
        table, actual = calendar(ahead.table), each.year(year)
        inside, names = [], [*each.dims, "month"]
        for level in all_levels(len(names)):
            dims = [names[axis] for axis in level]
            law = ahead.skill.set_index("level").loc[" x ".join(dims)]
            share, came = table.groupby(dims)["share"].sum(), actual.groupby(dims)["amount"].sum().clip(lower=0)
            came = (came / came.sum()).reindex(share.index).fillna(0.0)
            asked = share > 0
            half = law["width"] * deviation(share.to_numpy(), law["chance"], law["own"])
            inside.append(float((np.abs(came - share).to_numpy() <= half)[asked.to_numpy()].mean()))
        FOUND[each.name, year] = compared(each, year, table, "share"), float(np.mean(inside))
    return FOUND[each.name, year]


@pytest.mark.parametrize(("each", "year"), SET_YEARS, ids=lambda value: getattr(value, "name", value))
def test_what_is_expected_is_no_further_off_than_last_years_shares(each, year, record_property):
    table, _ = found(each, year)
    print("\n" + table.round(1).to_string(index=False))
    ratio = table["ours"].sum() / table["last_year"].sum()
    record_property("ratio", round(float(ratio), 3))

    assert ratio <= 1.03
    assert (table["ours"] <= 1.1 * table["last_year"] + 1).all(), table[table["ours"] > 1.1 * table["last_year"] + 1]


def test_over_all_sets_a_tenth_is_saved_and_contosos_gains_are_kept():
    there = [(each, year) for each, year in SET_YEARS if each.there()]
    if len(there) < len(SET_YEARS):
        pytest.skip("the sets of ../shared/data are not all beside this repository")
    ratio = {(each.name, year): (t := found(each, year)[0])["ours"].sum() / t["last_year"].sum() for each, year in there}

    assert np.mean(list(ratio.values())) <= 0.90, ratio
    # Before this method the chain came to .886 and .639 of last year's error; a twentieth of that may be lost.
    assert ratio["contoso", 2014] <= 1.05 * 0.886 and ratio["contoso", 2015] <= 1.05 * 0.639, ratio


def test_intervals_of_four_years_in_five_hold_about_so_many_cells():
    there = [(each, year) for each, year in SET_YEARS if each.there()]
    covered = {(each.name, year): found(each, year)[1] for each, year in there}
    print(covered)

    assert 0.70 <= np.mean(list(covered.values())) <= 0.90, covered
    if len(there) == len(SET_YEARS):
        assert f"held {np.mean(list(covered.values())):.0%} of the cells" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("each", SETS, ids=lambda value: value.name)
def test_no_other_year_of_a_set_is_further_off_than_last_years_shares(each):
    """Every year that has one before it, not only those of the table; what the pull is chosen by, see `weighing.PULL`."""
    if not each.there():
        pytest.skip(f"{each.file.name} of {each.name} is not beside this repository (../shared/data)")
    months = each.sold()["month"]
    ratios = {}
    for year in range(int(months.min()[:4]) + 1, int(months.max()[:4]) + 1):
        span = each.horizon(year).months
        if pd.Period(span[0]) - 12 >= pd.Period(months.min()) and span[-1] <= months.max():
            table = compared(each, year, calendar(outlook(each.sold(), each.dims, each.horizon(year)).table), "share")
            ratios[year] = float(table["ours"].sum() / table["last_year"].sum())
    print(each.name, ratios)

    assert len(ratios) >= 2 and max(ratios.values()) <= 1.03, ratios


def test_constants_are_those_that_the_other_sets_choose_or_as_good():
    table = pd.read_csv(constants.FILE)
    left = constants.chosen(table)
    print("\n" + left.to_string(index=False))

    assert set(left["left_out"]) == {each.name for each in SETS}
    # On no set left out is what the others choose more than two hundredths better than what is used.
    assert (left["ratio_in_use"] <= left["ratio"] + 0.02).all(), left
    assert left["ratio"].max() <= 1.0 and left["ratio"].mean() <= 0.90


def test_the_kept_table_of_constants_is_what_this_code_comes_to():
    there = [each for each in SETS if each.there()]
    table = pd.read_csv(constants.FILE)
    used = table[np.logical_and.reduce([table[name] == value for name, value in constants.USED.items()])]
    kept = used.set_index(["set", "year"])["ratio"]
    for each, year in SET_YEARS:
        if each in there:
            mine = found(each, year)[0]
            assert mine["ours"].sum() / mine["last_year"].sum() == pytest.approx(kept[each.name, year], abs=0.002), (
                each.name,
                year,
            )


def test_closed_months_are_evidence_for_the_open_ones():
    """Half a year closed: the open months are nearer than by the same months of last year, on the mean by a tenth."""
    ratios = {}
    for each, year in SET_YEARS:
        if each.there():
            middle = replace(each.horizon(year), as_of=pd.Period(each.horizon(year).months[5], freq="M").end_time.date())
            sold, ahead = each.sold(), middle.open
            table = outlook(sold[sold["month"] <= f"{middle.as_of:%Y-%m}"], each.dims, middle).table
            actual = sold[sold["month"].isin(ahead)]
            last = sold[sold["month"].isin([f"{int(month[:4]) - 1}{month[4:]}" for month in ahead])]
            pairs = [
                (error(calendar(table), calendar(actual), dims, "share"), error(calendar(last), calendar(actual), dims))
                for dims in levels(each.dims)
            ]
            ratios[each.name, year] = sum(ours for ours, _ in pairs) / sum(theirs for _, theirs in pairs)

    assert np.mean(list(ratios.values())) <= 0.90 and max(ratios.values()) <= 1.03, ratios
