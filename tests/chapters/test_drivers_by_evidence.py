"""Drivers asked of made companies' pasts: where one is true it counts, where it is noise or the opposite it does not.

What each company does is made here with a seed, never by the driver: heads of customers, launches, newcomers and what follows.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from planlib import plan as tables
from planlib.chapters import channel, customer, product, region
from planlib.errors import ParameterError
from planlib.estimates import shares
from planlib.estimates.evidence import Evidence
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon, months

HORIZON = Horizon(2026, 1, date(2025, 12, 31))
YEARS = range(2018, 2026)
NONE = Evidence(0.0, -0.2, 0.2, 0.0, 3, 3.0, 0.01, "")
COMPANY = tables.company(1_000_000)


class Made:
    """The tables of a made company, summed as the run's own would be: orders have a day, region, customer, amount."""

    def __init__(self, orders: pd.DataFrame, **others: pd.DataFrame) -> None:
        self.lines = orders.assign(month=orders["day"].dt.strftime("%Y-%m"), order=range(len(orders)))
        self.others = others

    def get(self, name: str) -> pd.DataFrame | None:
        return self.others.get(name)

    def orders(self, by, since="0000", until="9999", groups=None) -> pd.DataFrame:
        kept = self.lines[self.lines["month"].between(since, until)].assign(product="p", channel="all")
        kept = kept if groups is None else kept.merge(groups, on="customer")
        return kept.groupby(list(by), sort=True)["amount"].sum().reset_index()

    def customers(self, until: str) -> pd.DataFrame:
        kept = self.lines[self.lines["day"] <= until]
        found = kept.groupby("customer").agg(first=("day", "min"), last=("day", "max"), orders=("order", "size"),
                                             amount=("amount", "sum"), days=("day", "nunique")).reset_index()  # fmt: skip
        later = kept[kept["day"] > kept["customer"].map(found.set_index("customer")["first"])]
        return found.assign(repeat_amount=found["customer"].map(later.groupby("customer")["amount"].sum()).fillna(0))


# REG-1 reach -----------------------------------------------------------------------------------------------------------


def heads_and_sales(follows: float) -> Made:
    """Eight regions whose number of customers is drawn anew around their sales each year; sales go `follows` of the way there.

    Every customer buys in each quarter, in its region alone, and is not seen again after its year.
    """
    rng, rows = np.random.default_rng(4), []
    share = rng.dirichlet(np.full(8, 30.0))
    for year in YEARS:
        heads = np.maximum(5, np.round(400 * share * np.exp(0.5 * rng.normal(size=8)))).astype(int)
        for place in range(8):
            each = 4e8 * share[place] / heads[place] / 4
            rows += [
                (pd.Timestamp(year, month, 15), f"R{place}", f"{year}-{place}-{number}", round(each))
                for number in range(heads[place])
                for month in (2, 5, 8, 11)
            ]
        share = share + follows * (heads / heads.sum() - share) + 0.004 * rng.normal(size=8) * np.sqrt(8 * share)
        share = np.clip(share, 0.01, None) / np.clip(share, 0.01, None).sum()
    return Made(pd.DataFrame(rows, columns=["day", "region", "customer", "amount"]))


REACH = {"reach_weight": 0.3, "dormant_counts": 0.0}


def reach_of(follows: float) -> tuple[Evidence, Made]:
    made = heads_and_sales(follows)
    sold = made.orders(["region", "month"])
    return region.replayed(made, sold, HORIZON, region.Parameters(**REACH))["reach"], made


def test_reach_counts_where_sales_follow_the_heads():
    true, none, against = (reach_of(follows)[0] for follows in (0.25, 0.0, -0.25))

    assert true.counted > 0.7 and true.low > 0  # what shares that follow the heads do by themselves is expected already
    assert none.counted < 0.2
    assert against.counted == 0.0 and "the reverse came" in against.says()


