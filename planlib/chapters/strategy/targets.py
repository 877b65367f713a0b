"""The year's target and the targets beside it: finance, customers, products (STR-1 to STR-3)."""

from collections.abc import Callable

import pandas as pd

from planlib.chapters import base_year
from planlib.chapters.base_year import NAME
from planlib.chapters.members import refuse
from planlib.chapters.strategy.measures import both, count, level, over
from planlib.chapters.strategy.parameters import Parameters
from planlib.errors import ParameterError
from planlib.estimates.chance import Terms, of_count, of_level, of_ratio, of_sum
from planlib.estimates.standing import standing
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon
from planlib.plan import AMOUNT, times

# the parameter of each target that has a value where nobody sets one
USUAL = {
    "Gross margin": "margin",
    "Revenue from new markets": "new_market_share",
    "Marketing cost, at most": "marketing_ratio",
    "New valid leads a year": "new_leads",
    "Repurchase rate": "repurchase_rate",
    "NPS, rank in the industry": "nps_rank",
    "Product launches": "launches",
    "Product upgrades": "upgrades",
}


def target(parameters: Parameters, last_year: int, exponent: int, in_force: int | None) -> int:
    """The year's target in minor units: as stated, else the plan in force, else last year with the growth asked for."""
    if parameters.target:
        return times(parameters.target, 10**exponent)
    if in_force is not None:
        return in_force
    return times(last_year, 1.0, parameters.growth)


def stands(parameters: Parameters, last_year: int, in_force: int | None, show: Callable[..., str]) -> str:
    """That the target in force stands though the growth asked for would make another, as a sentence; "" otherwise (STR-1)."""
    if in_force is None or parameters.target:
        return ""
    asked = times(last_year, 1.0, parameters.growth)
    if show(asked) == show(in_force):
        return ""
    return (
        f"The target of the plan in force stands, {show(in_force)}: growth {show(parameters.growth, 'share')} on last year, "
        f"which would make {show(asked)}, sets the target of a year's first plan only. To change it, state `target`."
    )


def check_reachable(amount: int, booked: int) -> None:
    """A target below what is already earned cannot be split over the months that are left."""
    if amount < booked:
        raise ParameterError(
            f"target: {amount:,} minor units is less than the {booked:,} minor units already booked in "
            "closed months; raise the target."
        )


