"""The chapter's grounds in sentences a manager reads; every number comes in from the tables."""

from collections.abc import Callable, Sequence

import pandas as pd

from planlib.chapters.members import counted, lacking, some, strangers
from planlib.chapters.strategy.areas import Customers, bottleneck
from planlib.chapters.strategy.grounds import present, spent_in, without_capacity
from planlib.chapters.strategy.parameters import Parameters
from planlib.estimates.momentum import Outlook
from planlib.periods import Horizon
from planlib.plan import EVERYTHING


def reasons(
    parameters: Parameters,
    ahead: Outlook,
    baseline: int,
    chance: float | None,
    rates: pd.DataFrame,
    areas: pd.DataFrame,
    reviews: pd.DataFrame,
    lacks: list[str],
    owed: pd.DataFrame,
    focus: pd.DataFrame,
    show: Callable[..., str],
) -> list[str]:
    """What a board asks first: how sure the baseline is, where the funnel is narrow, what is late or lacking (STR-5, MET-5)."""
    said = []
    if ahead.damping and round(ahead.trend, 3):
        said.append(
            f"The trend counts at {ahead.trend:+.1%} a year, the weaker of the last twelve and six months; "
            f"{ahead.damping:.0%} of it is expected to go on: {ahead.growth:+.1%}."
        )
    said.append(ahead.note)
    if chance is not None and chance == chance:
        said.append(f"Without new action the target has a chance of {chance:.0%}.")
    weak = bottleneck(rates, parameters.benchmarks)
    if len(weak) and weak["shortfall"].iloc[0] > 0:
        said.append(narrowest(weak.iloc[0]))
    if len(areas):
        row = areas.iloc[0]
        said.append(f"The strongest lever is {row['area']}: {row['unit']} is worth {show(int(row['per_unit']))} of revenue.")
    if len(reviews):
        said.append(f"Key areas are reviewed on {', '.join(dict.fromkeys(reviews['date']))}.")
    if lacks:
        said.append(f"Resources do not match yet: {'; '.join(lacks[:4])}{' and others' if len(lacks) > 4 else ''}.")
    late = owed[owed["state"] == "late"]
    if len(late):
        row = late.iloc[0]
        said.append(
            f"Late: {row['milestone']}, which {row['department']} owes {row['owes_to']} since {row['due']}"
            + (f", and {len(late) - 1} more." if len(late) > 1 else ".")
        )
    open_ = list(focus.loc[focus["gap"] != "", "segment"])
    if open_:
        who = "it is" if len(open_) == 1 else "they are"
        said.append(f"No value proposition is stated for {', '.join(open_)}: {who} proposed by potential and fit.")
    return said


def narrowest(step: pd.Series) -> str:
    """The weakest step of the funnel in a sentence (MET-5). `step`: a row of `bottleneck`."""
    source = {"benchmark": "the benchmark", "own best year": "our own best year"}[str(step["source"])]
    beside = f"against {source}, {step['reference']:.1%}"
    if not step["rate"] > 0:
        return f"The funnel is closed at {step['step']}: nothing came through in the last twelve months, {beside}."
    return (
        f"The funnel is narrowest at {step['step']}: {step['rate']:.1%} {beside}; at that rate wins would rise by "
        f"{step['reference'] / step['rate'] - 1:.0%}."
    )


def told(gap: int, show: Callable[..., str]) -> str:
    """The gap as half a sentence (STR-5)."""
    if gap == 0:
        return "momentum alone reaches the target"
    return f"new action must bring {show(gap)}" if gap > 0 else f"momentum alone goes {show(-gap)} beyond the target"


def better(now: int, before: int) -> bool | None:
    """Whether a figure is above what it is compared with; None where it is the same."""
    return None if now == before else now > before


def split_by(in_force: bool) -> str:
    """By what teams' targets and people are told before chapter 02 has split the target, as a sentence (MET-2, MET-4)."""
    source = "the plan in force" if in_force else "last year's sales"
    return (
        f"Teams, and the people that they need, follow the regions' shares of {source}: a first reading, which "
        "chapter 02 decides. Each team rounds its people up, so teams may lack some where the company as a whole lacks none."
    )