def test_the_bridge_shows_what_counts():
    _, made = reach_of(0.0)
    reach, sold = region.reached(made, HORIZON, region.Parameters(**REACH)), made.orders(["region", "month"])
    expected = shares.expected(sold, "region", HORIZON).shares
    last = made.orders(["region"], since="2025-01")
    half = Evidence(0.5, 0.3, 0.7, 0.5, 3, 3.0, 0.01, "")
    found = {}
    for name, past, counts in (
        ("full", None, {}),
        ("half", half, {}),
        ("stated", half, {"reach": "stated"}),
        ("none", NONE, {}),
    ):
        parameters = region.Parameters(**REACH, counts=counts)
        given = None if past is None else {"reach": past}
        found[name] = region.drivers(COMPANY, last, expected, parameters, None, reach, past=given)
    effects = {name: each.frame.set_index("region")["reach_effect"].sort_index() for name, each in found.items()}

    assert effects["full"].abs().sum() > 0.02
    assert effects["half"].to_numpy() == pytest.approx(0.5 * effects["full"].to_numpy())
    assert effects["stated"].to_numpy() == pytest.approx(effects["full"].to_numpy())
    assert effects["none"].abs().max() < 1e-12
    frame = found["half"].frame
    assert frame[["last_year_share", *found["half"].effects]].sum(axis=1).to_numpy() == pytest.approx(
        frame["weight"].to_numpy()
    )
    row = found["half"].sources.set_index("driver").loc["reach"]
    assert row["asked_points"] == pytest.approx(effects["full"].abs().sum() / 2)
    assert (row["kind"], row["counted"], row["origins"]) == ("claim", 0.5, 3)


# REG-5 team, REG-3 attainment --------------------------------------------------------------------------------------------


def newcomers(costs: float) -> tuple[Made, pd.DataFrame]:
    """Eight regions of ten people; half of the regions, drawn each year, renew theirs in December and lose `costs` for good."""
    rng, rows, staff = np.random.default_rng(6), [], []
    size, since = np.arange(1.0, 9.0), [date(2010, 1, 1)] * 8
    for year in YEARS:
        fresh = rng.permutation(8) < 4
        for place in range(8):
            size[place] *= (1 - costs * fresh[place]) * rng.lognormal(0, 0.02)
            rows += [(pd.Timestamp(f"{month}-15"), f"R{place}", "all", round(1e6 * size[place])) for month in months(year)]
            if fresh[place]:
                staff += [(f"R{place}", since[place], date(year - 1, 11, 30))] * 10
                since[place] = date(year - 1, 12, 1)
    staff += [(f"R{place}", since[place], None) for place in range(8)] * 10
    people = pd.DataFrame(staff, columns=["region", "hired", "left"])
    orders = pd.DataFrame(rows, columns=["day", "region", "customer", "amount"])
    return Made(orders, staff=people), orders


def test_newcomers_are_a_decision_that_counts_in_full_and_the_past_is_told():
    # REG-5 takes ten in a hundred off a region of newcomers: all of that came, none, or as much more.
    found = {}
    for name, costs in (("true", 0.10), ("noise", 0.0), ("opposite", -0.10)):
        made, _ = newcomers(costs)
        found[name] = region.replayed(made, made.orders(["region", "month"]), HORIZON, region.Parameters())["team"]

    assert found["true"].counted > 0.8 and found["noise"].counted < 0.2 and found["opposite"].counted == 0.0
    team = pd.DataFrame({"region": ["A", "B"], "newcomers": [0.6, 0.1]})
    last = pd.DataFrame({"region": ["A", "B"], "amount": [50, 50]})
    expected = pd.DataFrame({"region": ["A", "B"], "share": [0.5, 0.5]})
    given = {"team": found["opposite"]}
    full = region.drivers(COMPANY, last, expected, region.Parameters(), team=team, past=given)
    by_past = region.drivers(COMPANY, last, expected, region.Parameters(counts={"team": "evidence"}), team=team, past=given)

    # REG-5: .5 x .9 beside .5, stated in full; by evidence nothing of it.
    assert full.frame.set_index("region").loc["A", "weight"] == pytest.approx(0.45 / 0.95)
    assert by_past.frame.set_index("region").loc["A", "weight"] == pytest.approx(0.5)
    assert full.says()[0].startswith("Team (REG-5) is a decision and counts in full: it moves 2.6 points of share off")


