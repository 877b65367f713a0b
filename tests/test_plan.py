"""The plan table: money that adds up, in any order."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planlib import currency, periods, plan
from planlib.errors import ParameterError, PlanError, TieOutError

weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=30)
totals = st.integers(-(10**15), 10**15)


# Published cases: rusty_money #103, dinero.js #776, brick/money #45, moneyphp/money PR #492; Anaplan: 12,000 on three zeros.
@pytest.mark.parametrize(
    ("total", "weight", "expected"),
    [
        (613, [98, 92, 98, 123, 102, 92], [99, 93, 99, 125, 104, 93]),
        (5, [100, 101, 100, 100], [1, 2, 1, 1]),
        (1000, [45, 20, 34], [455, 202, 343]),
        (9999, [75, 25], [7499, 2500]),
        (12000, [0, 0, 0], [4000, 4000, 4000]),
        (1200, [0] * 12, [100] * 12),
        (-7, [1, 2], [-2, -5]),
    ],
)
def test_published_cases_round_as_published(total, weight, expected):
    assert expected == plan.largest_remainder(total, weight).tolist()


def test_613_is_split_the_same_in_any_row_order():
    weight = pd.Series([98, 92, 98, 123, 102, 92], index=list("abcdef"))
    expected = dict(zip("abcdef", [99, 93, 99, 125, 104, 93], strict=True))

    for seed in range(20):
        shuffled = weight.sample(frac=1, random_state=seed)
        amounts = plan.largest_remainder(613, shuffled)
        assert expected == dict(zip(shuffled.index, amounts.tolist(), strict=True))


@given(totals, weights)
def test_parts_sum_to_the_total_and_stay_within_one_unit_of_their_quota(total, weight):
    parts = plan.largest_remainder(total, weight)

    assert total == int(parts.sum())
    shape = weight if any(weight) else [1] * len(weight)
    for part, share in zip(parts.tolist(), shape, strict=True):
        assert abs(part - Decimal(total) * share / sum(shape)) < 1
        assert part == 0 or share > 0


@given(totals, weights, st.randoms())
def test_row_order_does_not_change_a_member(total, weight, random):
    keys = [f"m{i:02d}" for i in range(len(weight))]
    order = list(range(len(weight)))
    random.shuffle(order)
    straight = dict(zip(keys, plan.largest_remainder(total, weight, keys).tolist(), strict=True))
    mixed = plan.largest_remainder(total, [weight[i] for i in order], [keys[i] for i in order]).tolist()

    assert straight == {keys[i]: part for i, part in zip(order, mixed, strict=True)}


@given(st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=20), st.integers(0, 10**12))
def test_float_weights_tie_out_too(weight, total):
    assert total == int(plan.largest_remainder(total, weight).sum())


def test_weights_that_cancel_are_an_error():
    # Anaplan help, breakback: leaves -1178, 589, 589 sum to 0 but are not all 0.
    with pytest.raises(PlanError, match="sum to 0"):
        plan.largest_remainder(100, [-1178, 589, 589])


@pytest.mark.parametrize("weight", [[1.0, float("nan")], [1.0, float("inf")]])
def test_missing_is_not_zero(weight):
    with pytest.raises(PlanError, match="missing"):
        plan.largest_remainder(10, weight)


def test_minor_units_follow_the_iso_code():
    # ISO 4217 list one: CNY 2, JPY 0, KWD 3.
    assert [currency.minor_exponent(code) for code in ("CNY", "JPY", "KWD")] == [2, 0, 3]
    with pytest.raises(ParameterError, match="ISO 4217"):
        currency.minor_exponent("RMB!")


def test_a_year_starts_in_any_month():
    assert [periods.months(2026, 7)[0], periods.months(2026, 7)[-1]] == ["2026-07", "2027-06"]
    assert len(set(periods.months(2026, 7))) == 12


def test_horizon_knows_closed_months_of_a_shifted_year():
    horizon = periods.Horizon(2025, 7, pd.Timestamp("2025-09-30").date())

    assert horizon.closed == ["2025-07", "2025-08", "2025-09"]
    assert horizon.open[0] == "2025-10"
    assert [horizon.last_twelve[0], horizon.last_twelve[-1]] == ["2024-10", "2025-09"]


members = {"region": ["E", "N", "S"], "product": ["p", "q"], "channel": ["c", "d"], "month": ["2026-01", "2026-02"]}


@st.composite
def plans(draw):
    dims = draw(st.permutations(list(members)))[: draw(st.integers(1, 4))]
    index = pd.MultiIndex.from_product([members[d] for d in dims], names=dims)
    amounts = draw(st.lists(st.integers(-(10**12), 10**12), min_size=len(index), max_size=len(index)))
    return index.to_frame(index=False).assign(amount=np.array(amounts, dtype="int64"))


@given(plans(), st.data())
def test_every_rollup_ties_out_whatever_the_order_of_dimensions(table, data):
    dims = plan.level(table)
    some = data.draw(st.lists(st.sampled_from(dims), unique=True))
    above = plan.rollup(table, some)

    assert plan.residuals(above, table).empty
    assert plan.residuals(plan.rollup(above, []), above).empty


@given(plans(), st.randoms())
def test_the_digest_ignores_row_and_column_order(table, random):
    mixed = table.sample(frac=1, random_state=random.randint(0, 1000))
    columns = list(mixed.columns)
    random.shuffle(columns)

    assert plan.digest(table) == plan.digest(mixed[columns])


@given(plans(), st.data())
def test_the_digest_sees_one_minor_unit(table, data):
    row = data.draw(st.integers(0, len(table) - 1))
    touched = table.copy()
    touched.loc[row, "amount"] += 1

    assert plan.digest(table) != plan.digest(touched)


def test_the_digest_tells_where_a_text_ends():
    one = pd.DataFrame({"region": ["ab"], "product": ["c"], "amount": [1]})
    two = pd.DataFrame({"region": ["a"], "product": ["bc"], "amount": [1]})

    assert plan.digest(one) != plan.digest(two)


def test_the_digest_refuses_floats():
    with pytest.raises(PlanError, match="float"):
        plan.digest(pd.DataFrame({"region": ["E"], "amount": [1.0]}))


def test_tie_out_names_the_orphan_and_the_gap():
    parent = pd.DataFrame({"region": ["E", "N"], "amount": [10, 5]})
    child = pd.DataFrame({"region": ["E", "S"], "product": ["p", "p"], "amount": [9, 2]})
    left = plan.residuals(parent, child).set_index("region")["residual"].to_dict()

    assert left == {"E": 1, "N": 5, "S": -2}
    with pytest.raises(TieOutError, match="3 cells"):
        plan.check_tie_out(parent, child)


def test_a_parent_without_history_takes_the_mix_of_all():
    parent = pd.DataFrame({"region": ["E", "N"], "amount": [100, 60]})
    history = pd.DataFrame({"region": ["E", "E"], "product": ["p", "q"], "amount": [30, 10]})
    split = plan.by_last_year(parent, history, "product")

    # East had 3 : 1; North has no history and follows the only mix there is.
    assert split["amount"].tolist() == [75, 25, 45, 15]


def test_net_returns_weigh_nothing():
    parent = plan.company(100)
    history = pd.DataFrame({"region": ["E", "N"], "amount": [-50, 10]})

    assert plan.by_last_year(parent, history, "region")["amount"].tolist() == [0, 100]


def test_equal_split_gives_everyone_the_same():
    assert plan.equally(plan.company(100), ["a", "b", "c"], "region")["amount"].tolist() == [34, 33, 33]


def test_ratios_come_from_summed_parts():
    # ERPNext PR #40062: 100% of 5 and 50% of 10 is 10 of 15, not the mean 75%.
    parts = pd.DataFrame({"result": [5, 5], "target": [5, 10]})
    total = plan.ratio(pd.Series([parts["result"].sum()]), pd.Series([parts["target"].sum()]))

    assert pytest.approx(total.iloc[0]) == 10 / 15
    assert plan.ratio(pd.Series([1]), pd.Series([0])).isna().all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"region": ["E", "E"], "amount": [1, 2]}), "twice"),
        (pd.DataFrame({"region": ["E", None], "amount": [1, 2]}), "missing"),
        (pd.DataFrame({"region": ["E"], "amount": [1.5]}), "int64"),
        (pd.DataFrame({"country": ["E"], "amount": [1]}), "country"),
    ],
)
def test_what_is_not_a_plan_table_is_refused(table, message):
    with pytest.raises(PlanError, match=message):
        plan.canonical(table)
