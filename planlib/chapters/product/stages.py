"""Where each product stands in its life, and what that does to its weight (PRD-1)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planlib import periods
from planlib.chapters.members import refuse
from planlib.drivers import Driver, Drivers, Kind, build
from planlib.estimates.evidence import UNTESTED, Evidence
from planlib.estimates.pauses import missed
from planlib.estimates.replay import Origin, Replay
from planlib.estimates.shares import Expected
from planlib.estimates.windows import Coverage, a_year_before, like_for_like, span_of
from planlib.periods import Horizon
from planlib.plan import AMOUNT

UNKNOWN = "not known"
# Months known in both years that a growth is told from, at least.
LEAST_COMPARED = 3
KINDS: dict[str, Kind] = {"stage": "claim", "on_sale": "decision"}
STATED = Evidence(why="an exit is stated for this plan")


def stages(
    history: pd.DataFrame,
    parameters: Any,
    horizon: Horizon,
    products: pd.DataFrame | None = None,
    coverage: Coverage | None = None,
    ends: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Each product's life-cycle stage from its orders (PRD-1).

    Parameters
        history   product, month, amount (minor units, all months there are), and where known returned (minor units, negative)
        products  product, launched (day), where known: what sold before its launch was a test
        coverage  the months that the orders cover; those of the history by default
        ends      last months that are stated, `exits` among them; those by default
    Introduction: on sale for less than `introduction_months`; exit: named in `exits` up to the plan year's end, or nothing
    sold in `silent_months` months in which it sold a year before; growth and decline: the last twelve months over the twelve
    before, relative to the company's products that were there in both and still sell, beyond the lines; maturity: the rest.
    Growth is taken over the months that are known in both years since the product's own start, a quarter at least; a product
    of which neither its start nor its growth is known has the stage "not known".
    Returns product, first_month (of the launch, else of the first sale), start_known (bool: not merely the first month there
    is), last_twelve (minor units), growth (over the same months a year before, missing where not known), compared (months),
    pace (growth less the company's, points), pace_before (the same a year earlier), stage, sold_months (known ones of the last
    twelve since the first), last_month (the last one on the market; empty while no end is set).
    Raises ParameterError for an exit of a product without orders.
    """
    ends = parameters.exits if ends is None else ends
    if ends is parameters.exits:
        refuse("exits", ends, set(history["product"]), "product of the orders")
    as_of = horizon.until
    coverage = Coverage.of(history["month"], as_of) if coverage is None else coverage
    months = span_of(min(coverage.first or as_of, *horizon.last_twelve), as_of)
    net = history.pivot_table(index="product", columns="month", values=AMOUNT, aggfunc="sum", fill_value=0)
    net = net.reindex(columns=months, fill_value=0)
    gross = history[AMOUNT] - history["returned"] if "returned" in history else history[AMOUNT]
    sold = history[gross > 0].groupby(["product", "month"]).size().unstack(fill_value=0) > 0
    sold = sold.reindex(index=net.index, columns=months, fill_value=False)

    frame = _started(sold, products, coverage, horizon)
    frame["last_twelve"] = net[horizon.last_twelve].sum(axis=1).astype("int64")
    known = [coverage.since(first) for first in frame["first_month"]]
    told = [month in coverage.window("all", months).known for month in months]
    silent = missed(sold.to_numpy() | ~np.array(told)[None, :], len(horizon.months)) >= parameters.silent_months
    silent |= ~sold.to_numpy().any(axis=1)
    frame["growth"], frame["compared"], frame["pace"] = _pace(net, known, silent, horizon.last_twelve)
    frame["pace_before"] = _pace(net, known, silent, a_year_before(horizon.last_twelve))[2]
    leaving = [ends.get(name, "9999-99") <= horizon.months[-1] for name in frame.index]
    age = [periods.between(first, as_of) for first in frame["first_month"]]
    young = (np.array(age) < parameters.introduction_months) & frame["start_known"].to_numpy()
    pace = frame["pace"]
    frame["stage"] = np.select(
        [
            silent | np.array(leaving),
            young,
            pace.isna().to_numpy(),
            (pace > parameters.growth_line).to_numpy(),
            (pace < parameters.decline_line).to_numpy(),
        ],
        ["exit", "introduction", UNKNOWN, "growth", "decline"],
        default="maturity",
    )
    frame["sold_months"] = [max(1, len(each.window("last", horizon.last_twelve).known)) for each in known]
    ended = sold.iloc[:, ::-1].idxmax(axis=1).where(silent, "")
    frame["last_month"] = [ends.get(name, ended[name]) for name in frame.index]
    return frame.rename_axis("product").reset_index()


