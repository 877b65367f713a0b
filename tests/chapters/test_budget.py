"""07 budget on the sample: each rule of the book moves the plan the way the book says when its parameter moves."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from planlib import plan as tables
from planlib.chapters import budget
from planlib.data.gates import gate

GROUPS = {"High value": 45, "Potential": 20, "Ordinary": 25, "New": 10}


@pytest.fixture
def made(open_sample: Callable[..., Any]) -> Callable[..., SimpleNamespace]:
    """The budget of the sample, made as the notebook makes it on a plan 30% above last year in last year's proportions."""

    def make(as_of: str | None = None, **words: Any) -> SimpleNamespace:
        chapter = open_sample("07-budget", as_of=as_of, **words)
        parameters, horizon = chapter.parameters, chapter.horizon
        last = chapter.last_year("region", "product", "channel")
        target = round(int(last["amount"].sum()) * 1.3)
        plan = tables.proportional(
            tables.company(target), last.rename(columns={"amount": "weight"}), ["region", "product", "channel"]
        )
        shape = chapter.last_year("month").rename(columns={"amount": "weight"})
        months = tables.proportional(tables.company(target), shape.assign(month=horizon.months), "month")
        segments = tables.proportional(
            tables.company(target), pd.DataFrame({"segment": list(GROUPS), "weight": list(GROUPS.values())}), "segment"
        )
        marketing = budget.known(chapter.tables.get("marketing"), horizon)
        projects = budget.known_projects(chapter.tables.get("projects"), parameters)
        response = budget.curves(marketing, chapter.orders("month"), horizon)
        curves = response.curves
        spent, traits = budget.gone(marketing, horizon), budget.traits(marketing, horizon)
        total = budget.total(target, projects, spent, parameters)
        free = budget.free(total, projects, spent, parameters)
        naive = budget.naive(marketing, plan, free, horizon)
        limits = budget.bounds(curves, traits, spent, free, total, parameters)
        found = budget.allocate(limits, projects, naive, spent, total, parameters)
        regions = budget.by_region(found.activities, plan, traits)
        pools = budget.pools(regions, budget.pool_shares(None, plan), found)
        return SimpleNamespace(**{name: value for name, value in locals().items() if name != "words"})

    return make


def money(made: SimpleNamespace) -> pd.Series:
    return made.found.activities.set_index("item")["amount"]


def funding(made: SimpleNamespace) -> pd.Series:
    return made.found.projects.set_index("project")["funding"]


@pytest.mark.parametrize("as_of", ["2025-12-31", "2026-03-31"])
def test_pools_projects_and_reserve_are_the_budget_and_the_gate_says_so(made, as_of):
    # REG-6, BUD-2, BUD-4: region pools + projects + reserve = budget, to the cent.
    one = made(as_of)
    pool = one.pools.groupby("pool")["amount"].sum()
    regions = pool[["region base", "region incentive", "region risk reserve"]].sum()

    assert regions + pool["project"] + pool["reserve"] == one.total == round(one.target * 0.12)
    assert pool["region base"] + pool["region incentive"] == one.found.activities["amount"].sum()
    assert pool["region risk reserve"] + pool["reserve"] == one.found.reserve == round(one.total * 0.10)
    assert pool["region base"] / regions == pytest.approx(0.60, abs=1e-6)
    assert pool["region risk reserve"] / regions == pytest.approx(0.10, abs=1e-6)
    assert gate("07-budget", one.pools, tables.company(one.total), one.total).success
    assert not gate("07-budget", one.pools, tables.company(one.total + 1), one.total + 1).success


