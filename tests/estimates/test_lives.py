"""Members that open and close in an outlook's table: sizes by hand, and what must hold of any of them."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from planlib.data.gates import gate
from planlib.errors import GateError, ParameterError
from planlib.estimates.lives import PLACES, Closing, Lives, Opening, Size, lived, outside
from planlib.periods import Horizon, months

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
MONTHS = months(2026)


def flat(**cells: float) -> pd.DataFrame:
    """What is expected of flat members: `North=100` is a hundred a month in one product and channel; shares sum to 1."""
    rows = [(name, "Lamp", "Shop", month, amount) for name, amount in cells.items() for month in MONTHS]
    table = pd.DataFrame(rows, columns=[*PLACES, "month", "share"])
    return table.assign(share=table["share"] / table["share"].sum())


def told(*openings: Size, closings: tuple[dict[str, Any], ...] = ()) -> Lives:
    return Lives(HORIZON, openings, tuple(Closing.model_validate(one) for one in closings))


def size(part: float | None = None, own: int = 0, at: float = 1.0, **stated: Any) -> Size:
    return Size(Opening.model_validate(stated), at, part, own)


def months_of(table: pd.DataFrame, member: str, beside: str) -> np.ndarray:
    """A member's months over those of a member that is flat."""
    wide = table.pivot_table(index="month", columns="region", values="share", aggfunc="sum").reindex(MONTHS)
    return (wide[member].fillna(0.0) / wide[beside]).round(9).to_numpy()


def test_an_opening_like_another_climbs_its_ramp():
    # By hand: North sells 100 a month; 0.3 of it from April, reached over three months: 10, 20, 30, 30, ...
    found = lived(flat(North=100, West=50), told(size(at=0.3, region="East", like="North", **{"from": "2026-04"}, ramp=3)))

    assert months_of(found, "East", "North").tolist() == [0, 0, 0, 0.1, 0.2, *[0.3] * 7]
    assert found["share"].sum() == pytest.approx(1) and months_of(found, "West", "North").tolist() == [0.5] * 12


def test_a_stated_part_of_the_year_is_met_whatever_closes_beside_it():
    stated = size(0.05, region="East", like="North", **{"from": "2026-07"})
    found = lived(flat(North=100, West=50), told(stated, closings=({"region": "West", "last": "2026-03"},)))
    parts = found.groupby("region")["share"].sum()

    assert parts["East"] == pytest.approx(0.05)
    # By hand: of 0.95, West's three months of twelve stay, 0.95 / 3 / 4; North carries the rest.
    assert parts["West"] == pytest.approx(0.95 / 12) and parts["North"] == pytest.approx(0.95 * 11 / 12)


def test_without_a_like_member_the_mean_of_all_is_its_shape():
    found = lived(flat(North=300, West=100), told(size(0.2, region="East")))

    assert found.groupby("region")["share"].sum().round(9).to_dict() == {"East": 0.2, "North": 0.6, "West": 0.2}


def test_own_months_take_the_place_of_the_statement():
    # By hand: after two months of its own the outlook believes these by 2/3; a third of the statement is left: 0.3 / 3.
    found = lived(flat(North=100, East=40), told(size(own=2, at=0.3, region="East", like="North")))

    assert months_of(found, "East", "North") == pytest.approx([0.5] * 12)


def test_a_closing_leaves_its_months_to_the_others():
    found = lived(flat(North=100, West=100), told(closings=({"region": "West", "last": "2026-05"},)))
    wide = found.pivot_table(index="month", columns="region", values="share")

    assert (wide.loc["2026-06":, "West"] == 0).all() and wide.loc[:"2026-05", "West"].sum() == pytest.approx(5 / 24)
    assert wide["North"].sum() == pytest.approx(19 / 24)


def test_a_successor_takes_the_months_its_model_had_before_it_closes():
    found = lived(
        flat(North=100, West=60),
        told(size(region="East", like="West", **{"from": "2026-06"}), closings=({"region": "West", "last": "2026-05"},)),
    )

    assert months_of(found, "East", "North")[:5].tolist() == [0] * 5
    assert (months_of(found, "East", "North")[5:] > 0).all() and (months_of(found, "West", "North")[5:] == 0).all()


@pytest.mark.parametrize(
    ("lives", "said"),
    [
        (told(size(region="East", like="North", **{"from": "2027-01"})), "nothing is expected of 'North' from 2027-01"),
        (told(size(0.6, region="East"), size(0.5, region="Ost")), "110% of what is open"),
        (told(closings=({"region": "North", "last": "2025-12"},)), "nothing is left to plan"),
    ],
)
def test_what_cannot_be_is_refused(lives, said):
    with pytest.raises(ParameterError, match=said):
        lived(flat(North=100), lives)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"region": "East", "product": "Lamp"}, "name one member"),
        ({}, "name one member"),
        ({"region": "East", "at": 0.3}, "name that member"),
        ({"region": "East", "share": 0.3, "amount": 5}, "keep one"),
        ({"region": "East", "from": "2026-13"}, "from"),
        ({"region": "East", "ramp": 0}, "ramp"),
        ({"region": "East", "lik": "North"}, "lik"),
    ],
)
def test_a_statement_is_checked_by_its_form(stated, said):
    with pytest.raises(ValidationError, match=said):
        Opening.model_validate(stated)


