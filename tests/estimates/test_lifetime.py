"""BG/NBD and Gamma-Gamma (CUS-3) against the papers' CDNOW, and against their own laws."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1

from planlib.errors import PlanError
from planlib.estimates import lifetime
from tests.estimates.cdnow import customers


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return customers()


@pytest.fixture(scope="module")
def bought(cdnow) -> lifetime.Purchases:
    return lifetime.purchases(cdnow)


@pytest.fixture(scope="module")
def spent(cdnow) -> lifetime.Spend:
    return lifetime.spend(cdnow)


def test_bg_nbd_is_the_papers(cdnow, bought):
    # Fader, Hardie & Lee 2005, table 2: r .243, alpha 4.414, a .793, b 2.426, LL -9582.4 (CUS-3).
    assert len(cdnow) == 2357 and cdnow["x"].sum() == 2457 and (cdnow["x"] == 0).sum() == 1411
    assert [round(bought.r, 3), round(bought.alpha, 3), round(bought.a, 3), round(bought.b, 3)] == [0.243, 4.414, 0.793, 2.426]
    assert round(bought.loglik, 1) == -9582.4
    assert [bought.r, bought.alpha, bought.a, bought.b] == pytest.approx([0.242593, 4.413532, 0.792886, 2.425752], rel=2e-6)
    assert (bought.customers, bought.repeaters) == (2357, 946)


def test_gamma_gamma_is_the_papers(spent):
    # Fader & Hardie 2013: p 6.25, q 3.74, v 15.44; the quickstart of `lifetimes` for the correlation.
    assert [spent.p, spent.q, spent.v] == pytest.approx([6.25, 3.74, 15.44], abs=0.01)
    assert spent.customers == 946
    assert spent.correlation == pytest.approx(0.113884, abs=1e-6)


def test_expected_purchases_of_a_new_customer(bought):
    # The package BTYD's table, repeated in the tests of `lifetimes`, at their tolerance.
    times = [0.1429, 1.0, 3.0, 31.8571, 32.0, 78.0]
    assert [bought.expected(t) for t in times] == pytest.approx([0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576], abs=1e-3)


def test_expected_purchases_of_customers_with_a_past(bought):
    found = bought.conditional(39, np.array([2, 7, 0]), np.array([30.43, 29.43, 0]), np.array([38.86] * 3))
    assert found == pytest.approx([1.226, 3.34, 0.20], abs=5.5e-3)
    assert found[0] == pytest.approx(1.226, abs=5e-4)


def test_mean_values_of_the_first_ten(cdnow, spent):
    wanted = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert spent.mean(cdnow["x"], cdnow["m"])[:10] == pytest.approx(wanted, abs=0.1)


def test_lifetime_value_of_the_quickstart(cdnow, bought, spent):
    # Twelve months of thirty units of time at 1% a month, customers 1, 2, 3 and 6.
    found = lifetime.value(bought, spent, cdnow, 12, 0.01, 30)
    assert found[[0, 1, 2, 5]] == pytest.approx([140.10, 18.94, 38.18, 1003.87], abs=0.01)


def test_more_discount_is_less_value_and_more_months_are_more(cdnow, bought, spent):
    few = cdnow.head(20)
    base = lifetime.value(bought, spent, few, 12, 0.01, 4.345)
    assert (lifetime.value(bought, spent, few, 12, 0.03, 4.345) < base).all()
    assert (lifetime.value(bought, spent, few, 24, 0.01, 4.345) > base).all()
    plain = bought.conditional(12 * 4.345, *(few[name].to_numpy() for name in ("x", "t_x", "T"))) * spent.mean(
        few["x"], few["m"]
    )
    assert lifetime.value(bought, spent, few, 12, 0.0, 4.345) == pytest.approx(plain)


def test_the_expectation_is_the_papers_formula(bought):
    # Equation 9 as printed, without Euler's transformation.
    r, alpha, a, b, t = bought.r, bought.alpha, bought.a, bought.b, 20.0
    plain = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t)))
    assert bought.expected(t) == pytest.approx(plain, rel=1e-10)


def test_a_very_frequent_customer_overflows_nothing(bought):
    alive = bought.alive(np.array([900.0, 900.0]), np.array([38.89, 2.0]), np.array([38.9, 38.9]))
    found = bought.conditional(39, np.array([900.0]), np.array([38.85]), np.array([38.86]))
    assert alive[0] > 0.5 > 1e-6 > alive[1] >= 0
    assert np.isfinite(found).all() and found[0] > 100


def test_who_never_came_back_counts_as_alive_and_silence_lowers_the_odds(bought):
    alive = bought.alive(np.array([0, 3, 3, 3]), np.array([0, 38, 20, 5]), np.array([39, 39, 39, 39]))
    assert alive[0] == 1.0 and alive[1] > alive[2] > alive[3]


def test_equal_rows_may_be_counted_and_row_order_is_the_same(cdnow, bought):
    grouped = cdnow.groupby(["x", "t_x", "T"]).size().rename("count").reset_index()
    mixed = lifetime.purchases(grouped.sample(frac=1, random_state=1))
    assert (mixed.r, mixed.alpha, mixed.a, mixed.b, mixed.loglik) == (bought.r, bought.alpha, bought.a, bought.b, bought.loglik)


def test_the_unit_of_time_and_of_money_do_not_matter(cdnow, bought, spent):
    days = lifetime.purchases(cdnow.assign(t_x=cdnow["t_x"] * 7, T=cdnow["T"] * 7))
    cents = lifetime.spend(cdnow.assign(m=cdnow["m"] * 100))
    assert [days.r, days.alpha / 7, days.a, days.b] == pytest.approx([bought.r, bought.alpha, bought.a, bought.b], rel=1e-5)
    assert [cents.p, cents.q, cents.v / 100] == pytest.approx([spent.p, spent.q, spent.v], rel=1e-5)


def test_parameters_come_back_from_drawn_customers():
    # Drawn from the model's own story: gamma rates, beta drop-out after each purchase, gamma values with gamma scales.
    draw = np.random.default_rng(5)
    rows = []
    for rate, drop in zip(draw.gamma(0.9, 1 / 20, 6000), draw.beta(1.2, 4.0, 6000), strict=True):
        day, days = 0.0, []
        while (day := day + draw.exponential(1 / rate)) < 100 and len(days) < 500:
            days.append(day)
            if draw.random() < drop:
                break
        rows.append((len(days), days[-1] if days else 0.0, 100.0))
    table = pd.DataFrame(rows, columns=["x", "t_x", "T"])
    table["m"] = draw.gamma(4.0 * table["x"].clip(lower=1), 1 / (draw.gamma(5.0, 1 / 30.0, 6000) * table["x"].clip(lower=1)))
    found, worth = lifetime.purchases(table), lifetime.spend(table)
    for fitted, truth in ((found, {"r": 0.9, "alpha": 20, "a": 1.2, "b": 4.0}), (worth, {"p": 4.0, "q": 5.0, "v": 30.0})):
        errors = np.sqrt(np.diag(fitted.covariance))
        for error, (name, value) in zip(errors, truth.items(), strict=True):
            assert abs(np.log(getattr(fitted, name) / value)) < 3 * error < 0.6, name


def test_expectation_is_the_integral_of_its_rate(bought):
    # dE[X(t)]/dt is the mean rate of those still active: integrating small steps must give the whole.
    def rate(t: float) -> float:
        return (bought.expected(t + 1e-4) - bought.expected(t - 1e-4)) / 2e-4

    assert quad(rate, 1.0, 30.0, epsabs=1e-6)[0] == pytest.approx(bought.expected(30) - bought.expected(1), rel=1e-5)


def test_the_spread_is_that_of_the_parameters(bought, spent):
    # A measure that is a parameter has that parameter's own error.
    errors = lifetime.spread(bought, spent, lambda model, worth: np.array([model.alpha, worth.q]))
    assert errors == pytest.approx([bought.covariance[1, 1] ** 0.5, spent.covariance[1, 1] ** 0.5], rel=1e-3)


def test_few_repeaters_are_refused_with_what_to_do(cdnow):
    with pytest.raises(PlanError, match="20 customers bought again, expected 50 or more; value groups by their revenue"):
        lifetime.purchases(pd.concat([cdnow[cdnow["x"] > 0].head(20), cdnow[cdnow["x"] == 0].head(100)]))
    with pytest.raises(PlanError, match="20 repeat values"):
        lifetime.spend(cdnow[cdnow["x"] > 0].head(20))


def test_customers_that_the_data_cannot_tell_apart_are_refused():
    # Everyone buys every tenth day and nobody stops: neither rates nor drop-out differ, the likelihood climbs for ever.
    same = pd.DataFrame({"x": [9] * 200, "t_x": [90.0] * 200, "T": [95.0] * 200, "m": [5.0] * 200})
    with pytest.raises(PlanError, match="BG/NBD has no peak"):
        lifetime.purchases(same)
    with pytest.raises(PlanError, match="Gamma-Gamma has no peak"):
        lifetime.spend(same)


@pytest.mark.parametrize("row", [(1, 5.0, 4.0), (0, 5.0, 9.0), (2, 0.0, 9.0), (-1, 0.0, 9.0), (0, 0.0, 0.0)])
def test_times_that_do_not_fit_are_refused(cdnow, row):
    wrong = pd.concat([cdnow, pd.DataFrame([row], columns=["x", "t_x", "T"])])
    with pytest.raises(PlanError, match="times do not fit"):
        lifetime.purchases(wrong)


def test_missing_is_not_zero(cdnow):
    with pytest.raises(PlanError, match="is missing"):
        lifetime.purchases(cdnow.assign(T=cdnow["T"].where(cdnow["x"] != 3)))
