"""02 region on the sample: each parameter moves its driver or table as the method book says, by hand on its tables."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest

from planlib import plan as tables
from planlib.chapters import region
from planlib.estimates import shares
from planlib.lp import split


@pytest.fixture
def made(open_sample):
    """Drivers, team and what follows the plan, for a target 30% over last year."""

    def make(as_of=None, **words) -> SimpleNamespace:
        chapter = open_sample("02-region", as_of=as_of, **words)
        given, horizon, sold = chapter.parameters, chapter.horizon, chapter.orders("region", "month")
        expected = shares.expected(sold, "region", horizon).shares
        regions, staff, last_year = chapter.tables.get("regions"), chapter.tables.get("staff"), chapter.last_year("region")
        team = region.team(staff, chapter.last_twelve("region"), horizon, given)
        attained = region.attained(chapter.tables.get("targets"), sold, horizon)
        company = tables.company(int(last_year["amount"].sum() * 1.3))
        reach = region.reached(chapter.tables, horizon, given)
        drivers = region.drivers(company, last_year, expected, given, regions, reach, attained, team)
        result = split(company, "region", drivers.weights, [], [], last_year)
        compared = result.compare(last_year, tables.by_last_year(company, last_year, "region"))
        load = region.load(compared, team, given)
        organised = region.organisation(compared, regions, team, given).set_index("region")
        frame = drivers.frame.set_index("region")
        return SimpleNamespace(**{name: value for name, value in locals().items() if name not in ("words", "as_of")})

    return make


def factor(after: SimpleNamespace, before: SimpleNamespace, name: str, beside: str) -> float:
    """How much a region's weight moved against one that no change is about."""
    one, other = after.frame["weight"], before.frame["weight"]
    return float(one[name] / one[beside] / (other[name] / other[beside]))


# REG-1 ----------------------------------------------------------------------------------------------------------------


def test_potential_and_reach_move_shares_in_proportion_to_their_weight(made):
    light, double = made(potential_weight=0.2), made(potential_weight=0.4)

    # REG-1: a share that counts twice as much has twice the effect.
    assert double.frame["potential_effect"].tolist() == pytest.approx((2 * light.frame["potential_effect"]).reindex(
        double.frame.index).tolist(), abs=1e-9)  # fmt: skip
    assert light.frame["potential_effect"].abs().sum() > 0.01
    near, far = made(reach_weight=0.1), made(reach_weight=0.2)
    assert far.frame["reach_effect"].tolist() == pytest.approx(
        (2 * near.frame["reach_effect"]).reindex(far.frame.index).tolist(), abs=1e-9
    )
    assert near.frame["reach_effect"].abs().sum() > 0.001


def test_the_parts_of_rivalry_decide_which_region_is_pressed(made):
    regions = made().regions.set_index("region")

    # REG-1: by share alone, by coverage alone, by price alone: the cheaper the rivals, the more they press.
    for part, wanted in (
        ("share", regions["rival_share"]), ("coverage", regions["rival_coverage"]), ("price", 1.5 - regions["rival_price"]),
    ):  # fmt: skip
        given = region.Parameters(rival_parts={part: 1.0})
        found = region.pressure(regions.reset_index(), given).set_index("region")["pressure"]
        assert found.to_dict() == pytest.approx(wanted.clip(0, 1).to_dict())
    only = made(rival_parts={"share": 1.0})
    assert (only.frame["competition"] != made().frame["competition"].reindex(only.frame.index)).any()


def test_fewer_months_until_dormant_move_the_reach(open_sample):
    def reached(months: int) -> pd.Series:
        chapter = open_sample("02-region", dormant_months=months, dormant_counts=0.0)
        return region.reached(chapter.tables, chapter.horizon, chapter.parameters).set_index("region")["share"]

    assert (reached(3) != reached(12)).any() and reached(3).sum() == pytest.approx(1) == pytest.approx(
        reached(12).sum()
    )  # REG-1


