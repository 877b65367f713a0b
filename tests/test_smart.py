"""MET-1: what a target must have to be SMART, letter by letter."""

from datetime import date

import pandas as pd
import pytest

from planlib import smart
from planlib.estimates.chance import Terms
from planlib.periods import Horizon, months

YEAR = (date(2026, 1, 1), date(2026, 12, 31))
GOOD = {
    "metric": "Revenue", "unit": "money", "baseline": 100.0, "value": 120.0, "deadline": "2026-12-31", "owner": "Board",
    "source": "orders", "perspective": "finance", "probability": 0.4,
}  # fmt: skip


def judged(least: float = 0.1, **changes: object) -> pd.Series:
    return smart.check(pd.DataFrame([{**GOOD, **changes}]), *YEAR, least=least).iloc[0]


def test_a_complete_target_is_smart():
    # MET-1: four letters in full and a chance of .4
    row = judged()

    assert row["smart"] and row["lacks"] == ""
    assert row["score"] == pytest.approx((4 + 0.4) / 5)


@pytest.mark.parametrize(
    ("changes", "letter", "score", "lacks"),
    [
        ({"owner": ""}, "specific", 2 / 3, "no owner"),
        ({"unit": None}, "specific", 2 / 3, "no unit"),
        ({"baseline": None}, "measurable", 2 / 3, "no baseline"),
        ({"value": float("nan"), "source": ""}, "measurable", 1 / 3, "no value; no source"),
        ({"probability": 0.05}, "achievable", 0.05, "chance under 10% without new action"),
        ({"capacity": 110.0}, "achievable", 0.0, "over its capacity"),
        ({"perspective": ""}, "relevant", 0.0, "serves no target above"),
        ({"deadline": "2027-01-31"}, "time_bound", 0.0, "deadline outside the plan year"),
        ({"deadline": ""}, "time_bound", 0.0, "no deadline"),
        ({"deadline": "by summer"}, "time_bound", 0.0, "deadline outside the plan year"),
    ],
)
def test_each_letter_is_scored_and_what_is_missing_is_said(changes, letter, score, lacks):
    row = judged(**changes)

    assert row[letter] == pytest.approx(score)
    assert row["lacks"] == lacks and not row["smart"]


def test_without_history_nobody_calls_it_achievable():
    row = judged(probability=None)

    assert pd.isna(row["achievable"]) and row["lacks"] == "no history to judge its chance by"


def test_the_line_of_achievable_moves_the_verdict():
    assert judged(least=0.4)["smart"]
    assert not judged(least=0.41)["smart"]


def test_a_parent_must_be_a_target_above():
    frame = pd.DataFrame([{**GOOD, "parent": "Revenue"}, {**GOOD, "parent": "Revenu"}])

    assert smart.check(frame, *YEAR, parents=["Revenue"])["relevant"].tolist() == [1.0, 0.0]


def test_the_summary_names_who_lacks_what():
    frame = pd.DataFrame([GOOD, {**GOOD, "metric": "East", "owner": ""}, {**GOOD, "metric": "West", "owner": ""}])
    text = smart.summary(smart.check(frame, *YEAR), " and ".join)

    assert text == "SMART check: 1 of 3 targets of this chapter passes; lacking: no owner (East and West)."


HORIZON = Horizon(2026, 1, date(2026, 3, 31))
HISTORY = pd.DataFrame(
    [(r, m, a) for r, a in (("East", 50), ("West", 100)) for m in [*months(2024), *months(2025), *months(2026)[:3]]],
    columns=["region", "month", "amount"],
)


def members(planned: dict, **more) -> pd.DataFrame:
    table = pd.DataFrame({"region": list(planned), "amount": list(planned.values())})
    last = HISTORY[HISTORY["month"].str.startswith("2025")][["region", "amount"]]
    return smart.of_members(table, last, HISTORY, HORIZON, {"": "Board", "East": "P001"}, **more).set_index("metric")


def test_a_split_sets_a_target_for_each_member():
    goals = members({"East": 600, "West": 1800, "North": 50})

    assert goals["baseline"].to_dict() == {"East": 600, "North": 0, "West": 1200}
    assert goals["owner"].to_dict() == {"East": "P001", "North": "Board", "West": "Board"}
    # East: 150 earned, 450 wanted, 450 expected
    assert goals.loc["East", "probability"] == pytest.approx(0.5)
    assert goals.loc["West", "probability"] < 0.05
    assert pd.isna(goals.loc["North", "probability"])  # never sold: no chance can be told


def test_members_without_months_of_their_own_follow_the_company():
    planned = pd.DataFrame({"segment": ["New", "Old"], "amount": [450, 1800]})
    last = pd.DataFrame({"segment": ["New", "Old"], "amount": [450, 1350]})
    company = HISTORY.groupby("month")["amount"].sum().reset_index()
    goals = smart.of_members(planned, last, company, HORIZON, {"": "Board"}).set_index("metric")

    assert goals.loc["New", "probability"] == pytest.approx(0.5)  # the company stands still, and so does New
    assert goals.loc["Old", "probability"] < 0.05


