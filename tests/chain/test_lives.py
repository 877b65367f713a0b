"""Members that open without a history and members that leave, through all chapters of a flat company.

The company sells the same each month: North 300, South 200, West 100 times Desk 3, Lamp 2 times Shop 4, Web 1; a year has
180,000.00.
What is expected follows by hand: a member that opens like another for some months brings that part of its year, one that closes
leaves its months to the others.
"""

import datetime as dt
import random
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from planlib.errors import ConflictError, ParameterError
from planlib.periods import Horizon
from planlib.plan import rollup
from tests.chain.in_process import Worked, work
from tests.chain.lives import CHAIN, CHANNELS, PRODUCTS, REGIONS, by, lines, of, planned, ties_out, within
from tests.conftest import ROOT, seeds

CASES = ROOT.parent / "shared" / "cases"
YEAR = Horizon(2026, 1, dt.date(2025, 12, 31))
TOTAL = 18_000_000


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A case from the field, planned as its params file asks."""

    def found(name: str, file: str = "params.yml") -> Worked:
        if not (CASES / name).is_dir():
            pytest.skip(f"the case {name} is not beside this repository (../shared/cases)")
        folder = tmp_path_factory.mktemp(name) / "case"
        shutil.copytree(CASES / name, folder)
        return work(folder, yaml.safe_load((folder / file).read_text(encoding="utf-8")))

    return found


def months_of(found: Worked, dim: str, member: str) -> list[int]:
    months = by(found.plans["05-time"], dim, member).groupby("month")["amount"].sum()
    return [int(months.get(month, 0)) for month in YEAR.months]


def total(found: Worked, stem: str, dim: str, member: str) -> int:
    return int(by(found.plans[stem], dim, member)["amount"].sum())


# Cases from the field


@pytest.mark.parametrize("file", ["params.yml", pytest.param("paramsB.yml", marks=pytest.mark.slow)])
def test_a_region_that_only_a_rule_names_is_planned_at_what_the_rule_asks(case, file):
    found = case("08-new-region", file)

    # The case: East must get 50,000.00 of 359,168.60, with or without a table that lists it.
    assert found.plans["01-strategy"]["amount"].tolist() == [35_916_860]
    for stem in ("02-region", "03-product", "04-channel", "05-time", "06-customer"):
        assert total(found, stem, "region", "East") == 5_000_000, stem
    ties_out(found)
    assert any(
        "East is new: rules and locks alone say what it gets, 50.0 k EUR, 13.9% of the target" in text
        for text in found.texts("02-region")
    )
    # Below the region it looks like the company: every product in the company's share.
    there = found.plans["03-product"].pivot_table(index="product", columns="region", values="amount", aggfunc="sum")
    assert (there["East"] / 5_000_000).to_numpy() == pytest.approx(
        (there.drop(columns="East").sum(axis=1) / 30_916_860).to_numpy(), abs=0.01
    )


def test_a_product_that_leaves_in_may_has_nothing_from_june_at_any_level(case):
    found = case("37-discontinued-product")
    lives = of(YEAR, closings=[{"product": "Lamp", "last": "2026-05"}])

    # The case: 54,434.99 of Lamp's 92,566.85 lay in June to December; right is 0, at every level below.
    assert all(amount > 0 for amount in months_of(found, "product", "Lamp")[:5])
    assert months_of(found, "product", "Lamp")[5:] == [0] * 7
    assert by(found.plans["06-customer"], "product", "Lamp").query("month > '2026-05'")["amount"].sum() == 0
    ties_out(found)
    within(found, lives)
    assert any(text.startswith("03-product note: Lamp sells until May 2026: ") for text in found.texts("03-product"))


# Openings of each dimension


def test_a_region_that_opens_like_another(tmp_path):
    one = {"region": "East", "like": "North", "at": 0.3, "from": "2026-04", "ramp": 3, "owner": "CEO", "reason": "new office"}
    found = planned(tmp_path / "p", openings=[one])

    # By hand: .1, .2 and seven times .3 of North's twelve months, .2 of North; the company's parts are 3 + .6 + 2 + 1.
    parts = {"East": 0.6, "North": 3.0, "South": 2.0, "West": 1.0}
    region = found.plans["02-region"].set_index("region")["amount"]
    assert region.to_dict() == {name: pytest.approx(TOTAL * part / 6.6, abs=1) for name, part in parts.items()}
    north = TOTAL * 3 / 6.6 / 12
    assert months_of(found, "region", "East") == pytest.approx([0, 0, 0, 0.1 * north, 0.2 * north, *[0.3 * north] * 7], abs=10)
    ties_out(found)
    within(found, of(YEAR, [one]))
    said = found.texts("02-region")
    assert any(
        "East opens in April 2026 like 0.3 of North, over 3 months: 16.4 k EUR, 9.1% of the target (CEO: new office)." in text
        for text in said
    )
    shown = found.table("02-region", "Regions: plan").set_index("region")
    assert pd.isna(shown.loc["East", "growth"]) and shown.loc["East", "last_year"] == 0
    assert any("East has no customers yet" in text for text in found.texts("06-customer"))


def test_a_product_with_a_stated_share_of_the_year(tmp_path):
    one = {"product": "Lamp Two", "like": "Lamp", "share": 0.05, "from": "2026-06"}
    found = planned(tmp_path / "p", openings=[one])

    assert total(found, "03-product", "product", "Lamp Two") == pytest.approx(0.05 * TOTAL, abs=3)
    # By hand: Lamp's months are alike, so seven alike are left.
    assert months_of(found, "product", "Lamp Two") == pytest.approx([*[0] * 5, *[0.05 * TOTAL / 7] * 7], abs=10)
    within(found, of(YEAR, [one]))


def test_a_channel_with_an_amount_of_the_year(tmp_path):
    found = planned(tmp_path / "p", openings=[{"channel": "Fair", "amount": 50_000, "from": "2026-03"}])

    assert total(found, "04-channel", "channel", "Fair") == pytest.approx(5_000_000, abs=6)
    assert months_of(found, "channel", "Fair") == pytest.approx([0, 0, *[500_000] * 10], abs=20)
    ties_out(found)


@pytest.mark.slow
def test_a_lock_alone_opens_a_channel_and_a_rule_a_product_in_one_region(tmp_path):
    rule = {"name": "stools", "where": {"product": "Stool", "region": "North"}, "unit": "amount", "min": 40_000}
    lock = {"name": "fair", "where": {"channel": "Fair"}, "amount": 30_000}
    found = planned(tmp_path / "p", product={"rules": [rule]}, channel={"locks": [lock]})

    assert total(found, "04-channel", "channel", "Fair") == 3_000_000
    stool = by(found.plans["03-product"], "product", "Stool").set_index("region")["amount"]
    assert stool["North"] == pytest.approx(4_000_000, abs=1) and stool.drop("North").eq(0).all()
    ties_out(found)


# Closings, together with openings and rules


def test_everything_of_a_year_that_comes_and_goes(tmp_path):
    openings = [
        {"region": "East", "like": "West"},
        {"product": "Stool", "share": 0.1, "from": "2026-09", "ramp": 2},
        {"channel": "Fair", "like": "Web", "from": "2026-07"},
    ]
    closings = [
        {"region": "West", "last": "2025-12"},
        {"channel": "Web", "last": "2026-06"},
        {"product": "Lamp", "region": "South", "last": "2026-03"},
    ]
    found = planned(tmp_path / "p", openings=openings, closings=closings)

    ties_out(found)
    within(found, of(YEAR, openings, closings))
    assert total(found, "02-region", "region", "West") == 0 and total(found, "02-region", "region", "East") > 0
    assert total(found, "03-product", "product", "Stool") == pytest.approx(0.1 * TOTAL, abs=5)
    assert sum(months_of(found, "channel", "Web")[6:]) == sum(months_of(found, "channel", "Fair")[:6]) == 0


@pytest.mark.slow
def test_rules_hold_beside_lives(tmp_path):
    openings, closings = [{"product": "Stool", "share": 0.1, "from": "2026-09"}], [{"region": "West", "last": "2026-05"}]
    found = planned(
        tmp_path / "p",
        openings=openings,
        closings=closings,
        region={"rules": [{"name": "west stays", "where": {"region": "West"}, "unit": "amount", "min": 30_000}]},
        product={"rules": [{"name": "cap", "where": {"product": "Desk"}, "max": 0.5}]},
        channel={"rules": [{"name": "web", "where": {"channel": "Web"}, "min": 0.3}]},
        time={"rules": [{"name": "nov", "where": {"month": "2026-11"}, "min": 0.12}]},
    )

    ties_out(found)
    within(found, of(YEAR, openings, closings))
    # The floor asks for a whole year's money in five months: it gets it there.
    assert total(found, "02-region", "region", "West") == sum(months_of(found, "region", "West")[:5]) == 3_000_000


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (
            {
                "product": {"exits": {"Lamp": "2026-05"}},
                "time": {
                    "rules": [
                        {
                            "name": "autumn lamps",
                            "where": {"product": "Lamp", "month": "2026-08"},
                            "unit": "amount",
                            "min": 1000,
                        }
                    ]
                },
            },
            ["Lamp closes after 2026-05", "autumn lamps"],
        ),
        (
            {
                "closings": [{"region": "West", "last": "2025-12"}],
                "region": {"locks": [{"name": "west", "where": {"region": "West"}, "amount": 1000}]},
            },
            ["West closes after 2025-12", "west"],
        ),
        (
            {
                "openings": [{"region": "East", "like": "North", "from": "2026-04"}],
                "time": {
                    "rules": [{"name": "early", "where": {"region": "East", "month": "2026-02"}, "unit": "amount", "min": 1000}]
                },
            },
            ["East opens in 2026-04", "early"],
        ),
    ],
)
def test_money_asked_for_outside_a_life_is_a_conflict_by_name(tmp_path, asked, names):
    with pytest.raises(ConflictError) as error:
        planned(tmp_path / "p", **asked)

    for name in names:
        assert f'"{name}"' in str(error.value)
    assert f'lower the {"lock" if "locks" in asked.get("region", {}) else "floor"} "{names[1]}"' in str(error.value)


# Two further cases: a year that starts in July; a product whose only channel closes


@pytest.mark.slow
def test_a_year_that_starts_in_july(tmp_path):
    openings, closings = (
        [{"region": "East", "like": "West", "from": "2026-01", "ramp": 6}],
        [{"product": "Lamp", "last": "2026-02"}],
    )
    year = {"fiscal_start": 7, "year": 2025, "as_of": dt.date(2025, 6, 30)}
    found = planned(tmp_path / "p", lines(last="2025-06"), openings=openings, closings=closings, **year)

    ties_out(found)
    within(found, of(Horizon(2025, 7, dt.date(2025, 6, 30)), openings, closings))
    east = by(found.plans["05-time"], "region", "East").groupby("month")["amount"].sum()
    assert east[east > 0].index.tolist() == [f"2026-{month:02}" for month in range(1, 7)]


@pytest.mark.slow
def test_a_product_leaves_with_its_only_channel(tmp_path):
    orders = pd.concat([lines(), lines().assign(product="Stool", channel="Fair")])
    closings = [{"channel": "Fair", "last": "2026-04"}]
    found = planned(tmp_path / "p", orders, closings=closings)

    ties_out(found)
    within(found, of(YEAR, closings=closings))
    # By hand: half of the company's sales were Stools, four of their twelve months are left.
    assert total(found, "03-product", "product", "Stool") == pytest.approx(36_000_000 / 2 / 3, abs=6)
    assert sum(months_of(found, "product", "Stool")[4:]) == 0


# Later plans


def own(*months: str) -> tuple[tuple[str, str, str, str, float], ...]:
    """East as large as South in these months."""
    return tuple(
        (month, "East", product, channel, 200 * PRODUCTS[product] * CHANNELS[channel])
        for month in months
        for product in PRODUCTS
        for channel in CHANNELS
    )


@pytest.mark.slow
def test_own_months_count_beside_the_statement_and_what_is_booked_stays(tmp_path):
    opening = [{"region": "East", "like": "North", "at": 0.3, "from": "2026-02"}]
    first = planned(tmp_path / "q1", openings=opening)
    orders = lines(last="2026-03", more=own("2026-02", "2026-03"))
    second = planned(tmp_path / "q2", orders, run="later", openings=opening, as_of=dt.date(2026, 3, 31), baseline=first)
    alone = planned(tmp_path / "alone", orders, run="alone", as_of=dt.date(2026, 3, 31))

    ties_out(second)
    booked = rollup(
        lines(last="2026-03", more=own("2026-02", "2026-03"))
        .assign(month=lambda frame: frame["date"].str[:7], amount=lambda frame: (frame["revenue"] * 100).astype("int64"))
        .query("month >= '2026-01'"),
        ["region", "product", "channel", "month"],
    )
    within(second, of(Horizon(2026, 1, dt.date(2026, 3, 31)), opening), booked)
    assert months_of(second, "region", "East")[:3] == [0, 500_000, 500_000]
    # The outlook believes two months by 2/3; the statement's third is 0.3 / 3 of North, on top of that.
    parts = [
        sum(months_of(found, "region", "East")[3:]) / sum(months_of(found, "region", "North")[3:]) for found in (second, alone)
    ]
    assert parts[0] == pytest.approx(parts[1] + 0.1, abs=0.005)
    assert any("2 months of its own count 2 parts in 3" in text for text in second.texts("02-region"))


@pytest.mark.slow
def test_what_has_closed_in_closed_months_is_over(tmp_path):
    closings = [{"region": "West", "last": "2026-02"}, {"product": "Lamp", "last": "2026-03"}]
    found = planned(tmp_path / "p", lines(last="2026-03"), closings=closings, as_of=dt.date(2026, 3, 31))

    ties_out(found)
    assert months_of(found, "region", "West") == [250_000] * 3 + [0] * 9  # March came though it was said to be over
    assert months_of(found, "product", "Lamp")[3:] == [0] * 9
    assert any("West has sold until February 2026" in text for text in found.texts("02-region"))


# Refusals


def ruled(region: str | list[str], **limits: float) -> dict[str, Any]:
    return {"region": {"rules": [{"name": "n", "where": {"region": region}, "unit": "amount", **limits}]}}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (ruled("Nroth", min=50_000), "no region 'Nroth' .nearest: 'North'"),
        (ruled("East", max=50_000), "no region 'East'"),
        (ruled(["East", "North"], min=50_000), "no region 'East'"),
        ({"openings": [{"region": "North", "like": "South"}]}, "'North' has sold since 2023-01"),
        ({"openings": [{"region": "East", "like": "Sout"}]}, "'Sout' .nearest: 'South'"),
        ({"openings": [{"region": "East"}]}, "found no size"),
        ({"closings": [{"region": "Wset", "last": "2026-05"}]}, "closings: found 'Wset' .nearest: 'West'"),
        ({"product": {"exits": {"Lampe": "2026-05"}}}, "exits: found 'Lampe' .nearest: 'Lamp'"),
        ({"openings": [{"region": "East", "share": 0.1}, {"region": "East", "like": "North"}]}, "twice"),
        ({"openings": [{"region": "East", "share": 0.1, "from": "2027-01"}]}, "expected a month up to 2026-12"),
    ],
)
def test_a_name_that_nobody_has_is_refused_unless_it_opens(tmp_path, asked: dict[str, Any], said: str):
    with pytest.raises(ParameterError, match=said):
        planned(tmp_path / "p", chapters=CHAIN[:2], **asked)


@pytest.mark.slow
def test_parameters_may_name_an_opening(tmp_path):
    openings = [{"channel": "Fair", "like": "Web"}, {"region": "East", "like": "North", "at": 0.3}]
    plain = planned(tmp_path / "a", openings=openings)
    more = planned(tmp_path / "b", openings=openings, region={"priority": {"East": 0.4}}, channel={"research": {"Fair": 1.5}})

    for stem, dim, name, factor in (("02-region", "region", "East", 1.4), ("04-channel", "channel", "Fair", 1.5)):
        one, two = (total(found, stem, dim, name) / TOTAL for found in (plain, more))
        assert two == pytest.approx(factor * one / (factor * one + 1 - one), abs=1e-4), stem


@pytest.mark.slow
def test_a_launch_that_the_products_table_dates_opens_then(tmp_path):
    folder: Path = tmp_path / "p"
    folder.mkdir()
    (folder / "products.csv").write_text(
        "product,launched\nStool,2026-08-15\nLamp,2020-01-01\nDesk,2020-01-01\n", encoding="utf-8"
    )
    found = planned(folder, openings=[{"product": "Stool", "share": 0.05}], data={"products": {"file": "products.csv"}})

    assert [amount > 0 for amount in months_of(found, "product", "Stool")] == [False] * 7 + [True] * 5


# Any history of openings and closings


@pytest.mark.parametrize("seed", seeds(1, 3))
def test_no_history_of_lives_plans_outside_or_loses_a_cent(tmp_path, seed):
    draw = random.Random(seed)
    names = {"region": list(REGIONS), "product": list(PRODUCTS), "channel": list(CHANNELS)}
    openings: list[dict[str, Any]] = []
    for number, dim in enumerate(draw.sample(list(names), 2)):
        size = draw.choice([{"at": draw.uniform(0.1, 2)}, {"share": draw.uniform(0.01, 0.2)}, {"amount": 5_000.0}])
        more = {"from": draw.choice(YEAR.months[:10]), "ramp": draw.randint(1, 6), **size}
        openings.append({dim: f"New {number}", "like": draw.choice(names[dim]), **more})
    closings: list[dict[str, Any]] = []
    for _ in range(2):
        where = {dim: draw.choice(names[dim]) for dim in draw.sample(list(names), draw.randint(1, 2))}
        closings.append({**where, "last": draw.choice(YEAR.months[2:])})
    found = planned(tmp_path / "p", openings=openings, closings=closings)

    ties_out(found)
    within(found, of(YEAR, openings, closings))
    assert [int(found.plans[stem]["amount"].sum()) for stem in CHAIN[:6]] == [TOTAL] * 6
