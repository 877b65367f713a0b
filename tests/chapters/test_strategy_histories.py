"""01 strategy on short and odd histories: every figure right, or not known and said."""

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest
from scipy import stats

from planlib.chapters import strategy
from planlib.errors import ParameterError
from planlib.estimates.windows import Coverage, span_of
from planlib.formatting import Reader
from planlib.periods import Horizon, months

YEAR_END = Horizon(2026, 1, date(2025, 12, 31))
MARCH = Horizon(2026, 1, date(2026, 3, 31))
ALL = span_of("2023-01", "2025-12")
LENGTHS = [3, 6, 11, 12, 13, 18, 24, 25, 36]
STAFF = pd.DataFrame({"person": ["P1", "P2", "P3"], "region": "East", "hired": "2020-01-01"})


def flat(count: int, amount: int = 100, **more) -> pd.DataFrame:
    """The same amount in each of the last `count` months of 2025 and before."""
    return pd.DataFrame({"month": ALL[-count:], "amount": amount, **more})


def kpi(name: str, by: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame({"month": list(by), "kpi": name, "value": [float(value) for value in by.values()]})


def show(value, form="money"):
    return Reader("en", "CNY").show(value, form)


def goals(orders: pd.DataFrame, amount: int = 1200, horizon: Horizon = YEAR_END, kpis=None, marketing=None, **words):
    return strategy.targets(strategy.Parameters(**words), amount, orders, horizon, kpis, marketing).set_index("metric")


# The base year --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", LENGTHS)
def test_momentum_of_a_flat_company_is_flat_however_young(count):
    sold = flat(count)
    path = strategy.momentum(sold, YEAR_END, strategy.outlook(sold, YEAR_END))

    assert path["last_year"].tolist() == [100] * 12 and path["amount"].tolist() == [100] * 12
    assert strategy.target(strategy.Parameters(growth=0.3), int(path["last_year"].sum()), 2, None) == 1560
    said = strategy.based(sold, YEAR_END)
    assert (said == "") == (count >= 12)
    if count == 3:
        assert said == (
            "Last year is known for 3 of 12 months (2025-10 to 2025-12): it is carried to 12 months by their mean, and has no "
            "season."
        )
    low, high = strategy.band(path, strategy.outlook(sold, YEAR_END), 0.8)
    assert low < 1200 < high


def test_a_company_since_october_is_planned_on_with_its_first_quarter_closed():
    sold = pd.concat([flat(3), pd.DataFrame({"month": MARCH.closed, "amount": [80, 90, 130]})])
    path = strategy.momentum(sold, MARCH, strategy.outlook(sold, MARCH))

    assert path["amount"].tolist() == [80, 90, 130, *[100] * 9]
    assert path["last_year"].tolist() == [100] * 12


def test_a_month_missing_is_not_zero_and_a_closed_season_is():
    lost = flat(36)[lambda frame: frame["month"] != "2025-08"]
    path = strategy.momentum(lost, YEAR_END, strategy.outlook(lost, YEAR_END))
    assert path["last_year"].tolist() == [100] * 12
    assert "11 of 12 months" in strategy.based(lost, YEAR_END)
    summer = flat(36)[lambda frame: frame["month"].str[5:] != "08"]
    path = strategy.momentum(summer, YEAR_END, strategy.outlook(summer, YEAR_END))
    assert path["last_year"].tolist() == [100] * 7 + [0] + [100] * 4 == path["amount"].tolist()
    assert strategy.based(summer, YEAR_END) == ""


def test_the_sentence_says_what_last_year_is():
    assert strategy.sentence(1560_00, 1200_00, 1200_00, 0.25, False, show) == (
        "Target 1,560, +30.0% on last year: momentum brings 1,200, new action must bring 360.00; "
        "without new action the chance of reaching it is 25.0%."
    )
    assert strategy.sentence(1080_00, 1200_00, 1080_00, None, True, show) == (
        "Target 1,080, -10.0% on last year carried to twelve months: momentum brings 1,080, momentum alone reaches the target; "
        "the past does not tell the chance of reaching it."
    )


# Targets and their chances --------------------------------------------------------------------------------------------


def every(names: list[str], value: float) -> dict[str, float]:
    return dict.fromkeys(names, value)


QUARTERLY = [month for month in ALL if month[5:] in ("03", "06", "09", "12")]
LOST = [month for month in ALL if month not in ("2025-04", "2024-09")]


@pytest.mark.parametrize("names", [ALL, QUARTERLY, LOST])
def test_a_share_told_by_the_quarter_or_with_a_month_missing_keeps_its_chance(names):
    kpis = pd.concat([kpi("repurchase_rate", every(names, 0.50)), kpi("nps_rank", every(names, 0.20))])
    told = goals(flat(36), kpis=kpis, repurchase_rate=0.40, nps_rank=0.10)

    assert told.loc["Repurchase rate", "baseline"] == pytest.approx(0.50)
    assert told.loc["Repurchase rate", "probability"] > 0.9
    assert told.loc["NPS, rank in the industry", "baseline"] == pytest.approx(0.20)
    assert told.loc["NPS, rank in the industry", "probability"] < 0.05


def test_ratios_are_of_sums_where_months_alternate():
    amounts = [1800 if place % 2 else 200 for place in range(36)]
    orders = flat(36).assign(amount=amounts, cost=[720 if amount == 1800 else 190 for amount in amounts])
    marketing = pd.DataFrame({"month": ALL, "spend": 100})
    told = goals(orders, 12_000, marketing=marketing, margin=0.50, marketing_ratio=0.20)

    assert told.loc["Gross margin", "baseline"] == pytest.approx(1 - 910 / 2000)
    assert told.loc["Marketing cost, at most", "baseline"] == pytest.approx(0.10)
    assert told.loc["Gross margin", "probability"] > 0.5
    assert told.loc["Marketing cost, at most", "probability"] > 0.9


def test_few_launches_a_year_have_a_counts_chance():
    names = {month: float(month[5:] in ("03", "09")) for month in ALL}
    told = goals(flat(36), kpis=kpi("launches", names), launches=3)

    assert told.loc["Product launches", "baseline"] == 2
    assert told.loc["Product launches", "probability"] == pytest.approx(stats.poisson(2).sf(2), abs=0.05)  # 32%


def test_marketing_known_for_a_part_of_last_year_is_held_against_the_same_months():
    marketing = pd.DataFrame({"month": ALL[-6:], "spend": 10})
    told = goals(flat(36), marketing=marketing)

    assert told.loc["Marketing cost, at most", "baseline"] == pytest.approx(0.10)
    assert strategy.activities(marketing.assign(activity="Search"), YEAR_END, 50)["acquisition_cost"].isna().all()
    spent = strategy.capacity(1800, 1200, YEAR_END, None, flat(36, product="p"), None, ["a"], marketing, 0.2, 0.0)
    assert spent.set_index("resource").loc["marketing money", "required"] == 180  # 10 a month, grown by half


@pytest.mark.parametrize(
    ("names", "value"), [(ALL, 100), (QUARTERLY, 300), (QUARTERLY[-4:], 300), (ALL[-3:], 100), (LOST, 100)]
)
def test_a_count_by_quarter_or_of_part_of_a_year_is_a_years_count(names, value):
    told = goals(flat(36), kpis=kpi("valid_leads", every(names, value)))

    assert told.loc["New valid leads a year", "baseline"] == pytest.approx(1200)


# Market and funnel ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", LENGTHS)
def test_growth_of_the_company_is_known_of_two_whole_years(count):
    kpis = kpi("industry_growth", every(ALL, 0.05))
    told = strategy.market(kpis, flat(count), YEAR_END, {}, 1800).set_index("year")["company_growth"]

    assert told["2025"] == 0 if count >= 24 else pd.isna(told["2025"])
    assert told["2024"] == 0 if count >= 36 else pd.isna(told["2024"])
    assert told["2026 target"] == pytest.approx(0.5)


def test_a_step_known_for_half_a_year_is_held_against_the_same_half():
    kpis = pd.concat([kpi("visits", every(ALL, 100)), kpi("leads", every(ALL[-6:], 10))])
    told = strategy.funnel(kpis, YEAR_END).set_index("step").loc["leads from visits"]

    assert told["last_twelve_months"] == pytest.approx(0.10)
    assert told[["2023", "2024", "2025"]].isna().all(), "no year knows both in full"


def test_a_step_told_by_the_quarter_converts_from_three_months():
    kpis = pd.concat([kpi("quotes", every(ALL, 100)), kpi("wins", every(QUARTERLY, 60))])
    told = strategy.funnel(kpis, YEAR_END).set_index("step").loc["wins from quotes"]

    assert told.tolist() == pytest.approx([0.2] * 4)


def test_a_step_that_lets_nothing_through_is_closed_not_infinite():
    kpis = pd.concat(
        [
            kpi("quotes", every(ALL, 100)),
            kpi("wins", {month: 20.0 if month < "2025" else 0.0 for month in ALL}),
        ]
    )
    rates = strategy.funnel(kpis, YEAR_END)
    weak = strategy.bottleneck(rates, {}).iloc[0]

    assert strategy.narrowest(weak) == (
        "The funnel is closed at wins from quotes: nothing came through in the last twelve months, against our own best year, "
        "20.0%."
    )
    levers = strategy.levers(
        goals(flat(36)).reset_index(), 1560, 1200, 1200, rates, kpis, strategy.Customers(), None, {}, YEAR_END
    )
    assert "conversion: wins from quotes" not in set(levers["source"])
    half = rates.assign(last_twelve_months=0.10)
    assert strategy.narrowest(strategy.bottleneck(half, {"wins": 0.25}).iloc[0]) == (
        "The funnel is narrowest at wins from quotes: 10.0% against the benchmark, 25.0%; at that rate wins would rise by 150%."
    )


# Who is new -----------------------------------------------------------------------------------------------------------


def buying(count: int) -> strategy.Customers:
    """One customer a month, each with one order of 10, since `count` months."""
    names = [f"C{place}" for place in range(count)]
    first = pd.DataFrame({"customer": names, "first": pd.to_datetime([f"{month}-15" for month in ALL[-count:]])})
    ours = pd.DataFrame({"customer": names, "channel": "x", "amount": 10})[-12:]
    return strategy.bought(first, ours, YEAR_END, Coverage.of(ALL[-count:], "2025-12"))


@pytest.mark.parametrize("count", LENGTHS)
def test_who_is_new_is_told_where_the_year_before_is_known(count):
    found = buying(count)

    assert found.revenue == 120 and found.active == min(count, 12)
    assert (found.won, found.won_revenue) == ((12, 120) if count >= 24 else (None, None))
    said = strategy.absent(kpi("x", {}), None, pd.DataFrame(), pd.DataFrame(), STAFF, found, YEAR_END)
    assert any("who is new" in text for text in said) == (count < 24)


def test_levers_of_the_funnel_wait_until_who_is_new_is_known():
    kpis = pd.concat([kpi("valid_leads", every(ALL, 10)), kpi("quotes", every(ALL, 5)), kpi("wins", every(ALL, 1))])
    wanted = goals(flat(36), kpis=kpis, new_leads=240).reset_index()

    def sources(customers: strategy.Customers) -> dict[str, int]:
        told = strategy.levers(
            wanted, 1560, 1200, 1200, strategy.funnel(kpis, YEAR_END), kpis, customers, None, {"wins": 0.4}, YEAR_END
        )
        return told.set_index("source")["gain"].to_dict()

    assert sources(buying(13)) == {}
    # 12 customers won brought 120 of 120 leads: 1 each, and 120 more are asked for.
    assert sources(buying(24))["valid leads"] == 120


@pytest.mark.parametrize(("count", "launches"), [(3, 0), (12, 0), (13, 0), (18, 1), (25, 1), (36, 1)])
def test_a_launch_is_what_began_a_year_after_the_orders(count, launches):
    rows = pd.concat([flat(count, product="old"), flat(min(4, count), 30, product="new")])

    assert strategy.launched(rows, YEAR_END) == (launches, 360 if launches else None)


@pytest.mark.parametrize("count", LENGTHS)
def test_growth_of_a_segment_is_known_of_two_whole_years(count):
    orders = pd.concat([flat(count, product="a"), flat(count, 200, product="b")])
    told = strategy.segments(orders, "product", YEAR_END).set_index("segment")

    assert told["growth"].isna().all() == (count < 24)
    assert told["growth_brought"].to_dict() == pytest.approx({"a": 1 / 3, "b": 2 / 3})
    assert (strategy.grown(orders, YEAR_END) == "") == (count >= 24)


def test_a_segment_that_began_within_the_years_has_no_growth_yet():
    orders = pd.concat([flat(36, product="a"), flat(15, 200, product="b"), flat(6, 50, product="c")])
    told = strategy.segments(orders, "product", YEAR_END).set_index("segment")["growth"]

    assert told["a"] == 0 and told[["b", "c"]].isna().all()


# People, channels, roles ----------------------------------------------------------------------------------------------


def needed(sold: pd.DataFrame, staff: pd.DataFrame, target: int = 1800) -> pd.DataFrame:
    weights = strategy.teams(sold.groupby("region", as_index=False)["amount"].sum(), None)
    pyramid = strategy.pyramid(target, {"Sales": 1.0}, weights)
    return strategy.people(pyramid, weights, sold, YEAR_END, staff, 0.0).set_index("target")


@pytest.mark.parametrize("count", LENGTHS)
def test_people_are_asked_for_by_a_years_revenue_however_short_the_history(count):
    told = needed(flat(count, region="East"), STAFF)

    assert told.loc["East", ["required", "available", "lack"]].tolist() == [5, 3, 2]  # three bring 1,200: 1,800 ask for 4.5
    assert told.loc["East", "reason"].startswith("+50% revenue, +0% a head")
    assert ("carried" in told.loc["East", "reason"]) == (count < 12)


def test_a_team_without_people_asks_for_them():
    sold = pd.concat([flat(24, region="East"), flat(24, region="West"), flat(24, 0, region="North")])
    told = needed(sold, pd.concat([STAFF, STAFF.iloc[:1].assign(region="North", person="P4")]))

    # Four people bring 2,400; West, half of 1,800, asks for one and a half of them.
    assert told.loc["West", ["required", "available", "lack"]].tolist() == [2, 0, 2]
    assert told.loc["West", "reason"] == "nobody there: at the company's revenue a head"
    assert told.loc["North", ["required", "available", "lack"]].tolist() == [0, 1, 0]
    gone = STAFF.assign(left="2025-06-30")
    assert needed(sold, gone).empty
    capacity = strategy.capacity(1500, 1000, YEAR_END, gone, flat(24, product="p"), None, [], None, 0.2, 0.0)
    assert "people" not in set(capacity["resource"])


def test_capacity_is_compared_only_where_every_channel_that_sells_has_one():
    channels = pd.DataFrame({"channel": ["a", "b", "idle"], "capacity": [600.0, 900.0, 5000.0]})

    def room(table: pd.DataFrame, names: list[str]) -> list:
        told = strategy.capacity(1800, 1200, YEAR_END, None, flat(24, product="p"), table, names, None, 0.2, 0.0)
        return told.loc[told["resource"] == "channel capacity", ["available", "lack"]].to_numpy().tolist()

    assert room(channels, ["a", "b"]) == [[1500, 300]]  # what nobody sells through carries nothing
    assert room(channels, ["a", "b", "c"]) == []
    assert room(channels.assign(capacity=[600.0, None, 5.0]), ["a", "b"]) == []
    known = SimpleNamespace(manager_roles=[], open_regions=0)
    said = strategy.unknown(None, None, channels, None, [], ["a", "b", "c"], known, YEAR_END)
    assert said == ["Capacity is known of 2 of 3 channels (not of c): what all can carry is left out."]
    assert strategy.unknown(None, None, channels, None, [], ["a"], known, YEAR_END) == []


def test_who_leads_is_told_by_the_roles_not_by_a_word():
    staff = STAFF.assign(role=["大区经理", "Product manager", "Specialist"])
    marketing = pd.DataFrame({"month": months(2025), "spend": 0})

    def managers(roles: list[str], sold: list[str]) -> list:
        told = strategy.new_regions(3, 0.15, 2, YEAR_END, marketing, 0, staff, roles, sold, 0.0)
        return told.loc[told["resource"] == "managers", ["required", "available"]].to_numpy().tolist()

    assert managers(["大区经理"], []) == [[2, 1]] and managers(["大区经理"], ["East"]) == [[2, 0]]
    assert managers(["Regional manager"], []) == []
    given = strategy.Parameters(open_regions=3)
    said = strategy.unknown(staff, None, None, None, ["West"], [], given, YEAR_END)
    assert said == [
        "Table staff names 1 region that the orders lack (East): who is there has no target.",
        "Nobody in staff is Regional manager, as `manager_roles` asks (roles there: Product manager, Specialist, 大区经理): "
        "managers for new regions are left out.",
    ]
    right = strategy.Parameters(open_regions=3, manager_roles=["大区经理"])
    assert strategy.unknown(staff, None, None, None, ["East"], [], right, YEAR_END) == []


def test_people_of_a_department_that_is_none_are_refused():
    weights = strategy.teams(pd.DataFrame({"region": ["East"], "amount": [1]}), None)

    with pytest.raises(ParameterError, match=r"field_department: found 'Sales'.*expected one of Online, Vertrieb"):
        strategy.pyramid(100, {"Vertrieb": 0.6, "Online": 0.4}, weights, STAFF, "Sales")
    told = strategy.pyramid(100, {"Vertrieb": 0.6, "Online": 0.4}, weights, STAFF, "Vertrieb")
    assert told.loc[told["level"] == "person", "amount"].tolist() == [40, 20, 20, 20]
    assert strategy.levels(strategy.pyramid(100, {"Vertrieb": 1.0}, weights))["amount"].tolist() == [100] * 4


def test_titles_of_one_area_and_of_many():
    areas = pd.DataFrame({"area": ["leads", "markets"], "share": [0.6, 0.4]})

    assert strategy.strongest(areas) == "Most money lies in leads: 60% of what new action may bring"
    assert strategy.strongest(areas.iloc[:1]) == "What new action may bring lies in leads alone"


def test_the_gap_is_told_in_three_ways():
    assert strategy.told(0, show) == "momentum alone reaches the target"
    assert strategy.told(100, show) == "new action must bring 1.00"
    assert strategy.told(-100, show) == "momentum alone goes 1.00 beyond the target"


def test_spend_on_a_channel_that_nobody_sells_through_is_told():
    marketing = pd.DataFrame({"month": ALL, "channel": "Onlin", "spend": 1})
    known = SimpleNamespace(manager_roles=[], open_regions=0)

    assert strategy.unknown(None, None, None, marketing, [], ["Online"], known, YEAR_END) == [
        "Table marketing names 1 channel that the orders lack (Onlin): what is spent there is in no channel's cost of a "
        "customer."
    ]
    assert strategy.unknown(None, None, None, marketing, [], ["Onlin"], known, YEAR_END) == []


def reasons(**given) -> list[str]:
    """What the board is told, of a world in which nothing is late, lacking or open but what is given."""
    sold = given.get("sold", flat(36))
    nothing = pd.DataFrame(columns=["state", "gap", "segment", "area", "unit", "per_unit", "date"])
    return strategy.reasons(
        strategy.Parameters(), strategy.outlook(sold, YEAR_END), 1200, given.get("chance"),
        strategy.funnel(given.get("kpis"), YEAR_END), given.get("areas", nothing), given.get("reviews", nothing),
        given.get("lacks", []), given.get("owed", nothing), given.get("focus", nothing), show,
    )  # fmt: skip


def test_reasons_are_told_of_none_one_and_many():
    assert len(reasons()) == 1  # its interval: a trend of none is not told
    assert len(reasons(sold=pd.concat([flat(36), flat(12, 20)]))) == 2
    assert reasons(sold=flat(6))[0].startswith("Fewer than two years are known: no trend goes on")
    assert "Without new action the target has a chance of 42%." in reasons(chance=0.42)
    areas = pd.DataFrame({"area": ["leads"], "unit": ["1 valid lead"], "per_unit": [12_345]})
    assert "The strongest lever is leads: 1 valid lead is worth 123.45 of revenue." in reasons(areas=areas)
    focus = pd.DataFrame({"segment": ["Hotels", "Schools"], "gap": "no value proposition stated"})
    assert reasons(focus=focus.iloc[:1])[-1] == (
        "No value proposition is stated for Hotels: it is proposed by potential and fit."
    )
    assert reasons(focus=focus)[-1] == (
        "No value proposition is stated for Hotels, Schools: they are proposed by potential and fit."
    )
    owed = pd.DataFrame({"state": "late", "milestone": ["Offer", "Report"], "department": "People", "owes_to": "Sales"})
    owed["due"] = "2025-12-01"
    assert reasons(owed=owed.iloc[:1])[-1] == "Late: Offer, which People owes Sales since 2025-12-01."
    assert reasons(owed=owed)[-1] == "Late: Offer, which People owes Sales since 2025-12-01, and 1 more."
    assert reasons(owed=owed.assign(state="done")) == reasons()
    assert reasons(lacks=["East lacks 1 person"])[-1] == "Resources do not match yet: East lacks 1 person."
    assert reasons(lacks=list("abcdef"))[-1] == "Resources do not match yet: a; b; c; d and others."
    assert reasons(lacks=list("abcd"))[-1] == "Resources do not match yet: a; b; c; d."


def test_lacks_are_told_in_the_singular_and_the_plural():
    rows = [("East", "people", 3, 2, 1, ""), ("West", "people", 9, 2, 7, ""), ("2 new regions", "managers", 2, 1, 1, ""),
            ("Company", "budget", 500_00, 0, 500_00, ""), ("North", "people", 1, 2, 0, "")]  # fmt: skip
    table = pd.DataFrame(rows, columns=["target", "resource", "required", "available", "lack", "reason"])

    assert strategy.resources([table], show)[1] == [
        "East lacks 1 person", "West lacks 7 people", "2 new regions lack 1 manager", "Company lacks 500.00 of budget",
    ]  # fmt: skip
    assert strategy.resources([table.iloc[4:]], show)[1] == []


# A start is no growth, an end is no decline --------------------------------------------------------------------------------


def regions(**spans: tuple[str, str, int]) -> pd.DataFrame:
    """Flat months by region: name = (first, last, amount)."""
    rows = [(name, month, amount) for name, (first, last, amount) in spans.items() for month in ALL if first <= month <= last]
    return pd.DataFrame(rows, columns=["region", "month", "amount"])


@pytest.mark.parametrize("start", ["2024-03", "2024-11", "2025-07", "2025-10"])
def test_a_region_that_begins_is_no_growth_of_the_company(start):
    sold = regions(East=(start, "2025-12", 2000), North=("2023-01", "2025-12", 1000), South=("2023-01", "2025-12", 1000))
    ahead = strategy.outlook(sold.sample(frac=1, random_state=1), YEAR_END)

    assert ahead.total == pytest.approx(48_000) and ahead.growth == pytest.approx(0)  # 12 x (2,000 + 1,000 + 1,000)
    goals = strategy.targets(strategy.Parameters(), 48_000, sold, YEAR_END, regional=sold).set_index("metric")
    assert goals.loc["Revenue", "probability"] == pytest.approx(0.5)
    assert strategy.moved(sold, YEAR_END) == [
        "East began within the last two years and counts as if it had always been there: its start is no growth to go on with."
    ]


def test_a_start_takes_the_season_of_those_who_were_there_and_keeps_its_own_growth():
    rise = pd.DataFrame({"region": "North", "month": ALL, "amount": [100 + place for place in range(len(ALL))]})
    twice = rise[rise["month"] >= "2025-03"].assign(region="East", amount=lambda frame: frame["amount"] * 2)
    alone, both = (strategy.outlook(table, YEAR_END) for table in (rise, pd.concat([rise, twice])))

    assert both.total == pytest.approx(3 * alone.total) and both.growth == pytest.approx(alone.growth)


def test_a_region_that_ended_is_expected_to_sell_nothing():
    sold = regions(East=("2023-01", "2025-03", 2000), North=("2023-01", "2025-12", 1000))
    ahead = strategy.outlook(sold, YEAR_END)

    assert ahead.total == pytest.approx(12_000) and ahead.growth == pytest.approx(0)
    assert strategy.moved(sold, YEAR_END) == ["East has ended, and nothing more is expected there."]


def test_what_a_region_of_two_months_brings_is_believed_by_two_thirds():
    sold = regions(East=("2025-11", "2025-12", 2000), North=("2023-01", "2025-12", 1000))
    ahead = strategy.outlook(sold, YEAR_END)

    assert ahead.total == pytest.approx(12 * (1000 + 2000 * 2 / 3)) and ahead.growth == pytest.approx(0)
    assert strategy.moved(sold, YEAR_END) == [
        "East began within the last three months: what comes after these is counted in part."
    ]


def test_a_paused_season_and_a_late_first_order_are_neither():
    summer = regions(East=("2023-01", "2025-12", 2000), North=("2023-01", "2025-12", 1000))
    summer = summer[(summer["region"] != "East") | summer["month"].str[5:].isin(["04", "05", "06", "07", "08"])]
    assert strategy.outlook(summer, YEAR_END).total == pytest.approx(22_000) and strategy.moved(summer, YEAR_END) == []
    thin = regions(East=("2023-02", "2025-12", 50), North=("2023-01", "2025-12", 1000))
    assert strategy.moved(thin, YEAR_END) == []


# A table of what happened -------------------------------------------------------------------------------------------------


def asked(**words):
    sold = flat(36, 100_000)
    given = strategy.Parameters(**words.pop("given", {}))
    return strategy.targets(given, 1_200_000, sold, YEAR_END, **words).set_index("metric")


@pytest.mark.parametrize("first", ["01", "02", "03"])
def test_a_count_by_the_quarter_is_one_whichever_month_it_is_told_in(first):
    months_told = [month for month in ALL if (int(month[5:]) - int(first)) % 3 == 0]
    row = asked(kpis=kpi("valid_leads", dict.fromkeys(months_told, 300)), given={"new_leads": 1200}).loc[
        "New valid leads a year"
    ]

    assert row["baseline"] == pytest.approx(1200) and row["probability"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    "months_told",
    [
        ["2023-03", "2023-08", "2024-05", "2024-11", "2025-02", "2025-09"],
        ["2023-03", "2023-09", "2024-03", "2024-09", "2025-03", "2025-09"],
    ],
)
def test_launches_that_are_listed_only_when_they_happen(months_told):
    row = asked(kpis=kpi("launches", dict.fromkeys(months_told, 1)), given={"launches": 3}).loc["Product launches"]

    assert row["baseline"] == pytest.approx(2)
    assert row["probability"] == pytest.approx(stats.poisson.sf(2, 2), abs=0.05)  # two a year


@pytest.mark.parametrize("months_spent", [["03", "10"], ["04", "11"]])
def test_campaigns_cost_what_they_cost(months_spent):
    spent = [month for month in ALL if month[5:] in months_spent]
    spent[0] = spent[0][:5] + "02"  # no month of the year is one of campaigns only
    table = pd.DataFrame({"month": spent, "spend": 60_000})

    row = asked(marketing=table, given={"marketing_ratio": 0.12}).loc["Marketing cost, at most"]
    assert row["baseline"] == pytest.approx(0.1) and row["probability"] > 0.5
    lost = pd.DataFrame({"month": [month for month in ALL if month != "2025-06"], "spend": 10_000})
    assert asked(marketing=lost).loc["Marketing cost, at most", "baseline"] == pytest.approx(0.1)


# Sentences of what is not the company's own ----------------------------------------------------------------------------


def test_the_methods_own_values_are_no_targets_of_the_company():
    told = goals(flat(36), launches=4).reset_index()
    idle = told.set_index("metric")["default"]
    assert not idle["Revenue"] and not idle["Product launches"] and idle["New valid leads a year"]
    checked = told.assign(smart=False, lacks="no baseline")
    source = strategy.readable(checked, show).set_index("metric")["source"]
    assert source["New valid leads a year"] == "kpis; value: the method's default" and source["Product launches"] == "kpis"


@pytest.mark.parametrize(("names", "alone"), [(["all"], False), (["Acme"], True)])
def test_one_customer_is_not_no_customer(names, alone):
    orders = pd.DataFrame({"customer": names, "channel": "Shop", "amount": 100})
    first = pd.DataFrame({"customer": names, "first": pd.to_datetime(["2024-01-01"])})
    found = strategy.bought(first, orders, YEAR_END, Coverage("2023-01", "2025-12"))
    texts = strategy.absent(None, None, pd.DataFrame(), pd.DataFrame(), None, found, YEAR_END)
    assert texts[-1].endswith("orders name only one customer" if alone else "orders name no customer")


def test_what_is_as_much_as_last_year_is_neither_good_nor_bad():
    assert [strategy.better(*pair) for pair in ((2, 1), (1, 1), (1, 2))] == [True, None, False]
    assert "of the plan in force:" in strategy.split_by(True) and "of last year's sales:" in strategy.split_by(False)
