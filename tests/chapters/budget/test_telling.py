"""Sentences of the budget are made from the rows they speak of: each in worlds where it must differ."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from planlib.chapters import budget
from planlib.estimates.response import Response
from planlib.formatting import Reader

READER = Reader("en", "CNY")
OFF, ELSE = "off the critical path", "that activities would turn into less revenue"


def show(value: float, form: str = "money") -> str:
    return READER.show(value, form)


def projects(**funding: str) -> pd.DataFrame:
    paid = {"whole": 500_00, "reduced": 400_00, "critical path": 600_00}
    rows = [(name.replace("_", " "), state, paid.get(state, 0), paid.get(state, 0)) for name, state in funding.items()]
    frame = pd.DataFrame(rows, columns=["project", "funding", "amount", "response"])
    return frame.assign(low=np.nan, high=np.nan)


NO_PROJECTS = projects(none="whole").head(0)


def allocation(money: dict[str, int], of: pd.DataFrame = NO_PROJECTS, reserve: int = 0, unspent: int = 0, drawn: int = 0):
    activities = pd.DataFrame({"item": list(money), "amount": list(money.values())})
    return budget.Allocation(activities, of, reserve, unspent, drawn, None)


def limits(**floors: tuple[int, bool]) -> pd.DataFrame:
    rows = [(item, floor, frozen) for item, (floor, frozen) in floors.items()]
    return pd.DataFrame(rows, columns=["item", "floor", "frozen"]).assign(line=1.5, spend=1000)


def response(**scale: float) -> Response:
    """Square-root curves without any doubt."""
    frame = pd.DataFrame(
        {"item": list(scale), "form": "power", "scale": list(scale.values()), "elasticity": 0.5, "half": np.nan}
    )
    draws = {item: np.tile([size, 0.5], (100, 1)) for item, size in scale.items()}
    return SimpleNamespace(curves=frame, draws=draws, fit={"level": 0.9})  # type: ignore[return-value]


def said(found, simple: dict[str, int], of: pd.DataFrame, **scale: float) -> list[str]:
    plain = pd.DataFrame({"item": list(simple), "amount": list(simple.values())})
    return budget.reason(response(**scale), found, plain, of, show)


LOOSE = limits(A=(0, False), B=(0, False))


@pytest.mark.parametrize(
    ("money", "simple", "tells"),
    [
        # Root curves of one size: 2 x 10,000^.5 is 200; 19,600 and 400 bring 140 + 20.
        ({"A": 10_000, "B": 10_000}, {"A": 19_600, "B": 400}, "The plan brings 40.00 (40.00 to 40.00) more than"),
        (
            {"A": 19_600, "B": 400},
            {"A": 10_000, "B": 10_000},
            "Within its limits the plan brings 40.00 (40.00 to 40.00) less than",
        ),
        ({"A": 10_000, "B": 10_000}, {"A": 10_000, "B": 10_000}, "The plan brings no more than"),
    ],
)
def test_what_the_plan_gains_is_told_with_its_sign(money, simple, tells):
    texts = said(allocation(money), simple, LOOSE, A=100.0, B=100.0)

    assert texts[1].startswith(tells) and texts[1].endswith("last year's spend scaled to the same money.")


def test_only_what_lies_at_its_floor_is_told_as_frozen_there():
    money = {"A": 427, "B": 100, "C": 50}
    of = limits(A=(254, True), B=(100, True), C=(0, False))
    one = said(allocation(money), money, of, A=1.0, B=1.0, C=1.0)
    both = said(allocation({**money, "A": 254}), money, of, A=1.0, B=1.0, C=1.0)

    assert "Frozen at its floor under a return of 1.50: B." in one
    assert "Frozen at their floor under a return of 1.50: A, B." in both
    assert not any("rozen" in text for text in said(allocation({"A": 1, "B": 1}), {"A": 1, "B": 1}, LOOSE, A=1.0, B=1.0))


@pytest.mark.parametrize(
    ("funding", "unspent", "tells"),
    [
        ({"x": "whole", "y": "reduced", "z": "frozen"}, 0, f"2 of 3 projects {OFF} earn their place: they get 900.00 {ELSE}."),
        ({"x": "whole", "y": "frozen"}, 0, f"1 of 2 projects {OFF} earns its place: it gets 500.00 {ELSE}."),
        ({"x": "whole"}, 7, f"The one project {OFF} earns its place: it gets 500.00 that would else find no place."),
        ({"x": "frozen"}, 0, f"The one project {OFF} does not earn its place."),
        ({"x": "frozen", "y": "not funded"}, 0, f"None of 2 projects {OFF} earns its place."),
        ({"x": "critical path"}, 0, None),
    ],
)  # fmt: skip
def test_projects_are_counted_as_they_are_funded(funding, unspent, tells):
    money = {"A": 1, "B": 1}
    texts = said(allocation(money, projects(**funding), unspent=unspent), money, LOOSE, A=1.0, B=1.0)

    assert [text for text in texts if "critical path" in text] == ([] if tells is None else [tells])


def test_money_without_a_place_is_told_apart_from_the_reserve():
    of = limits(A=(100, True), B=(100, True))
    money, every = {"A": 100, "B": 100}, allocation({"A": 100, "B": 100}, reserve=148_00, unspent=718_00)
    compared = pd.DataFrame({"member": ["A", "B"], "allocated": [120_00, 100_00]})

    assert budget.left(every, of, show) == [
        "718.00 finds no place, since every activity is frozen: lower marketing_ratio, or change the limits."
    ]
    assert "is frozen or at its cap" in budget.left(every, limits(A=(1, True), B=(1, False)), show)[0]
    assert budget.left(allocation(money, reserve=10), of, show) == []
    assert budget.sentence(1086_00, every, compared, show) == (
        "Of 1,086 for marketing, 148.00 is held back, 718.00 finds no place and A gets the most, 120.00."
    )


def test_what_closed_months_took_of_the_reserve_is_told():
    money = {"A": 100}
    assert budget.left(allocation(money, reserve=30_00, drawn=70_00), LOOSE, show) == [
        "Closed months have spent 70.00 of what was to be the reserve; 30.00 is left of it."
    ]
    assert budget.left(allocation(money, drawn=70_00), LOOSE, show)[0].endswith("; nothing is left of it.")


@pytest.mark.parametrize(
    ("members", "tells"),
    [
        ({"A": 30_00, "B": 10_00}, "A gets the most, 30.00"),
        ({"A": 30_00}, "A gets 30.00"),
        ({"A": 30_00, "B": 30_00}, "A gets 30.00"),
        ({"all": 30_00}, "All activities together get 30.00"),
    ],
)
def test_there_is_a_most_where_one_gets_more_than_the_others(members, tells):
    compared = pd.DataFrame({"member": list(members), "allocated": list(members.values())})

    assert budget.headline(compared, show) == tells


def test_the_sentence_counts_projects_and_says_nothing_of_none():
    compared = pd.DataFrame({"member": ["A", "B"], "allocated": [30_00, 10_00]})
    some = allocation({"A": 1}, projects(x="whole", y="frozen", z="critical path"), reserve=5_00)
    none, one = (allocation({"A": 1}, projects(x=state), reserve=5_00) for state in ("frozen", "whole"))

    assert budget.sentence(50_00, some, compared, show) == (
        "Of 50.00 for marketing, 5.00 is held back, 2 of 3 projects are funded and A gets the most, 30.00."
    )
    assert "none of 1 projects is funded" in budget.sentence(50_00, none, compared, show)
    assert "1 of 1 projects is funded" in budget.sentence(50_00, one, compared, show)
    alone = pd.DataFrame({"member": ["all"], "allocated": [30_00]})
    assert (
        budget.sentence(50_00, allocation({"all": 1}, reserve=5_00), alone, show)
        == "Of 50.00 for marketing, 5.00 is held back."
    )


def test_without_curves_only_the_simple_split_is_told():
    found = allocation({"A": 1}, drawn=70_00)

    assert said(found, {"A": 1}, limits())[0].startswith("No response curves are known")
    assert len(said(found, {"A": 1}, limits())) == 2 and len(said(allocation({"A": 1}), {"A": 1}, limits())) == 1


def watched(**changes: pd.DataFrame) -> list[str]:
    none = {
        "off": pd.DataFrame({"month": [], "amount": [], "plan_in_force": [], "report_by": []}),
        "hours": pd.DataFrame({"region": [], "flag": []}),
        "stock": pd.DataFrame({"product": [], "flag": []}),
    }
    return budget.watched(**{**none, **changes}, show=show)


def test_the_watch_says_what_it_found_and_nothing_else():
    off = pd.DataFrame({"month": ["2026-01", "2026-02"], "amount": [110_00, 90_00], "plan_in_force": [100_00, 100_00]})
    on, due = off.assign(report_by=""), off.assign(report_by=["2026-04-02", ""])
    unplanned = on.assign(plan_in_force=0)

    assert watched() == []
    assert watched(off=on) == ["Closed months spent 200.00, against 200.00 planned: +0.0%."]
    assert watched(off=due)[1] == "A root-cause report is due by 2026-04-02 for 2026-01."
    assert watched(off=unplanned)[0].endswith("against 0.00 planned: nothing was planned.")
    hours = pd.DataFrame({"region": ["All regions", "E", "W"], "flag": ["idle", "idle", ""]})
    assert watched(hours=hours) == ["Hours are idle over the line in E."]
    stock = pd.DataFrame({"product": ["x", "y"], "flag": ["over the limit", ""]})
    assert watched(stock=stock) == ["Stock lies over its limit of days: x."]


def test_the_chart_says_where_the_next_unit_brings_most():
    activities = pd.DataFrame({"item": ["A", "B"], "amount": [100, 100], "marginal": [2.0, 1.0]})

    def curve(known: list[str]) -> Response:
        told = pd.DataFrame({"item": known, "marginal_": [f"{item.lower()} (low to high)" for item in known]})
        return SimpleNamespace(at=lambda spend: told)  # type: ignore[return-value]

    found = budget.Allocation(activities, NO_PROJECTS, 0, 0, 0, None)
    turned = budget.Allocation(activities.assign(marginal=[1.0, 2.0]), NO_PROJECTS, 0, 0, 0, None)
    assert budget.message(found, curve(["A", "B"])) == "The next unit brings a (low to high) in A, b (low to high) in B"
    assert budget.message(turned, curve(["A", "B"])).startswith("The next unit brings b (low to high) in B")
    assert budget.message(found, curve(["A"])) == "The response curves, and where the plan stands on them"


def test_twice_the_money_under_other_names_changes_only_values_and_names():
    def texts(times: int, one: str, other: str) -> list[str]:
        money = {one: 10_000_00 * times, other: 100_00 * times}
        of = limits(**{one: (0, False), other: (100_00 * times, True)})
        found = allocation(money, reserve=50_00 * times, unspent=20_00 * times, drawn=30_00 * times)
        compared = pd.DataFrame({"member": list(money), "allocated": list(money.values())})
        simple = {one: 5_000_00 * times, other: 5_100_00 * times}
        told = [*said(found, simple, of, **{one: 100.0, other: 1.0}), budget.sentence(99_999_00 * times, found, compared, show)]
        return [re.sub(rf"\b({one}|{other})\b", "NAME", re.sub(r"\d[\d.,]*( [km])?", "#", text)) for text in told]

    assert texts(1, "Search", "TV") == texts(2, "Alpha", "Beta")
