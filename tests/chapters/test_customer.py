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


def crowd(**counts: int) -> pd.DataFrame:
    rows = [(f"{name}{i}", name.replace("_", " ")) for name, count in counts.items() for i in range(count)]
    return pd.DataFrame(rows, columns=["customer", "segment"])


@given(st.lists(st.integers(0, 10**9), min_size=5, max_size=5), st.integers(0, 10**11))
def test_six_sources_sum_to_the_target(money, target):
    year = pd.DataFrame({"segment": customer.SEGMENTS, "amount": money})
    steps = customer.bridge(year, year, crowd(New=4), crowd(High_value=4, Dormant=1), target, PARAMETERS)

    assert steps["label"].tolist()[-1] == "Target"
    assert steps["amount"].iloc[:-1].sum() == steps["amount"].iloc[-1] == target


def test_the_bridge_follows_its_parameters():
    # CUS-4 by hand: of an active 1,000, 80% stay; 30% of it spend 20% more, half of it 5% more; of 20 active customers 15%
    # bring one, worth 100 / 5; of 200 that dormant customers still brought 40% come back.
    today = pd.DataFrame({"segment": ["High value", "Ordinary", "Dormant"], "amount": [700, 300, 200]})
    last_year = pd.DataFrame({"segment": ["New", "High value"], "amount": [100, 1100]})
    before, now = crowd(New=6, High_value=15), crowd(High_value=8, Ordinary=12, Dormant=3, New=1)
    steps = customer.bridge(today, last_year, before, now, 1500, PARAMETERS).set_index("label")["amount"]

    assert steps.to_dict() == {
        "Retained base": 800,
        "Up-sell": 48,
        "Cross-sell": 20,
        "Referral": 60,
        "Win-back": 80,
        "New customers": 492,
        "Target": 1500,
    }


def test_without_customers_there_is_no_bridge_and_the_message_says_so():
    nobody = pd.DataFrame({"segment": ["All"], "amount": [100]})
    one = pd.DataFrame({"customer": ["all"], "segment": ["All"]})
    steps = customer.bridge(nobody, nobody, one, one, 100, PARAMETERS)

    assert customer.new_in(steps) is None
    assert "no customer" in customer.message("All", 1.0, None, str)


def test_profile_counts_every_customer_once():
    everyone = people()[["customer"]]
    grouped = customer.groups(people(), everyone, "2026-01", PARAMETERS)
    last_year = pd.DataFrame({"segment": ["High value", "New"], "amount": [75, 25]})
    table = customer.profile(grouped, people(), last_year).set_index("segment")

    assert table["customers"].sum() == 11
    assert table.loc["High value", "share"] == pytest.approx(0.75)