def test_money_to_spend_is_to_stay_below():
    spend = HISTORY.rename(columns={"region": "activity"})
    planned = pd.DataFrame({"activity": ["East", "West"], "amount": [600, 1800]})
    last = spend[spend["month"].str.startswith("2025")]
    goals = smart.of_members(planned, last, spend, HORIZON, {}, at_most=True).set_index("metric")

    assert goals.loc["East", "probability"] == pytest.approx(0.5) and goals.loc["West", "probability"] > 0.95


def test_a_month_without_money_to_spend_had_none():
    # nothing was spent in March 2026, the last closed month: 100 have gone, about 450 are to come, the limit is likelier kept
    spend = HISTORY[(HISTORY["region"] == "East") & (HISTORY["month"] != "2026-03")].rename(columns={"region": "activity"})
    planned = pd.DataFrame({"activity": ["East"], "amount": [550]})
    goals = smart.of_members(planned, spend[spend["month"] < "2026"], spend, HORIZON, {}, at_most=True)

    assert 0.5 < goals["probability"].iloc[0] < 0.7


def test_months_are_judged_one_by_one_and_closed_ones_are_what_they_were():
    planned = pd.DataFrame({"month": months(2026), "amount": [150] * 2 + [160] + [150] * 9})
    last = pd.DataFrame({"month": months(2025), "amount": 150})
    goals = smart.of_members(planned, last, HISTORY.groupby("month")["amount"].sum().reset_index(), HORIZON, {"": "Board"})

    assert goals["probability"].tolist() == pytest.approx([1, 1, 0, *[0.5] * 9])
    assert goals["deadline"].iloc[1] == "2026-02-28"
    assert (goals["baseline"] == 150).all()


def test_owners_come_from_rules_then_managers_then_the_company():
    staff = pd.DataFrame(
        [("P2", "East", "Regional manager", "2020-01-01", None), ("P1", "East", "Regional manager", "2024-01-01", None),
         ("P3", "West", "Regional manager", "2020-01-01", "2025-06-30"), ("P4", "North", "Specialist", "2020-01-01", None)],
        columns=["person", "region", "role", "hired", "left"],
    )  # fmt: skip
    found = smart.owners(
        "Board", staff, [(["North"], "Sales director"), (None, "nobody")], date(2026, 3, 31), ["Regional manager"]
    )

    assert found == {"": "Board", "East": "P2", "North": "Sales director"}
    # Who leads is told by the roles, in any language; a product manager is not one of them.
    local = staff.assign(role=["大区经理", "Product manager", "大区经理", "Specialist"])
    assert smart.owners("Board", local, [], date(2026, 3, 31), ["大区经理"]) == {"": "Board", "East": "P2"}
    assert smart.owners("Board", local, [], date(2026, 3, 31), ["Regional manager"]) == {"": "Board"}


def test_a_member_that_started_late_is_judged_by_its_own_months():
    # East sells 100 a month since June 2025; the company is three years old
    horizon = Horizon(2026, 1, date(2025, 12, 31))
    every = [str(month) for month in pd.period_range("2023-01", "2025-12", freq="M")]
    history = pd.DataFrame(
        [("West", m, 1000) for m in every] + [("East", m, 100) for m in every if m >= "2025-06"],
        columns=["region", "month", "amount"],
    )
    last = history[history["month"] >= "2025-01"]
    planned = pd.DataFrame({"region": ["East", "West"], "amount": [1200, 12_000]})
    goals = smart.of_members(planned, last, history, horizon, {"": "Board"}).set_index("metric")

    assert goals["probability"].tolist() == pytest.approx([0.5, 0.5])


def test_one_month_of_returns_keeps_a_members_chance():
    history = HISTORY.copy()
    history.loc[(history["region"] == "East") & (history["month"] == "2025-08"), "amount"] = -20
    goals = smart.of_members(
        pd.DataFrame({"region": ["East", "West"], "amount": [530, 1800]}), history, history, HORIZON, {"": "Board"}
    )

    assert goals["probability"].notna().all()


def test_the_terms_of_the_run_reach_the_members():
    planned = {"East": 660}
    wide, narrow = (members(planned, terms=Terms(0.5, error)).loc["East", "probability"] for error in (0.5, 0.05))

    assert wide > narrow + 0.1


def test_the_summary_of_one_target_is_in_the_singular():
    frame = pd.DataFrame([{**GOOD, "metric": "East", "owner": ""}])

    assert smart.summary(smart.check(frame, *YEAR), " and ".join) == (
        "SMART check: the one target of this chapter does not pass; lacking: no owner (East)."
    )


def test_targets_that_nobody_set_are_counted_apart():
    def said(default: list[bool], baseline: list[float | None]) -> str:
        names = ["Revenue", "Launches", "Leads"]
        frame = pd.DataFrame({"metric": names, "baseline": baseline, "default": default, "smart": [True, False, False]})
        frame = frame.assign(lacks=["", "no baseline", "no baseline"]).astype({"baseline": "float64"})
        return smart.summary(frame, " and ".join)

    assert said([False, True, True], [1.0, None, None]) == (
        "SMART check: the one target that was set or has a baseline passes. Nobody set Launches and Leads, and no baseline is "
        "known: they are the method's defaults and counted apart."
    )
    assert said([False, False, True], [1.0, None, None]).startswith(
        "SMART check: 1 of 2 targets that were set or have a baseline passes; lacking: no baseline (Launches). Nobody "
    )
    assert said([False, False, False], [1.0, None, None]).startswith("SMART check: 1 of 3 targets of this chapter passes")
