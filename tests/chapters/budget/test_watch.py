"""Money that is spent, hours and stock, and the list of rules: hand-sized cases."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from planlib.chapters import budget
from planlib.estimates.windows import Window
from planlib.periods import Horizon

DAY = pd.Timestamp("2026-03-31")


def by_month(**amounts: int) -> pd.DataFrame:
    return pd.DataFrame({"month": [f"2026-{name[1:]}" for name in amounts], "amount": list(amounts.values())})


def closed(*known: str, every: tuple[str, ...] = ()) -> Window:
    return Window("closed months", *(tuple(f"2026-{month}" for month in months) for months in (every or known, known)))


def test_spend_off_the_plan_is_reported_with_its_causes():
    # BUD-6: January is 5% over, which is on the line; February 30% over: 10% with sales, the rest by rate; March 6% under.
    off = budget.variance(
        by_month(m01=105, m02=130, m03=94), by_month(m01=100, m02=100, m03=100), by_month(m01=1000, m02=1100, m03=1000),
        by_month(m01=1000, m02=1000, m03=1000), closed("01", "02", "03"), 0.05, 48, DAY,
    ).set_index("month")  # fmt: skip

    assert off["report_by"].tolist() == ["", "2026-04-02", "2026-04-02"]
    assert off["variance"].tolist() == pytest.approx([0.05, 0.30, -0.06])
    assert off[["with_sales", "by_rate"]].to_numpy().tolist() == [[0, 5], [10, 20], [0, -6]]


@pytest.mark.parametrize(("line", "hours", "due"), [(0.35, 48, ""), (0.05, 24, "2026-04-01"), (0.05, 72, "2026-04-03")])
def test_the_line_and_the_hours_of_a_report_move_it(line, hours, due):
    # BUD-6
    sold = by_month(m02=1000)
    assert budget.variance(by_month(m02=130), by_month(m02=100), sold, sold, closed("02"), line, hours, DAY)[
        "report_by"
    ].tolist() == [due]


def test_without_a_plan_in_force_there_is_no_variance():
    assert budget.variance(by_month(m01=1), None, by_month(m01=1), None, closed("01"), 0.05, 48, DAY).empty


def test_hours_count_people_who_are_there():
    # BUD-6: E uses 250 of 336 hours; W's one leaver does not count.
    staff = pd.DataFrame(
        {
            "region": ["E", "E", "W", "W"],
            "hired": pd.to_datetime(["2020-01-01"] * 4),
            "left": pd.to_datetime([None, None, "2025-01-01", None]),
            "hours": [168.0] * 4,
            "used": [160.0, 90.0, 0.0, 168.0],
        }
    )
    found = budget.hours(staff, pd.DataFrame({"region": ["E", "W"], "amount": [1000, 300]}), DAY, 0.15).set_index("region")

    assert found["people"].to_dict() == {"All regions": 3, "E": 2, "W": 1}
    assert found["sales_per_head"].to_dict() == {"All regions": 433, "E": 500, "W": 300}
    assert found["used"].to_dict() == pytest.approx({"All regions": 418 / 504, "E": 250 / 336, "W": 1.0})
    assert found["flag"].tolist() == ["idle over the line", "idle over the line", ""]
    assert budget.hours(staff.drop(columns="used"), pd.DataFrame(), DAY, 0.15).empty


def test_days_of_stock_are_value_over_daily_cost():
    # BUD-6: 300 + 100 at 10 a day is 40 days; what does not sell has no end of days.
    held = pd.DataFrame(
        {"product": ["a", "a", "b", "c"], "value": [300, 100, 800, 5], "kind": ["fast", "fast", "durable", "fast"]}
    )
    sold = pd.DataFrame({"product": ["a", "b"], "cost": [900, 900]})
    found = budget.stock(held, sold, 90, 30, 90).set_index("product")

    assert found["days"].dropna().to_dict() == {"a": 40.0, "b": 80.0}
    assert found["flag"].to_dict() == {"c": "over the limit", "a": "over the limit", "b": ""}
    assert (budget.stock(held, sold, 90, 40, 79)["flag"] != "").tolist() == [True, True, False]
    assert budget.stock(None, sold, 90, 30, 90).empty and budget.stock(held, sold.drop(columns="cost"), 90, 30, 90).empty


def test_a_sum_is_known_better_than_its_parts():
    # MOVER: sqrt(3^2 + 4^2) = 5 below, sqrt(6^2 + 8^2) = 10 above.
    assert budget.summed(np.array([10.0, 20.0]), np.array([7.0, 16.0]), np.array([16.0, 28.0])) == (30.0, 25.0, 40.0)


def test_every_rule_is_listed_with_slack_and_price(open_sample):
    # STR-1, BUD-3, BUD-4, BUD-5, BUD-6, TIM-6 in one list.
    chapter = open_sample("07-budget")
    parameters, horizon = chapter.parameters, chapter.horizon
    plan = chapter.last_year("region", "channel")
    target = int(plan["amount"].sum())
    marketing = budget.known(chapter.tables.get("marketing"), horizon)
    projects = budget.known_projects(chapter.tables.get("projects"), parameters)
    response, traits = budget.curves(marketing, plan, horizon), budget.traits(marketing, horizon)
    total = budget.total(target, projects, budget.gone(marketing, horizon), parameters)
    limits = budget.bounds(response.curves, traits, budget.gone(marketing, horizon), total, total, parameters)
    found = budget.allocate(limits, projects, plan, budget.gone(marketing, horizon), total, parameters)
    sold = chapter.last_year("product")
    portfolio = pd.DataFrame({"product": sold["product"].head(2), "quadrant": "star"})
    groups = pd.DataFrame({"segment": ["High value", "Ordinary"], "amount": [target // 2, target // 2]})
    months = pd.DataFrame({"month": horizon.months, "amount": 10**6})
    holidays = pd.DataFrame({"month": ["2026-02"], "sales": [10**6], "ad_share": [0.08]})
    views = [
        ("BUD-5", budget.by_product(10**6, sold, portfolio, 0.7)),
        ("BUD-5", budget.by_customer(10**6, groups, None, 0.8)),
        ("TIM-6", budget.by_month(2 * 10**6, months, pd.DataFrame(), horizon, holidays)),
    ]
    rules = budget.listed(total, target, found, limits, views, parameters).set_index("rule")

    for name, method in {
        "marketing cost over revenue": "STR-1", "promotion over budget": "BUD-3", "reserve over budget": "BUD-4",
        "critical path funded": "BUD-5", "stars have their share of the money": "BUD-5",
        "valuable customers have their share of the money": "BUD-5", "return of TV": "BUD-6",
        "advertising in 2026-02, its holidays capped": "TIM-6", "all the money that is free": "BUD-1",
    }.items():  # fmt: skip
        assert rules.loc[name, "method"] == method, name
    assert rules["slack"].notna().all() and rules.loc[~rules["binds"].astype(bool), "price"].eq(0).all()
    assert rules.loc["promotion over budget", "price"] > 0 and rules.loc["return of TV", "slack"] < 0
    # One unit more for all brings at least what it brings where nothing limits it, within the step of the price.
    marginal = found.activities.set_index("item")["marginal"]["Search"]
    assert rules.loc["all the money that is free", "price"] == pytest.approx(marginal, rel=0.05)
    shown = budget.readable(rules.reset_index(), chapter.show)
    assert list(shown.columns) == ["rule", "method", "limit", "found", "slack", "binds", "price"] and len(shown) == len(rules)


def test_what_is_not_handed_on_is_said():
    assert len(budget.lacking(None, None, None, None)) == 4
    full = pd.DataFrame({"x": [1]})
    assert budget.lacking(full, full, full, full) == []


def test_a_frozen_activity_whose_interval_reaches_the_line_says_so():
    # BUD-6
    limits = pd.DataFrame(
        {"item": ["a", "b"], "spend": 10.0, "return_": "x", "frozen": True, "line": 1.5, "roi_high": [1.4, 1.6], "caveat": ""}
    )
    empty = SimpleNamespace(at=lambda spend: pd.DataFrame({"item": [], "marginal_": []}), curves=pd.DataFrame(), fit={})
    marketing = pd.DataFrame({"month": ["2025-01"] * 2, "activity": ["a", "b"], "spend": 5, "channel": ""})
    activities = pd.DataFrame({"item": ["a", "b"], "amount": [2, 1]})
    found = budget.board(empty, limits, activities, marketing, ["2025-01"]).set_index("item")  # type: ignore[arg-type]

    assert found["remark"].to_dict() == {"a": "Frozen.", "b": "Frozen, not surely."}


def test_a_closed_month_without_spend_is_a_variance_and_one_without_data_is_not():
    # BUD-6: March is in the table with nothing spent: -100%, a report is due. With no row at all nothing is said of it.
    planned, sold = by_month(m01=100, m02=100, m03=800), by_month(m01=10, m02=10, m03=10)
    spent = by_month(m01=100, m02=100)
    known = budget.variance(spent, planned, sold, sold, closed("01", "02", "03"), 0.05, 48, DAY).set_index("month")
    silent = budget.variance(spent, planned, sold, sold, closed("01", "02", every=("01", "02", "03")), 0.05, 48, DAY)

    assert known["variance"].to_dict() == {"2026-01": 0.0, "2026-02": 0.0, "2026-03": -1.0}
    assert known["report_by"].tolist() == ["", "", "2026-04-02"]
    assert silent["month"].tolist() == ["2026-01", "2026-02"]


def test_nothing_spent_where_nothing_was_planned_needs_no_report():
    none, sold = by_month(m01=0, m02=0), by_month(m01=10, m02=10)
    found = budget.variance(by_month(m02=5), none, sold, sold, closed("01", "02"), 0.05, 48, DAY)

    assert found["variance"].isna().all() and found["report_by"].tolist() == ["", "2026-04-02"]


def test_a_month_that_no_plan_had_open_is_not_compared():
    # The first plan was made when January had closed: of the first quarter there is nothing to hold it against.
    horizon = Horizon(2026, 1, date(2026, 3, 31))
    year = pd.DataFrame({"month": horizon.months, "amount": 10})
    stood = year[year["month"] > "2026-01"]
    quarters = budget.quarters(year, horizon, stood).set_index("quarter")
    off = budget.variance(year.head(3), stood, year, year, closed("01", "02", "03"), 0.05, 48, DAY)

    assert quarters["plan_in_force"].isna().tolist() == [True, False, False, False]
    assert quarters.loc["Q2", "difference"] == 0 and off["month"].tolist() == ["2026-02", "2026-03"]


def test_what_is_not_there_does_not_lie_too_long():
    held = pd.DataFrame({"product": ["gone", "stuck"], "value": [0, 5], "kind": ["fast", "fast"]})
    found = budget.stock(held, pd.DataFrame({"product": ["x"], "cost": [9]}), 90, 30, 90).set_index("product")

    assert found["flag"].to_dict() == {"stuck": "over the limit", "gone": ""} and found.loc["gone", "days"] == 0


def test_output_per_head_of_part_of_a_year_is_not_told():
    staff = pd.DataFrame({"region": ["E"], "hired": pd.to_datetime(["2020-01-01"]), "hours": [168.0], "used": [160.0]})
    found = budget.hours(staff, None, DAY, 0.15)

    assert found["sales_per_head"].isna().all() and found["used"].notna().all()


def test_the_price_of_the_whole_budget_counts_its_reserve():
    # STR-1: at its cap of 20%: .9 of one unit more can be spent, and promotion may have .25 of it, worth .3.
    prices = pd.DataFrame(
        {"rule": ["total budget", "cap of group promotion"], "unit": "amount", "limit": 1.0, "found": 1.0, "slack": 0.0,
         "binds": True, "price": [2.0, 0.3]}
    )  # fmt: skip
    projects = pd.DataFrame({"funding": pd.Series(dtype="str"), "amount": pd.Series(dtype="int64")})
    found = SimpleNamespace(spend=SimpleNamespace(prices=prices), reserve=20, projects=projects)
    rules = budget.listed(200, 1000, found, pd.DataFrame({"item": [], "roi": []}), [], budget.Parameters())  # type: ignore[arg-type]

    of = rules.set_index("rule")["price"]
    assert of["marketing cost over revenue"] == pytest.approx(0.9 * 2.0 + 0.25 * 0.3)
    assert of["reserve over budget"] == 2.0


YEAR = pd.DataFrame({"month": [f"2026-{n:02d}" for n in range(1, 13)], "amount": [30] * 3 + [10] * 9})  # planned revenue, 180
NOTHING = pd.DataFrame({"item": [], "month": [], "amount": []}).astype({"amount": "int64"})


@pytest.mark.parametrize(
    ("known", "stood", "spent", "taken"),
    [
        # Without a plan a closed month has its share of the year: 30 of 180 of 360.
        ((), None, 0, [60, 60, 60]),
        # With one what it planned of all the activities' 720: half of it is of this money.
        ((), {"2026-01": 100, "2026-02": 80, "2026-03": 40}, 0, [50, 40, 20]),
        # A month that no plan had open has its share.
        ((), {"2026-02": 80, "2026-03": 40}, 0, [60, 40, 20]),
        # What is known is what was spent; and no more is taken than is left.
        (("2026-01",), {"2026-02": 80, "2026-03": 40}, 7, [7, 40, 20]),
        (("2026-01",), {"2026-02": 80, "2026-03": 40}, 330, [330, 20, 10]),
    ],
)
def test_closed_months_whose_spend_is_not_known_are_taken_at_the_plan(known, stood, spent, taken):
    horizon = Horizon(2026, 1, date(2026, 3, 31))
    window = Window("marketing of the closed months", tuple(horizon.closed), known)
    plan = None if stood is None else pd.DataFrame({"month": list(stood), "amount": list(stood.values())})
    paid = pd.DataFrame({"item": "a", "month": ["2026-01"], "amount": [spent]}) if spent else NOTHING
    gone = budget.taken(360, 720, paid, YEAR, window, plan)
    months = budget.by_month(360, YEAR, gone, horizon).plan
    quarters = budget.quarters(months, horizon, None, known).set_index("quarter")

    assert gone.set_index("month")["amount"].reindex(horizon.closed).tolist() == taken
    assert months["amount"].tolist()[:3] == taken and quarters["amount"].sum() == 360
    assert quarters.loc["Q1", "amount"] == sum(taken) and np.isnan(quarters.loc["Q1", "spent"])
    assert quarters["spent"].tolist()[1:] == [0, 0, 0]


def test_what_unknown_months_are_taken_at_is_told():
    every = ("2026-01", "2026-02", "2026-03")
    name, stood = "marketing of the closed months", pd.DataFrame({"month": ["2026-02", "2026-03"], "amount": 1})
    simple = "at their share of the year's money as planned revenue has it, as no plan had them open"

    assert budget.untold(Window(name, every, every), None) == budget.untold(Window(name, (), ()), stood) == []
    assert budget.untold(Window(name, every, ()), None) == [
        f"Marketing of the closed months is not known: they are taken {simple}."
    ]
    assert budget.untold(Window(name, every, ()), stood) == [
        f"Marketing of the closed months is not known: they are taken at the plan in force, 2026-01 {simple}."
    ]
    assert budget.untold(Window(name, every, ("2026-01",)), stood) == [
        "Marketing of the closed months is known for 1 of 3 months (2026-01): the others are taken at the plan in force."
    ]
