"""Expected shares: what goes on of their movement, what thin parents borrow, who starts and who falls silent (REG-1)."""

from datetime import date
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from planlib.errors import PlanError
from planlib.estimates.shares import expected
from planlib.plan import Horizon

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
BASE = np.array([0.30, 0.25, 0.20, 0.12, 0.08, 0.05])
DRIFT = np.array([-0.10, -0.05, 0.02, 0.04, 0.05, 0.04])


def frame(amounts: np.ndarray, into: str = "region", last: str = "2025-12", **parent: str) -> pd.DataFrame:
    """Months x members as a history that ends with `last`; members a, b, c ..."""
    months = [str(month) for month in pd.period_range(end=last, periods=len(amounts), freq="M")]
    rows = [("abcdefgh"[at], month, round(amounts[t, at])) for t, month in enumerate(months) for at in range(amounts.shape[1])]
    return pd.DataFrame(rows, columns=[into, "month", "amount"]).assign(**parent)


def path(kind: str, years: int, seed: int) -> np.ndarray:
    """Monthly shares of six members, in units of a hundred million."""
    random, n = np.random.default_rng(seed), 12 * years
    shares = {
        "drift": lambda: BASE + np.linspace(0, 1, n)[:, None] * DRIFT + random.normal(0, 0.004, (n, 6)),
        "wander": lambda: BASE + random.normal(0, 0.02, (n, 6)),
        "steps": lambda: BASE + np.cumsum(random.normal(0, 0.004, (n, 6)), axis=0),
    }[kind]()
    shares = np.clip(shares, 0.001, None)
    return 1e8 * shares / shares.sum(axis=1, keepdims=True)


def share(history: pd.DataFrame, into: str = "region", within: tuple[str, ...] = (), horizon: Horizon = HORIZON) -> dict:
    found = expected(history, into, horizon, within).shares
    return found.set_index([*within, into])["share"].to_dict()


# What goes on


@pytest.mark.parametrize("years", [3, 5, 8])
def test_where_shares_drift_most_of_the_movement_goes_on(years):
    follows = [expected(frame(path("drift", years, seed)), "region", HORIZON).follow for seed in range(8)]

    assert min(follows) > 0.7


def test_where_shares_wander_movement_comes_back():
    by_years = {y: [expected(frame(path("wander", y, s)), "region", HORIZON).follow for s in range(12)] for y in (3, 6, 10)}

    assert np.mean(by_years[3]) < -0.1  # one year to learn from: drawn toward 'no change'
    assert np.mean(by_years[10]) == pytest.approx(-0.5, abs=0.08)  # the mean of two years


def test_where_shares_step_at_random_little_goes_on_or_comes_back():
    # Twelve-month means of monthly steps keep up to a quarter of a movement (Working 1960), never more.
    for years in (3, 6, 10):
        follows = [expected(frame(path("steps", years, seed)), "region", HORIZON).follow for seed in range(20)]
        assert -0.15 < np.mean(follows) < 0.3


def test_a_clean_drift_is_carried_one_year_on():
    """Shares move in a straight line, a down by a point of share a month: 12 points from the last twelve to the plan's."""
    line = np.arange(36)[:, None] / 100 * np.array([-1.0, 0.4, 0.3, 0.2, 0.1]) + np.array([0.6, 0.1, 0.1, 0.1, 0.1])
    history = frame(1e9 * line)
    last = float(line[-12:, 0].mean())
    found = expected(history, "region", HORIZON)

    assert found.follow == pytest.approx(1.0, abs=0.01)
    assert found.shares.set_index("region")["share"]["a"] == pytest.approx(last - 0.12, abs=0.002)
    # Half a year has closed: the open months lie only nine months after the middle of the last twelve.
    middle = Horizon(2026, 1, date(2026, 6, 30))
    moved = share(history.assign(month=[str(pd.Period(m, freq="M") + 6) for m in history["month"]]), horizon=middle)
    assert moved["a"] == pytest.approx(last - 0.09, abs=0.002)


