"""The chapter's sentences on worlds where they must differ: each is made from the row it speaks of."""

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from planlib.chapters import customer
from planlib.estimates.windows import Coverage, span_of
from planlib.periods import Horizon
from planlib.plan import EVERYTHING

HORIZON = Horizon(2026, 1, pd.Timestamp("2025-12-31").date())
NAMED, NOBODY = pd.DataFrame({"customer": ["a", "b"]}), pd.DataFrame({"customer": [EVERYTHING]})


def known(first: str, lost: tuple[str, ...] = (), everyone: pd.DataFrame = NAMED) -> customer.Known:
    months = [month for month in span_of(first, "2025-12") if month not in lost]
    return customer.known(Coverage.of(months, "2025-12"), everyone, HORIZON)


def bridge_of(target: int, **words) -> customer.Bridge:
    ground = customer.Ground(
        **{"base": 1000, "active": 20, "dormant": 200, "retention": 0.8, "upsold": 0.4, "covered": 0.3, "recovered": 0.5}
        | {"won": 5, "won_money": 100}
        | words
    )
    found = customer.bridge(customer.existing(ground, customer.Parameters()), {}, ground, target, customer.Parameters())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (known("2023-01"), []),
        (known("2025-07"), ["known for 6 of 12 months (2025-07 to 2025-12)"]),
        (known("2024-07"), ["year before last year is known for 6 of 12 months (2024-07 to 2024-12)"]),
        (known("2023-01", ("2025-05",)), ["Last year is known for 11 of 12 months (2025-01 to 2025-04, 2025-06 to 2025-12)"]),
        (known("2023-01", ("2024-05", "2025-05")), ["year before last year is known for 11", "Last year is known for 11"]),
        (known("2025-07", everyone=NOBODY), []),
    ],
)
def test_what_is_not_known_is_said_with_its_months(seen, wanted):
    told = seen.says()

    assert len(told) == len(wanted)
    assert all(part in text for part, text in zip(wanted, told, strict=True))


def test_what_history_can_tell_by_its_length():
    two, one, half, none = known("2024-01"), known("2024-02"), known("2025-02"), known("2023-01", everyone=NOBODY)

    assert (two.groups, two.won, two.change) == (True, True, True)
    assert (one.groups, one.won, one.change) == (True, False, False)
    assert (half.groups, half.won, half.change) == (False, False, False)
    assert (none.groups, none.won, none.change) == (False, False, True)
    assert two.looks_back(6) and two.looks_back(12) and not two.looks_back(13)


def needing(stated: int, right: int, count: int) -> pd.DataFrame:
    told = ["stated"] * stated + ["inferred"] * (count - stated)
    needs = ["price"] * right + ["service"] * (count - right)
    return pd.DataFrame({"customer": range(count), "need_from": told, "need": "price", "inferred": needs})


def test_needs_are_counted_in_the_singular_and_the_plural():
    told = [customer.needs_told(needing(*row))[0] for row in ((1, 1, 1), (1, 0, 3), (1500, 1000, 3000))]

    assert told == [
        "1 of 1 customer stated its need; read off the orders it would be the same for 1 of them (100%).",
        "1 of 3 customers stated its need; read off the orders it would be the same for 0 of them (0%).",
        "1,500 of 3,000 customers stated their need; read off the orders it would be the same for 1,000 of them (67%).",
    ]
    assert "No customer's need is stated" in customer.needs_told(needing(0, 0, 5))[0]
    assert customer.needs_told(pd.DataFrame()) == []


def silent(count: int, others: int = 2) -> pd.DataFrame:
    last = [pd.Timestamp("2025-03-01")] * count + [pd.Timestamp("2025-12-01")] * others
    frame = pd.DataFrame({"customer": [f"c{n}" for n in range(count + others)], "last": last})
    return frame.assign(region="North", amount=10, recent=5)