# Any lives

NAMES = {"region": ["North", "West"], "product": ["Desk", "Lamp"], "channel": ["Shop", "Web"]}
month = st.sampled_from(months(2025)[6:] + MONTHS)


@st.composite
def statements(draw: st.DrawFn) -> Lives:
    sizes, seen = [], set()
    for number in range(draw(st.integers(0, 3))):
        dim = draw(st.sampled_from(PLACES))
        more = {"from": draw(st.sampled_from(MONTHS)), "ramp": draw(st.integers(1, 8))}
        opening = Opening.model_validate({dim: f"New {number}", "like": draw(st.sampled_from([None, *NAMES[dim]])), **more})
        part = draw(st.none() | st.floats(0.01, 0.3)) if opening.like else draw(st.floats(0.01, 0.3))
        sizes.append(Size(opening, draw(st.floats(0.1, 3)), part, draw(st.integers(0, 4))))
        seen.add(dim)
    closings = []
    for _ in range(draw(st.integers(0, 3))):
        dims = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True))
        where = {
            dim: draw(st.sampled_from([*NAMES[dim], *(size.opening.member for size in sizes if size.opening.dim == dim)]))
            for dim in dims
        }
        closings.append(Closing.model_validate({**where, "last": draw(month)}))
    return Lives(HORIZON, tuple(sizes), tuple(closings))


@given(statements(), st.integers(0, 2**31))
def test_no_lives_leave_anything_outside_and_shares_sum_to_one(lives, seed):
    draws = np.random.default_rng(seed)
    cells = pd.MultiIndex.from_product([*NAMES.values(), MONTHS], names=[*PLACES, "month"]).to_frame(index=False)
    table = cells.assign(share=draws.random(len(cells)))
    table["share"] /= table["share"].sum()
    try:
        found = lived(table, lives)
    except ParameterError:  # nothing is left, or nothing to be like: said, never planned
        return
    assert found["share"].sum() == pytest.approx(1) and (found["share"] >= 0).all()
    assert (found.loc[~lives.inside(found), "share"] == 0).all()
    assert not found.duplicated([*PLACES, "month"]).any()


# The gate

CELLS = pd.DataFrame({"region": ["East", "East", "North"], "month": ["2026-03", "2026-04", "2026-03"], "amount": [0, 40, 60]})
ABOVE = pd.DataFrame({"region": ["East", "North"], "amount": [40, 60]})


def verdict(plan: pd.DataFrame, lives: Lives, booked: pd.DataFrame | None = None):
    return gate("05-time", plan, ABOVE, 100, None, booked, [], outside(plan, lives, booked))


def test_the_gate_finds_a_cell_outside_its_life():
    lives = told(size(region="East", like="North", **{"from": "2026-04"}))
    verdict(CELLS, lives).raise_if_failed()
    planted = CELLS.assign(amount=[1, 39, 60])

    with pytest.raises(GateError, match="no cell outside its life"):
        verdict(planted, lives).raise_if_failed()
    # What has been sold before the first month is no plan.
    verdict(planted, lives, pd.DataFrame({"region": ["East"], "month": ["2026-03"], "amount": [1]})).raise_if_failed()


def test_the_gate_finds_money_for_a_year_that_nothing_is_open_in():
    gone = told(closings=({"region": "North", "last": "2025-12"},))
    over = outside(ABOVE, gone)

    assert over["outside"].tolist() == [0, 60]
    assert outside(ABOVE, told(closings=({"region": "North", "last": "2026-01"},)))["outside"].tolist() == [0, 0]
    assert outside(ABOVE, told(closings=({"region": "North", "product": "Lamp", "last": "2025-12"},)))["outside"].sum() == 0


def test_two_stated_parts_that_meet_in_a_cell_are_both_met():
    # A region with a quarter of the year and a product with a tenth: the product sells in the region, too.
    region, product = size(0.25, region="East", like="North"), size(0.1, product="Stool", like="Lamp", **{"from": "2026-07"})
    found = lived(flat(North=100, West=50), told(region, product))

    assert found.loc[found["region"] == "East", "share"].sum() == pytest.approx(0.25)
    assert found.loc[found["product"] == "Stool", "share"].sum() == pytest.approx(0.1)
    both = found[(found["region"] == "East") & (found["product"] == "Stool")]
    assert (
        both.loc[both["month"] >= "2026-07", "share"].gt(0).all() and both.loc[both["month"] < "2026-07", "share"].eq(0).all()
    )
