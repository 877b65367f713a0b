"""The trial on four years of simulated weekly marketing (Meta's Robyn, MIT): five channels, revenue, a competitor, events.

The data's makers state no true returns. What can be asserted: fit in and out of sample beside naive readings, which returns the
data tell, and that returns planted by these tests into the data's own revenue are found again.
"""

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from planlib.estimates.response import Response, fit
from tests.conftest import ROOT

FILE = ROOT.parent / "shared" / "data" / "marketing_mix" / "dt_simulated_weekly.csv"
CHANNELS = ["facebook_S", "ooh_S", "print_S", "search_S", "tv_S"]

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason="the trial's data are not beside this repository (../shared/data/marketing_mix)"
)


@dataclass(frozen=True)
class Trial:
    """Spend and revenue of 208 weeks, and the controls the data offer."""

    spend: pd.DataFrame
    revenue: pd.Series
    controls: pd.DataFrame


@functools.cache
def trial() -> Trial:
    table = pd.read_csv(FILE, keep_default_na=False).set_index("DATE")
    return Trial(table[CHANNELS], table["revenue"], table[["competitor_sales_B", "events", "newsletter"]])


@functools.cache
def fitted(controls: tuple[str, ...]) -> Response:
    made = trial()
    return fit(made.spend, made.revenue, made.controls[list(controls)])


def test_revenue_is_told_in_and_out_of_sample_better_than_naively():
    made, found = trial(), fitted(("events",))
    assert found.fit["r2"] == pytest.approx(0.88, abs=0.01)
    assert found.fit["r2_held_out"] == pytest.approx(0.84, abs=0.02)
    assert found.fit["r2_held_out"] > found.fit["r2_without"]
    # Naive: the same week of the year before.
    last = made.revenue.iloc[-(208 // 5) :]
    naive = 1 - ((last - made.revenue.shift(52)[last.index]) ** 2).sum() / ((last - last.mean()) ** 2).sum()
    assert naive == pytest.approx(0.47, abs=0.01) and found.fit["r2_held_out"] > naive + 0.3


def test_with_the_competitor_as_control_the_channels_tell_the_held_out_weeks_no_better_and_this_is_said():
    # Its sales go with revenue (correlation 0.92): they explain the held-out weeks alone.
    found = fitted(("competitor_sales_B", "events"))
    assert found.fit["r2"] == pytest.approx(0.92, abs=0.01)
    assert found.fit["r2_without"] == pytest.approx(0.90, abs=0.005)
    assert found.fit["r2_held_out"] == pytest.approx(0.88, abs=0.02)
    assert found.note.endswith("Trend, season and controls alone told the held-out fifth better.")


@pytest.mark.parametrize(
    "controls", [(), ("events",), ("competitor_sales_B", "events"), ("competitor_sales_B", "events", "newsletter")], ids=str
)
def test_only_what_the_data_tell_is_called_identified(controls: tuple[str, ...]):
    curves = fitted(controls).curves.set_index("item")
    # Television pays whatever is controlled for, between 4.5 and 15 per unit; the intervals overlap by far.
    assert curves.at["tv_S", "identified"]
    assert 4 < curves.at["tv_S", "roi_low"] < 7.5 < curves.at["tv_S", "roi_high"] < 16
    # Search follows the season, outdoor shows nothing beyond its noise: the data do not tell their returns.
    assert not curves.loc[["ooh_S", "search_S"], "identified"].any()
    assert "moves with trend, season or a control" in curves.at["search_S", "caveat"]
    assert curves.at["ooh_S", "caveat"] == "Zero lies within the interval."
    wide = (curves["roi_high"] - curves["roi_low"]) / curves["roi"]
    assert wide.idxmin() == "tv_S" and (wide[~curves["identified"]] > 2).all()


def planted(channel: str, roi: float) -> tuple[Response, float]:
    """The trial with a sixth channel that spends as `channel` did, backwards, and brings `roi` in the last year."""
    made = trial()
    money = made.spend[channel].to_numpy(dtype=float)[::-1] * (5e6 / made.spend[channel].sum())
    stock, held = [], money[:52].mean() / 0.7
    for week in money:
        held = week + 0.3 * held
        stock.append(held)
    filled = np.array(stock) / (
        np.array(stock) + np.mean([level for level, week in zip(stock, money, strict=True) if week > 0])
    )
    brought = filled * roi * money[-52:].sum() / filled[-52:].sum()
    return fit(made.spend.assign(planted=money), made.revenue + brought, made.controls[["events"]]), brought.sum() / money.sum()


@pytest.mark.slow
def test_returns_planted_into_the_data_are_found_again():
    hits, told = [], []
    for channel in CHANNELS:
        for roi in (3.0, 8.0):
            curve = planted(channel, roi)[0].curves.set_index("item").loc["planted"]
            hits.append(curve["roi_low"] <= roi <= curve["roi_high"])
            told.append(curve["identified"])
    assert sum(hits) >= 8 and sum(told) >= 5, (hits, told)


@pytest.mark.slow
def test_a_channel_planted_without_a_return_is_not_identified():
    curves = [planted(channel, 0.0)[0].curves.set_index("item").loc["planted"] for channel in CHANNELS]
    assert sum(bool(curve["identified"]) for curve in curves) <= 1
    assert all(curve["roi_low"] < 1 for curve in curves)