def test_two_years_of_wandering_shares_are_nearer_than_the_last():
    ours, theirs = [], []
    for seed in range(30):
        amounts = path("wander", 7, seed)
        found = expected(frame(amounts[:72]), "region", Horizon(2026, 1, date(2025, 12, 31)))
        truth, last = (part.sum(axis=0) / part.sum() for part in (amounts[72:], amounts[60:72]))
        ours.append(np.abs(found.shares["share"].to_numpy() - truth).sum())
        theirs.append(np.abs(last - truth).sum())

    assert np.mean(ours) < 0.95 * np.mean(theirs)


def test_under_two_and_a_half_years_last_shares_stand_and_the_note_says_so():
    history = frame(path("drift", 2, 1))
    found = expected(history, "region", HORIZON)
    last = history[history["month"] >= "2025-01"].groupby("region")["amount"].sum()

    assert (found.follow, found.years) == (0.0, 0.0)
    assert found.shares["share"].to_numpy() == pytest.approx((last / last.sum()).to_numpy(), rel=1e-9)
    assert "do not tell whether shares drift" in found.note
    assert (found.low, found.high) == (-0.74, 0.74)  # the prior alone: scipy.stats.truncnorm(-2, 2, 0, .5).ppf([.05, .95])


def test_one_jump_is_not_taken_for_a_drift():
    """A member that jumps once and stays: what moves by itself is one witness among six."""
    amounts = 1e8 * np.tile(BASE, (36, 1))
    amounts[18:, 5] *= 6
    amounts = amounts * (1 + np.random.default_rng(3).normal(0, 0.01, amounts.shape))
    found = expected(frame(amounts), "region", HORIZON)
    level = amounts[-6:].sum(axis=0) / amounts[-6:].sum()

    assert abs(found.follow) < 0.5
    assert np.abs(found.shares["share"].to_numpy() - level).sum() < 0.1


# What thin parents borrow


def test_a_parent_is_believed_by_its_scatter_against_how_parents_differ():
    """James and Stein by hand: two parents, a hundred a month each, one year; shares of a .5 and .7 that swing by a tenth.

    Scatter: what is left of a month swings by 10 between members and turns each month: 11 squares of 20 for two members, over
    2, times 12/11, over 1200 squared: 1/300. They differ by 2 * 0.1^2 = 6/300, of which 5/300 is no scatter: trust 5/6.
    """
    swing = np.tile([10.0, -10.0], 6)
    east = frame(np.column_stack([50 + swing, 50 - swing]), "product", area="E")
    west = frame(np.column_stack([70 + swing, 30 - swing]), "product", area="W")
    history = pd.concat([east, west]).rename(columns={"area": "region"})
    found = expected(history, "product", HORIZON, ["region"])

    assert found.cells["trust"].tolist() == pytest.approx([5 / 6] * 4)
    assert found.shares["share"].tolist() == pytest.approx([0.6 - 5 / 60, 0.4 + 5 / 60, 0.6 + 5 / 60, 0.4 - 5 / 60])
    assert found.cells["last_share"].tolist() == pytest.approx([0.5, 0.5, 0.7, 0.3])


def test_a_parent_with_one_month_takes_the_companys_shares():
    long = frame(1000 * np.tile([0.6, 0.4], (24, 1)), "product", region="E")
    other = frame(1000 * np.tile([0.8, 0.2], (24, 1)), "product", region="N")
    found = share(pd.concat([long, other, frame(np.array([[0.0, 5.0]]), "product", region="W")]), "product", ("region",))

    assert found["W", "a"] == pytest.approx(0.7, abs=0.01)
    assert found["E", "a"] == pytest.approx(0.6, abs=0.01)


def test_a_deep_thin_cell_takes_what_its_region_and_its_product_add():
    """No sales of its own in the last year: company .5, its region adds .1, its product .2, together .8."""
    shares = {("E", "p"): 0.8, ("E", "q"): 0.4, ("W", "p"): 0.6, ("W", "q"): 0.2}
    parts = [
        frame(1e6 * np.tile([a, 1 - a], (24, 1)), "channel").assign(region=region, product=product)
        for (region, product), a in shares.items()
    ]
    history = pd.concat(parts)
    quiet = (history["region"] == "E") & (history["product"] == "p") & (history["month"] >= "2025-01")
    found = share(history[~quiet], "channel", ("region", "product"))

    # Without it E is .4, p .6, the company .4: .4 + 0 + .2.
    assert found["E", "p", "a"] == pytest.approx(0.6, abs=0.01)
    assert found["W", "q", "a"] == pytest.approx(0.2, abs=0.01)


