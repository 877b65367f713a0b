"""Expected shares: what goes on of their movement, what thin parents borrow, who starts and who falls silent (REG-1)."""

from datetime import date
from time import perf_counter

import numpy as np
import pandas as pd
import pytest

from planlib.errors import PlanError
from planlib.estimates.shares import expected
from planlib.periods import Horizon

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


def worth(kind: str, years: int, seeds: int) -> float:
    """Error of the expected shares of the year that follows a made past, over that of last year's; the year is made with it."""
    ours = theirs = 0.0
    for seed in range(seeds):
        amounts = path(kind, years + 1, seed)
        found = expected(frame(amounts[:-12]), "region", HORIZON).shares["share"].to_numpy()
        truth, last = (part.sum(axis=0) / part.sum() for part in (amounts[-12:], amounts[-24:-12]))
        ours += np.abs(found - truth).sum()
        theirs += np.abs(last - truth).sum()
    return ours / theirs


# What goes on


@pytest.mark.parametrize(("years", "most"), [(3, 0.75), (5, 0.65), (8, 0.6)])
def test_where_shares_drift_the_movement_goes_on(years, most):
    assert worth("drift", years, 8) < most


@pytest.mark.parametrize(("years", "most"), [(3, 1.02), (6, 0.95), (10, 0.92)])
def test_where_shares_wander_the_years_are_averaged(years, most):
    # The mean of three years has 2/3 of the variance of last year's around a mean that does not move: at best sqrt(2/3) = .82.
    assert worth("wander", years, 12) < most


@pytest.mark.parametrize("years", [3, 6, 10])
def test_where_shares_step_at_random_what_is_expected_is_no_worse_than_last_years(years):
    assert worth("steps", years, 20) < 1.0  # the last months are nearer to what comes than a mean of twelve (Working 1960)


def test_a_clean_drift_is_carried_one_year_on():
    """Shares move in a straight line, a down by a point of share a month: 12 points from the last twelve to the plan's."""
    line = np.arange(60)[:, None] / 200 * np.array([-1.0, 0.4, 0.3, 0.2, 0.1]) + np.array([0.6, 0.1, 0.1, 0.1, 0.1])
    history = frame(1e9 * line)
    last = float(line[-12:, 0].mean())

    assert share(history)["a"] == pytest.approx(last - 0.06, abs=0.01)


def test_two_years_of_wandering_shares_are_nearer_than_the_last():
    ours, theirs = [], []
    for seed in range(30):
        amounts = path("wander", 7, seed)
        found = expected(frame(amounts[:72]), "region", Horizon(2026, 1, date(2025, 12, 31)))
        truth, last = (part.sum(axis=0) / part.sum() for part in (amounts[72:], amounts[60:72]))
        ours.append(np.abs(found.shares["share"].to_numpy() - truth).sum())
        theirs.append(np.abs(last - truth).sum())

    assert np.mean(ours) < 0.95 * np.mean(theirs)


def test_under_a_year_and_a_half_last_shares_stand_and_the_note_says_so():
    history = frame(path("drift", 2, 1)[:17])
    found = expected(history, "region", HORIZON)
    last = history[history["month"] >= "2025-01"].groupby("region")["amount"].sum()

    assert found.years == 0.0
    assert found.shares["share"].to_numpy() == pytest.approx((last / last.sum()).to_numpy(), rel=1e-9)
    assert "too short to try an expectation on" in found.note


def test_one_jump_is_not_taken_for_a_drift():
    """A member that jumps once and stays: its level since then comes again."""
    amounts = 1e8 * np.tile(BASE, (36, 1))
    amounts[18:, 5] *= 6
    amounts = amounts * (1 + np.random.default_rng(3).normal(0, 0.01, amounts.shape))
    found = expected(frame(amounts), "region", HORIZON)
    level = amounts[-6:].sum(axis=0) / amounts[-6:].sum()

    assert np.abs(found.shares["share"].to_numpy() - level).sum() < 0.1


# What thin cells borrow


def test_a_thin_cell_leans_on_the_levels_above_and_a_thick_one_stands_on_its_own():
    """Regions alike but for one; chance of few orders (Poisson, 4 a month and cell) in one company, of many in the other."""
    true = np.tile([0.4, 0.3, 0.2, 0.1], (8, 1))
    true[7] = [0.1, 0.2, 0.3, 0.4]
    off = {}
    for orders in (4, 40_000):
        random = np.random.default_rng(1)
        parts = [
            frame(random.poisson(orders * 4 * np.tile(row, (60, 1))), "product", region=f"r{at}") for at, row in enumerate(true)
        ]
        history = pd.concat(parts)
        mine, last = share(history, "product", ("region",)), history[history["month"] >= "2025-01"]
        sums = last.groupby(["region", "product"])["amount"].sum()
        sums = sums / sums.groupby("region").transform("sum")
        truth = {(f"r{at}", name): row["abcd".index(name)] for at, row in enumerate(true) for name in "abcd"}
        off[orders] = [sum(abs(found[key] - truth[key]) for key in truth) for found in (mine, sums)]

    assert off[4][0] < 0.75 * off[4][1]  # the truth is known: few orders are drawn toward it
    assert off[40_000][0] < 1.05 * off[40_000][1]


