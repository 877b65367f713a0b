"""Returns read from total revenue (BUD-1, BUD-6): known truth is found again, and what cannot be known is said."""

import numpy as np
import pandas as pd
import pytest

from planlib.errors import InputDataError, ParameterError
from planlib.estimates.response import fit, fit_months
from tests.conftest import ROOT
from tests.estimates.response.worlds import LEVEL, WEEKS, world


def held(curve: pd.Series, name: str, true: float) -> bool:
    return bool(curve[f"{name}_low"] <= true <= curve[f"{name}_high"])


def coverage(seeds: range, **kinds: float) -> dict[str, float]:
    """How often the intervals of three channels hold the truth."""
    hits: dict[str, list[bool]] = {"roi": [], "marginal": [], "decay": []}
    for seed in seeds:
        made = world(seed, **kinds)
        curves = fit(made.spend, made.revenue).curves.set_index("item")
        for name, true in (("roi", made.roi), ("marginal", made.marginal), ("decay", made.decay)):
            hits[name] += [held(curves.loc[channel], name, true[channel]) for channel in curves.index]
    return {name: float(np.mean(found)) for name, found in hits.items()}


def test_the_true_returns_lie_within_the_intervals():
    found = coverage(range(5))
    assert found["roi"] >= 0.8 and found["marginal"] >= 0.8 and found["decay"] >= 0.8  # 15 intervals of 90%


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [{}, {"noise": 0.06, "memory": 0.5}, {"together": 0.5}, {"weeks": 260}], ids=str)
def test_ninety_percent_intervals_hold_about_ninety_percent_of_the_truth(kinds: dict[str, float]):
    found = coverage(range(100, 140), **kinds)
    assert 0.82 <= found["roi"] <= 0.98
    assert 0.82 <= found["marginal"] <= 0.98
    assert found["decay"] >= 0.82


def test_without_carry_over_and_noise_the_curve_is_found_again():
    rng = np.random.Generator(np.random.PCG64(2))
    spend = 10_000 * (0.2 + 1.6 * rng.random(3 * WEEKS))
    spend[-WEEKS:] = spend[:-WEEKS].mean()  # a steady last year: its curve is 52 times the week's
    half = spend.mean()
    revenue = 500_000 + 90_000 * spend / (spend + half)
    curve = fit(pd.DataFrame({"TV": spend}), pd.Series(revenue)).curves.iloc[0]
    assert curve["identified"] and curve["caveat"] == ""
    assert curve["decay"] == 0
    assert curve["scale"] == pytest.approx(WEEKS * 90_000, rel=1e-3)
    assert curve["half"] == pytest.approx(WEEKS * half, rel=1e-3)
    assert curve["roi"] == pytest.approx(45_000 / half, rel=1e-3)
    assert curve["marginal"] == pytest.approx(22_500 / half, rel=1e-3)
    assert curve["roi_high"] - curve["roi_low"] < 0.01 * curve["roi"]


def test_two_channels_that_move_together_are_not_told_apart():
    made = world(4)
    twins = made.spend.assign(D=made.spend["C"] * 2)
    curves = fit(twins, made.revenue).curves.set_index("item")
    alone = fit(made.spend, made.revenue).curves.set_index("item")
    for name, other in (("C", "D"), ("D", "C")):
        assert not curves.at[name, "identified"]
        assert f"moves with that of {other} (correlation 1.00" in curves.at[name, "caveat"]
        assert curves.at[name, "roi_low"] == 0
    # Each may have brought all or nothing: relative to what it is said to bring, the interval is over twice as wide.
    width = (curves["roi_high"] - curves["roi_low"]) / curves["roi"]
    assert width["C"] > 2 * ((alone["roi_high"] - alone["roi_low"]) / alone["roi"])["C"]
    # What both bring together is known, and so is what the other channels bring.
    both = curves.at["C", "revenue"] + curves.at["D", "revenue"]
    assert both / made.spend["C"].iloc[-WEEKS:].sum() == pytest.approx(made.roi["C"], rel=0.3)
    assert curves.at["B", "identified"] and curves.at["B", "roi"] == pytest.approx(alone.at["B", "roi"], rel=0.15)


def test_a_channel_that_brings_nothing_is_not_said_to_bring():
    found = 0
    for seed in range(3):
        made = world(seed)
        idle = np.random.Generator(np.random.PCG64([1, seed])).random(len(made.spend)) * 30_000
        curve = fit(made.spend.assign(Idle=idle), made.revenue).curves.set_index("item").loc["Idle"]
        assert curve["roi_low"] < 0.8
        found += bool(curve["identified"])
    assert found <= 1


