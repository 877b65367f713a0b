"""04 channel: momentum is half believed, capacity is a cap."""

from datetime import date

import pandas as pd
import pytest

from planlib.chapters import channel
from planlib.lp import split
from planlib.plan import Horizon, months

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
HISTORY = pd.DataFrame(
    [("Online", m, 100) for m in months(2024)]
    + [("Online", m, 140) for m in months(2025)]
    + [("Stores", m, 100) for m in [*months(2024), *months(2025)]],
    columns=["channel", "month", "amount"],
)


def test_half_of_a_lead_over_the_company_goes_on():
    # Online +40%, stores 0%, company +20%: +-20 points, half of it followed.
    frame = channel.drivers(HISTORY, channel.Parameters(), HORIZON).set_index("channel")

    assert frame["momentum"].to_dict() == pytest.approx({"Online": 1.1, "Stores": 0.9})
    assert frame["history"].to_dict() == pytest.approx({"Online": 140 / 240, "Stores": 100 / 240})


def test_momentum_is_bounded():
    frame = channel.drivers(HISTORY, channel.Parameters(follow=1.0, most_momentum=0.05), HORIZON).set_index("channel")

    assert frame["momentum"].to_dict() == pytest.approx({"Online": 1.05, "Stores": 0.95})


def test_one_year_of_orders_has_no_momentum():
    frame = channel.drivers(HISTORY[HISTORY["month"] >= "2025-01"], channel.Parameters(), HORIZON)

    assert frame["momentum"].tolist() == [1.0, 1.0]


def test_a_channel_never_gets_more_than_it_can_carry():
    table = pd.DataFrame({"channel": ["Online"], "capacity": [4000]})
    frame = channel.drivers(HISTORY, channel.Parameters(), HORIZON, table)
    caps = channel.capacity_caps(frame, channel.Parameters())
    plan = pd.DataFrame({"region": ["E"], "product": ["p"], "amount": [10_000]})
    weights = pd.DataFrame({"channel": ["Online", "Stores"], "weight": [60, 40]})

    assert [rule.name for rule in caps] == ["capacity of Online"]
    assert split(plan, "channel", weights, caps).plan["amount"].tolist() == [4000, 6000]
    assert channel.capacity_caps(frame, channel.Parameters(use_capacity=False)) == []
