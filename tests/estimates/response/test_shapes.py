"""Adstock, saturation and the yearly curve against hand arithmetic; the draws against numerical integration."""

import numpy as np
import pytest
from scipy import stats

from planlib.estimates.response.posterior import cut_normal, freed, posterior
from planlib.estimates.response.shapes import adstock, saturated, shapes, yearly


def test_an_impulse_fades_by_its_decay_and_a_steady_spend_settles():
    levels = adstock(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.0, 0.5, 0.9]))
    np.testing.assert_allclose(levels, [[1, 1, 1], [0, 0.5, 0.9], [0, 0.25, 0.81], [0, 0.125, 0.729]])
    assert adstock(np.full(400, 3.0), np.array([0.75]))[-1, 0] == pytest.approx(12.0)
    # What went before the first period decays as well.
    np.testing.assert_allclose(adstock(np.array([0.0, 0.0]), np.array([0.5]), 8.0)[:, 0], [4.0, 2.0])


def test_half_is_brought_at_the_half():
    np.testing.assert_allclose(saturated(np.array([0.0, 5.0, 15.0]), 5.0), [0.0, 0.5, 0.75])


def test_a_year_of_steady_months_is_twelve_times_the_monthly_curve():
    # 100 * x / (x + 30) a month at a spend of 60: elasticity 30 / 90; a year's curve is 1200 * x / (x + 360).
    scale, half = yearly(np.array(720.0), np.array(12 * 100 * 60 / 90), np.array(1 / 3))
    assert float(scale) == pytest.approx(1200) and float(half) == pytest.approx(360)


def test_the_elasticity_of_a_year_is_that_of_all_its_weeks_grown_alike():
    spend = np.array([0.0, 40.0, 10.0, 0.0, 80.0, 20.0] * 4)
    year = np.arange(24) >= 12
    decays, halves = np.array([0.4]), np.array([1.5])
    one = shapes(spend, year, 12, decays, halves)
    half = 1.5 * adstock(spend, decays, spend[:12].mean() / 0.6)[spend > 0].mean()

    def brought(grown: float) -> float:
        levels = adstock(grown * spend, decays, grown * spend[:12].mean() / 0.6)[:, 0]
        return float(saturated(levels, half)[year].sum())

    numeric = (brought(1.0001) - brought(0.9999)) / 0.0002 / brought(1.0)
    assert one.elasticity[0] == pytest.approx(numeric, rel=1e-6)
    assert one.feature.mean() == pytest.approx(1.0)
    assert one.spend == spend[year].sum()


@pytest.mark.parametrize(("mean", "low", "high"), [(1.0, 0.0, 3.0), (-4.0, 0.0, 3.0), (9.0, 0.0, 3.0), (0.5, -np.inf, 1.0)])
def test_a_cut_normal_has_the_quantiles_of_scipy(mean: float, low: float, high: float):
    chance = np.array([0.01, 0.3, 0.5, 0.9, 0.999])
    expected = stats.truncnorm.ppf(chance, (low - mean) / 0.8, (high - mean) / 0.8, loc=mean, scale=0.8)
    np.testing.assert_allclose(cut_normal(np.full(5, mean), np.full(5, 0.8), low, high, chance), expected, rtol=1e-8)


def test_freeing_errors_of_their_memory_leaves_the_shocks():
    shocks = np.array([2.0, -1.0, 0.5, 3.0])
    errors = [shocks[0] / np.sqrt(1 - 0.6**2)]
    for shock in shocks[1:]:
        errors.append(0.6 * errors[-1] + shock)
    np.testing.assert_allclose(freed(np.array(errors), 0.6), shocks)


def test_the_draws_have_the_posterior_that_integration_gives():
    # Two channels that move together, two shapes each: weights, means and spreads by a fine grid over both sizes.
    rng = np.random.Generator(np.random.PCG64(3))
    n, ceiling = 60, 5.0
    base = np.column_stack([np.ones(n), np.arange(n) / n])
    raw = rng.random((n, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
    features = [np.column_stack([raw[:, c], np.sqrt(raw[:, c])]) for c in (0, 1)]
    features = [feature / feature.mean(axis=0) for feature in features]
    outcome = base @ [10.0, 2.0] + 0.6 * features[0][:, 0] + 1.1 * features[1][:, 1] + 0.5 * rng.standard_normal(n)
    found = posterior(outcome, base, features, ceiling, np.random.Generator(np.random.PCG64(1)), chains=2000, sweeps=80)

    def left(table: np.ndarray) -> np.ndarray:
        span = np.linalg.qr(freed(base, found.memory))[0]
        clear = freed(table, found.memory)
        return clear - span @ (span.T @ clear)

    grid = (np.arange(400) + 0.5) / 400 * ceiling
    one, other = np.meshgrid(grid, grid, indexing="ij")
    inside, y = one + other < ceiling, left(outcome)
    weight, mean = np.zeros((2, 2)), np.zeros((2, 2, 2))
    for a in (0, 1):
        for b in (0, 1):
            x = np.column_stack([left(features[0][:, [a]])[:, 0], left(features[1][:, [b]])[:, 0]])
            onto, gram = x.T @ y, x.T @ x
            errors = y @ y - 2 * (one * onto[0] + other * onto[1])
            errors += one**2 * gram[0, 0] + 2 * one * other * gram[0, 1] + other**2 * gram[1, 1]
            # Variance integrated out; before the data each size is exponential, a quarter of the ceiling on average.
            dense = np.where(inside, errors ** (-(n - 2) / 2) * np.exp(-(one + other) * 4 / ceiling), 0.0)
            weight[a, b] = dense.sum()
            mean[a, b] = [(dense * one).sum(), (dense * other).sum()]
    expected = mean.sum(axis=(0, 1)) / weight.sum()
    weight /= weight.sum()
    np.testing.assert_allclose(found.size.mean(axis=0), expected, rtol=0.02)
    for a in (0, 1):
        for b in (0, 1):
            share = ((found.shape[:, 0] == a) & (found.shape[:, 1] == b)).mean()
            assert share == pytest.approx(weight[a, b], abs=0.02)
