"""The chart forms: what they show, that they are steady, and what they refuse. Values are worked out by hand."""

import json
import os
import subprocess
import sys

import altair as alt
import pandas as pd
import pytest
import vl_convert

from planlib import charts, theme
from planlib.errors import PlanError

STEPS = pd.DataFrame(
    {
        "label": ["2025", "market", "churn", "2026"],
        "amount": [100_000_000_00, 60_000_000_00, -20_000_000_00, 140_000_000_00],
        "kind": ["total", "up", "down", "total"],
    }
)
COMPARE = pd.DataFrame(
    {"member": ["East", "West"], "allocated": [250_00, 100_00], "naive": [240_00, 110_00], "last_year": [200_00, None]}
)
MONTHS = pd.DataFrame(
    [(month, series, 5_000_000_00) for series in ("plan", "last year") for month in ("2026-01", "2026-02")],
    columns=["month", "series", "amount"],
)
CELLS = pd.DataFrame([("East", "Q1", 0.25), ("East", "Q2", 0.75)], columns=["row", "column", "amount"])
CURVE = pd.DataFrame([("Web", spend * 100, spend * 50) for spend in range(5)], columns=["item", "spend", "response"])
EFFECTS = pd.DataFrame(
    [("East", "priority", 0.03), ("East", "rules", -0.01), ("West", "priority", -0.03), ("West", "rules", 0.01)],
    columns=["member", "step", "effect"],
)
RANKED = pd.DataFrame({"member": ["b", "a", "c"], "value": [0.1, 0.1, -0.2]})


def forms():
    return {
        "bridge": charts.bridge(STEPS, "CNY", title="Up by 40"),
        "bullets": charts.bullets(COMPARE, "CNY"),
        "lines": charts.lines(MONTHS, "CNY"),
        "heat": charts.heat(CELLS, "CNY", format="share"),
        "curves": charts.curves(CURVE, CURVE.tail(1), "CNY"),
        "ranked": charts.ranked(RANKED, "points"),
        "effects": charts.effects(EFFECTS),
    }


def rows(chart):
    (data,) = charts.spec(chart)["datasets"].values()
    return data


def test_a_bridge_stands_each_step_on_the_one_before():
    shown = [(row["start"], row["end"], row["text"]) for row in rows(charts.bridge(STEPS, "CNY"))]
    assert shown == [(0, 100, "100.0"), (100, 160, "+60.0"), (160, 140, "-20.0"), (0, 140, "140.0")]


def test_a_bridge_of_small_steps_cuts_its_axis_and_says_so():
    steps = STEPS.assign(amount=[100_000_000_00, 6_000_000_00, -2_000_000_00, 104_000_000_00])
    text = json.dumps(charts.spec(charts.bridge(steps, "CNY")))
    assert "million CNY, axis starts at 94" in text  # steps reach from 100 to 106: one reach below 100
    assert "axis starts" not in json.dumps(charts.spec(charts.bridge(STEPS, "CNY")))


def test_effects_sum_to_the_number_beside_them():
    data = charts.spec(charts.effects(EFFECTS))["datasets"].values()
    sums = next(rows for rows in data if "text" in rows[0])
    assert [(row["member"], row["text"]) for row in sums] == [("East", "+2.0%"), ("West", "-2.0%")]
    assert [row["edge"] for row in sums] == [0.03, 0.01]  # the number stands clear of the pieces to the right


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": [100, 60, -20, 141]}, "reach 140"),
        ({"kind": ["total", "rise", "down", "total"]}, "'rise'"),
        ({"amount": [100, -60, -20, 20]}, "-60"),
        ({"label": ["a", "a", "b", "c"]}, "twice"),
    ],
)
def test_a_bridge_that_does_not_close_is_refused(change, words):
    with pytest.raises(PlanError, match=words):
        charts.bridge(STEPS.assign(**change), "CNY")


def test_bullets_carry_growth_in_words_and_keep_gaps():
    east, west = rows(charts.bullets(COMPARE, "CNY"))
    assert (east["allocated"], east["growth"]) == (250, "+25.0%")
    assert (west["last_year"], west["growth"]) == (None, "")


def test_bullets_without_comparison_have_no_legend_entry_for_it():
    found = charts.spec(charts.bullets(COMPARE[["member", "allocated"]], "CNY"))
    assert '"last year"]' not in json.dumps(found)
    assert len(found["layer"]) == 1


@pytest.mark.parametrize(
    ("largest", "currency", "unit", "shown"),
    [
        (999_94, "CNY", "CNY", 999.94),
        (999_99, "CNY", "thousand CNY", 0.99999),
        (1_234_00, "CNY", "thousand CNY", 1.234),
        (9_999_900_000_00, "CNY", "million CNY", 9_999.9),
        (9_999_999_999_00, "CNY", "billion CNY", 10.0),
        (999_999_99, "CNY", "million CNY", 1.0),
        (999_949_99, "CNY", "thousand CNY", 999.94999),
        (10_000_000_000_00, "CNY", "billion CNY", 10),
        (5_000_000, "JPY", "million JPY", 5),
    ],
)
def test_amounts_come_in_a_unit_a_person_reads(largest, currency, unit, shown):
    frame = pd.DataFrame({"month": ["2026-01"], "series": ["plan"], "amount": [largest]})
    found = charts.spec(charts.lines(frame, currency))
    assert found["encoding"]["y"]["title"] == unit
    assert next(iter(found["datasets"].values()))[0]["amount"] == shown


