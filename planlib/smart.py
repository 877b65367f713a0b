"""Is a target specific, measurable, achievable, relevant and time-bound: a check of any table of targets (MET-1)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd

from planlib.estimates.chance import Terms, of_sum
from planlib.estimates.windows import Coverage
from planlib.periods import Horizon
from planlib.plan import AMOUNT

LETTERS = ("specific", "measurable", "achievable", "relevant", "time_bound")
# A target that its own past gives less than this chance needs new action that is not in the table yet.
LEAST = Terms().achievable_from


def check(
    targets: pd.DataFrame, first: date, last: date, least: float = LEAST, parents: Sequence[str] | None = None
) -> pd.DataFrame:
    """Each target with a score per letter, whether it is SMART, and in words what it lacks (MET-1).

    Parameters
        targets      metric, unit, baseline, value, deadline (YYYY-MM-DD), owner, source; where known, probability (of reaching
                     it), capacity (the most that is possible, in its unit) and parent or perspective (what it serves)
        first, last  days between which the deadline must lie
        least        probability from which a target counts as achievable
        parents      targets that a `parent` may name; None takes any
    Returns the table with the five letters (0-1; achievable is the probability, empty where it is not known), score (their
    mean, an unknown one as 0), smart (bool) and lacks. Specific: metric, unit, owner. Measurable: baseline, value, source.
    """
    rows = [_judged(row, first, last, least, parents) for row in targets.to_dict("records")]
    letters = pd.DataFrame(rows, columns=[*LETTERS, "score", "smart", "lacks"], index=targets.index)
    return pd.concat([targets.drop(columns=[n for n in letters if n in targets]), letters], axis=1)


def summary(checked: pd.DataFrame, listed: Callable[[Sequence[str]], str]) -> str:
    """How many targets are SMART, and what the others lack; `listed` writes a list of names.

    A target whose value is the method's own (`default`) and that has no baseline is nobody's yet: it is counted apart.
    """
    idle = pd.Series(False, index=checked.index)
    if "default" in checked:
        idle = checked["baseline"].isna() & checked["default"].astype(bool)
    one, many, apart = "of this chapter", "of this chapter", ""
    if idle.any() and not idle.all():
        verb = "is the method's default" if idle.sum() == 1 else "are the method's defaults"
        apart = f" Nobody set {_some(list(checked.loc[idle, 'metric']), listed)}, and no baseline is known: "
        apart += f"{'it' if idle.sum() == 1 else 'they'} {verb} and counted apart."
        one, many = "that was set or has a baseline", "that were set or have a baseline"
        checked = checked[~idle]
    good, count = int(checked["smart"].sum()), len(checked)
    if good == count:
        whose = f"the one target {one} passes" if count == 1 else f"all {count} targets {many} pass"
        return f"SMART check: {whose}.{apart}"
    faults: dict[str, list[str]] = {}
    for row in checked[~checked["smart"].astype(bool)].itertuples(index=False):
        for fault in row.lacks.split("; "):
            faults.setdefault(fault.partition(":")[0], []).append(str(row.metric))
    told = [f"{fault} ({_some(names, listed)})" for fault, names in faults.items()]
    lacking = f"lacking: {'; '.join(told)}.{apart}"
    if count == 1:
        return f"SMART check: the one target {one} does not pass; {lacking}"
    return f"SMART check: {good} of {count} targets {many} {'passes' if good == 1 else 'pass'}; {lacking}"


def of_members(
    planned: pd.DataFrame,
    last_year: pd.DataFrame,
    history: pd.DataFrame | None,
    horizon: Horizon,
    owners: Mapping[str, str],
    parent: str = "Revenue",
    terms: Terms | None = None,
    at_most: bool = False,
) -> pd.DataFrame:
    """The targets that a split sets, one per member of its dimension, ready for `check` (MET-1).

    Parameters
        planned    a dimension and amount (minor units); last_year, the same
        history    the dimension, month, amount: chances come from each member's own past; month and amount alone: from the
                   company's, in proportion to last year; None leaves them empty
        owners     who answers, by member; "" for all others
        terms      what the run's chances rest on; the usual ones by default
        at_most    money to spend, not to earn: the chance is that the past keeps within it
    Returns metric, unit, baseline, value, deadline, owner, source, parent, probability.
    """
    into = str(next(name for name in planned.columns if name != AMOUNT))
    known = last_year.groupby(into)[AMOUNT].sum()
    rows = planned.groupby(into)[AMOUNT].sum().reset_index()
    rows = rows[rows[AMOUNT] != 0].rename(columns={AMOUNT: "value"})
    frame = pd.DataFrame({"metric": rows[into].astype(str).to_numpy(), "unit": "money"})
    members = rows[into] if into != "month" else rows[into].map(dict(zip(horizon.months, horizon.last_year, strict=True)))
    baseline = members.map(known).astype("float64")
    frame["baseline"] = baseline.fillna(0).to_numpy() if into != "month" else baseline.to_numpy()
    frame["value"] = rows["value"].astype("float64").to_numpy()
    end = horizon.months[-1]
    ends = rows[into] if into == "month" else pd.Series(end, index=rows.index)
    frame["deadline"] = [horizon.calendar.last(str(month)).isoformat() for month in ends]
    frame["owner"] = [owners.get(member, owners.get("", "")) for member in frame["metric"]]
    frame["source"], frame["parent"] = "orders", parent
    chances = (
        [None] * len(frame)
        if history is None or history.empty
        else _chances(frame, history, into, horizon, terms or Terms(), at_most)
    )
    frame["probability"] = pd.Series(chances, dtype="float64")
    return frame


def owners(
    default: str,
    staff: pd.DataFrame | None,
    rules: Sequence[tuple[str | Sequence[str] | None, str]],
    as_of: date,
    roles: Sequence[str],
) -> dict[str, str]:
    """Who answers for a member (MET-1): the owner of a rule on it, else a region's manager, else `default` (under "").

    `staff`: person, region, role, hired, left; of those in one of the managers' `roles` the one employed longest counts.
    `rules`: (member or members, owner).
    """
    found = {"": default}
    if staff is not None and "role" in staff:
        day = pd.Timestamp(as_of)
        left = pd.to_datetime(staff["left"]) if "left" in staff else pd.Series(pd.NaT, index=staff.index)
        here = staff[(pd.to_datetime(staff["hired"]) <= day) & (left.isna() | (left > day))]
        leads = here[here["role"].isin(roles)]
        leads = leads.sort_values(["hired", "person"], ascending=False)
        found |= dict(zip(leads["region"], leads["person"], strict=True))
    for members, owner in rules:
        found |= dict.fromkeys([members] if isinstance(members, str) else members or [], owner)
    return found


def _chances(
    targets: pd.DataFrame, history: pd.DataFrame, into: str, horizon: Horizon, terms: Terms, at_most: bool
) -> list[float | None]:
    """Probability of each member's target: what its closed months brought, and the outlook of the open ones."""
    everyone = history.groupby("month")[AMOUNT].sum()
    coverage = Coverage.of(everyone.index, horizon.until)
    if at_most:  # a month without a row of money to spend had none
        coverage = replace(coverage, gaps=())
    found: list[float | None] = []
    total = float(targets["baseline"].sum())
    for member, value, baseline in zip(targets["metric"], targets["value"], targets["baseline"], strict=True):
        if into == "month":
            own = everyone
        elif into in history:
            own = history[history[into] == member].groupby("month")[AMOUNT].sum()
        else:
            own = everyone * (max(baseline, 0) / total if total > 0 else 0.0)
        wanted = [member] if into == "month" else horizon.months
        others = everyone.sub(own, fill_value=0)  # a start of one's own is no season
        found.append(of_sum(own, coverage, wanted, value, terms, at_most, others))
    return found


