"""A return is never told without its interval, and fitted curves decide where money goes (BUD-1, BUD-6)."""

import re

import numpy as np
import pandas as pd
import pytest

from planlib.estimates.response import Response, fit, fit_attributed, fit_months, stated
from planlib.lp import spend
from tests.estimates.response.worlds import attributed, world

WITH_INTERVAL = re.compile(r"^(\d+\.\d+) \((\d+\.\d+) to (\d+\.\d+)\)$")


def three(half: tuple[float, float, float], ceiling: tuple[float, float, float]) -> pd.DataFrame:
    """Three activities' months, free of noise: ceiling * spend / (spend + half), 20,000 a month in the last year each."""
    tables = []
    for n, name in enumerate(("Search", "Social", "TV")):
        rng = np.random.Generator(np.random.PCG64(n))
        money = 20_000 * (0.2 + 1.6 * rng.random(36))
        money[-12:] = 20_000
        frame, *_ = attributed(n)
        tables.append(frame.assign(activity=name, spend=money, revenue=ceiling[n] * money / (money + half[n])))
    return pd.concat(tables)


def plan(marketing: pd.DataFrame, budget: int) -> pd.Series:
    curves = fit_attributed(marketing).curves
    return spend(budget, curves.assign(floor=0, cap=budget)).allocation.set_index("item")["amount"]


def test_different_curves_do_not_get_a_third_each():
    # Equal marginal returns of c x / (x + h): x + h is proportional to sqrt(c h); pymc-marketing PR #2621 gave B / 3 each.
    half, ceiling, budget = np.array([9_000.0, 20_000.0, 60_000.0]), np.array([70_000.0, 90_000.0, 140_000.0]), 900_000
    amounts = plan(three(tuple(half), tuple(ceiling)), budget)
    root = np.sqrt(ceiling * half)
    expected = (budget + 12 * half.sum()) * root / root.sum() - 12 * half
    np.testing.assert_allclose(amounts, expected, rtol=0.03)  # half-saturations are tried in steps of 5%
    assert (np.abs(amounts - budget / 3) > 0.05 * budget).sum() >= 2 and amounts.sum() == budget


def test_equal_curves_get_a_third_each():
    one = three((20_000.0,) * 3, (90_000.0,) * 3)
    same = one[one["activity"] == "Search"]
    marketing = pd.concat([same.assign(activity=name) for name in ("Search", "Social", "TV")])
    amounts = plan(marketing, 900_000)
    assert amounts.sum() == 900_000 and np.ptp(amounts.to_numpy()) <= 0.002 * 300_000


def test_curves_without_history_of_their_own_can_be_spent_over_too():
    frame, *_ = attributed(3)
    tables = [frame, frame.tail(5).assign(activity="New"), frame.assign(activity="Idle", revenue=0)]
    amounts = plan(pd.concat(tables), 200_000)
    assert amounts["Idle"] == 0 and amounts["New"] > 0 and amounts.sum() == 200_000
    made = world(1)
    curves = fit(made.spend.assign(D=0.0), made.revenue).curves
    assert spend(1_000_000, curves.assign(floor=0, cap=900_000)).allocation.set_index("item").at["D", "amount"] == 0


def answers() -> dict[str, Response]:
    """One of each kind of answer, with everything that can be wrong with a channel."""
    frame, *_ = attributed(3)
    tables = [frame, frame.tail(5).assign(activity="New"), frame.tail(1).assign(activity="One month")]
    tables += [frame.assign(activity="Steady", spend=900), frame.assign(activity="Idle", revenue=0)]
    tables += [frame.assign(activity="Free", spend=0), frame.head(20).assign(activity="Paused")]
    made = world(1)
    channels = made.spend.assign(D=made.spend["A"], E=0.0, F=7.0, G=made.spend["B"].where(np.arange(156) < 90, 0))
    months = made.spend[:48].set_axis([str(month) for month in pd.period_range("2022-01", periods=48, freq="M")])
    rows = months.rename_axis("month").reset_index().melt("month", var_name="activity", value_name="spend")
    return {
        "attributed": fit_attributed(pd.concat(tables)),
        "total": fit(channels, made.revenue),
        "months": fit_months(rows, made.revenue[:48].set_axis(months.index)),
    }


@pytest.mark.parametrize("kind", ["attributed", "total", "months"])
def test_no_return_is_told_without_its_interval(kind: str):
    found = answers()[kind]
    planned = found.at(found.curves.set_index("item")["spend"] * 1.3 + 1)
    for table in (found.curves, planned):
        assert len(table)
        for name, text in (("roi", "return_"), ("marginal", "marginal_")):
            for row in table.to_dict("records"):
                if row[text] == "–":
                    assert np.isnan(row[name]) and np.isnan(row[f"{name}_low"]) and np.isnan(row[f"{name}_high"])
                    continue
                told = WITH_INTERVAL.match(row[text])
                assert told, row[text]
                value, low, high = map(float, told.groups())
                assert low <= value <= high
                for printed, exact in ((value, row[name]), (low, row[f"{name}_low"]), (high, row[f"{name}_high"])):
                    assert printed == pytest.approx(exact, abs=0.051)
                # What no draw distinguishes is not printed as if it were known.
                assert high > low
    unknown = found.curves[~found.curves["identified"]]
    assert (unknown["caveat"] != "").all()
    assert f"{len(found.curves) - len(unknown)} of {len(found.curves)}" in found.note and "90% interval" in found.note


def test_returns_at_another_spend_follow_the_curve():
    frame, *_ = attributed(3)
    found = fit_attributed(pd.concat([frame, frame.tail(5).assign(activity="New")]))
    curves = found.curves.set_index("item")
    same = found.at(curves["spend"]).set_index("item")
    for name in ("roi", "roi_low", "roi_high", "marginal", "marginal_low", "marginal_high"):
        np.testing.assert_allclose(same[name].astype(float), curves[name], rtol=1e-6)
    twice = found.at(curves["spend"] * 2).set_index("item")
    search = curves.loc["Search"]
    assert twice.at["Search", "roi"] == pytest.approx(search["scale"] / (2 * search["spend"] + search["half"]))
    assert twice.at["Search", "marginal"] == pytest.approx(
        search["scale"] * search["half"] / (2 * search["spend"] + search["half"]) ** 2
    )
    assert twice.at["New", "roi"] == pytest.approx(curves.at["New", "roi"] * 2**-0.5)
    assert (twice["roi"] < same["roi"]).all() and (twice["roi_high"] < same["roi_high"]).all()
    # Farther from what was seen, less is known.
    width = [((table["marginal_high"] - table["marginal_low"]) / table["marginal"])["New"] for table in (same, twice)]
    assert width[1] >= 0.99 * width[0]
    nothing = found.at(pd.Series({"Search": 0, "Unheard of": 5}))
    assert list(nothing["item"]) == ["Search"] and nothing.at[0, "return_"] == nothing.at[0, "marginal_"] == "–"


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (3.14, 2.2, 4.41, "3.1 (2.2 to 4.4)"),
        (0.31, 0.2, 0.44, "0.31 (0.20 to 0.44)"),
        (4.15, 4.06, 4.23, "4.15 (4.06 to 4.23)"),
        (9.0, 0.0, 22.0, "9.0 (0.0 to 22.0)"),
        (3.1, np.nan, np.nan, "–"),
        (3.1, 2.0, np.inf, "–"),
    ],
)
def test_a_return_as_text(value: float, low: float, high: float, text: str):
    assert stated(value, low, high) == text
