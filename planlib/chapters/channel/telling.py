"""What the channel chapter says, each sentence made from the rows it speaks of (CHN-1, CHN-2, CHN-7)."""

from collections.abc import Sequence

import pandas as pd

from planlib.chapters.members import carried, lacking, some, strangers
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
    if up.empty and down.empty:
        return "Last year's shares stand: no driver and no rule moves a channel"
    ends = [(side.idxmax() if side is up else side.idxmin()) for side in (up, down) if len(side)]
    return ", ".join(f"{name} {100 * gains[name]:+.1f} points of share" for name in ends)


def unknown(
    names: Sequence[str],
    channels: pd.DataFrame | None,
    products: Sequence[str],
    listed: pd.DataFrame | None,
    bare: Sequence[str],
) -> list[str]:
    """What orders and tables do not know of each other, each as a sentence (CHN-1, CHN-3, CHN-6, CHN-7).

    `names`, `products`: those of the orders; `channels`, `listed`: the tables of channels and products; `bare`: see `unpriced`.
    """
    if list(names) == [EVERYTHING]:
        return []
    said = []
    if channels is not None:
        so = "no type, capacity or price corridor is known, and there is no incentive plan"
        said.append(lacking("channels", channels["channel"], names, "channel", so))
        said.append(strangers("channels", channels["channel"], names, "channel", "nothing is planned there"))
        if "capacity" in channels:
            there = channels[channels["channel"].isin(set(names)) & channels["capacity"].isna()]["channel"]
            said.append(f"Capacity is not known of {some(sorted(there))}: no cap holds them." if len(there) else "")
    if listed is not None and "list_price" in listed:
        priced = listed.loc[listed["list_price"] > 0, "product"]
        said.append(lacking("products", priced, products, "list price", "their prices are not watched"))
    if bare:
        said.append(f"Nobody bought {some(bare)} in the last twelve months: its demand in pieces is not known, nor routed.")
    return [text for text in said if text]