def test_too_few_weeks_are_said_and_fewer_still_refused():
    made = world(1)
    curves = fit(made.spend[:60], made.revenue[:60]).curves
    assert not curves["identified"].any()
    assert curves["caveat"].str.startswith("Too few periods: 60, two years (104)").all()
    with pytest.raises(InputDataError, match=r"found 8 periods, expected 10 at least for 3 channels"):
        fit(made.spend[:8], made.revenue[:8])


def test_a_constant_spend_shows_no_return():
    made = world(1)
    curves = fit(made.spend.assign(A=5_000.0), made.revenue).curves.set_index("item")
    assert not curves.at["A", "identified"] and "too little variation" in curves.at["A", "caveat"].lower()
    assert curves.at["A", "roi_low"] == 0 and curves.at["A", "roi_high"] > 3 * curves.at["A", "roi"]


def test_money_in_a_few_weeks_only_shows_no_curve():
    made = world(1)
    rare = (made.spend["A"] + 1_000).where(np.arange(len(made.spend)) % 30 == 5, 0.0)
    curves = fit(made.spend.assign(A=rare), made.revenue).curves.set_index("item")
    assert not curves.at["A", "identified"] and "money in 6 of 156 periods" in curves.at["A", "caveat"]


def test_a_channel_without_money_has_no_return_to_print():
    made = world(1)
    curves = fit(made.spend.assign(A=0), made.revenue).curves.set_index("item")
    assert curves.at["A", "return_"] == curves.at["A", "marginal_"] == "–"
    assert curves.at["A", "scale"] == 0 and curves.at["A", "caveat"] == "No money was ever spent on it."
    assert curves.at["B", "identified"]


def test_a_channel_paused_last_year_is_told_by_all_years_and_said_so():
    made = world(1)
    paused = made.spend.assign(A=made.spend["A"].where(np.arange(156) < 104, 0.0))
    curves = fit(paused, made.revenue).curves.set_index("item")
    assert curves.at["A", "spend"] == curves.at["A", "revenue"] == 0
    assert not curves.at["A", "identified"] and "no money was spent on it in the last year" in curves.at["A", "caveat"].lower()
    assert curves.at["A", "roi"] > 0 and curves.at["A", "return_"] != "–"


def test_a_control_keeps_a_channel_from_taking_what_it_did_not_bring():
    # Demand moves revenue and the spend that chases it; the spend itself brings nothing.
    made = world(8)
    demand, own = np.random.Generator(np.random.PCG64(8)).standard_normal((2, 156))
    chased = made.spend.assign(Chaser=20_000 * np.exp(0.4 * demand + 0.4 * own))
    sold = made.revenue + 60_000 * demand
    plain = fit(chased, sold).curves.set_index("item").loc["Chaser"]
    controlled = fit(chased, sold, pd.DataFrame({"demand": demand}, index=sold.index)).curves.set_index("item").loc["Chaser"]
    assert plain["identified"] and plain["roi_low"] > 2
    assert not controlled["identified"] and controlled["roi_low"] == 0 and controlled["marginal"] < 0.3 * plain["marginal"]
    # A spend that only follows the control cannot be told from it.
    follows = made.spend.assign(A=20_000 * np.exp(0.3 * demand))
    curve = fit(follows, sold, pd.DataFrame({"demand": demand}, index=sold.index)).curves.set_index("item").loc["A"]
    assert not curve["identified"] and "moves with trend, season or a control" in curve["caveat"]


def test_a_control_of_text_is_one_effect_per_text():
    made = world(2)
    events = pd.Series("none", index=made.revenue.index).where(np.arange(156) % 40 != 9, "fair")
    sold = made.revenue + 200_000 * (events == "fair")
    with_event = fit(made.spend, sold, events.to_frame("event"))
    without = fit(made.spend, sold)
    assert with_event.fit["r2"] > without.fit["r2"] + 0.1
    for name, true in made.roi.items():
        assert held(with_event.curves.set_index("item").loc[name], "roi", true)
    # A control that never changes says nothing, whatever it is.
    same = fit(made.spend, sold, pd.DataFrame({"event": events, "country": "China", "vat": 0.13}))
    pd.testing.assert_frame_equal(same.curves, with_event.curves)