def test_what_closed_months_have_spent_stays_spent(made):
    # BUD-3, BUD-4: a first quarter that took nearly all of the money leaves floors at what is gone; more than all of it comes
    # from the reserve, and where that is gone too the budget is what was spent.
    tight = made("2026-03-31", marketing_ratio=0.035)
    gone = tight.spent.groupby("item")["amount"].sum()

    assert gone.sum() < tight.free < gone.sum() * 1.05
    assert tight.limits.set_index("item")["floor"].reindex(gone.index).tolist() == gone.tolist()
    assert (money(tight).reindex(gone.index) >= gone).all()
    critical = int(tight.found.projects.loc[tight.found.projects["funding"] == "critical path", "amount"].sum())
    drawing, over = made("2026-03-31", marketing_ratio=0.033), made("2026-03-31", marketing_ratio=0.001)
    assert drawing.total == round(drawing.target * 0.033)
    assert drawing.found.reserve == drawing.total - critical - gone.sum() < round(drawing.total * 0.10)
    assert drawing.found.drawn == round(drawing.total * 0.10) - drawing.found.reserve > 0
    assert over.total == gone.sum() + critical and over.found.reserve == 0
    for one in (drawing, over):
        assert money(one).reindex(gone.index).tolist() == gone.tolist() and money(one).sum() == gone.sum()
        assert (
            one.pools["amount"].sum() == one.total
            and gate("07-budget", one.pools, tables.company(one.total), one.total).success
        )
    rules = budget.listed(over.total, over.target, over.found, over.limits, [], over.parameters).set_index("rule")
    assert rules.loc["reserve over budget", "slack"] == pytest.approx(-0.10)


@pytest.mark.parametrize(("share", "held"), [(0.10, 0.10), (0.15, 0.15)])
def test_the_reserve_is_held_back(made, share, held):
    # BUD-4
    one = made(reserve_share=share)

    assert one.found.reserve == round(one.total * held)
    assert one.found.activities["amount"].sum() + one.found.projects["amount"].sum() == one.total - one.found.reserve


def test_a_return_under_the_line_freezes_an_activity_and_a_project(made):
    # BUD-6: TV returned 1.43 in 2025, Field promotion 2.06; Installer training expects 2.8, Price analytics 3.0.
    loose, usual, strict = made(freeze_roi=1.0), made(), made(freeze_roi=2.9)

    assert not loose.limits["frozen"].any()
    assert usual.limits.loc[usual.limits["frozen"], "item"].tolist() == ["TV"]
    assert {"TV", "Field promotion", "Trade fairs"} == set(strict.limits.loc[strict.limits["frozen"], "item"])
    for one in (usual, strict):
        frozen = one.limits[one.limits["frozen"]].set_index("item")
        assert money(one)[frozen.index].tolist() == frozen["floor"].tolist()
    assert funding(usual)["Sales academy"] == "frozen" and funding(loose)["Sales academy"] != "frozen"
    assert funding(strict)["Installer training"] == "frozen" and funding(strict)["Price analytics"] == "whole"
    # What a good project needs is judged with it.
    assert funding(strict)["Customer data platform"] == "whole"
    board = budget.board(usual.response, usual.limits, usual.found.activities, usual.marketing, usual.horizon.last_year)
    assert board.set_index("item")["remark"]["TV"] == "Frozen."


def test_every_return_on_the_board_has_its_interval(made):
    # BUD-6: by activity and by the sales channel it feeds.
    one = made()
    board = budget.board(one.response, one.limits, one.found.activities, one.marketing, one.horizon.last_year).set_index("item")
    told = board.loc[board["level"] == "activity", ["return_", "next_unit"]].stack()
    online = ["Search", "Social", "Livestream"]

    assert told.str.fullmatch(r"\d+\.\d+ \(\d+\.\d+ to \d+\.\d+\)").all()
    assert board.loc[board["level"] == "channel", "return_"].str.contains(" to ").all()
    assert board.loc["E-commerce", "amount"] == board.loc[online, "amount"].sum()
    last = one.marketing[one.marketing["month"].isin(one.horizon.last_year) & one.marketing["activity"].isin(online)]
    assert board.loc["E-commerce", "return_"].startswith(f"{last['revenue'].sum() / last['spend'].sum():.2f} ")
    assert board.loc["E-commerce", "cost_per_customer"] == pytest.approx(last["spend"].sum() / last["new_customers"].sum())
    assert one.found.projects["return_"].str.contains(" to ").all()


def test_the_critical_path_is_funded_above_its_cost(made):
    # BUD-5: 120% of 480,000 yuan; whether it returns enough does not matter.
    for words, times in (({}, 1.2), ({"critical_funding": 1.0}, 1.0), ({"critical_funding": 1.5, "freeze_roi": 10.0}, 1.5)):
        one = made(**words).found.projects.set_index("project").loc["Dealer order portal"]
        assert (one["funding"], one["amount"]) == ("critical path", round(48_000_000 * times))
        assert one["response"] == 115_000_000


