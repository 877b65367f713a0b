"""Measures of error; expected values by hand."""

import pandas as pd
import pytest

from planlib.estimates.scores import aligned, bias, error, levels


def test_error_and_bias_by_hand():
    actual = pd.DataFrame({"region": ["a", "b", "c"], "amount": [50, 30, 20]})
    shares = pd.DataFrame({"region": ["a", "b", "d"], "amount": [6, 3, 1]})
    cells = aligned(actual, shares, ["region"])  # 60, 30, 0, 10 against 50, 30, 20, 0
    assert error(cells) == pytest.approx(0.40)
    assert bias(cells) == pytest.approx(0.20)  # a alone holds half: 60 over 50
    with pytest.raises(ValueError, match="sums to 0"):
        aligned(actual, shares.assign(amount=0), ["region"])


def test_levels_are_all_combinations():
    assert len(list(levels(["region", "product", "channel", "month"]))) == 4 + 6 + 4