def test_silent_customers_are_counted_and_their_year_is_known_or_not():
    pairs = pd.DataFrame(columns=["product", "other", "together", "product_orders", "other_orders", "all_orders"])

    def shown(count: int, months: int, seen: customer.Known) -> dict[str, pd.DataFrame]:
        return customer.keep(silent(count), pairs, HORIZON, customer.Parameters(dormant_months=months), seen)

    one, many = shown(1, 6, known("2023-01")), shown(1200, 1, known("2025-07"))
    assert list(one) == ["1 customer is silent for 6 months: the first to win back"]
    assert list(many) == ["1,200 customers are silent for 1 month: the first to win back"]
    assert next(iter(one.values()))["recent"].tolist() == [5]
    assert next(iter(many.values()))["recent"].isna().all()
    assert shown(0, 6, known("2023-01")) == {}


def test_the_bridge_says_whether_limits_press_hold_or_give():
    quiet = customer.bridge_told(bridge_of(round(bridge_of(1200).table["likely"].sum())), str)
    press = customer.bridge_told(bridge_of(1200), str)
    beyond = customer.bridge_told(bridge_of(2000), str)
    below = customer.bridge_told(bridge_of(500), str)

    assert quiet == ["The six sources reach the target within their limits, and none of the limits presses."]
    dear = bridge_of(1200).table.sort_values("price", ascending=False).iloc[0]
    assert press == [f'The six sources reach the target within their limits; "{dear["binds"]}" presses most.']
    assert "these limits do not hold together" in beyond[0] and '"New customers: cap"' in beyond[1]
    assert beyond[0].startswith("The six sources cannot reach the target: ")
    assert "Retained base: floor" in below[0] and below[0].startswith("The six sources must bring more than the target: ")
    assert customer.bridge_told(None, str) == []


@pytest.mark.parametrize(
    ("binds", "prices", "told"),
    [
        ((True, True, True), (0.00002, 2.0, 1.0), '"b: cap" presses most.'),
        ((True, True, True), (2.00001, 2.0, 1.0), '"a: floor" and "b: cap" press most.'),
        ((True, True, False), (0.00002, 0.0, 1.0), "none of the limits presses."),
    ],
)
def test_the_dearest_limit_presses_most_and_ties_are_told(binds, prices, told):
    rules = pd.DataFrame({"rule": ["a: floor", "b: cap", "c: cap"], "binds": binds, "price": prices})
    table = pd.DataFrame({"source": ["a", "b", "c"], "cap": 1})
    none = pd.DataFrame({"rule": []})
    steps = customer.Bridge(table, SimpleNamespace(rules=rules), none, none, none)  # type: ignore[arg-type]

    assert customer.bridge_told(steps, str)[0].endswith(told)


def test_no_way_out_moves_what_closed_months_brought():
    # Dormant customers brought 700 in closed months, the floors of the base ask for 800 and 34 more: together they pass 900.
    booked = pd.DataFrame({"segment": ["Dormant"], "amount": [700]})
    parameters = customer.Parameters()
    ground = customer.Ground(1000, 20, 200, 0.8, 0.4, 0.3, 0.5, 5, 100)
    sources = customer.existing(ground, parameters)
    steps = customer.bridge(sources, {}, ground, 900, parameters, booked)
    assert steps is not None

    floors = sources.set_index("source")["floor"].drop("Win-back")
    moved = dict(zip(steps.repair["rule"], steps.repair["from"] - steps.repair["to"], strict=True))
    assert steps.amounts["Win-back"] == 700
    assert "Win-back: closed months" not in moved and sum(moved.values()) == pytest.approx(floors.sum() - 200)
    assert "from 700" not in customer.bridge_told(steps, str)[1]
    asked = pd.DataFrame({"customers": [1], "won_so_far": 0, "new_revenue": 1})
    said = customer.message("New", 0.4, steps, asked, known("2023-01"), str)
    assert said.startswith("The six sources must bring more than the target within their limits: New customers bring 40%")


@pytest.mark.parametrize(("rate", "more"), [(1.194, "; 119% seen: those who came back bought more than"), (0.5, "at most 80%")])
def test_a_rate_over_all_of_it_has_its_reason(rate, more):
    ground = customer.Ground(1000, 20, 200, 0.763, 0.4, 0.3, rate, 5, 100)
    because = customer.existing(ground, customer.Parameters()).set_index("source")["because"]

    assert more in because["Win-back"] and ("seen" in because["Win-back"]) == (rate > 1)
    assert because["Retained base"].startswith("at least 76% stays")


