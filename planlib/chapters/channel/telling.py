"""What the channel chapter says, each sentence made from the rows it speaks of (CHN-1, CHN-2, CHN-7)."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from planlib.chapters.channel.incentives import SCHEMES
from planlib.chapters.channel.partners import closed_year
from planlib.chapters.members import carried, counted, lacking, some, strangers, strays
from planlib.periods import Horizon
from planlib.plan import EVERYTHING


def message(names: Sequence[str], share: float, rules: pd.DataFrame) -> str:
    """The chapter in one sentence; a channel's capacity is mentioned only where one is known."""
    if list(names) == [EVERYTHING]:
        return "The orders name no channel, so the target is not split by channel."
    caps = rules[rules["rule"].str.startswith("capacity of ")]
    full = caps.loc[caps["binds"], "rule"].str.removeprefix("capacity of ").tolist()
    text = carried(names, share)
    if full:
        return f"{text}; at capacity: {', '.join(full)}."
    return f"{text}; no channel reaches its capacity." if len(caps) else f"{text}; no channel's capacity is known."


def told_effects(steps: pd.DataFrame) -> str:
    """Whose share gains most and whose loses most, as the title of the bridge. `steps`: member, effect (share)."""
    gains = steps.groupby("member")["effect"].sum().round(9)
    up, down = (gains[sign * gains >= 0.0005].sort_index() for sign in (1, -1))
    if up.empty and down.empty and steps["effect"].abs().max() >= 0.0005:
        return "Last year's shares stand: what moves a channel up moves it down again"
    if up.empty and down.empty:
        return "Last year's shares stand: no driver and no rule moves a channel"
    ends = [(side.idxmax() if side is up else side.idxmin()) for side in (up, down) if len(side)]
    return ", ".join(f"{name} {100 * gains[name]:+.1f} points of share" for name in ends)


def told_prices(broken: pd.DataFrame, show: Callable[..., str], most: int) -> str:
    """How many prices left their corridor and what that gave away, as the title of a table of `most` rows (CHN-6)."""
    text = f"{counted(len(broken), 'price')} left {'its' if len(broken) == 1 else 'their'} corridor"
    text += f", worth {show(int(broken['given_away'].sum()))}"
    return text if len(broken) <= most else f"{text}; the {most} dearest"


def unknown(
    names: Sequence[str],
    regions: Sequence[str],
    products: Sequence[str],
    given: Mapping[str, pd.DataFrame | None],
    bare: Sequence[str],
    horizon: Horizon,
) -> list[str]:
    """What orders and tables do not know of each other, each as a sentence (CHN-1, CHN-3 to CHN-7).

    `names`, `regions`, `products`: those of the orders; `given`: the tables channels, partners, partner_months, products and
    routes, where there are any; `bare`: see `unpriced`.
    """
    channels, partners, priced, routes = (given.get(name) for name in ("channels", "partners", "products", "routes"))
    said = []
    if channels is not None and list(names) != [EVERYTHING]:
        so = "no type, capacity or price corridor is known, and there is no incentive plan"
        said.append(lacking("channels", channels["channel"], names, "channel", so))
        said.append(strangers("channels", channels["channel"], names, "channel", "nothing is planned there"))
        there = channels[channels["channel"].isin(set(names))]
        if "capacity" in channels:
            free = sorted(there.loc[there["capacity"].isna(), "channel"])
            said.append(f"Capacity is not known of {some(free)}: no cap holds what is planned there." if free else "")
        if "type" in channels:
            other = sorted(there.loc[~there["type"].isin(SCHEMES), "channel"])
            said.append(f"No incentive plan is made for {some(other)}: no scheme is known for that type." if other else "")
    if partners is not None:
        said.append(strangers("partners", partners["channel"], names, "channel", "their partners count for no incentive"))
        said.append(strangers("partners", partners["region"], regions, "region", "nothing is planned there"))
        closed = partners.loc[partners["year"] <= closed_year(horizon), "year"]
        if len(closed) and int(closed.max()) < closed_year(horizon):
            said.append(f"Partners' results end with {int(closed.max())}: their scores and rebates rest on that year.")
        months = given.get("partner_months")
        stray = [] if months is None else strays(months["partner"], partners["partner"])
        said.append(f"Table partners lacks {some(stray)} of partner_months: no score is known of them." if stray else "")
    if priced is not None and "list_price" in priced:
        known = priced.loc[priced["list_price"] > 0, "product"]
        said.append(lacking("products", known, products, "list price", "these prices are not watched"))
    if routes is not None:
        said.append(lacking("routes", routes["region"], regions, "region", "no stock reaches them"))
    if bare:
        said.append(f"Nobody bought {some(bare)} in the last twelve months: its demand in pieces is not known, nor routed.")
    return [text for text in said if text]