# REG-2, REG-3, REG-4, REG-5 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uplift", [0.30, 0.50])
def test_a_strategic_region_weighs_more_by_its_uplift(made, uplift):
    assert factor(made(priority={"Hubei": uplift}), made(priority={}), "Hubei", "Shandong") == pytest.approx(
        1 + uplift
    )  # REG-2


def test_the_line_and_uplift_of_steady_over_achievers(made):
    # REG-3: who lay over the line in each of three years, by targets and orders; the factor is the uplift, nobody is cut.
    for words in ({"over_line": 1.0}, {"over_line": 1.02, "over_uplift": 0.18}, {"over_line": 1.10, "over_uplift": 0.20}):
        found = made(**words)
        least = found.attained[found.attained["year"] >= 2023].groupby("region")["attainment"].agg(["min", "count"])
        over = set(least.index[(least["count"] == 3) & (least["min"] >= words["over_line"])])
        lifted = found.frame["attainment"]
        assert set(lifted.index[lifted > 1]) == over and over
        assert set(lifted.round(9)) == {1.0, round(1 + words.get("over_uplift", 0.15), 9)}


def test_a_lower_line_reviews_fewer_under_achievers(made):
    counts = []
    for line in (0.80, 0.90, 1.0):
        found = made(under_line=line)
        mean = found.attained[found.attained["year"] >= 2023].groupby("region")["attainment"].mean()
        reviewed = region.review(found.compared, found.attained, found.load, found.given)
        assert set(reviewed["region"]) == set(mean.index[mean.round(9) < line])  # REG-3
        counts.append(len(reviewed))
    assert counts[0] < counts[1] < counts[2]


def test_each_stage_of_maturity_has_its_own_factor(made):
    usual = made()
    other = made(maturity={"incubating": 0.5, "growing": 1.0, "mature": 1.5})
    stage = usual.regions.set_index("region")["maturity"]
    beside = stage.index[stage == "growing"][0]

    # REG-4: 0.8 becomes 0.5 and 1.2 becomes 1.5, in every region of the stage.
    for name in usual.frame.index:
        wanted = {"incubating": 0.5 / 0.8, "growing": 1.0, "mature": 1.5 / 1.2}[stage[name]]
        assert factor(other, usual, name, beside) == pytest.approx(wanted), name


def test_newcomers_are_counted_by_their_line_and_months(made):
    # REG-5: by hand from the staff: those hired within so many months, over those who are there.
    for words in ({"newcomer_line": 0.30}, {"newcomer_months": 24}, {"newcomer_cut": 0.20}):
        found = made(**words)
        staff, today = found.staff, pd.Timestamp("2025-12-31")
        here = staff[(staff["hired"] <= today) & (staff["left"].isna() | (staff["left"] > today))]
        new = here["hired"] > today - pd.DateOffset(months=words.get("newcomer_months", 12))
        share = new.groupby(here["region"]).mean()
        lowered = set(share.index[share.round(9) > words.get("newcomer_line", 0.40)]) & set(found.frame.index)
        assert set(found.frame.index[found.frame["team"] < 1]) == lowered and lowered
        assert found.frame["team"].min() == pytest.approx(1 - words.get("newcomer_cut", 0.10))


def test_a_narrower_span_flags_more_leaders(made):
    flagged = {}
    for most in (3, 5, 8, 20):
        load = made(span_most=most).load
        over = load["look_at"].str.contains("leads too many")
        assert (over == (load["span"].round(9) > most)).all()  # REG-5
        flagged[most] = int(over.sum())
    assert flagged[3] > flagged[5] >= flagged[8] >= flagged[20] == 0


# REG-6 ----------------------------------------------------------------------------------------------------------------