def says(staged: pd.DataFrame, listed: Any) -> list[str]:
    """What is not known of the stages, or known for part of a year only, in sentences; `listed` writes a list of names."""
    told = []
    part = staged[(staged["compared"] > 0) & (staged["compared"] < 12) & staged["pace"].notna()]
    if len(part):
        few, many = int(part["compared"].min()), int(part["compared"].max())
        span = f"{few}" if few == many else f"{few} to {many}"
        told.append(
            f"Less than two whole years are known of {listed(sorted(part['product']))}: growth is over the {span} months that "
            "are known in both."
        )
    unknown = sorted(staged.loc[staged["stage"] == UNKNOWN, "product"])
    if unknown:
        told.append(
            f"The stage of life of {listed(unknown)} is not known: it needs the day of the launch, or {12 + LEAST_COMPARED} "
            "months of sales."
        )
    return told


def starts(staged: pd.DataFrame) -> dict[str, str]:
    """Each product's first month on the market, for `estimates.shares.expected`."""
    return dict(zip(staged["product"], staged["first_month"], strict=True))


def on_sale(staged: pd.DataFrame, horizon: Horizon, season: pd.DataFrame | None = None) -> pd.DataFrame:
    """The part of a product's open months, by what it sells in them, before its exit (PRD-1): product, factor 0-1.

    `season`: product, month, weight (see `estimates.season`); months count alike without it, or where it has no weight.
    """
    ahead = pd.DataFrame({"month": horizon.open, "weight": 1.0}).set_index("month")["weight"]
    given = {} if season is None else {name: part.set_index("month")["weight"] for name, part in season.groupby("product")}
    factors = []
    for name, end in zip(staged["product"], staged["last_month"], strict=True):
        weight = given[name].reindex(horizon.open).fillna(0.0) if name in given else ahead
        weight = weight if weight.sum() > 0 else ahead
        left = float(weight[[month for month in horizon.open if month <= end]].sum()) if end else float(weight.sum())
        factors.append(left / float(weight.sum()) if horizon.open else float(not end or end > horizon.until))
    return pd.DataFrame({"product": staged["product"], "factor": factors})


def drivers(
    regions: pd.DataFrame,
    last_year: pd.DataFrame,
    expected: Expected,
    staged: pd.DataFrame,
    parameters: Any,
    horizon: Horizon,
    season: pd.DataFrame | None = None,
    past: Mapping[str, Evidence] | None = None,
    lives: Driver | None = None,
) -> Drivers:
    """From last year's share of each product to its weight: trend, stage, exit (PRD-1).

    Parameters
        regions    plan table by region
        last_year  region, product, amount (minor units)
        expected   shares of products within each region; a launch's part of a year counts there as a whole one
        staged     of `stages`
        season     product, month, weight: what the months before an exit are worth
        past       what the past says of the stage, see `replayed`; without, it counts as stated
        lives      what openings and closings make of the expected shares, exits among them, where there are any
    The stage is a claim of ours and counts by evidence, an exit in full, but where the parameter `counts` says otherwise.
    Raises ParameterError for a name in `counts` that is no driver.
    """
    refuse("counts", parameters.counts, KINDS, "driver of this chapter")
    found = {"stage": UNTESTED, **(past or {}), "on_sale": STATED}

    def moved(name: str, source: str, values: pd.DataFrame) -> Driver:
        return Driver(name, source, "PRD-1", values, 1.0, KINDS[name], parameters.counts.get(name), found[name])

    if lives is not None:  # they hold the exits that lie ahead
        staged = staged.assign(last_month=staged["last_month"].mask(staged["last_month"] > horizon.until, ""))
    return build(
        regions,
        "product",
        last_year,
        [
            Driver("trend", "orders", "PRD-1", expected.shares, kind="expected"),
            *([] if lives is None else [lives]),
            moved("stage", "parameter stage_factor", _by_stage(staged, parameters)),
            moved("on_sale", "parameter exits, orders: last sale", on_sale(staged, horizon, season)),
        ],
    )