def test_another_project_may_shrink_where_the_whole_does_not_earn_its_place(made):
    # BUD-5, BUD-2: 800,000 yuan are left beside activities that cannot move; at 100% there is no smaller form.
    one, brought = made(freeze_roi=0.0), {}
    for share in (0.8, 1.0):
        parameters = one.parameters.model_copy(update={"other_funding": share})
        limits = one.limits.assign(floor=(one.free - 80_000_000) // 6, cap=(one.free - 80_000_000) // 6, group="")
        projects = budget.allocate(limits, one.projects, one.naive, one.spent, one.total, parameters).projects
        reduced = projects[projects["funding"] == "reduced"]
        assert (len(reduced) > 0) == (share < 1)
        assert reduced["amount"].tolist() == [round(asked * 0.8) for asked in reduced["asked"]]
        brought[share] = projects["response"].sum()
    assert brought[0.8] > brought[1.0]


def test_projects_are_chosen_anew_against_marketing(made):
    # BUD-2: what is chosen returns more than the next unit of marketing, what is not funded returns less; nothing is inherited.
    one = made(freeze_roi=0.0)
    free = one.found.activities.set_index("item")["marginal"][["Search", "Social"]].max()
    worth = one.projects.set_index("project").eval("response / cost")
    standing = funding(one)[[name for name in worth.index if name not in ("Customer data platform", "Filter reminders")]]

    assert (worth[standing[standing == "whole"].index] > 0.97 * free).all()
    assert (worth[standing[standing == "not funded"].index] < 1.03 * free).all()
    assert {"whole", "not funded"} <= set(standing)


def test_promotion_keeps_under_its_cap(made):
    # BUD-3: Livestream and Field promotion promote.
    promoting = ["Livestream", "Field promotion"]
    for cap in (0.25, 0.20):
        one = made(promotion_cap=cap)
        assert money(one)[promoting].sum() == int(one.total * cap), "the cap binds"
    wide = made(promotion_cap=1.0)
    assert 0.25 * wide.total < money(wide)[promoting].sum() < 0.5 * wide.total


def test_the_cost_ratio_caps_the_budget(made):
    # STR-1, BUD-1
    one = made(ratio_cap=0.10)
    assert one.total == round(one.target * 0.10)
    rules = budget.listed(one.total, one.target, one.found, one.limits, [], one.parameters).set_index("rule")
    assert rules.loc["marketing cost over revenue", "binds"] and rules.loc["marketing cost over revenue", "price"] > 1
    with pytest.raises(ValidationError):
        budget.Parameters(ratio_cap=0.21)


def test_marketing_grows_one_and_a_half_times_as_fast_as_revenue():
    # BUD-1: revenue +20% goes with marketing +30%.
    parameters = budget.Parameters()
    assert budget.aligned(1_000_000, 10_000_000, 12_000_000, parameters) == 1_300_000
    assert budget.aligned(1_000_000, 10_000_000, 12_000_000, budget.Parameters(marketing_per_growth=1.0)) == 1_200_000
    assert budget.aligned(0, 10_000_000, 12_000_000, parameters) is None


def test_the_scorecard_holds_all_money_that_is_not_reserved(made):
    # BUD-1
    one = made()
    card = budget.scorecard(one.found.projects, int(one.found.activities["amount"].sum()), one.total).set_index("perspective")

    assert list(card.index) == ["finance", "customer", "process", "learning"]
    assert card["amount"].sum() == one.total - one.found.reserve
    assert card.loc["learning", "amount"] == 22_000_000  # Installer training


@pytest.mark.parametrize("share", [0.70, 0.90])
def test_stars_have_their_share_and_never_less(made, share):
    # BUD-5, PRD-2: two stars that sell less than their share.
    one = made()
    portfolio = pd.DataFrame({"product": ["Aqua 600", "Pro 5000"], "quadrant": "star"})
    view = budget.by_product(10**9, one.plan, portfolio, share)

    assert view.share(["Aqua 600", "Pro 5000"]) == pytest.approx(share, abs=1e-8) and view.rules["binds"].all()
    assert view.share(["Aqua 600", "Pro 5000"]) >= share and view.plan["amount"].sum() == 10**9
    assert budget.by_product(10**9, one.plan, None, share) is None


def test_valuable_customers_have_their_share(made):
    # BUD-5: High value and Potential buy 65% here; by lifetime value only High value is above the mean.
    one = made()
    worth = pd.DataFrame({"segment": list(GROUPS), "clv": [900, 300, 200, 250], "customers": [10, 20, 40, 30]})

    assert budget.by_customer(10**9, one.segments, None, 0.8).share(["High value", "Potential"]) >= 0.8
    assert budget.by_customer(10**9, one.segments, None, 0.6).share(["High value", "Potential"]) == pytest.approx(0.65)
    assert budget.valuable(worth) == ["High value"]
    assert budget.by_customer(10**9, one.segments, worth, 0.8).share(["High value"]) >= 0.8


def test_advertising_in_holidays_keeps_under_its_share_of_their_sales(made):
    # TIM-6: February sells in its holidays only; at 5% they bear less than the year's rate.
    one = made()
    sold = one.months.set_index("month")["amount"]
    holidays = pd.DataFrame({"month": ["2026-02"], "sales": [int(sold["2026-02"])], "ad_share": [0.08]})
    spend = round(one.target * 0.07)
    none = pd.DataFrame({"month": [], "amount": []})
    plain = budget.by_month(spend, one.months, none, one.horizon, holidays)
    tight = budget.by_month(spend, one.months, none, one.horizon, holidays.assign(ad_share=0.05))

    assert plain.plan.set_index("month")["amount"]["2026-02"] / sold["2026-02"] == pytest.approx(0.07, abs=1e-6)
    assert tight.plan.set_index("month")["amount"]["2026-02"] / sold["2026-02"] == pytest.approx(0.05, abs=1e-6)
    assert tight.plan["amount"].sum() == spend


def test_closed_months_are_what_was_spent(made):
    # BUD-3: the first quarter of 2026 is spent, and no activity is planned below it.
    one = made("2026-03-31")
    paid = one.marketing[one.marketing["month"].between("2026-01", "2026-03")]
    floor = paid.groupby("activity")["spend"].sum()
    view = budget.by_month(int(one.found.activities["amount"].sum()), one.months, one.spent, one.horizon)
    quarters = budget.quarters(view.plan, one.horizon, one.months.assign(amount=0)).set_index("quarter")

    assert (money(one) >= floor[money(one).index]).all()
    assert view.plan.set_index("month")["amount"].head(3).tolist() == paid.groupby("month")["spend"].sum().tolist()
    assert quarters.loc["Q1", ["amount", "spent"]].tolist() == [paid["spend"].sum()] * 2
    assert quarters["spent"].tolist()[1:] == [0, 0, 0] and quarters["amount"].sum() == money(one).sum()
    assert (quarters["difference"] == quarters["amount"]).all()


def test_idle_hours_over_the_line_are_flagged(made):
    # BUD-6: a fifth and more is idle in four provinces, nowhere else more than an eighth.
    chapter = made().chapter
    staff, sold, day = chapter.tables.get("staff"), chapter.last_twelve("region"), pd.Timestamp("2025-12-31")
    flagged = {line: set(budget.hours(staff, sold, day, line).query("flag != ''")["region"]) for line in (0.15, 0.0, 0.5)}

    assert flagged[0.15] == {"Heilongjiang", "Shanxi", "Tibet", "Qinghai"}
    assert len(flagged[0.0]) == 32 and not flagged[0.5]


def test_days_of_stock_over_their_limit_are_flagged(made):
    # BUD-6: 30 days for fast goods, 90 for durable ones.
    chapter = made().chapter
    sold = chapter.orders("product", months=chapter.horizon.last_twelve[-3:])
    stock, days = chapter.tables.get("inventory"), budget.days_of(chapter.horizon.last_twelve[-3:])
    usual = budget.stock(stock, sold, days, 30, 90).set_index("product")
    over = usual["days"] > usual["kind"].map({"fast": 30, "durable": 90})

    assert days == 92 and set(usual["kind"]) == {"fast", "durable"}
    assert ((usual["flag"] != "") == over).all() and over.any() and not over.all()
    assert (budget.stock(stock, sold, days, 1, 1)["flag"] != "").all()


@pytest.mark.parametrize(
    "words",
    [
        {"reserve_share": 0.09}, {"reserve_share": 0.16}, {"marketing_ratio": 0.21}, {"promotion_cap": 0.0},
        {"critical_funding": 0.9}, {"other_funding": 1.1}, {"star_share": 0.4}, {"customer_share": 1.1}, {"freeze_roi": -1.0},
        {"idle_line": 1.5}, {"fast_days": 0}, {"durable_days": 0}, {"variance_line": -0.1},
        {"report_hours": 0}, {"marketing_per_growth": 6.0}, {"least_change": 1.5}, {"most_change": 0.5},
    ],
)  # fmt: skip
def test_the_books_bounds_hold(words):
    with pytest.raises(ValidationError):
        budget.Parameters(**words)


# Numbers of the book that other tests do not move on the sample -------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.08, 0.12, 0.20])
def test_the_budget_is_its_share_of_the_target(made, ratio):
    one = made(marketing_ratio=ratio)  # STR-1, BUD-1
    assert one.total == round(one.target * ratio)


@pytest.mark.parametrize("times", [1.0, 1.5, 2.0])
def test_the_samples_marketing_grows_with_its_revenue(made, times):
    # BUD-1: revenue grows 30%, marketing by that times the parameter.
    one = made(marketing_per_growth=times)
    last = int(one.last["amount"].sum())
    spent = int(one.marketing.loc[one.marketing["month"].isin(one.horizon.last_year), "spend"].sum())

    assert budget.aligned(spent, last, one.target, one.parameters) == pytest.approx(spent * (1 + 0.3 * times), rel=1e-6)


def test_an_activity_stays_within_its_change_of_last_year(made):
    # BUD-2: half to twice what it spent, grown as the free money is; nearer bounds hold it nearer.
    usual, near = made(freeze_roi=0.0), made(freeze_roi=0.0, least_change=0.9, most_change=1.2)
    for one in (usual, near):
        limits = one.limits.set_index("item")
        assert (money(one) >= limits["floor"]).all() and (money(one) <= limits["cap"]).all()
    wide, tight = (one.limits.set_index("item").eval("cap / floor") for one in (usual, near))
    assert (tight < wide).all() and near.limits["floor"].sum() > usual.limits["floor"].sum()


@pytest.mark.parametrize(("line", "hours", "due"), [(0.05, 48, "2026-04-02"), (0.05, 24, "2026-04-01"), (0.12, 48, "")])
def test_spend_of_the_sample_off_its_plan_is_reported_in_time(made, line, hours, due):
    # BUD-6: every month spent 10% more than a plan in force that is made here.
    one = made("2026-03-31", variance_line=line, report_hours=hours)
    spent = one.marketing[one.marketing["month"].isin(one.horizon.closed)].groupby("month", as_index=False)["spend"].sum()
    spent = spent.rename(columns={"spend": "amount"})
    planned = spent.assign(amount=(spent["amount"] / 1.1).round().astype("int64"))
    sold = one.chapter.booked("month")
    day, asked = pd.Timestamp(one.horizon.as_of), one.parameters
    closed = budget.covered(one.marketing, one.horizon).window("closed months", one.horizon.closed)
    found = budget.variance(spent, planned, sold, sold, closed, asked.variance_line, asked.report_hours, day)

    assert found["report_by"].tolist() == [due] * 3
    assert found["variance"].tolist() == pytest.approx([0.1] * 3, abs=1e-6)


@pytest.mark.parametrize(("fast", "durable"), [(30, 90), (15, 90), (30, 45)])
def test_days_of_stock_are_held_against_the_limit_of_their_kind(made, fast, durable):
    one = made()
    quarter = one.horizon.last_twelve[-3:]
    sold = one.chapter.orders("product", months=quarter)
    found = budget.stock(one.chapter.tables.get("inventory"), sold, budget.days_of(quarter), fast, durable).set_index("product")
    daily = sold.set_index("product")["cost"] / 92

    # BUD-6: value over what a day's sales cost; 30 days for fast goods, 90 for durable ones.
    for name, row in found.iterrows():
        limit = fast if row["kind"] == "fast" else durable
        assert row["limit"] == limit
        assert (row["flag"] != "") == (row["stock_value"] / daily[name] > limit)
