"""The sample company's 2025, allocated from 2023 and 2024 with the method and defaults of Contoso's years (REG-1, TIM-1)."""

import pandas as pd
import pytest

from tests.backtest.conftest import Near, worth
from tests.conftest import ROOT

LEVELS = {
    "region": ["region"],
    "region x channel": ["region", "channel"],
    "region x product": ["region", "product"],
    "region x product x channel": ["region", "product", "channel"],
    "month": ["month"],
}


def test_the_samples_last_year_is_met_better_than_by_the_year_before(record_property):
    orders = pd.read_csv(ROOT / "data" / "sample" / "orders.csv", usecols=["date", "region", "product", "channel", "revenue"])
    orders = orders.assign(month=orders["date"].str[:7], amount=(orders["revenue"] * 100).round().astype("int64"))
    near = Near(festivals=("Spring Festival",))
    found = {level: tuple(100 * value for value in worth(orders, 2025, dims, near)) for level, dims in LEVELS.items()}
    for level, (last, ours) in found.items():
        record_property(level, f"{ours:.2f} against {last:.2f}")
        print(f"{level}: {last:.2f} by last year's shares, {ours:.2f} expected")

    assert all(ours <= 1.01 * last for last, ours in found.values()), found
    assert sum(ours / last for last, ours in found.values()) / len(found) == pytest.approx(0.85, abs=0.07), found