def test_the_chapter_s_sentence_is_made_from_its_rows():
    whole = known("2023-01")
    one, many, unknown = (
        pd.DataFrame({"customers": count, "won_so_far": 0, "new_revenue": 100})
        for count in ([1, 0], [1000, 500], [float("nan")] * 2)
    )
    first, second = bridge_of(1200), bridge_of(1300)
    told = customer.message("New", 0.4, first, one, whole, str)

    assert told == (
        f"New customers bring 40% of the target; the base we keep brings {first.amounts['Retained base']}, new customers must "
        f"bring {first.new}, and with referrals that is 1 customer to win."
    )
    assert customer.message("Ordinary", 0.6, second, many, whole, str).endswith("that is 1,500 customers to win.")
    assert f"new customers must bring {second.new}" in customer.message("Ordinary", 0.6, second, many, whole, str)
    assert customer.message("New", 0.4, first, unknown, whole, str).endswith("; how many that is, is not known.")
    won = many.assign(won_so_far=[300, 0])
    assert customer.message("New", 0.4, first, won, whole, str).endswith("is 1,500 customers to win, 300 of them won so far.")
    done = many.assign(won_so_far=[1600, 0])
    assert customer.message("New", 0.4, first, done, whole, str).endswith("no more than the 1,600 customers won so far.")
    nothing = many.assign(customers=0, new_revenue=0)
    assert customer.message("New", 0.4, first, nothing, whole, str).endswith(", and nothing has to come from new customers.")
    assert customer.message("All", 1.0, None, pd.DataFrame(), known("2025-07"), str) == (
        "The target is not split by customer group: last year is known for 6 of 12 months (2025-07 to 2025-12)."
    )
    none = customer.message("Dormant", 1.0, None, pd.DataFrame(), whole, str)
    assert none == "Dormant customers bring 100% of the target; no customer is active, so the growth bridge is left out."


def test_doubling_everything_changes_only_the_values_of_the_bridge():
    once = bridge_of(1200)
    twice = bridge_of(2400, base=2000, dormant=400, won_money=200)

    assert [2 * amount for amount in once.amounts.values()] == pytest.approx(list(twice.amounts.values()), abs=2)
    assert customer.bridge_told(once, str) == customer.bridge_told(twice, str)


def test_titles_say_which_part_of_a_window_is_known():
    assert customer.over(known("2023-01").last_year, "last year") == "last year"
    assert customer.over(known("2025-07").last_year, "last year") == "last year (known for 6 of 12 months)"


def test_stages_that_cannot_be_told_are_not_known():
    rows = [("2025-10-01", "2025-12-01", 10, 0), ("2025-02-01", "2025-12-01", 125, 0), ("2025-01-01", "2025-03-01", 9, 0)]
    frame = pd.DataFrame(rows, columns=["first", "last", "recent", "earlier"])
    frame[["first", "last"]] = frame[["first", "last"]].apply(pd.to_datetime)
    day, given = pd.Timestamp("2025-12-31"), customer.Parameters()

    assert customer.stage(frame, day, given).tolist() == ["introduction", "growth", "decline"]
    assert customer.stage(frame, day, given, first_told=False, change_told=False).tolist() == [
        "not known",
        "not known",
        "decline",
    ]
    assert customer.stage(frame, day, given, change_told=False).tolist() == ["introduction", "not known", "decline"]
    table = customer.stages(frame.assign(customer=list("abc"), stage=["not known", "not known", "decline"]))
    assert table.set_index("stage")["customers"].to_dict() == {
        **dict.fromkeys(["introduction", "growth", "maturity"], 0),
        "decline": 1,
        "not known": 2,
    }


def costing(spend: int, won: float, limit: int | None) -> str:
    table = pd.DataFrame({"month": span_of("2025-01", "2025-12"), "activity": "Search", "spend": 0, "new_customers": 0.0})
    table.loc[0, ["spend", "new_customers"]] = [spend, won]
    people = pd.DataFrame({"customer": ["a"], "first": [pd.Timestamp("2024-05-01")]})
    return customer.costs(table, people, limit, HORIZON, known("2023-01"))["verdict"].iloc[0]


