"""The people of each region: who is there, who is new, what they can carry and who leads how many (REG-5)."""

import numpy as np
import pandas as pd

from planlib.chapters.capacity import caps
from planlib.chapters.region.parameters import RANKS, Parameters
from planlib.lp import Rule
from planlib.periods import Horizon
from planlib.plan import AMOUNT

BEST_QUARTER = 0.75


def people(staff: pd.DataFrame, horizon: Horizon, parameters: Parameters) -> pd.DataFrame:
    """Who is employed on the last closed day: region, rank (text, blank where the role is none of `roles`), new (bool),
    capacity (minor units a year, where known) (REG-5)."""
    today = pd.Timestamp(horizon.as_of)
    hired = pd.to_datetime(staff["hired"])
    left = pd.to_datetime(staff["left"]) if "left" in staff else pd.Series(pd.NaT, index=staff.index)
    here = staff[(hired <= today) & (left.isna() | (left > today))].copy()
    roles = {role: str(rank) for role, rank in parameters.roles.items()}
    here["rank"] = here["role"].map(roles).fillna("") if "role" in here else ""
    here["new"] = pd.to_datetime(here["hired"]) > today - pd.DateOffset(months=parameters.newcomer_months)
    return here[["region", "rank", "new", *(["capacity"] if "capacity" in here else [])]]


def team(staff: pd.DataFrame | None, sold: pd.DataFrame, horizon: Horizon, parameters: Parameters) -> pd.DataFrame | None:
    """Each region's team (REG-5), None without staff.

    Parameters
        staff  person, region, hired, and role, left, capacity (minor units a person can carry a year) where known
        sold   region, amount: every region of the orders with its twelve months; without capacities a head can carry what it
               carries in the best quarter of regions. Who is in a region without orders is in no team
    Returns region, people, managers, supervisors, specialists, newcomers (share), span (most that one leader leads, on
    average; missing without leaders), capacity (minor units a year), sorted by region.
    """
    if staff is None or staff.empty:
        return None
    here = people(staff, horizon, parameters)
    here = here[here["region"].isin(sold["region"])]
    if here.empty:
        return None
    frame = here.groupby("region").agg(people=("new", "size"), newcomers=("new", "mean")).reset_index()
    for rank in RANKS:
        frame[f"{rank}s"] = frame["region"].map(here[here["rank"] == rank].groupby("region").size()).fillna(0).astype("int64")
    # A manager leads the supervisors, they lead the specialists; where one step is missing the one above leads both.
    leaders, led = frame["supervisors"].where(frame["supervisors"] > 0, frame["managers"]), frame["specialists"]
    below = frame["supervisors"] / frame["managers"].where(frame["managers"] > 0)
    frame["span"] = np.fmax(led / leaders.where(leaders > 0), below.where(frame["supervisors"] > 0))
    if "capacity" in here:
        frame["capacity"] = frame["region"].map(here.groupby("region")["capacity"].sum()).astype("int64")
    else:
        brought = frame["region"].map(sold.set_index("region")[AMOUNT]).fillna(0).clip(lower=0) / frame["people"]
        frame["capacity"] = (frame["people"] * brought.quantile(BEST_QUARTER)).round().astype("int64")
    columns = ["region", "people", "managers", "supervisors", "specialists", "newcomers", "span", "capacity"]
    return frame[columns].sort_values("region", ignore_index=True)


def load(compared: pd.DataFrame, team: pd.DataFrame | None, parameters: Parameters) -> pd.DataFrame | None:
    """What the plan asks of each head, beside what it can carry (REG-5); None without staff.

    `compared`: member, allocated (minor units). `team`: see `team`. Returns region, people, newcomers, span, plan_per_head,
    capacity_per_head (minor units), load (plan over capacity), short (people of that capacity missing to carry the plan; of the
    mean capacity of all where the region has nobody who carries anything; missing where no capacity is known), look_at
    (text), heaviest load first; a region without people comes first.
    """
    if team is None:
        return None
    frame = compared[["member", "allocated"]].rename(columns={"member": "region"}).merge(team, how="left", on="region")
    frame["people"] = frame["people"].fillna(0).astype("int64")
    heads = frame["people"].where(frame["people"] > 0)
    for name, money in (("plan_per_head", "allocated"), ("capacity_per_head", "capacity")):
        frame[name] = (frame[money] / heads).round()
    frame["load"] = (frame["allocated"] / frame["capacity"].where(frame["capacity"] > 0)).round(9)
    alone = frame["people"] == 0
    usual = float(team["capacity"].sum()) / int(team["people"].sum())
    each = frame["capacity_per_head"].where(frame["capacity_per_head"] > 0).fillna(usual if usual > 0 else np.nan)
    frame["short"] = (np.ceil((frame["allocated"] / each).round(6)) - frame["people"]).clip(lower=0)
    flags = {
        "nobody sells there": alone,
        "over its capacity": frame["load"] > 1,
        "many newcomers": frame["newcomers"].round(9) > parameters.newcomer_line,
        "a leader leads too many": frame["span"].round(9) > parameters.span_most,
    }
    frame["look_at"] = [", ".join(text for text, flag in flags.items() if flag[row]) for row in frame.index]
    frame["_first"] = frame["load"].where(~alone, np.inf).fillna(0)
    frame = frame.sort_values(["_first", "region"], ascending=[False, True], ignore_index=True)
    return frame[["region", "people", "newcomers", "span", "plan_per_head", "capacity_per_head", "load", "short", "look_at"]]


def capacity_rules(team: pd.DataFrame | None, booked: pd.DataFrame | None, parameters: Parameters) -> list[Rule]:
    """A cap on each region at what its people can carry, soft or hard as `capacity_rule` says; none when off (REG-5).

    `team`: see `team`. `booked`: region, amount of the closed months; what has been sold already is never capped away.
    """
    if team is None or parameters.capacity_rule == "off":
        return []
    carried = {str(row.region): float(row.capacity) for row in team.itertuples() if row.capacity > 0}
    reason = "what the people there can carry in a year"
    return caps("region", carried, booked, "team capacity", reason, "Sales director", parameters.capacity_rule == "hard")
