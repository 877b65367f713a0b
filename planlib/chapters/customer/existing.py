"""What the customers we have can add (CUS-4): up-sell, cross-sell with its bundles, referral, win-back with its alerts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planlib.chapters.customer.known import Known
from planlib.chapters.customer.parameters import Parameters
from planlib.data.sources import Tables
from planlib.estimates.rfm import ACTIVE, DORMANT
from planlib.estimates.windows import Window, like_for_like, span_of
from planlib.periods import Horizon
from planlib.plan import AMOUNT, by_key

# A pair seen in fewer orders than this may be chance.
SELDOM = 10


@dataclass(frozen=True)
class Ground:
    """What history says about the six sources (CUS-4, CUS-6); money in minor units, rates as shares, None where it cannot tell.

    Money is of a whole year: where months of last year are missing, those known are carried to it by their number.
    base      what today's active customers brought last year
    active    how many they are
    dormant   what today's dormant customers still brought last year
    retention of last year's active customers' revenue, what was left a year later
    upsold    active customers of last year's start who brought `upsell_lift` more than the year before
    covered   active customers who bought two products or more in the last twelve months
    recovered of what last year's dormant customers had brought, what came back
    won, won_money  customers won last year, and what they brought in it; None where a first order may be an old customer's
    """

    base: int
    active: int
    dormant: int
    retention: float | None
    upsold: float | None
    covered: float | None
    recovered: float | None
    won: int | None
    won_money: int | None

    @property
    def each(self) -> float | None:
        """What a customer won last year brought in it, minor units; None where that is not known."""
        if self.won is None or self.won_money is None:
            return None
        return self.won_money / self.won if self.won else 0.0


def spending(stored: Tables, horizon: Horizon, seen: Known) -> pd.DataFrame:
    """What each customer brought (CUS-4), minor units: customer, last_year, since, year_before, products.

    `last_year` of its known months; `since` and `year_before` of the months known in both years, by which they are compared;
    `products` bought in the last twelve months.
    """
    frame = stored.orders(["customer"])[["customer"]]
    since, then = like_for_like(seen.last_year, seen.year_before)
    for name, window in (("last_year", seen.last_year), ("since", since), ("year_before", then)):
        frame[name] = by_key(frame["customer"], _brought(stored, window))
    bought = stored.orders(["customer", "product"], since=horizon.last_twelve[0], until=horizon.last_twelve[-1])
    products = bought[bought[AMOUNT] > 0].groupby("customer").size()
    return frame.assign(products=frame["customer"].map(products).fillna(0).astype("int64"))


def _brought(stored: Tables, window: Window) -> pd.Series:
    """What each customer brought in the known months of a window."""
    if not window.known:
        return pd.Series(dtype="int64")
    span = {"since": window.known[0], "until": window.known[-1]}
    if window.known == tuple(span_of(*span.values())):
        return stored.orders(["customer"], **span).set_index("customer")[AMOUNT]
    found = stored.orders(["customer", "month"], **span)
    return found[found["month"].isin(window.known)].groupby("customer")[AMOUNT].sum()


def ground(spent: pd.DataFrame, before: pd.DataFrame, now: pd.DataFrame, seen: Known, parameters: Parameters) -> Ground:
    """History behind the six sources (CUS-4, CUS-6).

    spent: see `spending`. before, now: customer, segment at the start of last year and of the plan year.
    """
    money = spent.set_index("customer")
    frame = now.assign(then=now["customer"].map(before.set_index("customer")["segment"]))
    for name in ("last_year", "since", "year_before", "products"):
        frame[name] = by_key(frame["customer"], money[name])
    active, was_active = frame[frame["segment"].isin(ACTIVE)], frame[frame["then"].isin(ACTIVE)]
    was_dormant = frame[frame["then"] == DORMANT]
    won = frame[(frame["then"] == "New") & (frame["segment"] != "New")]
    risen = was_active["since"] >= (1 + parameters.upsell_lift) * was_active["year_before"]
    covered = _part(int((active["products"] >= 2).sum()), len(active)) if seen.recent.whole else None
    whole = len(seen.last_year.months) / max(1, len(seen.last_year.known))

    def year(rows: pd.DataFrame) -> int:
        return max(0, round(int(rows["last_year"].sum()) * whole))

    then = {
        "retention": _part(int(was_active["since"].sum()), int(was_active["year_before"].sum())),
        "upsold": _part(int((risen & (was_active["since"] > 0)).sum()), len(was_active)),
        "recovered": _part(int(was_dormant["since"].sum()), int(was_dormant["year_before"].sum())),
        "won": len(won),
        "won_money": year(won),
    }
    return Ground(
        base=year(active),
        active=len(active),
        dormant=year(frame[frame["segment"] == DORMANT]),
        covered=covered,
        **(then if seen.won else dict.fromkeys(then)),
    )


def existing(found: Ground, parameters: Parameters) -> pd.DataFrame:
    """The five sources among customers we have (CUS-4): source, seen, floor, likely, cap (minor units), because.

    Retained base: at least `retention`, likely the retention seen, at most `retention_gain` more than that. Up-sell: at most
    `upsell_reach` of the base spends `upsell_lift` more. Cross-sell: at most `crosssell_reach` of it is covered by bundles
    and spends `crosssell_lift` more. Referral: at most `referral_share` of the active customers bring one, worth what a
    customer won last year brought; where that is not known it counts among new customers. Win-back: at least `winback_share`,
    at most `winback_most` of what dormant customers still brought last year. Of up-sell, cross-sell and referral at least
    `least_part` of the cap; likely is what history reached, within floor and cap.
    """
    kept = stays(found, parameters)
    retained = found.base * kept
    each = found.each or 0.0
    reach = {
        "Up-sell": (found.upsold, parameters.upsell_reach, retained * parameters.upsell_lift),
        "Cross-sell": (found.covered, parameters.crosssell_reach, retained * parameters.crosssell_lift),
        "Referral": (None, parameters.referral_share, found.active * each),
    }
    rows: list[tuple[str, float | None, float, float, float, str]] = []
    least = min(kept, parameters.retention) * found.base
    told = "seen" if found.retention is not None else "the parameter, as what stayed is not known"
    because = f"at least {min(kept, parameters.retention):.0%} stays, at most {parameters.retention_gain:.0%} more than {told}"
    rows.append(("Retained base", found.retention, least, retained, found.base * (kept + parameters.retention_gain), because))
    for name, (seen, most, worth) in reach.items():
        likely = min(most, max(parameters.least_part * most, seen if seen is not None else 0.0)) * worth
        told = f"at most {most:.0%} of active customers"
        if name == "Referral" and found.each is None:
            told = "what a customer won brings is not known: counted among new customers"
        elif name == "Referral" and not each:
            told = "nobody was won last year, so what one brings is reckoned as nothing"
        rows.append((name, seen, parameters.least_part * most * worth, likely, most * worth, told))
    least, most = parameters.winback_share, max(parameters.winback_share, parameters.winback_most)
    seen = found.recovered
    likely = found.dormant * (least if seen is None else float(np.clip(seen, least, most)))
    because = f"at least {least:.0%} recovered, at most {most:.0%}"
    if seen is not None and seen > 1:
        because += f"; {seen:.0%} seen: those who came back bought more than all who were dormant had the year before"
    rows.append(("Win-back", seen, found.dormant * least, likely, found.dormant * most, because))
    table = pd.DataFrame(rows, columns=["source", "seen", "floor", "likely", "cap", "because"])
    return table.assign(**{name: table[name].round().astype("int64") for name in ("floor", "likely", "cap")})


def stays(found: Ground, parameters: Parameters) -> float:
    """Part of the active base's revenue that is likely to stay (CUS-6): as seen, else `retention`.

    What last year's customers brought beyond their year before is growth, not retention: more than all of it cannot stay.
    """
    return parameters.retention if found.retention is None else min(1.0, found.retention)


def bundles(pairs: pd.DataFrame, parameters: Parameters, most: int = 8) -> pd.DataFrame:
    """Which products belong in a bundle (CUS-4): product, other, together (orders), lift, best first.

    pairs: see Tables.pairs. Lift is how much oftener both are in one order than if neither cared for the other; pairs under
    `bundle_lift`, or in fewer than ten orders, are no bundle.
    """
    frame = pairs[pairs["together"] >= SELDOM].copy()
    chance = frame["product_orders"].astype(float) * frame["other_orders"]
    frame["lift"] = (frame["together"] * frame["all_orders"] / chance).round(9)
    frame = frame[frame["lift"] >= parameters.bundle_lift]
    frame = frame.sort_values(["lift", "product", "other"], ascending=[False, True, True]).head(most)
    return frame[["product", "other", "together", "lift"]].reset_index(drop=True)


def alerts(customers: pd.DataFrame, day: pd.Timestamp, parameters: Parameters, most: int = 12) -> pd.DataFrame:
    """Customers to win back (CUS-4), the most valuable first: customer, region, last, silent_months, amount (so far), recent.

    No order for `dormant_months` raises the alert; orders are the only contact the data know. `customers`: see `people`.
    """
    silent = customers[customers["last"] <= day - pd.DateOffset(months=parameters.dormant_months)]
    months = ((day - silent["last"]).dt.days / (365.25 / 12)).round(1)
    ranked = silent.assign(silent_months=months).sort_values(["recent", AMOUNT, "customer"], ascending=[False, False, True])
    ranked = ranked.assign(last=ranked["last"].dt.strftime("%Y-%m-%d")).head(most)
    return ranked[["customer", "region", "last", "silent_months", AMOUNT, "recent"]].reset_index(drop=True)


def alarmed(customers: pd.DataFrame, day: pd.Timestamp, parameters: Parameters) -> int:
    """How many customers raise the alert (CUS-4)."""
    return int((customers["last"] <= day - pd.DateOffset(months=parameters.dormant_months)).sum())


def _part(some: int, whole: int) -> float | None:
    return round(max(0, some) / whole, 9) if whole > 0 else None