def test_over_achievers_are_replayed_where_three_years_of_targets_lie_before():
    # R0 beats every target, and gains 15% on the others in every year: the uplift asks for what comes.
    rng, rows = np.random.default_rng(2), []
    for year in YEARS:
        for place in range(6):
            level = 1.15 ** (year - 2018) if place == 0 else 1.0
            rows += [
                (pd.Timestamp(f"{month}-15"), f"R{place}", "all", round(1e6 * level * rng.lognormal(0, 0.02)))
                for month in months(year)
            ]
    orders = pd.DataFrame(rows, columns=["day", "region", "customer", "amount"])
    asked = orders.assign(year=orders["day"].dt.year).groupby(["year", "region"])["amount"].sum().reset_index()
    asked["amount"] = (asked["amount"] / np.where(asked["region"] == "R0", 1.1, 1.0)).round()
    made = Made(orders, targets=asked)
    sold = made.orders(["region", "month"])
    found = region.replayed(made, sold, HORIZON, region.Parameters())["attainment"]

    # Three years lie before 2021 and each start after it.
    assert found.tested and found.origins == 8 - 3
    young = region.replayed(made, sold[sold["month"] >= "2023-06"], HORIZON, region.Parameters())["attainment"]
    assert young.says() == "Not testable: no past date has what it is made of."


# PRD-1 stage -------------------------------------------------------------------------------------------------------------


def launches(gain: float) -> pd.DataFrame:
    """Ten steady products and two launched each May, which from the January after sell `gain` more or less than before."""
    rng, rows = np.random.default_rng(8), []
    starts = {f"old{place}": "2000-01" for place in range(10)}
    starts |= {f"new{year}{side}": f"{year}-05" for year in range(2019, 2026) for side in "ab"}
    for name, start in starts.items():
        size, step = 1e6 * rng.uniform(0.5, 1.5), 1.0 + gain
        for year in YEARS:
            rows += [
                (name, month, round(size * (step if year > int(start[:4]) else 1.0) * rng.lognormal(0, 0.03)))
                for month in months(year)
                if month >= start
            ]
    return pd.DataFrame(rows, columns=["product", "month", "amount"])


def test_the_stage_counts_where_launches_still_spread():
    # PRD-1: the factor of an introduction is 1.2.
    parameters = product.Parameters(stage_factor={"introduction": 1.2, "growth": 1.0, "maturity": 1.0, "decline": 1.0})
    true, none, against = (product.replayed(launches(gain), parameters, HORIZON)["stage"] for gain in (0.2, 0.0, -0.2))

    assert true.counted > 0.8 and none.counted < 0.2
    assert against.counted == 0.0 and against.says().startswith("Opposite")


def test_an_exit_counts_in_full_whatever_the_stage_was_worth():
    # PRD-1: two products alike, one ends in June of twelve alike months: half of its half, .25 beside .5.
    table = pd.DataFrame(
        [(n, m, 100) for n in "AB" for m in [*months(2024), *months(2025)]], columns=["product", "month", "amount"]
    )
    everywhere = table.assign(region="E")
    parameters = product.Parameters(exits={"A": "2026-06"})
    staged = product.stages(table, parameters, HORIZON)
    trend = shares.expected(everywhere, "product", HORIZON, ("region",))
    plan = pd.DataFrame({"region": ["E"], "amount": [100]})
    last = everywhere[everywhere["month"] >= "2025-01"][["region", "product", "amount"]]
    found = product.drivers(plan, last, trend, staged, parameters, HORIZON, past={"stage": NONE})

    assert found.frame.set_index("product").loc["A", "weight"] == pytest.approx(0.25 / 0.75)
    assert found.sources.set_index("driver")["kind"].to_dict() == {"trend": "expected", "stage": "claim", "on_sale": "decision"}


