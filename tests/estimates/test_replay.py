"""A level's past, replayed: at which dates, with what was known then, and beside what came."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from planlib import plan as tables
from planlib.drivers import Driver, build
from planlib.estimates import shares
from planlib.estimates.replay import Replay, given_to, origin_at, origins
from planlib.periods import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))


def history(first: str = "2022-01", last: str = "2025-12", seed: int = 2, noise: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (name, str(month), int(size * rng.lognormal(0, noise)))
        for name, size in (("A", 1e6), ("B", 5e5), ("C", 2e5))
        for month in pd.period_range(first, last, freq="M")
    ]
    return pd.DataFrame(rows, columns=["region", "month", "amount"])


def test_quarters_are_replayed_where_years_are_few():
    # A year known before each, six months after: from 2024-01 on to 2025-07.
    found = [each.name for each in origins("2023-01", HORIZON)]

    assert found == ["2024-01", "2024-04", "2024-07", "2024-10", "2025-01", "2025-04", "2025-07"]
    assert [len(each.ahead.open) for each in origins("2023-01", HORIZON)] == [12, 12, 12, 12, 12, 9, 6]


def test_starts_of_plan_years_are_replayed_where_years_are_many():
    assert [each.name for each in origins("2015-03", HORIZON)] == [f"{year}-01" for year in range(2018, 2026)]
    july = Horizon(2025, 7, date(2025, 12, 31))
    # The year that started in July has six months behind it: it counts.
    assert [each.name for each in origins("2015-03", july)] == [f"{year}-07" for year in range(2018, 2026)]
    assert origins("2025-03", HORIZON) == ()


def test_an_origin_knows_the_plan_year_it_lies_in():
    found = origin_at("2024-10", "2025-12", Horizon(2026, 7, date(2025, 12, 31)))

    assert found.known == Horizon(2024, 7, date(2024, 9, 30)) and found.known.closed == ["2024-07", "2024-08", "2024-09"]
    assert found.ahead.open == [str(month) for month in pd.period_range("2024-10", "2025-09", freq="M")]
    late = origin_at("2025-04", "2025-12", HORIZON)
    assert late.ahead.open == [str(month) for month in pd.period_range("2025-04", "2025-12", freq="M")]


def test_expected_and_what_came_are_those_of_the_date():
    # The expectation is made by `shares.expected` of a file that ends there; what came is summed by hand.
    table = history()
    found = Replay.of(table, "region", HORIZON).seen["2025-01"].set_index("member")
    wanted = shares.expected(table[table["month"] < "2025-01"], "region", Horizon(2025, 1, date(2024, 12, 31))).shares
    year = table[table["month"] >= "2025-01"].groupby("region")["amount"].sum()

    assert found["before"].to_dict() == pytest.approx(wanted.set_index("region")["share"].to_dict())
    assert found["came"].to_dict() == pytest.approx((year / year.sum()).to_dict())


def test_what_comes_later_changes_nothing_that_was_known():
    # Everything from 2025 on is another company's: the expectations and driver values of earlier dates stay.
    table, other = history(), history(seed=9)
    changed = pd.concat([table[table["month"] < "2025-01"], other[other["month"] >= "2025-01"]], ignore_index=True)
    one, two = (Replay.of(each, "region", HORIZON) for each in (table, changed))

    for name in ("2023-01", "2024-01", "2025-01"):
        pd.testing.assert_series_equal(one.seen[name]["before"], two.seen[name]["before"])
    assert not one.seen["2025-01"]["came"].equals(two.seen["2025-01"]["came"])


def test_a_driver_that_looks_ahead_is_caught_by_what_it_seems_to_be_worth():
    # A planted leak: half of the way to the shares that came is asked for, so that each point of it brings two.
    past = Replay.of(history("2016-01", noise=0.8), "region", HORIZON)
    leaking = past.ask(lambda at: past.seen[at.name][["member", "came"]].set_axis(["region", "share"], axis=1), 0.5)

    assert leaking.counted > 0.9 and leaking.low > 0  # drawn toward 0, and still no honest driver's worth


def test_who_starts_later_is_not_expected_and_does_not_count():
    table = pd.concat([history(), history("2025-03", seed=4).assign(region="New")], ignore_index=True)
    found = Replay.of(table, "region", HORIZON).seen["2025-01"]

    assert list(found["member"]) == ["A", "B", "C"] and found["came"].sum() == pytest.approx(1.0)


def test_short_orders_say_that_they_are_too_short():
    past = Replay.of(history("2025-01"), "region", HORIZON)
    found = past.ask(lambda at: None)

    assert found.why == "the orders do not reach back far enough, 18 months would tell" and found.counted == 1.0


@pytest.mark.parametrize(("values", "part"), [({"factor": [1.2, 0.9]}, 1.0), ({"share": [3.0, 1.0]}, 0.25)])
def test_a_driver_moves_in_the_past_what_it_moves_in_the_plan(values, part):
    # The same step as `drivers.build`: a factor for two of three members, or a share in which the third has none.
    last = pd.DataFrame({"region": ["A", "B", "C"], "amount": [50, 30, 20]})
    given = pd.DataFrame({"region": ["A", "B"], **values})
    built = build(tables.company(100), "region", last, [Driver("one", "a table", "an item", given, part)])
    seen = pd.DataFrame({"member": last["region"], "before": last["amount"] / 100})
    moved = given_to(seen, given.rename(columns={"region": "member"}), part)

    assert moved == pytest.approx(built.frame.set_index("region")["weight"].reindex(["A", "B", "C"]).to_numpy())