def strongest(areas: pd.DataFrame) -> str:
    """Where most of the gain lies, as a title (MET-5). `areas`: see `key_areas`."""
    first = areas.iloc[0]
    if len(areas) == 1:
        return f"What new action may bring lies in {first['area']} alone"
    return f"Most money lies in {first['area']}: {first['share']:.0%} of what new action may bring"


def sentence(amount: int, last_year: int, baseline: int, chance: float | None, carried: bool, show: Callable[..., str]) -> str:
    """The chapter in one sentence (STR-1, STR-5). `carried`: whether last year is known in part only."""
    base = "last year carried to twelve months" if carried else "last year"
    odds = (
        "the past does not tell the chance of reaching it"
        if chance is None or chance != chance
        else f"without new action the chance of reaching it is {show(chance, 'share')}"
    )
    return (
        f"Target {show(amount)}, {amount / last_year - 1:+.1%} on {base}: momentum brings {show(baseline)}, "
        f"{told(amount - baseline, show)}; {odds}."
    )


def unknown(
    staff: pd.DataFrame | None,
    regions: pd.DataFrame | None,
    channels: pd.DataFrame | None,
    marketing: pd.DataFrame | None,
    sold: Sequence[str],
    names: Sequence[str],
    parameters: Parameters,
    horizon: Horizon,
) -> list[str]:
    """What orders and tables do not know of each other, each as a sentence (STR-4, MET-2, MET-4).

    `sold`, `names`: the regions and channels of the orders.
    """
    said = []
    if regions is not None and "area" in regions:
        so = "each is a team of its own"
        said.append(lacking("regions", regions.loc[regions["area"].notna(), "region"], sold, "region", so))
    if staff is not None:
        here = present(staff, horizon)
        said.append(strangers("staff", here["region"], sold, "region", "who is there has no target"))
        said.append("Table staff knows nobody who is employed: people are not matched." if here.empty else "")
        roles = parameters.manager_roles
        if parameters.open_regions and "role" in staff and not staff["role"].isin(roles).any():
            there = some(sorted(staff["role"].dropna().unique()))
            said.append(f"Nobody in staff is {' or '.join(roles)}, as `manager_roles` asks (roles there: {there}): managers "
                        "for new regions are left out.")  # fmt: skip
    if channels is not None and "capacity" in channels and list(names) != [EVERYTHING]:
        bare = without_capacity(channels, names)
        if bare:
            known, whose = len(set(names)) - len(bare), counted(len(set(names)), "channel")
            said.append(f"Capacity is known of {known} of {whose} (not of {some(bare)}): what all can carry is left out.")
    if marketing is not None and "channel" in marketing:
        fed = marketing["channel"].dropna()
        said.append(strangers("marketing", fed, names, "channel", "what is spent there is in no channel's cost of a customer"))
    return [text for text in said if text]


def absent(
    kpis: pd.DataFrame | None,
    marketing: pd.DataFrame | None,
    rivals: pd.DataFrame,
    owed: pd.DataFrame,
    staff: pd.DataFrame | None,
    customers: Customers,
    horizon: Horizon,
) -> list[str]:
    """What this chapter could not tell for want of a table, or of months in it (STR-4, MET-2, MET-3)."""
    spent = None if marketing is None else spent_in(marketing, horizon)
    part = "" if spent is None or spent.whole else spent.says()
    faults = [
        (kpis is None, "industry growth, the funnel and its bottleneck: no table kpis"),
        (marketing is None, "returns and acquisition cost of marketing: no table marketing"),
        (rivals.empty, "competitors: no table rivals"),
        (owed.empty, "what departments owe each other: no table milestones"),
        (staff is None, "targets of persons and the match of people: no table staff; teams' targets are assigned to nobody"),
        (bool(part), f"cost of a new customer by first orders: marketing of {part}; its spend is carried to twelve months"),
        (
            customers.active is not None and customers.won is None,
            "who is new, and so what a new customer costs and a lead or a win is worth: orders must know last year and the "
            "twelve months before",
        ),
        (
            customers.active is None,
            f"focus segments by industry, repurchase and new customers: orders name {'only one' if customers.alone else 'no'} "
            "customer",
        ),
    ]
    return [text for missing, text in faults if missing]
