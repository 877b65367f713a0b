"""Seasons: growth taken out, thin products drawn toward the company, festivals where they fall (TIM-1)."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
import pytest

from planlib.estimates.candidates import freed
from planlib.estimates.moving import exposure, moving
from planlib.estimates.season import announced, seasonality
from planlib.periods import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
SHAPE = np.array([1.2, 0.8, 0.9, 1.0, 1.0, 1.1, 0.9, 0.8, 1.0, 1.1, 1.1, 1.1])


@dataclass(frozen=True)
class Windows:
    festivals: list[str] = field(default_factory=list)
    days_before: int = 10
    days_after: int = 4
    shrink_months: int = 24


def months(first: int, last: int = 2025) -> list[str]:
    return [f"{year}-{month:02d}" for year in range(first, last + 1) for month in range(1, 13)]


def sold(amounts: np.ndarray, first: int, product: str = "p") -> pd.DataFrame:
    return pd.DataFrame({"product": product, "month": months(first), "amount": np.rint(amounts * 1e6).astype("int64")})


def weights(history: pd.DataFrame, product: str = "p", near: Windows | None = None) -> np.ndarray:
    season, _ = seasonality(history, near or Windows(), HORIZON)
    found = season[season["product"] == product].set_index("month")["weight"]
    return (found / found.sum()).reindex(HORIZON.months).to_numpy()


def test_two_equal_years_are_the_season():
    assert weights(sold(np.tile(SHAPE, 2), 2024)) == pytest.approx(SHAPE / SHAPE.sum(), abs=1e-6)


def test_growth_inside_a_year_goes_on_as_the_past_says():
    """A company that grows by e^0.4 a year, every year: the months of the next year rise as those of the last ones did."""
    path = np.exp(0.4 * np.arange(72) / 12)
    found, truth = weights(sold(np.tile(SHAPE, 6) * path, 2020)), SHAPE * path[:12]

    assert found == pytest.approx(truth / truth.sum(), rel=1e-6)


def test_growth_inside_a_year_is_no_season_for_the_months_freed_of_it():
    """Two years that grow by e^0.4 a year: half of it is seen (into or out of each), so half of the slope is left."""
    path = np.tile(SHAPE, 2) * np.exp(0.4 * np.arange(24) / 12)
    months = freed([path[12:].reshape(1, 12), path[:12].reshape(1, 12)])

    assert months[11] / months[0] == pytest.approx(SHAPE[11] / SHAPE[0] * np.exp(0.4 / 2 * 11 / 12), rel=1e-6)


def test_chance_is_not_taken_for_a_season():
    large = sold(np.ones(24) * 1000, 2024, "large")
    raw, drawn = [], []
    for seed in range(20):
        noise = np.exp(np.random.default_rng(seed).normal(0, 0.2, 24))
        raw.append(np.std(noise.reshape(2, 12).mean(axis=0)))
        drawn.append(np.std(weights(pd.concat([large, sold(noise, 2024)])) * 12))

    assert np.mean(drawn) < 0.4 * np.mean(raw)


def test_a_products_own_season_counts_as_far_as_its_years_agree():
    large = sold(np.tile(np.ones(12), 2) * 100, 2024, "large")
    clear = weights(pd.concat([large, sold(np.tile(SHAPE, 2), 2024)]))

    # The same shape in both years is all its own: the company's months are flat but for its own hundredth.
    assert clear == pytest.approx(SHAPE / SHAPE.sum(), rel=1e-3)


def test_one_year_of_a_product_counts_by_its_months_beside_the_companys():
    large = sold(np.ones(24) * 1000, 2024, "large")
    launched = sold(np.r_[np.zeros(12), SHAPE], 2024)
    found = weights(pd.concat([large, launched]), near=Windows(shrink_months=24))
    shape = SHAPE / SHAPE.mean()

    # Twelve months of its own beside twenty-four of the company's, which are flat: a third of its own shape, or less.
    assert np.abs(found * 12 - 1).max() <= np.abs(shape - 1).max() / 3 + 0.01
    only = weights(sold(SHAPE, 2025))
    assert only == pytest.approx(SHAPE / SHAPE.sum(), abs=1e-6)


def test_row_order_and_names_do_not_matter():
    history = pd.concat([sold(np.tile(SHAPE, 2), 2024), sold(np.tile(SHAPE[::-1], 2), 2024, "q")])
    shuffled = history.sample(frac=1, random_state=1)
    renamed = history.assign(product=history["product"].map({"p": "z", "q": "a"}))

    assert weights(shuffled).tolist() == weights(history).tolist()
    assert weights(renamed, "z") == pytest.approx(weights(history), rel=1e-12)


def test_a_festival_seen_twice_is_believed_in_part():
    """Chance in the months blurs a festival: what is said of it lies between none and what least squares would say."""
    near = Windows(["Spring Festival"], 21, 10)
    days = exposure(months(2024), moving(near, months(2024), HORIZON)).sum(axis=1).to_numpy()
    length = np.array([monthrange(int(month[:4]), int(month[5:]))[1] for month in months(2024)])
    dip = (length + (np.exp(-0.5) - 1) * days) / np.where([month[5:] == "02" for month in months(2024)], 28.25, length)
    noise = np.random.default_rng(2).normal(0, 0.15, 24)
    _, effects = seasonality(sold(dip * np.exp(noise), 2024), near, HORIZON)
    _, clean = seasonality(sold(dip, 2024), near, HORIZON)

    assert effects["change"].abs().max() < 0.6
    # Without chance the dip is found: each of the 32 days sells e^-0.5 of a plain one.
    assert clean["per_day"].tolist() == pytest.approx([np.exp(-0.5) - 1] * 2, abs=1e-4)


def test_a_year_beyond_the_announcements_is_provisional():
    table = announced([2099, 2025, 2026])

    # State Council notices for 2025 (2024-11-12) and 2026 (2025-11-04) are out; nobody has announced 2099.
    assert table["year"].tolist() == [2025, 2026, 2099]
    assert table["official"].tolist() == [True, True, False]
    assert "2099 is provisional" in table["note"].iloc[-1]
    assert "official" in table["note"].iloc[0]


HEATER = np.array([1000.0, 1000, 0, 0, 0, 0, 0, 0, 0, 1000, 1000, 1000])


@pytest.mark.parametrize("years", [2, 3])
def test_what_sells_in_five_months_has_its_own_season(years):
    # October to February, the same every year, beside a steady product: nothing where it never sold, a fifth elsewhere
    steady = sold(np.full(12 * years, 1000.0), 2026 - years, "steady")
    found = weights(pd.concat([steady, sold(np.tile(HEATER, years), 2026 - years)]))

    assert found == pytest.approx(HEATER / 5000, abs=1e-9)
    few = np.where(HEATER > 0, HEATER, 10.0)
    assert weights(pd.concat([steady, sold(np.tile(few, years), 2026 - years)])) == pytest.approx(few / few.sum(), rel=1e-3)


def test_a_launch_late_in_the_only_year_is_no_season():
    steady = sold(np.full(12, 1000.0), 2025, "steady")
    late = sold(np.r_[np.zeros(10), 100.0, 100.0], 2025)
    found = weights(pd.concat([steady, late]))

    assert found[:10].min() > 0.05  # nobody knows yet what it sells before November


def test_what_sells_now_and_then_has_no_closed_months():
    # six sales in three years, each in another month
    now_and_then = np.zeros(36)
    now_and_then[[1, 8, 15, 18, 28, 34]] = 100.0
    found = weights(pd.concat([sold(np.full(36, 1000.0), 2023, "steady"), sold(now_and_then, 2023)]))

    assert found == pytest.approx(np.full(12, 1 / 12), rel=0.33)  # six single sales: a third of a month at most


@pytest.mark.parametrize("gap", ["2024-01", "2025-01", "2025-11"])
def test_a_missing_month_of_the_company_is_no_quiet_month(gap):
    history = sold(np.tile(SHAPE, 2), 2024)
    found = weights(history[history["month"] != gap])

    assert found == pytest.approx(SHAPE / SHAPE.sum(), abs=0.002)


def test_a_month_in_which_the_company_never_opens_gets_nothing():
    shut = np.where(np.arange(12) == 7, 0.0, SHAPE)
    history = sold(np.tile(shut, 2), 2024)

    assert weights(history[history["amount"] > 0]) == pytest.approx(shut / shut.sum(), abs=1e-6)
