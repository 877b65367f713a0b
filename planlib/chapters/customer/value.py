"""What a customer of each group is still worth (CUS-3)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.chapters.customer.parameters import Parameters
from planlib.chapters.customer.profile import SEGMENTS
from planlib.errors import PlanError
from planlib.estimates import lifetime
from planlib.estimates.windows import Window
from planlib.plan import AMOUNT

MONTH = 365.25 / 12  # days
NINE_IN_TEN = 1.645
# Pearson's r above which Gamma-Gamma's independence of value and frequency does not hold well.
INDEPENDENT = 0.10


@dataclass(frozen=True)
class Worth:
    """Lifetime value by group (CUS-3), and how it was found.

    table    segment, customers, alive (share), purchases (expected in twelve months, each), clv (minor units per customer, of
             `clv_months`, discounted), clv_low and clv_high (nine in ten, of the models' parameters; missing without a model)
    models   the two fitted models, or None where history cannot tell them
    note     one sentence for the reader: correlation, or why there is no model
    """

    table: pd.DataFrame
    models: tuple[lifetime.Purchases, lifetime.Spend] | None
    note: str


def history(customers: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Customers as the models see them on `day` (CUS-3): x, t_x, T (days), m (minor units).

    customers: first, last (dates), days (distinct days of purchase), repeat_amount (net of orders after the first day).
    """
    x = customers["days"] - 1
    return pd.DataFrame(
        {
            "x": x,
            "t_x": np.where(x > 0, (customers["last"] - customers["first"]).dt.days, 0),
            "T": (day - customers["first"]).dt.days + 1,
            "m": (customers["repeat_amount"] / x.where(x > 0)).fillna(0.0).clip(lower=0.0),
        }
    )


def worth(customers: pd.DataFrame, day: pd.Timestamp, parameters: Parameters, recent: Window) -> Worth:
    """Lifetime value by group (CUS-3): BG/NBD for how often, Gamma-Gamma for how much; `customers`, see `people`.

    Every customer counts once. The value of New is that of a customer on its first day: its first purchase and what follows.
    Without 50 repeaters, or without a peak of the likelihood, a group's value is its last twelve months' revenue a customer,
    without interval; where these (`recent`) are not known in full, no value is known.
    """
    if customers.empty:
        nobody = pd.DataFrame({"segment": ["All"], "customers": [0], "clv": [0]})
        return Worth(nobody, None, "Lifetime values are left out, as the orders name no customer.")
    if not recent.whole:
        sizes = customers.groupby("segment").agg(customers=("customer", "size")).reset_index()
        note = f"Lifetime values are not known: {recent.says()}, and they need twelve months."
        return Worth(sizes.assign(clv=float("nan")), None, note)
    seen = history(customers, day)
    try:
        models = lifetime.purchases(seen), lifetime.spend(seen)
    except PlanError as fault:
        return _plain(customers, str(fault))
    model, pays = models
    first = float((customers[AMOUNT] - customers["repeat_amount"]).clip(lower=0).mean())
    fresh = pd.DataFrame({"x": [0], "t_x": [0], "T": [0], "m": [0.0]})

    def valued(rows: pd.DataFrame, months: int) -> np.ndarray:
        return lifetime.value(model, pays, rows, months, parameters.clv_discount, MONTH)

    rows = []
    for name in [*SEGMENTS, "All"]:
        here = seen[(customers["segment"] == name).to_numpy()] if name != "New" else fresh
        if here.empty:
            continue
        start = first if name == "New" else 0.0
        each = float(valued(here, parameters.clv_months).mean()) + start
        error = _error(model, pays, here, parameters.clv_months)
        in_a_year = model.conditional(12 * MONTH, here["x"], here["t_x"], here["T"])
        alive = float(model.alive(here["x"], here["t_x"], here["T"]).mean())
        count = int((customers["segment"] == name).sum())
        swing = float(np.exp(NINE_IN_TEN * error))
        rows.append((name, count, alive, float(in_a_year.mean()), each, each / swing, each * swing))
    columns = ["segment", "customers", "alive", "purchases", "clv", "clv_low", "clv_high"]
    table = pd.DataFrame(rows, columns=columns)
    table[["clv", "clv_low", "clv_high"]] = table[["clv", "clv_low", "clv_high"]].round().astype("int64")
    return Worth(table, models, _note(model, pays))


def backtest(then: pd.DataFrame, since: pd.DataFrame, past: pd.Timestamp, day: pd.Timestamp, told: bool = True) -> list[str]:
    """What a fit at the start of last year foretold, beside what came (CUS-3): a sentence, or none without a fit.

    then, since: customers (see Tables.customers) as of the day before `past` and before `day`; told: the year between them and
    the one before are known in full.
    """
    if not told:
        return []
    seen = history(then, past)
    try:
        model = lifetime.purchases(seen)
    except PlanError:
        return []
    foretold = float(model.conditional(float((day - past).days), seen["x"], seen["t_x"], seen["T"]).sum())
    came = int(then["customer"].map(since.set_index("customer")["days"]).sum() - then["days"].sum())
    if not came:
        return []
    off = f"{abs(foretold / came - 1):.0%}"
    said = "as foretold" if off == "0%" else f"so it was {off} too {'high' if foretold > came else 'low'}"
    return [
        f"Fitted on what was known before {past:%Y-%m}, the same model foretold {foretold:,.0f} days of purchase up to "
        f"{day - pd.DateOffset(months=1):%Y-%m} for the customers then known; {came:,} came, {said}."
    ]


def drift(
    found: Worth, now: pd.DataFrame, then: pd.DataFrame, day: pd.Timestamp, past: pd.Timestamp, told: bool = True
) -> pd.DataFrame:
    """How much more today's groups promise than last year's did at its start (CUS-3): segment, factor; for the weights.

    now, then: customers with their segment at the two starts; the same models value both. New stays as it was, and everything
    does without models, or where the groups at last year's start are not known (not `told`).
    """
    if found.models is None or not told:
        return pd.DataFrame({"segment": sorted(set(found.table["segment"])), "factor": 1.0})
    model, pays = found.models
    sums = []
    for rows, at in ((now, day), (then, past)):
        seen = history(rows, at)
        promise = model.conditional(12 * MONTH, seen["x"], seen["t_x"], seen["T"]) * pays.mean(seen["x"], seen["m"])
        sums.append(pd.Series(promise).groupby(rows["segment"].to_numpy()).sum())
    factor = (sums[0] / sums[1].where(sums[1] > 0)).reindex(SEGMENTS)
    factor["New"] = 1.0
    return factor.fillna(1.0).clip(0.25, 4.0).rename("factor").rename_axis("segment").reset_index()


def _error(model: lifetime.Purchases, pays: lifetime.Spend, here: pd.DataFrame, months: int) -> float:
    """Standard error of the log of a group's mean value; discount moves it too little to matter."""

    def mean(a: lifetime.Purchases, b: lifetime.Spend) -> lifetime.Array:
        bought = a.conditional(months * MONTH, here["x"].to_numpy(), here["t_x"].to_numpy(), here["T"].to_numpy())
        return np.array([(bought * b.mean(here["x"].to_numpy(), here["m"].to_numpy())).mean()])

    return float(lifetime.spread(model, pays, mean)[0])


def _note(model: lifetime.Purchases, pays: lifetime.Spend) -> str:
    told = (
        f"{model.repeaters:,} of {model.customers:,} customers bought again; value and frequency correlate by "
        f"{pays.correlation:.2f}, which the model takes for 0"
    )
    if abs(pays.correlation) <= INDEPENDENT:
        return f"{told}: near enough."
    side = "low" if pays.correlation > 0 else "high"
    return f"{told}: the value of frequent buyers is told too {side}, rank groups by it rather than add it up."


def _plain(customers: pd.DataFrame, fault: str) -> Worth:
    found = customers.groupby("segment").agg(customers=("customer", "size"), clv=("recent", "mean")).reset_index()
    found["clv"] = found["clv"].clip(lower=0).round().astype("int64")
    why = fault.removeprefix("lifetime: ").rstrip(".")
    return Worth(found, None, f"Lifetime values are the last twelve months' revenue a customer, as no model fits ({why}).")