def test_an_exception_changes_the_pools_of_its_class_alone(made):
    own = {"base": 0.5, "incentive": 0.4, "risk reserve": 0.1}
    found = made(pool_exceptions={"A": own})
    wide = region.pool_shares(found.organised.reset_index(), found.given).pivot(index="region", columns="part", values="share")
    kind = found.organised["class"].reindex(wide.index)

    assert (kind == "A").any() and (kind == "B").any()  # REG-6
    assert wide[kind == "A"].drop_duplicates().to_dict("records") == [own]
    assert wide[kind == "B"].drop_duplicates().to_dict("records") == [{"base": 0.6, "incentive": 0.3, "risk reserve": 0.1}]


def test_the_closed_months_release_more_where_the_incentive_starts_lower(made):
    released = {}
    for low, full in ((0.8, 1.0), (0.5, 1.0), (0.8, 1.5)):
        found = made(as_of="2026-03-31", release_from=low, release_full=full)
        booked = found.chapter.booked("region", "month")
        in_force = booked.assign(amount=(booked["amount"] / 0.9).round().astype("int64"))
        released[low, full] = region.released(booked, in_force, found.given)["released"]

    # REG-6: every month sold 90% of its plan: half, four fifths and a seventh of the incentive.
    for (low, full), part in released.items():
        assert part.tolist() == pytest.approx([(0.9 - low) / (full - low)] * len(part), abs=1e-4)


# REG-7, REG-8 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"pattern_a": {"manager": 1, "supervisor": 1, "specialist": 4}},
        {"pattern_b": {"manager": 1, "supervisor": 2, "specialist": 3}},
        {"class_a_share": 0.0},
    ],
)
def test_a_team_lacks_what_its_pattern_asks_over_what_is_there(made, words):
    found = made(**words)
    patterns = {"A": words.get("pattern_a"), "B": words.get("pattern_b")}
    book = {"A": {"manager": 1, "supervisor": 3, "specialist": 15}, "B": {"manager": 1, "supervisor": 5, "specialist": 10}}
    team = found.team.set_index("region").reindex(found.organised.index).fillna(0)

    # REG-7: class A 1 + 3 + 15, class B 1 + 5 + 10, rank by rank.
    for name, row in found.organised.iterrows():
        asked = patterns[row["class"]] or book[row["class"]]
        assert row["pattern"] == " + ".join(str(asked[rank]) for rank in ("manager", "supervisor", "specialist"))
        assert row["lacks"] == sum(max(0, want - int(team.loc[name, f"{rank}s"])) for rank, want in asked.items())
    assert ((found.organised["class"] == "A").sum() > 0) == (words.get("class_a_share") != 0.0)


def test_old_leads_new_by_the_pattern_of_class_b(made):
    usual, easier = made(), made(pattern_b={"manager": 1, "supervisor": 1, "specialist": 10})

    # REG-7: five lead ten, so each newcomer asks for half an old hand; with one of ten fewer are missing.
    for found, part in ((usual, 0.5), (easier, 0.1)):
        team = found.team.set_index("region").reindex(found.organised.index).fillna(0)
        new = (team["newcomers"] * team["people"]).round()
        wanted = [max(0, math.ceil(round(n * part, 9)) - (heads - n)) for n, heads in zip(new, team["people"], strict=True)]
        assert found.organised["mentors_short"].tolist() == wanted
    assert easier.organised["mentors_short"].sum() <= usual.organised["mentors_short"].sum()


def test_growing_regions_get_the_light_system_where_they_are_not_among_the_largest(made):
    for share in (0.10, 0.30):
        found = made(full_tools_share=share)
        ranked = found.organised.sort_values("allocated", ascending=False).index
        full = set(ranked[: round(31 * share)])
        growing = set(found.regions.loc[found.regions["maturity"] == "growing", "region"]) & set(ranked)
        tools = found.organised["tools"]
        assert set(tools.index[tools == "full field system"]) == full  # REG-8
        assert set(tools.index[tools == "light field system"]) == growing - full
