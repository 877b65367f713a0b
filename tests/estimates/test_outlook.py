"""The outlook's parts against closed cases: raking, weighing, spread, cubes, and what it says of trust (REG-1, TIM-1)."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from planlib.estimates import trust
from planlib.estimates.candidates import ABOVE, LAST, Origin, candidates
from planlib.estimates.cube import Cube
from planlib.estimates.interplay import above, levels, raked, summed
from planlib.estimates.outlook import outlook
from planlib.estimates.shares import of
from planlib.estimates.spread import Spread
from planlib.estimates.weighing import Case, Weighed, weigh
from planlib.periods import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
MONTHS = [str(month) for month in pd.period_range("2021-01", "2025-12", freq="M")]


def history(sold: np.ndarray, months: list[str] = MONTHS) -> pd.DataFrame:
    """regions x products x months as rows."""
    rows = [
        (f"r{r}", f"p{p}", month, round(sold[r, p, at]))
        for r in range(sold.shape[0])
        for p in range(sold.shape[1])
        for at, month in enumerate(months)
    ]
    return pd.DataFrame(rows, columns=["region", "product", "month", "amount"])


# Raking


def test_raking_reaches_the_margins_and_keeps_what_else_the_table_says():
    """Deming and Stephan: the odds ratio of a two by two table is not touched; here by hand 1*4 / (2*3) = 2/3."""
    found = raked(np.array([[1.0, 2.0], [3.0, 4.0]]), (0, 1), {(0,): np.array([0.5, 0.5]), (1,): np.array([0.4, 0.6])}, 50)

    assert found.sum(axis=1) == pytest.approx([0.5, 0.5]) and found.sum(axis=0) == pytest.approx([0.4, 0.6])
    assert found[0, 0] * found[1, 1] / (found[0, 1] * found[1, 0]) == pytest.approx(2 / 3)


def test_what_the_levels_above_say_of_two_dimensions_is_their_product():
    found = raked(np.ones((2, 3)), (0, 1), {(0,): np.array([0.2, 0.8]), (1,): np.array([0.5, 0.3, 0.2])})

    assert found == pytest.approx(np.outer([0.2, 0.8], [0.5, 0.3, 0.2]))


def test_levels_come_after_all_that_lie_above_them():
    every = levels(4)

    assert len(every) == 15
    assert all(every.index(up) < every.index(level) for level in every for up in above(level))


# Weighing


def case(truth, tables, year=0):
    return Case(np.array(truth), np.array(tables).T, 1.0, year)


def test_a_candidate_that_was_always_right_gets_nearly_all_the_weight():
    cases = [case([0.5, 0.3, 0.2], [[0.2, 0.3, 0.5], [0.5, 0.3, 0.2], [1 / 3] * 3], year) for year in range(4)]
    found = weigh(cases, np.full(3, 1 / 3), 4.0)

    assert found.stands and found.weights[1] > 0.99
    # |.2-.5| + 0 + |.5-.2|; nothing; 1/6 + 1/30 + 2/15
    assert found.errors == pytest.approx([0.6, 0.0, 1 / 3])


def test_last_years_shares_stand_where_nothing_is_known_or_they_were_never_off():
    assert not weigh([], np.array([0.5, 0.5]), 0.0).stands
    perfect = weigh([case([0.5, 0.5], [[0.5, 0.5], [0.4, 0.6]])], np.array([0.1, 0.9]), 3.0)
    assert not perfect.stands and perfect.weights.tolist() == [1.0, 0.0]


def test_last_years_shares_stand_where_the_mixture_of_other_years_was_farther_off():
    """What was right in one year is wrong by as much in the other: weights of one year lose in the other."""
    first, second = [0.3, 0.7], [0.7, 0.3]
    cases = [case(first, [[0.5, 0.5], first, second], 0), case(second, [[0.5, 0.5], first, second], 1)]
    found = weigh(cases, np.array([0.5, 0.25, 0.25]), 2.0)

    assert not found.stands and found.weights.tolist() == [1.0, 0.0, 0.0] and found.mixed > found.last


def test_between_two_candidates_the_truth_lies_the_weights_find_the_place():
    """Truth is a quarter of the way from the first to the second, in each of many years and cells."""
    random, cases = np.random.default_rng(2), []
    for year in range(6):
        one, two = (random.dirichlet(np.ones(40)) for _ in range(2))
        cases.append(case(0.75 * one + 0.25 * two, [one, two], year))
    found = weigh(cases, np.array([0.5, 0.5]), 6.0)

    assert found.weights == pytest.approx([0.75, 0.25], abs=0.03)


# Spread


def test_the_law_of_a_poisson_count_is_found():
    """Shares of n Poisson orders have the variance share / n; nine in ten of the width's four fifths must lie inside."""
    random, n = np.random.default_rng(4), 50_000
    share = random.dirichlet(np.full(400, 0.7))
    cases = [Case(random.poisson(n * share) / n, share[:, None], 1.0, year) for year in range(4)]
    found = Spread.of([Weighed(np.ones(1), True, np.zeros(1), 0.0, [share] * 4)], [cases])

    assert found.chance * found.width**2 == pytest.approx(1.2816**2 / n, rel=0.35)
    assert found.covered == pytest.approx(0.80, abs=0.05)