# Who starts and who falls silent


def test_a_part_year_counts_as_the_year_it_will_be():
    """b sells a fifth of the last three months. By a's sales in and before them: a factor of 4.75, believed by 3/(3+1)."""
    amounts = np.tile([100.0, 0.0], (24, 1))
    amounts[-3:] = [80, 20]
    found = share(frame(amounts), "region")

    assert found["b"] == pytest.approx(60 * (1 + 3.75 * 3 / 4) / (60 * (1 + 3.75 * 3 / 4) + 1140))


def test_a_member_that_fell_silent_loses_its_share_and_a_season_does_not():
    amounts = np.tile([50.0, 50.0], (24, 1))
    amounts[-3:, 1] = 0
    seasonal = np.tile([50.0, 50.0], (24, 1))
    seasonal[[9, 10, 11, 21, 22, 23], 1] = 0

    assert share(frame(amounts))["b"] < 0.001
    assert share(frame(seasonal))["b"] == pytest.approx(450 / 1050)


def test_what_a_parent_never_sold_in_a_year_of_its_own_stays_nothing():
    swing = np.tile([[0.7, 0.3], [0.5, 0.5]], (12, 1))
    east = frame(1e4 * swing, "product", region="E")
    west = frame(1e4 * np.tile([1.0, 0.0], (24, 1)), "product", region="W")
    young = west[west["month"] >= "2025-10"]

    assert share(pd.concat([east, west]), "product", ("region",))["W", "b"] == 0.0
    assert share(pd.concat([east, young]), "product", ("region",))["W", "b"] > 0.0


def test_returns_are_not_a_negative_share():
    history = pd.DataFrame(
        [("E", "p", 30), ("E", "q", 70), ("W", "p", -5), ("W", "q", 50)], columns=["region", "product", "amount"]
    )
    found = expected(history.assign(month="2025-06"), "product", HORIZON, ["region"]).shares

    assert found.groupby("region")["share"].sum().to_list() == pytest.approx([1.0, 1.0])
    assert found["share"].between(0, 1).all()


def test_a_company_that_sold_nothing_for_a_year_has_its_whole_past():
    history = pd.DataFrame([("a", "2022-12", 30), ("b", "2022-12", 10)], columns=["region", "month", "amount"])

    assert share(history) == pytest.approx({"a": 0.75, "b": 0.25})


def test_a_quarter_with_more_returns_than_sales_keeps_its_share():
    amounts = np.tile([60.0, 50.0], (36, 1))
    history = frame(amounts).assign(returned=0)
    late = (history["region"] == "b") & (history["month"] >= "2025-10")
    history.loc[late, ["amount", "returned"]] = [-10, -60]
    found = share(history)

    # nine months of 50 less 30, beside 720
    assert found["b"] == pytest.approx(420 / 1140, abs=0.03)
    assert share(history.assign(returned=np.where(late, -10, 0)))["b"] < 0.01  # nothing sold for a quarter


# What every estimate owes


def test_row_order_and_names_do_not_matter():
    history = pd.concat([frame(path("drift", 3, 1), "product", region="E"), frame(path("wander", 3, 2), "product", region="W")])
    names = dict(zip("abcdef", "zyxwvu", strict=True))
    found = expected(history, "product", HORIZON, ["region"])
    shuffled = expected(history.sample(frac=1, random_state=7), "product", HORIZON, ["region"])
    renamed = expected(history.assign(product=history["product"].map(names)), "product", HORIZON, ["region"])

    pd.testing.assert_frame_equal(shuffled.cells, found.cells)
    back = renamed.shares.assign(product=renamed.shares["product"].map({new: old for old, new in names.items()}))
    ordered = back.sort_values(["region", "product"], ignore_index=True)
    pd.testing.assert_frame_equal(ordered, found.shares, rtol=1e-5)