def test_a_cost_is_within_over_or_not_known():
    assert costing(100, 10, 10) == "within"
    assert costing(101, 10, 10) == "within"  # 10.1 rounds to 10
    assert costing(200, 10, 10) == "over the limit"
    assert costing(200, 0, 10) == "won nobody"
    assert costing(0, 0, 10) == "no spend"
    assert costing(200, 10, None) == "not known"


def test_a_key_industry_without_customers_has_a_share_of_nothing():
    rows = [("a", "Hotels", 90, 60), ("b", "Offices", 10, 20)]
    people = pd.DataFrame(rows, columns=["customer", "industry", "recent", "earlier"])
    found = customer.industries(people, customer.Parameters(key_industries=["Clinics", "Hotels"])).set_index("industry")

    assert found["share"].to_dict() == {"Hotels": 0.9, "Clinics": 0.0}
    assert found.loc["Hotels", "growth"] == pytest.approx(0.5) and pd.isna(found.loc["Clinics", "growth"])
    unknown = people.assign(industry="unknown")
    assert customer.industries(unknown, customer.Parameters(key_industries=["Clinics"])).empty


def test_a_cost_of_a_part_of_the_year_says_so():
    people = pd.DataFrame({"customer": ["a"], "first": [pd.Timestamp("2025-05-01")], "recent": 100, "recent_orders": 1})
    people = people.assign(industry="unknown", earlier=50)
    half = pd.DataFrame({"month": span_of("2025-07", "2025-12"), "activity": "Search", "spend": 10})
    whole = pd.DataFrame({"month": span_of("2025-01", "2025-12"), "activity": "Search", "spend": 10})
    seen, given = known("2023-01"), customer.Parameters()
    told = [customer.win(people, table, HORIZON, given, seen) for table in (half, whole)]

    title = "What winning a customer costs, and may cost"
    assert list(told[0]) == [f"{title}: marketing is known for 6 of 12 months (2025-07 to 2025-12)"]
    assert list(told[1]) == [title]
    assert [table.popitem()[1]["new_customers"].iloc[0] for table in told] == [0, 1]  # won in May, outside the half


def test_a_region_without_customers_gets_its_candidate_cities_last():
    people = pd.DataFrame({"customer": ["a"], "region": "North", "city": "A", "recent": 100})
    given = customer.Parameters(candidate_cities={"South": ["S"], "North": ["N"]}, cities_per_quarter=1)

    assert customer.next_cities(people, None, given, 2) == [["N"], ["S"]]


def asked_for(new: int, won: int, won_money: int, came: pd.Series | None = None, closed: date | None = None) -> pd.DataFrame:
    horizon = Horizon(2026, 1, closed or date(2025, 12, 31))
    ground = customer.Ground(1000, 3, 0, 0.9, None, None, None, won, won_money)
    steps = bridge_of(1200)
    rows = [(month, "New", new if month == "2026-12" else 0) for month in horizon.months]
    rows += [(month, "Ordinary", 100) for month in horizon.months]
    plan = pd.DataFrame(rows, columns=["month", "segment", "amount"])
    first = pd.to_datetime(["2026-01-05", "2026-02-05"]) if closed else pd.to_datetime(["2024-01-05"] * 2)
    people = pd.DataFrame({"customer": ["a", "b"], "first": first})
    return customer.targets(plan, steps, ground, people, [], came, None, horizon, customer.Parameters())


def test_money_that_must_come_is_never_from_nobody_and_no_money_from_nobody():
    assert asked_for(new=10, won=2, won_money=2000)["customers"].sum() == 1  # a hundredth of what one brings
    assert asked_for(new=3500, won=2, won_money=2000)["customers"].sum() == 4
    assert asked_for(new=0, won=2, won_money=2000)["customers"].tolist() == [0] * 4
    assert asked_for(new=0, won=0, won_money=0)["customers"].tolist() == [0] * 4  # known, and none
    assert asked_for(new=500, won=0, won_money=0)["customers"].isna().all()  # what one brings is not known
    later = asked_for(new=3500, won=2, won_money=2000, closed=date(2026, 3, 31))
    assert later["customers"].tolist()[0] == 2 and later["customers"].sum() == 4


