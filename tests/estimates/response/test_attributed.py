"""Returns from attributed revenue by month (BUD-1, BUD-6): known truth, thin data, and the sample's own curves."""

import numpy as np
import pandas as pd
import pytest

from planlib.data import sample
from planlib.errors import InputDataError, ParameterError
from planlib.estimates.response import fit_attributed
from tests.conftest import ROOT
from tests.estimates.response.worlds import attributed


def months(spend: np.ndarray, revenue: np.ndarray, activity: str = "Search") -> pd.DataFrame:
    names = [str(month) for month in pd.period_range("2023-01", periods=len(spend), freq="M")]
    return pd.DataFrame({"month": names, "activity": activity, "spend": spend, "revenue": revenue})


def test_without_noise_the_curve_is_found_again():
    rng = np.random.Generator(np.random.PCG64(1))
    spend = np.rint(1e6 * (0.2 + 1.6 * rng.random(36)))
    spend[-12:] = np.rint(spend[:24].mean())  # a steady last year: its curve is twelve times the month's
    half = spend.mean()  # 1.0 times the usual spend, which the shapes hold
    revenue = 8e6 * spend / (spend + half)
    curve = fit_attributed(months(spend, revenue)).curves.iloc[0]
    assert curve["identified"] and curve["caveat"] == "" and curve["form"] == "saturating"
    assert curve["scale"] == pytest.approx(12 * 8e6, rel=1e-3)
    assert curve["half"] == pytest.approx(12 * half, rel=1e-3)
    assert curve["roi"] == pytest.approx(8e6 / (spend[-1] + half), rel=1e-6)
    assert curve["marginal"] == pytest.approx(8e6 * half / (spend[-1] + half) ** 2, rel=1e-3)
    assert curve["roi_high"] - curve["roi_low"] < 0.002 * curve["roi"]


def test_carry_over_is_found_where_it_may_be():
    frame, true, marginal = attributed(5, months=60, noise=0.02, decay=0.5)
    curve = fit_attributed(frame, carryover=True).curves.iloc[0]
    assert curve["decay_low"] <= 0.5 <= curve["decay_high"] and curve["decay_low"] > 0.2
    assert curve["roi_low"] <= true <= curve["roi_high"] and curve["marginal_low"] <= marginal <= curve["marginal_high"]
    assert fit_attributed(frame).curves.iloc[0]["decay"] == 0


@pytest.mark.parametrize("kinds", [{}, {"half": 0.4}, {"noise": 0.15, "months": 48}, {"memory": 0.5}], ids=str)
def test_ninety_percent_intervals_hold_about_ninety_percent_of_the_truth(kinds: dict[str, float]):
    roi, marginal = [], []
    for seed in range(100):
        frame, true, slope = attributed(seed, **kinds)
        curve = fit_attributed(frame).curves.iloc[0]
        roi.append(curve["roi_low"] <= true <= curve["roi_high"])
        marginal.append(curve["marginal_low"] <= slope <= curve["marginal_high"])
    assert 0.8 <= np.mean(roi) <= 0.98
    assert 0.8 <= np.mean(marginal) <= 0.98


def test_the_samples_true_curves_lie_within_their_intervals():
    # planlib/data/sample.py: ceiling * spend / (spend + half * usual) a month, noise of 7% either way around it.
    marketing = pd.read_csv(ROOT / "data" / "sample" / "marketing.csv")
    orders = pd.read_csv(ROOT / "data" / "sample" / "orders.csv")
    year = [month for month in sorted(set(marketing["month"])) if month.startswith("2025")]
    found = fit_attributed(marketing[marketing["month"] <= "2025-12"], year=year)
    curves = found.curves.set_index("item")
    assert curves["identified"].all() and (curves["caveat"] == "").all()
    assert found.fit["r2"] > 0.9 and found.fit["r2_held_out"] > 0.8
    usual = orders["revenue"].sum() / orders["date"].str[:7].nunique()
    hits = []
    for activity, (share, yield_, half) in sample._ACTIVITIES.items():
        middle = 0.13 * usual * share
        spend = marketing[(marketing["activity"] == activity) & marketing["month"].isin(year)]["spend"].to_numpy(dtype=float)
        brought = yield_ * middle * (1 + half) * spend / (spend + half * middle)
        slope = brought * half * middle / (spend + half * middle)
        for name, true in (("roi", brought.sum() / spend.sum()), ("marginal", slope.sum() / spend.sum())):
            assert curves.at[activity, name] == pytest.approx(true, rel=0.12)
            hits.append(curves.at[activity, f"{name}_low"] <= true <= curves.at[activity, f"{name}_high"])
    assert sum(hits) >= 10  # twelve intervals of 90%


