"""The portfolio matrix: growth of the market against the share relative to the largest rival (PRD-2).

Cuts at 10% growth a year and a relative share of 1.0 (the Boston Consulting Group's growth-share matrix). Where markets are not
known a product is compared with the largest other one of its line; such a place is no place in a market, so it sets no rules.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from planlib import plan as tables
from planlib.chapters.members import SHOWN, some
from planlib.chapters.product.stages import LEAST_COMPARED, UNKNOWN
from planlib.estimates.windows import Coverage
from planlib.lp import Rule
from planlib.periods import Horizon
from planlib.plan import AMOUNT

QUADRANTS = ("star", "cash cow", "question mark", "dog")
MARKET, OWN = "market", "own orders"


def positions(
    staged: pd.DataFrame,
    recent: pd.DataFrame,
    products: pd.DataFrame | None,
    marketing: pd.DataFrame | None,
    parameters: Any,
    horizon: Horizon,
    standing: pd.DataFrame | None = None,
    coverage: Coverage | None = None,
) -> pd.DataFrame:
    """Each product's quadrant (PRD-2), one row per product, largest first.

    Parameters
        staged     of `stages`
        recent     product, amount, cost where known: the last twelve months (minor units)
        products   product, and where known line, market_size (minor units a year), market_growth, rival_share
        marketing  month, spend (minor units): what counts beside goods and overhead in the net margin
        standing   the portfolio of the plan in force: a day set there stands while the product keeps its quadrant
        coverage   the months that the orders cover; all of the last twelve by default
    A rival share of 0 is a monopoly, which leads; a missing one is not known. A product without a line, or alone in it, is
    compared with the largest other one of the company. What has just been launched counts as growing fast; where a growth is
    not known for want of history the quadrant is "not known".
    Returns product, quadrant, stage, growth, relative_share, market_share (missing where not known), share (of the last twelve
    months), margin (net, share of revenue; missing without cost), basis (market or own orders), first_month, last_month (of
    an exit), decide_by (day by which a dog or question mark whose market is known is decided; else empty).
    """
    known = staged[["product"]].merge(products, how="left", on="product") if products is not None else staged[["product"]]
    frame = staged[["product", "stage", "growth", "last_twelve", "first_month", "last_month"]].copy()
    year = (
        frame["last_twelve"].astype(float) * len(horizon.months) / staged["sold_months"].clip(lower=1)
    )  # a launch's part of a year as a whole one
    line = known["line"] if "line" in known else pd.Series("all", index=frame.index)
    frame["relative_share"] = _beside_largest_other(year, line)
    frame["market_share"], frame["basis"] = np.nan, OWN
    if {"market_size", "rival_share"} <= set(known.columns):
        share = tables.ratio(year, known["market_size"].fillna(0))
        alone = (known["rival_share"] == 0) & (share > 0)
        relative = tables.ratio(share, known["rival_share"].fillna(0)).mask(alone, np.inf)
        frame["relative_share"] = relative.fillna(frame["relative_share"])
        frame["market_share"] = share
        frame["basis"] = np.where(relative.notna(), MARKET, OWN)
    if "market_growth" in known:
        frame["growth"] = known["market_growth"].fillna(frame["growth"])
    new = staged["start_known"] & (staged["compared"] < LEAST_COMPARED)
    fast = frame["growth"].fillna(np.inf).round(9) >= parameters.growth_cut
    leads = frame["relative_share"].fillna(np.inf).round(9) >= parameters.share_cut
    frame["quadrant"] = np.select([fast & leads, ~fast & leads, fast & ~leads], QUADRANTS[:3], default=QUADRANTS[3])
    frame["quadrant"] = frame["quadrant"].mask(frame["growth"].isna() & ~new, UNKNOWN)
    frame["share"] = frame["last_twelve"] / max(1, int(frame["last_twelve"].sum()))
    frame["margin"] = _margin(frame["product"], recent, marketing, parameters.overhead, horizon, coverage)
    months = frame["quadrant"].map({"question mark": parameters.question_months, "dog": parameters.dog_months})
    before = {} if standing is None else standing.set_index(["product", "quadrant"])["decide_by"].to_dict()
    # what a place among the company's own products says of a market is not enough to ask for its exit
    months = months.where(frame["basis"] == MARKET)
    frame["decide_by"] = [
        (before.get(place) or day_after(horizon, wait)) if pd.notna(wait) else ""
        for place, wait in zip(zip(frame["product"], frame["quadrant"], strict=True), months, strict=True)
    ]
    frame.loc[[leaves(end, horizon) for end in frame["last_month"]], "decide_by"] = ""
    frame = frame.sort_values(["last_twelve", "product"], ascending=[False, True], ignore_index=True)
    columns = ["product", "quadrant", "stage", "growth", "relative_share", "market_share", "share", "margin", "basis"]
    return frame[[*columns, "first_month", "last_month", "decide_by"]]


def floors_and_caps(portfolio: pd.DataFrame, weights: pd.DataFrame, parameters: Any) -> list[Rule]:
    """Stars at least `star_share`, cash cows at least `cow_share`, dogs at most `dog_share` of revenue (PRD-2).

    Only products whose market is known and that have a weight; soft unless `portfolio_hard`, so that a plan is always there.
    """
    if not parameters.use_portfolio:
        return []
    alive = set(weights.loc[weights["weight"] > 0, "product"])
    placed = portfolio[(portfolio["basis"] == MARKET) & portfolio["product"].isin(alive)]
    asked: list[tuple[str, str, float | None, float | None]] = [
        ("star", "stars carry their share", parameters.star_share, None),
        ("cash cow", "cash cows carry their share", parameters.cow_share, None),
        ("dog", "dogs stay small", None, parameters.dog_share),
    ]
    rules = []
    for quadrant, name, low, high in asked:
        members = sorted(placed.loc[placed["quadrant"] == quadrant, "product"])
        if members and len(members) < len(alive):
            rules.append(
                Rule(
                    name=name,
                    where={"product": members},
                    min=low,
                    max=high,
                    hard=parameters.portfolio_hard,
                    penalty=parameters.portfolio_penalty,
                    owner="Product board",
                    reason=f"portfolio: {quadrant}",
                )
            )
    return rules


def matrix(
    portfolio: pd.DataFrame, plan: pd.DataFrame, last_year: pd.DataFrame, parameters: Any, began: Sequence[str] = ()
) -> pd.DataFrame:
    """What each quadrant is asked for and gets (PRD-2), in the order star, cash cow, question mark, dog, not known.

    A quadrant of which no market is known sets no rule, so no share is asked of it.
    Returns quadrant, products, share_asked (text), plan_share, growth_asked, growth (of its products that did not begin within
    last year, see `planned`), margin, marketing_asked (share).
    """
    place = portfolio.set_index("product")["quadrant"]
    now = plan.groupby(plan["product"].map(place))[AMOUNT].sum()
    frame = pd.DataFrame({"quadrant": [name for name in (*QUADRANTS, UNKNOWN) if name in set(place)]})
    frame["products"] = [", ".join(sorted(place.index[place == name])) for name in frame["quadrant"]]
    shares = {
        "star": f"at least {parameters.star_share:.0%}",
        "cash cow": f"at least {parameters.cow_share:.0%}",
        "dog": f"at most {parameters.dog_share:.0%}",
    }
    ruled = frame["quadrant"].isin(portfolio.loc[portfolio["basis"] == MARKET, "quadrant"])
    frame["share_asked"] = frame["quadrant"].map(shares).where(ruled).fillna("")
    planned_ = frame["quadrant"].map(now).fillna(0)
    frame["plan_share"] = planned_ / max(1, int(planned_.sum()))
    frame["growth_asked"] = frame["quadrant"].map({"star": parameters.star_growth})
    whole = [table[~table["product"].isin(began)] for table in (plan, last_year)]
    late, early = (frame["quadrant"].map(table.groupby(table["product"].map(place))[AMOUNT].sum()).fillna(0) for table in whole)
    frame["growth"] = tables.ratio(late - early, early)
    weighed = (portfolio["margin"] * portfolio["share"]).groupby(portfolio["quadrant"]).sum(min_count=1)
    frame["margin"] = frame["quadrant"].map(weighed / portfolio.groupby("quadrant")["share"].sum().replace(0, np.nan))
    frame["marketing_asked"] = frame["quadrant"].map({"star": parameters.star_marketing})
    return frame


def says_own(portfolio: pd.DataFrame, listed: Callable[[Sequence[str]], str]) -> str:
    """Whose quadrant rests on the company's own orders, and so asks for nothing, as a sentence; "" where all markets are known.

    `listed` writes a list of names.
    """
    told = portfolio[portfolio["quadrant"] != UNKNOWN]
    own = sorted(told.loc[told["basis"] == OWN, "product"])
    if not own:
        return ""
    whose = "every product" if len(own) == len(told) else listed(own) if len(own) <= SHOWN else some(own)
    return (
        f"The quadrant of {whose} rests on the company's own orders, since no market is known: it asks for no share of the "
        "plan and no exit. Table products would tell size, growth and the largest rival."
    )


def planned(portfolio: pd.DataFrame, plan: pd.DataFrame, last_year: pd.DataFrame, began: Sequence[str] = ()) -> pd.DataFrame:
    """The portfolio with each product's place in the plan: adds plan (minor units), plan_share, plan_growth.

    `began`: products that first sold within last year, whose growth over it is not known; see `base_year.began`.
    """
    now, then = (tables.by_key(portfolio["product"], table.groupby("product")[AMOUNT].sum()) for table in (plan, last_year))
    growth = tables.ratio(now - then, then).mask(portfolio["product"].isin(began))
    return portfolio.assign(plan=now, plan_share=now / max(1, int(plan[AMOUNT].sum())), plan_growth=growth)


def _beside_largest_other(year: pd.Series, line: pd.Series) -> pd.Series:
    """Revenue over that of the largest other product of the line; of all products where the line is not known or has one."""
    others = []
    for place in year.index:
        mates = year[(line == line[place]) & (year.index != place)]
        others.append(float((mates if len(mates) else year.drop(place)).max()) if len(year) > 1 else float("nan"))
    return tables.ratio(year, pd.Series(others, index=year.index))


def _margin(
    names: pd.Series,
    recent: pd.DataFrame,
    marketing: pd.DataFrame | None,
    overhead: float,
    horizon: Horizon,
    coverage: Coverage | None,
) -> pd.Series:
    """Revenue less goods, less marketing at the company's ratio, less overhead, over revenue.

    Marketing that is known for some of the orders' months only counts at its monthly mean.
    """
    if "cost" not in recent:
        return pd.Series(np.nan, index=names.index)
    sums = recent.groupby("product")[[AMOUNT, "cost"]].sum()
    spent = 0.0
    if marketing is not None and len(marketing):
        last = horizon.last_twelve
        months = last if coverage is None else list(coverage.window("last", last).known)
        told = Coverage(str(marketing["month"].min()), last[-1]).window("marketing", months)
        spent = told.scaled(marketing.groupby("month")["spend"].sum()) or 0.0
    gross = tables.ratio(sums[AMOUNT] - sums["cost"], sums[AMOUNT])
    return names.map(gross - spent / max(1, int(sums[AMOUNT].sum())) - overhead)


def leaves(last_month: str, horizon: Horizon) -> bool:
    """Whether a product with that last month leaves the market by the end of the plan year."""
    return bool(last_month) and last_month <= horizon.months[-1]


def day_after(horizon: Horizon, months: float) -> str:
    """The day some months after the last closed one."""
    return f"{pd.Timestamp(horizon.as_of) + pd.DateOffset(months=int(months)):%Y-%m-%d}"