# CUS-3 lifetime ----------------------------------------------------------------------------------------------------------


def cohorts(power: float) -> Made:
    """Customers won in waves, who buy by chance and leave by chance, as BG/NBD has it (Fader, Hardie and Lee 2005).

    What the customers of earlier years bring beside the new ones is scaled: to the power 0 the model is true, at 1 it is the
    same in every year whatever the models promise, at 2 it falls where they promise more.
    """
    rng, bought = np.random.default_rng(12), []
    for wave in range(2016, 2026):
        for number in range(300 if wave % 3 == 0 else 90):
            day = pd.Timestamp(wave, 1, 1) + pd.Timedelta(days=int(rng.integers(0, 365)))
            size, leaves, pause = rng.gamma(6, 1 / 6), rng.beta(1, 8), 20 / rng.gamma(1.5, 1 / 1.5)
            while day <= pd.Timestamp(2025, 12, 31):
                bought.append((day, "E", f"{wave}-{number}", size * rng.gamma(20, 1 / 20)))
                if rng.random() < leaves:
                    break
                day = day + pd.Timedelta(days=1 + int(rng.exponential(pause)))
    lines = pd.DataFrame(bought, columns=["day", "region", "customer", "amount"])
    year = lines["day"].dt.year
    old = lines["customer"].str[:4].astype(int) < year
    sums = lines.groupby([year, old])["amount"].sum().unstack().clip(lower=1e-9)
    ratio = sums[True] / sums[False]
    scale = (ratio / ratio.loc[2018:].median()) ** -power
    lines["amount"] = (1e4 * lines["amount"] * np.where(old, year.map(scale), 1.0)).round().astype("int64")
    return Made(lines)


@pytest.mark.parametrize(("power", "least", "most"), [(0.0, 0.8, 1.0), (1.0, 0.0, 0.2), (2.0, 0.0, 0.0)])
def test_lifetime_counts_where_customers_do_what_the_model_says(power, least, most):
    made = cohorts(power)
    everyone = made.orders(["customer"])
    seen = customer.known(Coverage.of(made.lines["month"], "2025-12"), everyone, HORIZON)
    found = customer.replayed(made, HORIZON, everyone, seen, customer.Parameters())

    assert least <= found.counted <= most, found.says()


# The sample --------------------------------------------------------------------------------------------------------------


def test_the_sample_is_asked_what_has_a_past_and_told_what_has_none(open_sample):
    # Orders from 2023 on, as of the end of 2025: seven quarters' starts; markets have no dates, targets begin in 2023.
    chapter = open_sample("02-region")
    found = region.replayed(chapter.tables, chapter.orders("region", "month"), chapter.horizon, chapter.parameters)

    assert {name for name, each in found.items() if each.tested} == {"reach", "team"}
    assert found["reach"].origins == 7 and found["reach"].years == 2.0 and found["reach"].low < found["reach"].high
    assert found["maturity"].says() == "Not testable: its table shows today only."
    assert found["attainment"].says() == "Not testable: no past date has what it is made of."


# Every chapter -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [region.Parameters, product.Parameters, channel.Parameters, customer.Parameters])
def test_counts_are_evidence_or_stated(parameters):
    with pytest.raises(ValueError, match="evidence"):
        parameters(counts={"reach": "half"})


def test_a_driver_that_is_not_there_is_refused_with_the_nearest_name():
    expected = pd.DataFrame({"region": ["A"], "share": [1.0]})
    last = pd.DataFrame({"region": ["A"], "amount": [1]})
    with pytest.raises(ParameterError, match=r"counts: found 'reech' \(nearest: 'reach'\)"):
        region.drivers(COMPANY, last, expected, region.Parameters(counts={"reech": "stated"}))
    with pytest.raises(ParameterError, match="counts: found 'trend', which is no driver of this chapter"):
        region.drivers(COMPANY, last, expected, region.Parameters(counts={"trend": "stated"}))