def test_the_law_of_cells_that_move_as_a_whole_is_found():
    """Errors of a fifth of each cell, normal: half a width of 1.28 fifths, wider by Student's t for six over five years."""
    random = np.random.default_rng(5)
    share = random.dirichlet(np.full(300, 2.0))
    cases = [Case(share * (1 + random.normal(0, 0.2, 300)), share[:, None], 1.0, year) for year in range(5)]
    found = Spread.of([Weighed(np.ones(1), True, np.zeros(1), 0.0, [share] * 5)], [cases])
    half = found.width * np.sqrt(found.chance / 0.003 + found.own)

    assert half == pytest.approx(0.2 * 1.440, rel=0.1)  # t with 6 degrees of freedom: 1.440 (tables)


# Cubes


def test_months_without_records_and_late_starts_leave_windows_that_do_not_move():
    sold = np.tile(np.array([[60.0, 30.0], [20.0, 10.0]])[:, :, None], (1, 1, 60))
    sold[1, :, :42] = 0  # the second region starts in July 2024
    table = history(sold)
    table = table[(table["month"] != "2023-05") & (table["amount"] > 0)]
    first, second, *_ = (window / window.sum() for window in Cube.of(table, ["region", "product"], HORIZON).windows(60))

    assert first.sum(axis=-1) == pytest.approx(np.array([[0.5, 0.25], [1 / 6, 1 / 12]]), abs=1e-6)
    assert second.sum(axis=-1) == pytest.approx(first.sum(axis=-1), abs=0.012)  # believed by 18/19 before its start


def test_a_closed_season_is_kept_and_one_sale_now_and_then_is_not_closed():
    months = np.arange(60) % 12
    summer, rare = np.where((months > 3) & (months < 9), 100.0, 0.0), np.zeros(60)
    rare[[0, 20, 34, 47, 59]] = 10
    cube = Cube.of(history(np.stack([[summer, rare]])), ["region", "product"], HORIZON)

    assert cube.shut(60)[0, 0].tolist() == [1.0] * 4 + [0.0] * 5 + [1.0] * 3
    assert cube.shut(60)[0, 1].max() < 1.0


# The whole


def test_interplay_with_the_month_is_seen():
    """Two regions of one size, one selling in summer and one in winter, every year: no season of the company's own."""
    wave = 1 + 0.8 * np.sin(2 * np.pi * np.arange(60) / 12)
    sold = 1e4 * np.stack([np.stack([wave, wave]), np.stack([2 - wave, 2 - wave])])
    table = outlook(history(sold), ["region", "product"], HORIZON).table
    share = table.groupby(["region", "month"])["share"].sum()
    truth = (1 + 0.8 * np.sin(2 * np.pi * np.arange(12) / 12)) / 24

    assert share["r0"].to_numpy() == pytest.approx(truth, abs=1e-4)
    assert share["r1"].to_numpy() == pytest.approx(2 / 24 - truth, abs=1e-4)


def test_every_level_is_the_sum_of_the_finest_and_of_what_it_was_made_to_be():
    random = np.random.default_rng(7)
    found = outlook(history(random.gamma(2.0, 1000, (4, 3, 60))), ["region", "product"], HORIZON)

    assert found.table["share"].sum() == pytest.approx(1.0)
    assert of(found.table, found.skill, "product", ["region"]).shares.groupby("region")[
        "share"
    ].sum().to_numpy() == pytest.approx(1)
    cube = Cube.of(history(random.gamma(2.0, 1000, (4, 3, 60))), ["region", "product"], HORIZON)
    origin = Origin.of(cube, 60)
    for level in levels(3):
        tables = candidates(origin, level)
        for name in (LAST, ABOVE):
            table = tables.get(name, tables[LAST])
            for up in above(level):
                axes = tuple(at for at, axis in enumerate(level) if axis not in up)
                assert table.sum(axis=axes) == pytest.approx(origin.made[up], abs=1e-3), (level, name)
        origin.made[level] = tables[ABOVE if ABOVE in tables else LAST]