def targets(
    parameters: Parameters,
    amount: int,
    orders: pd.DataFrame,
    horizon: Horizon,
    kpis: pd.DataFrame | None = None,
    marketing: pd.DataFrame | None = None,
    regional: pd.DataFrame | None = None,
    last_year: int | None = None,
) -> pd.DataFrame:
    """The targets of the year (STR-1, STR-2, STR-3), each with all that the SMART check asks for (MET-1).

    Parameters
        amount     the year's revenue target, minor units
        orders     month, amount and, where known, cost (minor units)
        kpis       month, kpi, value
        marketing  month, spend (minor units)
        regional   region, month, amount: what revenue's chance is told from, see `outlook`; the orders' months without it
        last_year  the base year's revenue where a part of it is expected, minor units
    Returns metric, unit (money in minor units, share, int), baseline, value, source, deadline, owner, perspective (of the
    scorecard), at_most (less is better), probability (of reaching it as the measure's own past goes, no new action). A baseline
    is that of last year: a ratio from the sums of the months that know both parts, a share's mean over the months that tell it,
    money and counts carried to twelve months where a part is known. What no table tells stays empty. A market share of 0 is not
    asked for. default (bool): the value is the method's own, not the company's. Raises ParameterError for an owner of a target
    that is not there.
    """
    asked = parameters
    terms, span = Terms(asked.damping, asked.usual_error, asked.achievable_from), horizon.months
    months = orders.groupby("month")[[name for name in (AMOUNT, "cost") if name in orders]].sum().astype(float)
    sales, known = months[AMOUNT], Coverage.of(months.index, horizon.until)
    cost = months.get("cost")
    spent = None if marketing is None else marketing.groupby("month")["spend"].sum().astype(float)
    spending = known if spent is None else both(known, Coverage.of_events(spent.index, horizon.until))

    past = None if regional is None else standing(regional, "region", horizon.until).amounts

    def ratio(part: pd.Series | None, coverage: Coverage, value: float) -> tuple[float | None, float | None]:
        if part is None:
            return None, None
        last = coverage.window(NAME, horizon.last_year)
        whole = over(last, sales)
        told = over(last, part) / whole if whole > 0 else None
        return told, of_ratio(part, sales, coverage, span, value, terms, at_most=True)

    def share(name: str, value: float, at_most: bool = False) -> tuple[float | None, float | None]:
        told = level(kpis, name)
        if told is None:
            return None, None
        last = told[told.index.isin(horizon.last_year)]
        chance = of_level(told, horizon.until, span, value, terms, at_most)
        return None if last.empty else float(last.mean()), chance

    def number(name: str, value: float) -> tuple[float | None, float | None]:
        told, coverage = count(kpis, name, horizon)
        if told.empty:
            return None, None
        last = coverage.window(NAME, horizon.last_year)
        return last.scaled(told), of_count(told, coverage, span, value, terms)

    costs, chance = ratio(cost, known, 1 - asked.margin)
    last = known.window(NAME, horizon.last_year)
    base = orders[["month", AMOUNT]] if regional is None else regional[["region", "month", AMOUNT]]
    whole = float(base_year.by_month(base, last).sum()) if last.known else None
    whole = whole if last_year is None else float(last_year)
    revenue = whole, of_sum(sales, known, span, amount, terms, past=past)
    margin = None if costs is None else 1 - costs, chance
    rows = [
        ("Revenue", "money", amount, "orders", "finance", False, *revenue),
        ("Gross margin", "share", asked.margin, "orders: cost", "finance", False, *margin),
        ("Market share", "share", asked.market_share, "kpis", "finance", False, *share("market_share", asked.market_share)),
        ("Revenue from new markets", "share", asked.new_market_share, "kpis", "finance", False,
         *share("new_market_share", asked.new_market_share)),
        ("Marketing cost, at most", "share", asked.marketing_ratio, "marketing", "finance", True,
         *ratio(spent, spending, asked.marketing_ratio)),
        ("New valid leads a year", "int", asked.new_leads, "kpis", "customer", False, *number("valid_leads", asked.new_leads)),
        ("Repurchase rate", "share", asked.repurchase_rate, "kpis", "customer", False,
         *share("repurchase_rate", asked.repurchase_rate)),
        ("NPS, rank in the industry", "share", asked.nps_rank, "kpis", "customer", True,
         *share("nps_rank", asked.nps_rank, at_most=True)),
        ("Product launches", "int", asked.launches, "kpis", "process", False, *number("launches", asked.launches)),
        ("Product upgrades", "int", asked.upgrades, "kpis", "process", False, *number("upgrades", asked.upgrades)),
    ]  # fmt: skip
    names = ["metric", "unit", "value", "source", "perspective", "at_most", "baseline", "probability"]
    frame = pd.DataFrame(rows, columns=names)
    frame = frame[(frame["metric"] != "Market share") | (frame["value"] > 0)].reset_index(drop=True)
    refuse("owners", parameters.owners, frame["metric"], "target of the year")
    frame["deadline"] = horizon.calendar.last(horizon.months[-1]).isoformat()
    frame["owner"] = [parameters.owners.get(metric, parameters.owner) for metric in frame["metric"]]
    usual = {name: Parameters.model_fields[field].default for name, field in USUAL.items()}
    frame["default"] = [usual.get(name) == value for name, value in zip(frame["metric"], frame["value"], strict=True)]
    wanted = ["metric", "unit", "baseline", "value", "source", "deadline", "owner", "perspective", "at_most", "probability"]
    return frame[[*wanted, "default"]].astype({"baseline": "float64", "value": "float64", "probability": "float64"})


def readable(checked: pd.DataFrame, show: Callable[[float | None, str], str]) -> pd.DataFrame:
    """The targets with their SMART check, baseline and value as text in their own units; `show(value, format)` writes them."""
    text = checked.copy()
    for name in ("baseline", "value"):
        text[name] = [show(None if pd.isna(v) else v, unit) for v, unit in zip(text[name], text["unit"], strict=True)]
    if "default" in text:
        text["source"] = text["source"].where(~text["default"].astype(bool), text["source"] + "; value: the method's default")
    return text[["metric", "baseline", "value", "deadline", "owner", "source", "probability", "smart", "lacks"]]