def test_a_parent_with_one_month_is_half_like_the_others():
    long = frame(1000 * np.tile([0.6, 0.4], (24, 1)), "product", region="E")
    other = frame(1000 * np.tile([0.8, 0.2], (24, 1)), "product", region="N")
    found = share(pd.concat([long, other, frame(np.array([[0.0, 5.0]]), "product", region="W")]), "product", ("region",))

    # What it does not know of its eleven months it takes half from itself and half from the others, .7.
    assert 0.2 < found["W", "a"] < 0.7
    assert found["E", "a"] == pytest.approx(0.6, abs=0.01)


def test_a_deep_thin_cell_takes_what_its_region_and_its_product_add():
    """No sales of its own in the last year: between its own of the year before and what its region and product add up to."""
    shares = {("E", "p"): 0.8, ("E", "q"): 0.4, ("W", "p"): 0.6, ("W", "q"): 0.2}
    parts = [
        frame(1e6 * np.tile([a, 1 - a], (24, 1)), "channel").assign(region=region, product=product)
        for (region, product), a in shares.items()
    ]
    history = pd.concat(parts)
    quiet = (history["region"] == "E") & (history["product"] == "p") & (history["month"] >= "2025-01")
    found = share(history[~quiet], "channel", ("region", "product"))

    # Without it E is .4, p .6, the company .4: .4 + 0 + .2; its own year before last was .8.
    assert 0.55 < found["E", "p", "a"] < 0.81
    assert found["W", "q", "a"] == pytest.approx(0.2, abs=0.05)


# Who starts and who falls silent


def test_a_part_year_counts_as_the_year_it_will_be():
    """b sells a fifth of the last three months. By a's sales in and before them: a factor of 4.75, believed by 3/(3+1)."""
    amounts = np.tile([100.0, 0.0], (24, 1))
    amounts[-3:] = [80, 20]
    found = share(frame(amounts), "region")

    assert found["b"] == pytest.approx(60 * (1 + 3.75 * 3 / 4) / (60 * (1 + 3.75 * 3 / 4) + 1140), abs=0.01)


def test_a_member_that_fell_silent_loses_its_share_and_a_season_does_not():
    amounts = np.tile([50.0, 50.0], (24, 1))
    amounts[-3:, 1] = 0
    seasonal = np.tile([50.0, 50.0], (24, 1))
    seasonal[[9, 10, 11, 21, 22, 23], 1] = 0

    assert share(frame(amounts))["b"] < 0.001
    assert share(frame(seasonal))["b"] == pytest.approx(450 / 1050, abs=0.01)


def test_what_a_parent_never_sold_in_a_year_of_its_own_stays_nothing():
    swing = np.tile([[0.7, 0.3], [0.5, 0.5]], (12, 1))
    east = frame(1e4 * swing, "product", region="E")
    west = frame(1e4 * np.tile([1.0, 0.0], (24, 1)), "product", region="W")
    young = west[west["month"] >= "2025-10"]

    assert share(pd.concat([east, west]), "product", ("region",)).get(("W", "b"), 0.0) == 0.0
    assert share(pd.concat([east, young]), "product", ("region",)).get(("W", "b"), 0.0) > 0.0


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

    pd.testing.assert_frame_equal(shuffled.shares, found.shares)
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


def test_regions_differ_in_their_open_months_as_products_do():
    east = cooler("2024-01").assign(region="E")
    west = east.assign(region="W", amount=2 * east["amount"])
    found = share(pd.concat([east, west]), "product", ("region",), AUTUMN)

    assert found["E", "Cooler"] == pytest.approx(found["W", "Cooler"]) == pytest.approx(20 / 1020, abs=0.002)


def test_a_part_of_a_year_that_scatters_is_no_season():
    random = np.random.default_rng(5)
    noisy = 1e6 * np.tile(BASE, (45, 1)) * (1 + random.normal(0, 0.15, (45, 6)))
    found = share(frame(noisy, last="2026-09"), horizon=AUTUMN)

    assert np.abs(np.array(list(found.values())) / BASE - 1).max() < 0.08  # a quarter of last year's: .15 / sqrt(3) = .087


def test_under_a_year_nothing_is_known_of_seasons():
    found = share(cooler("2026-01"), "product", horizon=AUTUMN)

    assert found["Cooler"] == pytest.approx((6 * 2000 + 3 * 20) / (6 * 2000 + 3 * 20 + 9 * 1000))


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
    assert stated == pytest.approx(121 * (1 + 1.25 * 6 / 7) / (121 * (1 + 1.25 * 6 / 7) + 1080), abs=0.01)
