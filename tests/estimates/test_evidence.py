"""What a driver was worth: a slope with an interval, drawn toward nothing, that few outliers and overlaps do not move."""

import numpy as np
import pandas as pd
import pytest

from planlib.estimates.evidence import Evidence, sentence, weigh


def past(slope: float, seed: int = 1, members: int = 8, years: int = 3, noise: float = 0.01, ask: float = 0.1) -> pd.DataFrame:
    """Years in which a driver multiplies shares by exp(ask x normal) and `slope` of that comes; errors as a share's root."""
    rng, rows = np.random.default_rng(seed), []
    before = rng.dirichlet(np.full(members, 3.0))
    for year in range(years):
        after = before * np.exp(ask * rng.normal(size=members))
        after = after / after.sum()
        came = np.clip(before + slope * (after - before) + noise * np.sqrt(before) * rng.normal(size=members), 0, None)
        rows.append(
            pd.DataFrame(
                {
                    "origin": f"{2020 + year}-01",
                    "member": [f"m{place}" for place in range(members)],
                    "before": before,
                    "after": after,
                    "came": came / came.sum(),
                    "years": 1.0,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def test_what_came_true_counts_and_noise_and_the_opposite_do_not():
    # The slope that made the data is the truth; 40 made pasts each.
    true, none, opposite = ([weigh(past(slope, seed)) for seed in range(40)] for slope in (1.0, 0.0, -1.0))

    assert np.mean([each.counted for each in true]) > 0.9
    assert np.mean([each.counted for each in none]) < 0.1
    assert max(each.counted for each in opposite) == 0 and opposite[0].says().startswith("Opposite: ")


@pytest.mark.parametrize("slope", [-0.5, 0.0, 0.5, 1.0])
def test_nine_in_ten_intervals_hold_the_truth(slope):
    # Of 100 made pasts 90 should; the binomial's 99% interval around that is 82 to 97.
    found = [weigh(past(slope, seed)) for seed in range(100)]

    assert 82 <= sum(each.low <= slope <= each.high for each in found) <= 98


def test_with_much_evidence_it_is_the_weighted_least_squares_slope():
    # numpy's own solver on the rows divided by the root of the share: 60 members, ten years.
    table = past(0.6, members=60, years=10)
    root = np.sqrt((table["before"] + table["after"]) / 2)
    x, y = (table["after"] - table["before"]) / root, (table["came"] - table["before"]) / root
    wanted = np.linalg.lstsq(x.to_numpy()[:, None], y.to_numpy(), rcond=None)[0][0]

    assert weigh(table).slope == pytest.approx(wanted, abs=0.03)


def test_thin_evidence_is_drawn_to_nothing():
    # The same truth of 1: a year of three members that were asked for little says less than three of eight asked for much.
    thin = np.mean([weigh(past(1.0, seed, 3, 1, 0.02, 0.02)).counted for seed in range(40)])

    assert thin < 0.3
    wide = weigh(past(1.0, 1, 3, 1, 0.02, 0.02))
    assert wide.low < 0 < wide.high


def test_one_launch_that_goes_its_own_way_is_one_witness():
    # Beside it the same truth of 1: a member that gains five points of share once, of which no driver knew.
    found = []
    for seed in range(20):
        table = past(1.0, seed)
        table.loc[(table["member"] == "m0") & (table["origin"] == "2021-01"), "came"] += 0.05
        found.append(weigh(table.assign(came=table["came"] / table.groupby("origin")["came"].transform("sum"))).counted)

    assert np.mean(found) > 0.85


def test_months_that_several_windows_cover_count_once():
    # Four quarters' starts and the twelve months after each: 21 months in all, not 48.
    year = past(1.0, years=1)
    starts = ["2020-01", "2020-04", "2020-07", "2020-10"]
    found = weigh(pd.concat([year.assign(origin=start) for start in starts]))
    once = weigh(year)

    assert found.years == pytest.approx(21 / 12) and found.origins == 4
    assert once.high - once.low < 1.8 * (found.high - found.low)


def test_who_goes_its_own_way_every_year_is_no_new_fact_each_year():
    # Ten years in which each member's error is the same say as much as one: the interval may not shrink as for ten facts.
    widths = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        table = past(0.0, members=10, years=10, noise=0.0)
        names = sorted(table["member"].unique())
        asked, fixed = (table["member"].map(dict(zip(names, rng.normal(size=10), strict=True))) for _ in range(2))
        table["after"] = table["before"] * np.exp(0.1 * asked)
        found = [weigh(table.assign(came=table["before"] * (1 + 0.05 * e))) for e in (fixed, rng.normal(size=len(table)))]
        widths.append([each.high - each.low for each in found])
    same, fresh = np.mean(widths, axis=0)

    assert same > 1.7 * fresh


def test_row_order_and_names_do_not_matter():
    table = past(0.7)
    renamed = table.assign(member=table["member"].map(lambda name: f"z{9 - int(name[1:])}"))
    one, shuffled, other = weigh(table), weigh(table.sample(frac=1, random_state=3)), weigh(renamed)

    assert one == shuffled
    assert (one.slope, one.low, one.high) == pytest.approx((other.slope, other.low, other.high), abs=1e-6)


def test_a_driver_that_moved_nobody_cannot_be_tested_and_counts_as_stated():
    table = past(1.0)
    found = weigh(table.assign(after=table["before"]))

    assert not found.tested and found.counted == 1.0 and found.says() == "Not testable: it would have moved nobody."


def test_each_finding_reads_as_a_sentence():
    half = Evidence(0.5, 0.1, 0.9, 0.5, 3, 3.0, 0.01, "")
    row = {"driver": "reach", "kind": "claim", "method": "REG-1", "asked_points": 0.012, "counted": 0.5, "past": half.says()}

    assert half.says() == "Of what it asked for at 3 past dates, 50% came true (+10% to +90%)."
    assert sentence(row) == (
        "Reach (REG-1) is a claim, asks to move 1.2 points of share and counts 50%. The past says of it: of what it asked for "
        "at 3 past dates, 50% came true (+10% to +90%)."
    )
    against = Evidence(-0.5, -0.9, -0.1, 0.0, 1, 1.0, 0.01, "")
    assert against.says() == "Opposite: of what it asked for at 1 past date the reverse came, -50% (-90% to -10%)."
    told = sentence({**row, "driver": "team", "kind": "decision", "method": "REG-5", "counted": 1.0, "past": against.says()})
    assert told.startswith("Team (REG-5) is a decision and counts in full: it moves 1.2 points of share off what is expected. ")
