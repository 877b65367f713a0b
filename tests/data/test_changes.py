"""What a params file states under `changes`: the events, what cannot be true together, and plans that follow them."""

import datetime as dt
import json
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from planlib.data.changes import Change, contradictions, ended, follow, kept, later, read


def event(kind: str, of: Any, to: Any, since: str = "2026-01", dimension: str = "region", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "dimension": dimension, "of": of, "to": to, "from": since, **more}


SOUTH = event("split", "South", {"South": 0.6, "Southeast": 0.4})


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        (
            event("rename", "Lamp", "Lamp Neo", "2025-07", "product", reason="new name"),
            "Lamp is called Lamp Neo since 2025-07 (new name): its history counts as Lamp Neo.",
        ),
        (
            event("merge", ["North", "West"], "Northwest", owner="CEO", reason="one office"),
            "North and West are one region since 2026-01 (one office, CEO): their history counts as Northwest.",
        ),
        (SOUTH, "South became South (60%) and Southeast (40%) in 2026-01: its history is divided by these shares."),
        (
            event("move", ["C1", "C2"], {"region": "West"}, "2025-07-15", "customer"),
            "C1 and C2 belong to West since 2025-07-15: what was bought before counts there too.",
        ),
    ],
)
def test_each_kind_is_told_in_a_sentence_and_kept_as_stated(stated, sentence):
    (change,) = read([stated])

    assert change.says() == sentence
    assert read([kept(change)]) == [change]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (event("split", "South", {"South": 0.6, "Southeast": 0.5}), "shares that sum to 1, these sum to 1.1"),
        (event("split", "South", {"South": 0.1, "A": 0.2, "B": 0.7}) | {"of": ["South", "North"]}, "of a split one region"),
        (event("split", "South", {"South": 1.6, "Southeast": -0.6}), "shares between 0 and 1"),
        (event("rename", ["North", "West"], "Northwest"), "several that become one are a merge"),
        (event("rename", "North", "North"), "another name in `to`"),
        (event("merge", "North", "West"), "two or more members"),
        (event("merge", ["North", "North"], "West"), "each member of `of` once"),
        (event("move", "C1", "West", dimension="customer"), "`to: {region: ...}`"),
        (event("move", "North", {"region": "West"}), "`dimension: customer` or `person`"),
        (event("rename", "P1", "P2", dimension="person"), "of a move only"),
        (event("rename", "North", "Nord", "2026-13"), "a month as 2026-01"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused_with_what_was_expected(stated, expected):
    with pytest.raises(ValidationError) as fault:
        Change.model_validate_json(json.dumps(stated))

    assert expected in str(fault.value)


def test_the_order_of_names_in_a_split_decides_nothing():
    one, two = (
        read([event("split", "South", dict(parts))])[0] for parts in ([("B", 0.5), ("A", 0.5)], [("A", 0.5), ("B", 0.5)])
    )

    assert list(one.shares) == list(two.shares) == ["A", "B"]


def test_shares_are_summed_as_they_are_written():
    # 0.1 + 0.2 + 0.7 is not 1 in binary
    assert len(read([event("split", "South", {"A": 0.1, "B": 0.2, "C": 0.7})])[0].shares) == 3


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([event("rename", "North", "Nord"), event("merge", ["North", "West"], "Northwest")], "region North changes twice"),
        ([event("rename", "A", "B", "2025-01"), event("rename", "A", "C", "2025-07")], "region A became B in 2025-01"),
        ([event("rename", "A", "B"), event("rename", "B", "A")], "leads back to itself"),
    ],
)
def test_events_that_contradict_each_other_are_told(stated, expected):
    assert any(expected in text for text in contradictions(read(stated)))


def test_a_name_taken_back_later_and_a_name_used_again_contradict_nothing():
    back = [event("rename", "A", "B", "2025-01"), event("rename", "B", "A", "2025-07")]
    again = [event("rename", "Neo", "Neo 2023", "2024-01"), event("rename", "Lamp", "Neo", "2025-07")]

    assert contradictions(read(back)) == [] == contradictions(read(again))
    assert set(ended(read(back))) == {("region", "B")}
    assert set(ended(read(again))) == {("region", "Lamp")}


def test_an_event_is_the_same_when_its_day_or_reason_is_put_right():
    new, lost = later([event("rename", "A", "B", "2025-02", reason="board")], [event("rename", "A", "B", "2025-01")])

    assert new == lost == []


# ---------------------------------------------------------------- plans follow

PLAN = pd.DataFrame(
    {"region": ["North", "North", "South", "South"], "month": ["2026-01", "2026-02"] * 2, "amount": [100, 201, 101, 50]}
)


def followed(*stated: dict[str, Any], known: str = "2025-12-31") -> dict[tuple[str, str], int]:
    found = follow(PLAN, read(stated), dt.date.fromisoformat(known))
    return found.set_index(["region", "month"])["amount"].to_dict()


def test_a_plan_made_before_a_split_is_divided_in_every_month():
    # by hand: 60% of 101 is 60.6 -> 61, 40% is 40.4 -> 40; of 50 it is 30 and 20
    expected = {("South", "2026-01"): 61, ("Southeast", "2026-01"): 40, ("South", "2026-02"): 30, ("Southeast", "2026-02"): 20}

    assert {key: value for key, value in followed(SOUTH | {"from": "2026-02"}).items() if key[0] != "North"} == expected


def test_a_plan_made_after_a_split_that_it_did_not_state_is_divided_before_it_only():
    found = followed(SOUTH | {"from": "2026-02"}, known="2026-03-31")

    assert found[("South", "2026-01")], found[("Southeast", "2026-01")] == (61, 40)
    assert found[("South", "2026-02")] == 50
    assert ("Southeast", "2026-02") not in found


def test_a_plan_sums_merged_members_and_renames_in_order():
    merged = event("merge", ["Nord", "South"], "All", "2026-02")

    assert followed(event("rename", "North", "Nord"), merged) == {("All", "2026-01"): 201, ("All", "2026-02"): 251}
