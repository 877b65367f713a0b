"""Money that is spent, hours and stock, and the list of rules: hand-sized cases."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from planlib.chapters import budget

DAY = pd.Timestamp("2026-03-31")


def by_month(**amounts: int) -> pd.DataFrame:
    return pd.DataFrame({"month": [f"2026-{name[1:]}" for name in amounts], "amount": list(amounts.values())})


def test_spend_off_the_plan_is_reported_with_its_causes():
    # BUD-6: January is 5% over, which is on the line; February 30% over: 10% with sales, the rest by rate; March 6% under.
    off = budget.variance(
        by_month(m01=105, m02=130, m03=94), by_month(m01=100, m02=100, m03=100), by_month(m01=1000, m02=1100, m03=1000),
        by_month(m01=1000, m02=1000, m03=1000), 0.05, 48, DAY,
    ).set_index("month")  # fmt: skip

    assert off["report_by"].tolist() == ["", "2026-04-02", "2026-04-02"]
    assert off["variance"].tolist() == pytest.approx([0.05, 0.30, -0.06])
    assert off[["with_sales", "by_rate"]].to_numpy().tolist() == [[0, 5], [10, 20], [0, -6]]


@pytest.mark.parametrize(("line", "hours", "due"), [(0.35, 48, ""), (0.05, 24, "2026-04-01"), (0.05, 72, "2026-04-03")])
def test_the_line_and_the_hours_of_a_report_move_it(line, hours, due):
    # BUD-6
    sold = by_month(m02=1000)
    assert budget.variance(by_month(m02=130), by_month(m02=100), sold, sold, line, hours, DAY)["report_by"].tolist() == [due]


def test_without_a_plan_in_force_there_is_no_variance():
    assert budget.variance(by_month(m01=1), None, by_month(m01=1), None, 0.05, 48, DAY).empty


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
    response, traits = budget.curves(marketing, plan, horizon), budget.traits(marketing)
    total = budget.total(target, parameters)
    limits = budget.bounds(response.curves, traits, budget.gone(marketing, horizon), total, total, parameters)
    found = budget.allocate(limits, projects, plan, budget.gone(marketing, horizon), total, parameters)
    sold = chapter.last_year("product")
    portfolio = pd.DataFrame({"product": sold["product"].head(2), "quadrant": "star"})
    groups = pd.DataFrame({"segment": ["High value", "Ordinary"], "amount": [target // 2, target // 2]})
    months = pd.DataFrame({"month": horizon.months, "amount": 10**6})
    holidays = pd.DataFrame({"month": ["2026-02"], "sales": [10**6]})
    views = [
        ("BUD-5", budget.by_product(10**6, sold, portfolio, 0.7)),
        ("BUD-5", budget.by_customer(10**6, groups, None, 0.8)),
        ("TIM-6", budget.by_month(2 * 10**6, months, pd.DataFrame(), horizon, holidays, 0.08)),
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