def test_the_order_of_rows_and_columns_does_not_matter_and_a_rerun_is_the_same_to_the_bit():
    made = world(3)
    control = pd.DataFrame({"wave": np.arange(156) % 7, "kind": ["x", "y", "z"] * 52}, index=made.revenue.index)
    first = fit(made.spend, made.revenue, control)
    order = np.random.Generator(np.random.PCG64(0)).permutation(156)
    mixed = fit(made.spend.iloc[order][["C", "A", "B"]], made.revenue.iloc[order[::-1]], control.iloc[order][["kind", "wave"]])
    pd.testing.assert_frame_equal(first.curves, mixed.curves, check_exact=True)
    assert first.fit == mixed.fit and first.note == mixed.note
    for name in first.draws:
        assert first.draws[name].tobytes() == mixed.draws[name].tobytes()
    other = fit(made.spend, made.revenue, control, seed=1)
    assert not first.curves["roi"].equals(other.curves["roi"])
    np.testing.assert_allclose(first.curves["roi"], other.curves["roi"], rtol=0.2)


def test_a_return_does_not_depend_on_the_unit_of_money():
    made = world(5)
    yuan = fit(made.spend, made.revenue).curves
    fen = fit((made.spend * 100).round().astype("int64"), (made.revenue * 100).round().astype("int64")).curves
    np.testing.assert_allclose(fen["roi"], yuan["roi"], rtol=1e-3)
    np.testing.assert_allclose(fen["half"], yuan["half"] * 100, rtol=0.05)


def test_a_wider_level_gives_wider_intervals_and_a_lower_ceiling_smaller_returns():
    made = world(6, noise=0.06)
    narrow, wide = (fit(made.spend, made.revenue, level=level).curves for level in (0.8, 0.95))
    assert (wide["roi_high"] > narrow["roi_high"]).all() and (wide["roi_low"] < narrow["roi_low"]).all()
    capped = fit(made.spend, made.revenue, ceiling=0.1).curves
    assert capped["revenue"].sum() < 0.1 * LEVEL * WEEKS * 1.1
    assert capped["revenue"].sum() < narrow["revenue"].sum()
    strict = fit(made.spend, made.revenue, inflation=1.01).curves
    assert not strict["identified"].any() and strict["caveat"].str.contains("variance inflation").all()


def test_the_fit_is_told_in_and_out_of_sample_beside_that_without_channels():
    made = world(7)
    found = fit(made.spend, made.revenue)
    assert 0.4 < found.fit["r2_held_out"] < 1 and found.fit["r2_held_out"] > found.fit["r2_without"] + 0.2
    assert f"{found.fit['r2_held_out']:.2f} on the last fifth held out ({found.fit['r2_without']:.2f} without" in found.note
    # Channels that brought nothing make the held-out fifth no better, and the note says so.
    noise = pd.DataFrame(np.random.Generator(np.random.PCG64(5)).random((156, 3)), made.revenue.index, list("ABC"))
    plain = LEVEL * (1 + 0.2 * np.sin(np.arange(156) / 52 * 2 * np.pi)) + 1e4 * np.random.Generator(
        np.random.PCG64(6)
    ).standard_normal(156)
    idle = fit(noise, pd.Series(plain, index=made.revenue.index))
    assert not idle.curves["identified"].any()
    assert ("told the held-out fifth better" in idle.note) == (idle.fit["r2_held_out"] < idle.fit["r2_without"])


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda spend, y: (-spend, y), "spend that is missing or below 0"),
        (lambda spend, y: (spend.replace(spend["A"].max(), np.nan), y), "spend that is missing or below 0"),
        (lambda spend, y: (spend.replace(0.0, np.inf), y), "spend that is missing or below 0"),
        (lambda spend, y: (spend * 0, y), "no channel with spend"),
        (lambda spend, y: (spend, y * 0), "an outcome that is missing, sums to 0 or less or never changes"),
        (lambda spend, y: (spend, y * 0 + 5), "an outcome that is missing, sums to 0 or less or never changes"),
        (lambda spend, y: (spend, y.where(y.index != y.index[5])), "an outcome that is missing"),
        (lambda spend, y: (spend, y[:-1]), "other periods in outcome than in spend"),
        (lambda spend, y: (pd.concat([spend, spend[:1]]), y), "periods of spend more than once"),
        (lambda spend, y: (spend.set_axis(["A", "A", "B"], axis=1), y), "channels"),
        (lambda spend, y: (spend.astype(str), y), "text or dates for money"),
        (lambda spend, y: (spend.drop(spend.index[70]), y.drop(y.index[70])), "no period after 2023-05-01"),
    ],
)
def test_tables_that_do_not_fit_are_refused(broken, said: str):
    made = world(1)
    with pytest.raises(InputDataError, match=f"response: found {said}"):
        fit(*broken(made.spend, made.revenue))


