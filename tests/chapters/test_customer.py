"""06 customer: groups by what customers did, a bridge that sums to the target."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planlib.chapters import customer

DAY = pd.Timestamp("2026-01-01")
PARAMETERS = customer.Parameters()


def people() -> pd.DataFrame:
    """Ten active customers, the better the lower their number, and one not seen for a year."""
    rows = [(f"c{i}", DAY - pd.DateOffset(days=i + 1), 20 - i, 1000 * (20 - i)) for i in range(10)]
    rows.append(("old", DAY - pd.DateOffset(months=12), 50, 10**6))
    return pd.DataFrame(rows, columns=["customer", "last", "orders", "amount"])


def test_the_best_fifth_is_high_value_and_who_is_silent_is_dormant():
    found = customer.segments(people(), DAY, PARAMETERS).set_index("customer")["segment"]

    assert found[["c0", "c1"]].tolist() == ["High value"] * 2
    assert found[["c2", "c3", "c4"]].tolist() == ["Potential"] * 3
    assert set(found[["c5", "c9"]]) == {"Ordinary"}
    assert found["old"] == "Dormant"


def test_row_order_does_not_change_a_group():
    straight = customer.segments(people(), DAY, PARAMETERS).set_index("customer")["segment"].to_dict()
    mixed = customer.segments(people().sample(frac=1, random_state=2), DAY, PARAMETERS).set_index("customer")["segment"]

    assert mixed.to_dict() == straight


def test_who_came_later_is_new():
    everyone = pd.DataFrame({"customer": [*people()["customer"], "later"]})
    found = customer.groups(people(), everyone, "2026-01", PARAMETERS).set_index("customer")["segment"]

    assert found["later"] == "New" and found["old"] == "Dormant"
    assert len(found) == len(everyone)


def test_orders_without_customers_are_one_group():
    nobody = pd.DataFrame({"customer": ["all"]})

    assert customer.groups(people(), nobody, "2026-01", PARAMETERS)["segment"].tolist() == ["All"]


@given(st.lists(st.integers(0, 10**9), min_size=5, max_size=5), st.integers(0, 10**11))
def test_six_sources_sum_to_the_target(money, target):
    last_year = pd.DataFrame({"segment": customer.SEGMENTS, "amount": money})
    steps = customer.bridge(last_year, target, PARAMETERS)

    assert steps["label"].tolist()[-1] == "Target"
    assert steps["amount"].iloc[:-1].sum() == steps["amount"].iloc[-1] == target


def test_the_bridge_follows_its_parameters():
    # CUS-4 by hand on a base of 1,000: 800 stay, 30% buy 20% more = 48, half buy 5% more = 20.
    last_year = pd.DataFrame({"segment": ["High value"], "amount": [1000]})
    steps = customer.bridge(last_year, 1300, PARAMETERS).set_index("label")["amount"]

    assert steps[["Retained base", "Up-sell", "Cross-sell", "New customers"]].tolist() == [800, 48, 20, 432]


def test_profile_counts_every_customer_once():
    everyone = people()[["customer"]]
    grouped = customer.groups(people(), everyone, "2026-01", PARAMETERS)
    last_year = pd.DataFrame({"segment": ["High value", "New"], "amount": [75, 25]})
    table = customer.profile(grouped, people(), last_year).set_index("segment")

    assert table["customers"].sum() == 11
    assert table.loc["High value", "share"] == pytest.approx(0.75)