def test_a_share_of_key_industries_is_asked_for_where_there_are_some():
    assert asked_for(new=10, won=2, won_money=2000)["key_share"].isna().all()
    told = asked_for(new=10, won=2, won_money=2000, came=pd.Series(dtype="int64"))["key_share"]
    assert told.tolist() == pytest.approx([0.0675, 0.085, 0.1025, 0.12])


@pytest.mark.parametrize(("seen", "said"), [(0.65, "at least 65% stays"), (0.95, "at least 80% stays")])
def test_the_floor_of_the_base_that_stays_is_the_one_that_is_said(seen, said):
    ground = customer.Ground(1000, 3, 0, seen, None, None, None, 2, 2000)
    row = customer.existing(ground, customer.Parameters()).iloc[0]
    assert row["because"].startswith(said) and row["floor"] == 1000 * min(seen, 0.8)


def test_whether_the_groups_drift_is_said_of_their_own_history():
    history = pd.DataFrame({"segment": ["A", "B"], "month": ["2025-01", "2025-02"]})
    none, some = SimpleNamespace(years=0.0, note="under"), SimpleNamespace(years=1.0, note="drifts")
    assert customer.trend_told(none, history)[0].startswith("Groups are told for 2 months, too few")
    assert customer.trend_told(some, history) == ["drifts"]
    assert customer.trend_told(none, history[:1]) == []  # one group cannot drift


@pytest.mark.parametrize(
    ("came", "asked", "told"),
    [
        (15, 226, "brought 15 where the plan in force asked 226: 211 behind, which the open months have to bring."),
        (300, 226, "brought 300 where the plan in force asked 226: 74 ahead."),
        (226, 226, "brought 226 where the plan in force asked 226: as planned."),
    ],
)
def test_closed_months_of_new_customers_are_held_against_the_plan(came, asked, told):
    horizon = Horizon(2026, 1, date(2026, 3, 31))

    def months(first: int) -> pd.DataFrame:
        rows = [(month, group, 0) for month in horizon.months for group in ("New", "Ordinary")]
        frame = pd.DataFrame(rows, columns=["month", "segment", "amount"])
        frame.loc[0, "amount"], frame.loc[1, "amount"], frame.loc[6, "amount"] = first, 77, 99  # January, and April of New
        return frame

    said = customer.new_told(months(came), months(asked), horizon, str)
    assert said == [f"Of new customers the 3 closed months {told}"]
    assert customer.new_told(months(came), None, horizon, str) == []
    assert customer.new_told(months(came), months(asked), HORIZON, str) == []


def test_cities_are_counted_and_a_quarter_without_sales_opens_none():
    horizon = Horizon(2026, 1, date(2025, 12, 31))
    rows = [(month, "New", 0 if month < "2026-04" else 10) for month in horizon.months]
    plan = pd.DataFrame(rows, columns=["month", "segment", "amount"])
    people = pd.DataFrame({"first": pd.Series([], dtype="datetime64[ns]")})
    ground = customer.Ground(1000, 20, 200, 0.8, 0.4, 0.3, 0.5, 5, 100)
    cities = [["one in Bavaria", "one in Bavaria", "one in Hesse"], ["Ulm"], ["one in Hesse"]]
    parameters = customer.Parameters()
    none = pd.Series(dtype="int64")
    found = customer.targets(plan, bridge_of(1200), ground, people, cities, none, None, horizon, parameters)
    found = found.set_index("quarter")

    assert customer.open_quarters(horizon, plan) == [1, 2, 3]
    assert found["cities"].tolist() == ["", "two in Bavaria, one in Hesse", "Ulm", "one in Hesse"]
    assert found["key_share"].isna().tolist() == [True, False, False, False]
    opened = customer.Cities(80, 0, 0)
    closed, whole = (
        customer.floors(frame, pd.DataFrame(), None, opened, ground, horizon, parameters)["new cities open every quarter"]
        for frame in (plan, plan.assign(amount=10))
    )
    # Opened in mid-quarter a city has 7/8, 5/8, 3/8 and 1/8 of its first year left.
    each = parameters.cities_per_quarter * 80
    assert (closed, whole) == (each * 9 / 8, each * 2)
