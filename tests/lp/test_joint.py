"""The joint program: what a sequence of splits gave up, against a case solved by hand."""

import pandas as pd
import pytest

from planlib import plan as tables
from planlib.errors import ConflictError
from planlib.lp import Lock, Rule, Stage, joint, split

REGIONS = pd.DataFrame({"region": ["East", "North"], "weight": [0.5, 0.5]})
CHANNELS = pd.DataFrame(
    [("East", "Online", 0.6), ("East", "Shops", 0.4), ("North", "Online", 0.2), ("North", "Shops", 0.8)],
    columns=["region", "channel", "weight"],
)
CAP = Rule(name="capacity of Online", where={"channel": "Online"}, unit="amount", max=20_000_000)
COMPANY = tables.company(100_000_000)


def sequence(rules=(), region_rules=()):
    regions = split(COMPANY, "region", REGIONS, region_rules).plan
    return split(regions, "channel", CHANNELS, rules).plan


def stages(rules=(), region_rules=(), locks=()):
    return [Stage("region", REGIONS, tuple(region_rules)), Stage("channel", CHANNELS, tuple(rules), tuple(locks))]


def test_what_a_full_channel_costs_a_sequence_that_fixed_its_regions_first():
    # The drivers want 40 m online, 20 m are possible. Together: all online cells halve, all others grow by a third, so East
    # ends at 15 + 26.67 m; distance 40 x .25 + 60 / 9 = 16.67 m. In sequence each region keeps its 50 m: 12 and 8 m move,
    # 144 / 12 + 64 / 8 = 20 m. A sixth of the distance was given up.
    found = joint(COMPANY, stages([CAP]), sequence([CAP]))
    by_region = found.split.by("region").set_index("region")["amount"]
    distance = found.compared.set_index("split")["distance"]

    assert by_region.to_dict() == {"East": 41_666_667, "North": 58_333_333}
    assert distance["this plan"] == pytest.approx(50e6 / 3, rel=1e-6)
    assert distance["chapter by chapter"] == pytest.approx(20e6, rel=1e-6)
    assert found.given_up == pytest.approx(1 / 6, rel=1e-6)
    # 8.33 m leave East altogether; online 18 -> 15 and 2 -> 5: cell by cell 3 + 5.33 m leave, the same arrives.
    assert found.moved == pytest.approx(25e6 / 3, abs=2)
    assert found.shifts.iloc[0]["member"] in ("East", "North") and abs(found.shifts.iloc[0]["difference"]) == 8_333_333


def test_without_limits_the_sequence_gives_nothing_up():
    found = joint(COMPANY, stages(), sequence())

    assert found.moved == 0 and found.given_up == 0
    assert found.split.plan["amount"].sum() == 100_000_000


def test_the_joint_plan_keeps_the_rules_of_every_chapter():
    floor = Rule(name="floor of East", where={"region": "East"}, min=0.5)
    found = joint(COMPANY, stages([CAP], [floor]), sequence([CAP], [floor]))
    plan = found.split.plan

    assert plan.loc[plan["region"] == "East", "amount"].sum() == 50_000_000
    assert plan.loc[plan["channel"] == "Online", "amount"].sum() <= 20_000_000
    # With East held where the sequence put it, and North the rest, the two are one program.
    assert found.given_up == pytest.approx(0, abs=1e-9)


def test_a_guardrail_of_an_early_chapter_holds_for_its_members():
    guard = Rule(name="guard", each="cell", unit="growth", min=-0.1, max=0.1)
    last = pd.DataFrame({"region": ["East", "North"], "amount": [30_000_000, 70_000_000]})
    cells = last.merge(CHANNELS, on="region").assign(amount=lambda frame: (frame["amount"] * frame["weight"]).astype("int64"))
    regions = split(COMPANY, "region", REGIONS, [guard], history=last).plan
    found = joint(COMPANY, stages([], [guard]), split(regions, "channel", CHANNELS).plan, cells.drop(columns="weight"))

    assert found.split.by("region").set_index("region")["amount"].to_dict() == {"East": 33_000_000, "North": 67_000_000}


def test_a_name_that_two_chapters_use_is_told_apart():
    mine = Rule(name="floor", where={"region": "East"}, min=0.5)
    found = joint(COMPANY, stages([CAP.model_copy(update={"name": "floor"})], [mine]), sequence([CAP], [mine]))

    assert found.split.rules["rule"].tolist() == ["floor", "floor (2)"]


def test_a_level_that_is_too_large_is_not_solved():
    assert joint(COMPANY, stages(), sequence(), most_cells=3) is None


def test_rules_that_cannot_hold_together_are_named():
    lock = Lock(name="Online as it was", where={"channel": "Online"}, amount=30_000_000)
    with pytest.raises(ConflictError, match="capacity of Online"):
        joint(COMPANY, stages([CAP], locks=[lock]), sequence([CAP]))