def test_what_comes_after_as_of_and_the_order_of_rows_change_nothing():
    random = np.random.default_rng(8)
    table = history(random.gamma(2.0, 1000, (3, 3, 60)))
    later = table.assign(month="2026-" + table["month"].str[5:], amount=7 * table["amount"]).drop_duplicates(
        ["region", "product", "month"]
    )
    one = outlook(table, ["region", "product"], HORIZON)
    two = outlook(pd.concat([later, table]).sample(frac=1, random_state=1), ["region", "product"], HORIZON)

    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.skill, two.skill)


def test_closed_months_are_evidence_for_the_open_ones():
    """A product whose share rises by a point a month: what has closed of the year shows where it stands now."""
    rising = 0.2 + 0.01 * np.arange(66)
    sold = 1e5 * np.stack([np.stack([1 - rising, rising])])
    months = [str(month) for month in pd.period_range("2021-01", "2026-06", freq="M")]
    found = outlook(history(sold, months), ["region", "product"], Horizon(2026, 1, date(2026, 6, 30)))
    share = found.table.groupby("product")["share"].sum()["p1"]

    assert set(found.table["month"]) == {f"2026-{month:02d}" for month in range(7, 13)}
    # The open months' truth is .885; the same months of last year were .765.
    assert abs(share - 0.885) < abs(0.765 - 0.885) / 2


def test_a_region_of_returns_does_not_move_the_products_of_another():
    """One region sends back more than it buys, one product far less than the others; the other region sells a third of each."""
    sold = np.full((2, 3, 60), 100_000.0)
    sold[0] = np.array([-1_000.0, -50_000.0, -50_000.0])[:, None]
    found = outlook(history(sold), ["region", "product"], HORIZON).table.groupby(["region", "product"])["share"].sum()

    assert found["r1"].to_numpy() == pytest.approx([1 / 3] * 3)


# Trust


def test_intervals_thin_cells_and_digits_by_hand():
    table = pd.DataFrame({"region": ["E", "W"], "month": "2026-01", "share": [0.9, 0.1]})
    skill = pd.DataFrame({"level": ["region"], "chance": [0.0], "own": [0.01], "width": [1.2815515655446004]})
    plan = pd.DataFrame({"region": ["E", "W"], "amount": [800_000, 200_000]})
    found = trust.likely(table, skill, plan, ["region"])

    # A tenth of each cell, four fifths within 1.28 of it.
    assert found["mean"].tolist() == pytest.approx([900_000, 100_000])
    assert found["deviation"].tolist() == pytest.approx([90_000, 10_000])
    assert (found["high"] - found["low"]).tolist() == pytest.approx([2 * 1.2815515655 * 90_000, 2 * 1.2815515655 * 10_000])
    assert not found["thin"].any()
    shown = trust.readable(found)
    assert shown["low"].tolist() == [800_000, 90_000] and shown["high"].tolist() == [1_000_000, 110_000]
    wide = trust.likely(table, skill.assign(own=0.25), plan, ["region"])
    assert wide["thin"].all() and wide["low"].min() >= 0


def test_without_a_past_nothing_is_claimed():
    found = outlook(history(np.full((2, 2, 8), 100.0), MONTHS[-8:]), ["region", "product"], HORIZON)
    plan = pd.DataFrame({"region": ["r0", "r1"], "amount": [500, 500]})
    cells = trust.likely(found.table, found.skill, plan, ["region"])
    told = trust.told(trust.by_level(found.skill, {"region": cells}), lambda value, form: f"{value:.0%}")

    assert cells[["mean", "low", "high"]].isna().all().all() and not cells["thin"].any()
    assert "how far to trust it is not known" in told[0]


def test_the_worst_miss_is_told_with_what_lay_behind_it():
    sold = np.tile(np.array([[50.0, 30.0, 20.0]])[:, :, None] * 1000, (1, 1, 60))
    sold[0, 2, 48:] = 90_000
    found = outlook(history(sold), ["region", "product"], HORIZON)
    first = trust.stories(found.past).iloc[0]

    assert (first["level"], first["member"]) == ("product", "p2") and first["story"].startswith("rose further")
    assert first["came"] == pytest.approx(9 / 17) and first["before"] == pytest.approx(0.2)


def test_summed_is_the_table_of_a_level():
    table = np.arange(24.0).reshape(2, 3, 4)

    assert summed(table, (0,)).tolist() == table.sum(axis=(1, 2)).tolist()
    assert summed(table, (0, 2)).tolist() == table.sum(axis=1).tolist()