def replayed(
    history: pd.DataFrame, parameters: Any, horizon: Horizon, products: pd.DataFrame | None = None
) -> dict[str, Evidence]:
    """What the company's past says of the stage (PRD-1): each product's stage as its orders told it at past dates.

    history, products: see `stages`. A launch is known from its day on; exits are those that had been seen.
    """
    kept = [name for name in ("product", "month", AMOUNT, "returned") if name in history]
    sold = history[kept].groupby(["product", "month"], sort=True).sum().reset_index()
    none = parameters.model_copy(update={"exits": {}})

    def stage(origin: Origin) -> pd.DataFrame:
        before = sold[sold["month"] <= origin.known.until]
        return _by_stage(stages(before, none, origin.known, products), parameters)

    return {"stage": Replay.of(sold, "product", horizon).ask(stage)}


def _by_stage(staged: pd.DataFrame, parameters: Any) -> pd.DataFrame:
    """The stage's factor (PRD-1): product, factor."""
    by_stage: Mapping[str, float] = {str(stage): factor for stage, factor in parameters.stage_factor.items()}
    return pd.DataFrame({"product": staged["product"], "factor": staged["stage"].map(by_stage).fillna(1.0).astype(float)})


def told_effects(steps: pd.DataFrame) -> str:
    """Whose share gains and loses most, as a title. `steps`: member, step, effect (points of share)."""
    sums = steps.groupby("member", sort=True)["effect"].sum().round(9)
    ends = [name for name, size in ((sums.idxmax(), sums.max()), (sums.idxmin(), -sums.min())) if size >= 0.0005]
    if not ends and steps["effect"].abs().max() >= 0.0005:
        return "Last year's shares stand: what moves a product up moves it down again"
    if not ends:
        return "Last year's shares stand: no driver and no rule moves them"
    return ", ".join(f"{name} {100 * sums[name]:+.1f} points of share" for name in ends)


def _started(sold: pd.DataFrame, products: pd.DataFrame | None, coverage: Coverage, horizon: Horizon) -> pd.DataFrame:
    """Each product's first month, and whether that is its start: a launch that is told, or a sale after months without."""
    first = sold.idxmax(axis=1)
    known = first > (coverage.first or horizon.until)
    if products is not None and "launched" in products:
        day = products.dropna(subset=["launched"]).drop_duplicates("product").set_index("product")["launched"]
        launched = horizon.calendar.of(day[day <= pd.Timestamp(horizon.as_of)]).reindex(sold.index)
        there = launched.notna()
        first, known = launched.where(there, first), known | there
    return pd.DataFrame({"first_month": first, "start_known": known.astype(bool)})


def _pace(
    net: pd.DataFrame, known: Sequence[Coverage], silent: np.ndarray, months: Sequence[str]
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Growth of each product over the months known in both years, how many these are, and its growth less the company's.

    The company is made of the products that were there in all of these months and are not silent since: another one's start
    or end says nothing of how this one does.
    """
    before = a_year_before(months)
    starts = np.array([coverage.first or "" for coverage in known])
    rows = []
    for name, coverage in zip(net.index, known, strict=True):
        now, then = like_for_like(coverage.window("now", months), coverage.window("then", before))
        late, early = (float(net.loc[name, list(each.months)].sum()) for each in (now, then))
        there = ~silent & (starts <= min(then.months, default=""))
        ours, theirs = (float(net.loc[there, list(each.months)].to_numpy().sum()) for each in (now, then))
        enough = len(now.months) >= LEAST_COMPARED and early > 0
        growth = late / early - 1 if enough else np.nan
        rows.append((growth, len(now.months), growth - (ours / theirs - 1 if theirs > 0 else 0.0)))
    table = pd.DataFrame(rows, columns=["growth", "compared", "pace"], index=net.index)
    return table["growth"], table["compared"].astype("int64"), table["pace"]