def test_a_spend_that_hardly_moves_gets_an_assumed_curve_and_says_so():
    rng = np.random.Generator(np.random.PCG64(4))
    steady = months(np.full(36, 1_000.0), np.rint(3_000 * np.exp(0.1 * rng.standard_normal(36))))
    curve = fit_attributed(steady).curves.iloc[0]
    assert curve["form"] == "power" and curve["elasticity"] == 0.5 and not curve["identified"]
    assert "the spend lies within 0% of its mean" in curve["caveat"]
    assert "its curve is an assumption (elasticity 0.5, 0.2 to 0.8)" in curve["caveat"]
    # The return of the year is known from its months; that of the next unit is not.
    assert curve["roi_high"] / curve["roi_low"] < 1.25
    assert curve["marginal_low"] == pytest.approx(0.2 * curve["roi"], rel=0.1)
    assert curve["marginal_high"] == pytest.approx(0.8 * curve["roi"], rel=0.1)
    assert curve["scale"] * curve["spend"] ** 0.5 == pytest.approx(curve["revenue"])
    other = fit_attributed(steady, elasticity=0.3, elasticity_range=(0.25, 0.35)).curves.iloc[0]
    assert other["marginal"] == pytest.approx(0.3 * other["roi"]) and other["marginal_high"] < 0.4 * other["roi"]


def test_months_that_do_not_show_the_curve_are_not_identified():
    frame, *_ = attributed(3, months=14, noise=0.8)
    curve = fit_attributed(frame).curves.iloc[0]
    assert not curve["identified"] and "do not tell how its return fades" in curve["caveat"]
    assert curve["roi_high"] > 1.5 * curve["roi_low"]


def test_too_few_months_are_said():
    frame, *_ = attributed(3, months=36)
    young = frame.tail(7).assign(activity="Livestream")
    curves = fit_attributed(pd.concat([frame, young])).curves.set_index("item")
    assert curves.at["Search", "identified"] and not curves.at["Livestream", "identified"]
    assert "7 with spend and revenue, 12 at least show a curve" in curves.at["Livestream", "caveat"]
    # Two months have no scatter to see: their error is assumed, and the interval wide.
    younger = fit_attributed(pd.concat([frame, young.tail(2)])).curves.set_index("item")
    assert younger.at["Livestream", "roi_high"] > 1.5 * younger.at["Livestream", "roi_low"]
    assert fit_attributed(pd.concat([frame, young]), least_months=6).curves.set_index("item").at["Livestream", "form"] == (
        "saturating"
    )


def test_an_activity_without_revenue_or_without_spend_has_no_return_to_print():
    frame, *_ = attributed(3)
    idle = frame.assign(activity="Idle", revenue=0)
    free = frame.assign(activity="Free", spend=0)
    curves = fit_attributed(pd.concat([frame, idle, free])).curves.set_index("item")
    for name in ("Idle", "Free"):
        assert curves.at[name, "return_"] == curves.at[name, "marginal_"] == "–"
        assert curves.at[name, "scale"] == 0 and not curves.at[name, "identified"] and curves.at[name, "caveat"]
    assert curves.at["Search", "identified"]


def test_an_activity_paused_in_the_year_keeps_its_curve_but_is_said_to_be():
    frame, *_ = attributed(3)
    paused = frame.assign(activity="TV").head(24)
    curves = fit_attributed(pd.concat([frame, paused])).curves.set_index("item")
    assert curves.at["TV", "spend"] == curves.at["TV", "revenue"] == 0
    assert not curves.at["TV", "identified"] and "No money was spent on it in the year" in curves.at["TV", "caveat"]
    assert curves.at["TV", "return_"] != "–"