def test_controls_that_are_missing_and_a_year_outside_the_table_are_refused():
    made = world(1)
    control = pd.DataFrame({"price": [np.nan, *range(155)]}, index=made.revenue.index)
    with pytest.raises(InputDataError, match="controls that are missing"):
        fit(made.spend, made.revenue, control)
    with pytest.raises(InputDataError, match="no period of the year"):
        fit(made.spend, made.revenue, year=["1999-01-04"])


@pytest.mark.parametrize(
    "wrong",
    [{"draws": 99}, {"ceiling": 0.0}, {"ceiling": 1.1}, {"inflation": 1.0}, {"harmonics": -1}, {"level": 0.4}, {"level": 1.0}],
    ids=str,
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, float]):
    made = world(1)
    with pytest.raises(ParameterError, match="response: found"):
        fit(made.spend, made.revenue, **wrong)


def test_months_without_attributed_revenue_are_read_against_total_revenue():
    # Weekly truth told by month: four years, three activities.
    made = world(11, weeks=60, decays=(0.0, 0.0, 0.0), noise=0.01)
    months = [str(month) for month in pd.period_range("2021-01", periods=60, freq="M")]
    spend = made.spend.set_axis(months).rename_axis("month").round().astype("int64")
    rows = spend.reset_index().melt("month", var_name="activity", value_name="spend")
    revenue = made.revenue.set_axis(months).round().astype("int64")
    found = fit_months(rows[rows["spend"] > 0].sample(frac=1, random_state=3), revenue, year=months[-12:])
    assert list(found.curves["item"]) == ["A", "B", "C"]
    np.testing.assert_allclose(found.curves["spend"], spend.iloc[-12:].sum())
    pd.testing.assert_frame_equal(found.curves, fit(spend, revenue, periods_per_year=12).curves)
    # Months before the first marketing are no months without marketing.
    longer = pd.concat([pd.Series([900_000] * 3, index=["2020-10", "2020-11", "2020-12"]), revenue])
    pd.testing.assert_frame_equal(found.curves, fit_months(rows, longer).curves)


def test_too_few_months_give_no_curves_but_a_sentence():
    months = [str(month) for month in pd.period_range("2024-01", periods=20, freq="M")]
    rows = pd.DataFrame({"month": months, "activity": "TV", "spend": range(20)})
    found = fit_months(rows, pd.Series(range(100, 120), index=months))
    assert found.curves.empty and "20 months of 1 activities; 24 months at least" in found.note
    assert fit_months(rows[:0], pd.Series(dtype="int64")).curves.empty
    with pytest.raises(InputDataError, match="no column"):
        fit_months(rows[["month", "spend"]], pd.Series(range(100, 120), index=months))


def test_the_samples_total_revenue_does_not_say_which_activity_brought_it():
    # The sample's orders are made without regard to marketing: an honest reading finds no return (data/sample.py).
    marketing = pd.read_csv(ROOT / "data" / "sample" / "marketing.csv")
    orders = pd.read_csv(ROOT / "data" / "sample" / "orders.csv")
    revenue = (orders["revenue"] * 100).round().astype("int64").groupby(orders["date"].str[:7]).sum()
    found = fit_months(marketing[marketing["month"] <= "2025-12"].assign(spend=lambda table: table["spend"] * 100), revenue)
    assert len(found.curves) == 6 and not found.curves["identified"].any()
    assert found.curves["caveat"].str.lower().str.contains("zero lies within the interval").all()


def test_a_closed_season_brings_nothing_and_a_missing_month_cuts_what_came_before():
    rng = np.random.Generator(np.random.PCG64(2))
    names = [str(month) for month in pd.period_range("2021-01", periods=60, freq="M")]
    marketing = pd.DataFrame({"month": names, "activity": "Search", "spend": np.rint(1e6 * rng.random(60))})
    revenue = pd.Series(5e6 + 2 * marketing["spend"].to_numpy() + 1e5 * rng.standard_normal(60), names)
    shut = revenue[~revenue.index.str.endswith("-08")]

    assert fit_months(marketing, shut).fit["periods"] == 60
    # June 2022 is missing: 42 months follow it
    assert fit_months(marketing, revenue.drop("2022-06")).fit["periods"] == 42
    late = fit_months(marketing, revenue.drop("2024-06"))
    assert late.curves.empty and "18 months of 1 activities after 2024-06, which is missing" in late.note