def test_ranked_goes_from_large_to_small_with_ties_by_name():
    assert [row["member"] for row in rows(charts.ranked(RANKED, "points"))] == ["a", "b", "c"]
    assert [row["text"] for row in rows(charts.ranked(RANKED, "points"))] == ["+10.0%", "+10.0%", "-20.0%"]


@pytest.mark.parametrize("name", sorted(forms()))
def test_every_form_takes_the_page_width_and_draws(name):
    found = charts.spec(forms()[name])
    assert found["width"] == "container"
    assert found["config"]["font"] == theme.FONT
    drawn = vl_convert.vegalite_to_svg({**found, "width": 350}, vl_version="6.4")
    assert drawn.startswith("<svg")


def test_a_spec_is_the_same_in_any_process():
    code = (
        "import importlib.util, json, sys; s = importlib.util.spec_from_file_location('t', sys.argv[1]);"
        "m = importlib.util.module_from_spec(s); s.loader.exec_module(m);"
        "print(json.dumps({n: m.charts.spec(c) for n, c in m.forms().items()}))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, __file__],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(other.stdout) == {name: charts.spec(chart) for name, chart in forms().items()}


GAPS = pd.Series([None, None], dtype="Int64")


@pytest.mark.parametrize(
    "chart",
    [
        charts.bridge(STEPS.assign(amount=0), "CNY"),
        charts.bullets(COMPARE.assign(allocated=[-5, 0], last_year=GAPS), "JPY"),
        charts.lines(MONTHS.head(2).assign(amount=GAPS), "CNY"),
        charts.heat(CELLS.assign(amount=[float("nan")] * 2), "CNY"),
        charts.heat(CELLS.assign(amount=[-100, None]), "CNY"),
        charts.ranked(RANKED.assign(value=[-1.0, None, 0.0]), "money", "CNY"),
    ],
)
def test_zeros_and_gaps_still_draw(chart):
    found = charts.spec(chart)
    assert "NaN" not in json.dumps(found)
    assert vl_convert.vegalite_to_svg({**found, "width": 350}, vl_version="6.4").startswith("<svg")


def test_what_is_not_nothing_is_never_written_as_nothing():
    small = RANKED.assign(value=[10**9, 1, -1])
    assert [row["text"] for row in rows(charts.ranked(small, "money", "CNY"))] == ["10.0", "<0.1", ">-0.1"]
    shares = charts.ranked(RANKED.assign(value=[0.0004, 0.0, -0.0004]), "share")
    assert [row["text"] for row in rows(shares)] == ["<0.1%", "0.0%", ">-0.1%"]
    steps = pd.DataFrame({"label": ["a", "b", "c"], "amount": [10**9, 1, 10**9 + 1], "kind": ["total", "up", "total"]})
    assert "<0.1" in [row["text"] for row in rows(charts.bridge(steps, "CNY"))]


@pytest.mark.parametrize("member", ["only", "a name"])
def test_one_member_below_zero_draws_in_every_form(member):
    one = pd.DataFrame({"member": [member], "allocated": [-5], "naive": [None], "last_year": [-3], "value": [-5.0]})
    steps = pd.DataFrame({"member": [member], "step": ["s"], "effect": [-0.1]})
    for chart in (charts.bullets(one, "CNY"), charts.ranked(one, "money", "CNY"), charts.effects(steps)):
        found = charts.spec(chart)
        assert member in json.dumps(found) and "NaN" not in json.dumps(found)
        assert vl_convert.vegalite_to_svg({**found, "width": 350}, vl_version="6.4").startswith("<svg")


def test_a_missing_step_is_refused():
    with pytest.raises(PlanError, match="bridge: 1 of amount missing"):
        charts.bridge(pd.DataFrame({"label": ["a"], "amount": [float("nan")], "kind": ["total"]}), "CNY")
    with pytest.raises(PlanError, match="effects: 1 of effect missing"):
        charts.effects(pd.DataFrame({"member": ["a"], "step": ["s"], "effect": [float("nan")]}))


def test_too_many_rows_are_refused():
    many = pd.DataFrame({"month": [f"{n}" for n in range(2001)], "series": "plan", "amount": 1})
    with pytest.raises(PlanError, match="2001 rows, expected at most 2000"):
        charts.lines(many, "CNY")
    with pytest.raises(PlanError, match="2001 rows"):
        charts.spec(alt.Chart(many).mark_point())


@pytest.mark.parametrize("frame", [CELLS.drop(columns="amount"), CELLS.head(0)])
def test_a_frame_without_columns_or_rows_is_refused(frame):
    with pytest.raises(PlanError, match="expected columns"):
        charts.heat(frame, "CNY")


def test_in_a_notebook_a_chart_is_a_type_that_every_reader_takes():
    before = alt.renderers.active
    try:
        charts.enable()
        shown = charts.ranked(RANKED, "share")._repr_mimebundle_()
    finally:
        alt.renderers.enable(before)
        alt.theme.enable("default")
    assert set(shown) == {"application/vnd.vegalite.v5+json", "text/plain"}
    assert shown[charts.MIME]["config"]["font"] == theme.FONT