def test_a_month_in_which_nobody_spent_counts_as_a_month():
    frame, *_ = attributed(3)
    gap = frame[~frame["month"].isin(["2025-03", "2025-04"])]
    silent = frame.assign(
        spend=frame["spend"].where(gap["spend"].notna(), 0), revenue=frame["revenue"].where(gap["spend"].notna(), 0)
    )
    pd.testing.assert_frame_equal(fit_attributed(gap).curves, fit_attributed(silent).curves)
    assert fit_attributed(gap).curves.iloc[0]["spend"] == gap[gap["month"] >= "2025-01"]["spend"].sum()


def test_the_order_of_rows_does_not_matter_and_other_activities_do_not_either():
    frame, *_ = attributed(3)
    both = pd.concat([frame, attributed(4)[0].assign(activity="TV")])
    first, mixed = fit_attributed(both), fit_attributed(both.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(first.curves, mixed.curves, check_exact=True)
    assert first.fit == mixed.fit and first.note == mixed.note
    assert {name: values.tobytes() for name, values in first.draws.items()} == {
        name: values.tobytes() for name, values in mixed.draws.items()
    }
    alone = fit_attributed(frame).curves
    pd.testing.assert_frame_equal(alone, first.curves[first.curves["item"] == "Search"].reset_index(drop=True))


def test_no_history_gives_no_curves():
    frame, *_ = attributed(3)
    found = fit_attributed(frame[:0])
    assert found.curves.empty and found.note == "No marketing months are known."


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda table: table.assign(spend=-table["spend"]), "spend that is missing or below 0.*first: Search in 20"),
        (
            lambda table: table.assign(revenue=table["revenue"].replace(table["revenue"].max(), np.nan)),
            "revenue that is missing",
        ),
        (lambda table: table.drop(columns="revenue"), r"no column \['revenue'\]"),
    ],
)
def test_tables_that_cannot_be_read_are_refused(broken, said: str):
    with pytest.raises(InputDataError, match=said):
        fit_attributed(broken(attributed(3)[0]))


def test_a_year_outside_the_table_is_refused():
    with pytest.raises(InputDataError, match=r"no month of the year \['1999-01'\]"):
        fit_attributed(attributed(3)[0], year=["1999-01"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"draws": 99},
        {"least_months": 3},
        {"elasticity": 0.9},
        {"elasticity_range": (0.0, 0.8)},
        {"elasticity_range": (0.2, 1.0)},
        {"periods_per_year": 1},
        {"level": 0.4},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, float]):
    with pytest.raises(ParameterError, match="response: found"):
        fit_attributed(attributed(3)[0], **wrong)


def test_spend_in_march_credited_in_april_has_a_return_with_its_interval():
    spend, revenue = np.zeros(12), np.zeros(12)
    spend[2], revenue[3] = 1000.0, 3000.0
    curve = fit_attributed(months(spend, revenue)).curves.iloc[0]

    assert not curve["identified"] and curve["roi"] == pytest.approx(3.0)
    assert 0 < curve["roi_low"] < 3.0 < curve["roi_high"]
    # every quarter's spend is credited the month after, the curve is an assumption but the interval is there
    often = fit_attributed(months(np.tile([900.0, 0, 0], 8), np.tile([0, 1800.0, 0], 8))).curves.iloc[0]
    assert often["roi"] == pytest.approx(2.0) and np.isfinite([often["roi_low"], often["marginal_high"]]).all()


def test_a_month_of_returns_counts_in_the_years_return_and_not_in_the_shape():
    rng = np.random.Generator(np.random.PCG64(3))
    spend = np.rint(1e6 * (0.2 + 1.6 * rng.random(36)))
    revenue = 8e6 * spend / (spend + spend.mean())
    back = revenue.copy()
    back[30] = -1e6
    curve = fit_attributed(months(spend, back)).curves.iloc[0]

    assert curve["identified"] and curve["revenue"] == pytest.approx(back[-12:].sum())
    only = fit_attributed(months(spend, -revenue)).curves.iloc[0]
    assert not only["identified"] and np.isnan(only["roi"])