def test_months_after_the_last_closed_one_are_not_seen():
    history = frame(path("drift", 3, 1))
    later = frame(path("wander", 1, 9), last="2026-12")

    assert share(pd.concat([history, later])) == share(history)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pd.DataFrame({"region": ["E"], "amount": [1]}), "lacks \\['product', 'month'\\]"),
        (pd.DataFrame({"region": ["E"], "product": ["p"], "month": ["2027-01"], "amount": [1]}), "no sales up to 2025-12-31"),
    ],
)
def test_a_history_that_cannot_tell_is_refused(table, said):
    with pytest.raises(PlanError, match=said):
        expected(table, "product", HORIZON, ["region"])


def test_a_deep_level_takes_less_than_a_second():
    random = np.random.default_rng(0)
    cells = pd.MultiIndex.from_product(
        [
            [f"r{i}" for i in range(20)],
            [f"p{i}" for i in range(40)],
            list("abcde"),
            pd.period_range("2023-01", "2025-12", freq="M").astype(str),
        ],
        names=["region", "product", "channel", "month"],
    )
    history = pd.DataFrame({"amount": (random.gamma(0.5, size=len(cells)) * 1e5).astype("int64")}, index=cells).reset_index()
    start = perf_counter()
    found = expected(history, "channel", HORIZON, ["region", "product"])

    assert len(found.shares) == 4000
    assert perf_counter() - start < 5  # a second by itself; other work may share the machine


# Shares of the open months

AUTUMN = Horizon(2026, 1, date(2026, 9, 30))


def cooler(first: str, last: str = "2026-09") -> pd.DataFrame:
    """A filter that sells 1,000 every month, a cooler 2,000 from April to September and 20 otherwise."""
    rows = []
    for month in pd.period_range(first, last, freq="M"):
        rows += [("Filter", str(month), 1000), ("Cooler", str(month), 2000 if 4 <= month.month <= 9 else 20)]
    return pd.DataFrame(rows, columns=["product", "month", "amount"])


@pytest.mark.parametrize("first", ["2024-01", "2025-01", "2025-10"])
def test_what_sells_in_summer_is_not_owed_half_of_the_last_quarter(first):
    found = share(cooler(first), "product", horizon=AUTUMN)

    # 1,020 a month are open: 20 and 1,000
    assert found["Cooler"] * 1020 == pytest.approx(20, abs=2) and found["Filter"] * 1020 == pytest.approx(1000, abs=2)


def test_a_plan_before_its_year_takes_shares_of_the_year():
    found = expected(cooler("2024-01", "2025-12"), "product", HORIZON)

    assert found.shares.set_index("product")["share"]["Cooler"] == pytest.approx(12_120 / 24_120)
    assert found.cells["share"].tolist() == found.cells["year_share"].tolist()


def test_regions_differ_in_their_open_months_as_products_do():
    east = cooler("2024-01").assign(region="E")
    west = east.assign(region="W", amount=2 * east["amount"])
    found = share(pd.concat([east, west]), "product", ("region",), AUTUMN)

    assert found["E", "Cooler"] == pytest.approx(found["W", "Cooler"]) == pytest.approx(20 / 1020, abs=0.002)


def test_a_part_of_a_year_that_scatters_is_drawn_toward_the_companys():
    random = np.random.default_rng(5)
    noisy = 1e6 * np.tile(BASE, (45, 1)) * (1 + random.normal(0, 0.15, (45, 6)))
    found = expected(frame(noisy, last="2026-09"), "region", AUTUMN).cells

    assert np.abs(found["share"] / found["year_share"] - 1).max() < 0.06


def test_under_a_year_nothing_is_known_of_seasons():
    found = expected(cooler("2026-01"), "product", AUTUMN).cells

    assert found["share"].tolist() == found["year_share"].tolist()


def test_a_stated_start_counts_and_a_test_sale_before_it_does_not():
    # b sells a fifth of the last six months; one piece a year ago was a test
    amounts = np.tile([100.0, 0.0], (24, 1))
    amounts[-6:] = [80, 20]
    amounts[-12, 1] = 1
    plain, stated = (
        expected(frame(amounts), "region", HORIZON, starts=starts).shares.set_index("region")["share"]["b"]
        for starts in (None, {"b": "2025-07"})
    )

    assert plain < 0.12
    # by what a sold, 1,080 of which 480 since: a factor of 2.25, believed by 6/7
    assert stated == pytest.approx(121 * (1 + 1.25 * 6 / 7) / (121 * (1 + 1.25 * 6 / 7) + 1080))
