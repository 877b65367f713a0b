"""Names that one table has and another lacks: refused where they steer, told where they are data."""

import pytest

from planlib.chapters.members import counted, lacking, refuse, some, strangers, strays
from planlib.errors import ParameterError

CHANNELS = ["Online", "Dealers", "Own stores"]


def test_a_misspelt_name_of_a_parameter_is_refused_with_the_nearest_right_one():
    with pytest.raises(
        ParameterError, match=r"research: found 'Onlin' \(nearest: 'Online'\), which is no channel of the orders"
    ):
        refuse("research", {"Onlin": 1.5, "Dealers": 1.0}, CHANNELS, "channel of the orders")


def test_a_name_in_other_capitals_is_a_slip_too():
    with pytest.raises(ParameterError, match="nearest: 'Own stores'"):
        refuse("research", ["OWN STORES"], CHANNELS, "channel")


def test_a_name_like_nothing_there_lists_what_is_there():
    with pytest.raises(ParameterError, match="found 'Fax', which is no channel; expected one of Dealers, Online, Own stores"):
        refuse("research", ["Fax"], CHANNELS, "channel")
    with pytest.raises(ParameterError, match="there is no such member"):
        refuse("research", ["Fax"], [], "channel")


def test_right_names_pass_in_any_order():
    refuse("research", reversed(CHANNELS), CHANNELS, "channel")
    refuse("research", [], CHANNELS, "channel")


def test_data_are_told_in_both_directions():
    said = strangers("targets", ["East", "Moon", "Moon"], ["East", "West"], "region", "they are left out")
    assert said == "Table targets names 1 region that the orders lack (Moon): they are left out."
    said = lacking("regions", ["East"], ["West", "East", "South"], "region", "their own orders stand for them")
    assert said == "Table regions lacks 2 of 3 regions (South, West): their own orders stand for them."
    assert strangers("t", ["East"], ["East"], "region", "x") == lacking("t", ["East"], ["East"], "region", "x") == ""


def test_long_lists_are_counted_and_order_does_not_matter():
    assert some(strays(list("edcba"), [])) == "a, b, c and 2 more"
    assert strays(["b", "a", "b"], ["c"]) == ["a", "b"]


def test_one_and_many_are_counted_in_plain_english():
    assert [counted(n, kind) for n, kind in ((1, "region"), (0, "region"), (2, "activity"), (3, "branch"), (2500, "day"))] == [
        "1 region",
        "0 regions",
        "2 activities",
        "3 branches",
        "2,500 days",
    ]