def _judged(
    row: Mapping[str, object], first: date, last: date, least: float, parents: Sequence[str] | None
) -> tuple[object, ...]:
    """Scores of the five letters, their mean, whether all hold, and what is missing in words."""
    absent = [name for name in ("metric", "unit", "owner", "baseline", "value", "source") if _blank(row.get(name))]
    lacks = [f"no {name}" for name in absent]
    specific = 1 - sum(name in absent for name in ("metric", "unit", "owner")) / 3
    measurable = 1 - sum(name in absent for name in ("baseline", "value", "source")) / 3
    chance = row.get("probability")
    achievable = None if _blank(chance) else float(chance)  # type: ignore[arg-type]
    over = not _blank(row.get("capacity")) and not _blank(row.get("value")) and row["value"] > row["capacity"]  # type: ignore[operator]
    if over:
        achievable = 0.0
        lacks.append("over its capacity")
    elif achievable is None:
        lacks.append("no history to judge its chance by")
    elif round(achievable, 9) < least:
        lacks.append(f"chance under {least:.0%} without new action")
    serves = row.get("parent") if "parent" in row else row.get("perspective")
    relevant = float(not _blank(serves) and (parents is None or str(serves) in parents))
    if not relevant:
        lacks.append("serves no target above")
    timed = float(_inside(row.get("deadline"), first, last))
    if not timed:
        lacks.append("no deadline" if _blank(row.get("deadline")) else "deadline outside the plan year")
    score = round((specific + measurable + (achievable or 0.0) + relevant + timed) / 5, 9)
    return specific, measurable, achievable, relevant, timed, score, not lacks, "; ".join(lacks)


def _inside(deadline: object, first: date, last: date) -> bool:
    if _blank(deadline):
        return False
    try:
        return first <= date.fromisoformat(str(deadline)[:10]) <= last
    except ValueError:
        return False


def _blank(value: object) -> bool:
    return value is None or value is pd.NaT or value == "" or (isinstance(value, float) and value != value)


def _some(names: list[str], listed: Callable[[Sequence[str]], str]) -> str:
    return listed(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"
