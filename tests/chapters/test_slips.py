"""Which names of nobody are slips of a known one, and which are names of their own."""

import pytest

from planlib.chapters.members import slip

REGIONS = ["North", "South", "West", "Île-de-France"]


@pytest.mark.parametrize("name", ["Nort", "Northe", "Nroth", "Noth", "Horth", "NORTH", " North", "North ", "north"])
def test_one_slip_of_the_pen_is_a_slip(name):
    assert slip(name, REGIONS) == "North"


@pytest.mark.parametrize("name", ["East", "Northeast", "Far North", "Norrthe", "Sorth West", "", "Nrtoh"])
def test_anything_else_is_a_name_of_its_own(name):
    assert slip(name, REGIONS) is None


def test_letters_in_another_form_are_the_same_letters():
    assert slip("I\u0302le-de-France", REGIONS) == "Île-de-France" and slip("Ｎｏｒｔｈ", REGIONS) == "North"
