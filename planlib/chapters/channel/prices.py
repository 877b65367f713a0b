"""Price discipline: realised prices against list-price corridors by channel, and what leaves them (CHN-6)."""

from typing import Any

import numpy as np
import pandas as pd

from planlib.plan import AMOUNT

COLUMNS = ["channel", "product", "region", "month", "price_share", "price_from", "price_to", "given_away"]


def corridors(sold: pd.DataFrame, channels: pd.DataFrame | None, parameters: Any) -> pd.DataFrame:
    """The corridor of each channel (CHN-6): channel, price_from, price_to (of the list price), basis.

    `sold`: channel, price_share. Stated in `channels` (price_low, price_high), else the channel's median price share, less and
    more `corridor`.
    """
    usual = sold.groupby("channel")["price_share"].median()
    frame = pd.DataFrame({"channel": usual.index, "price_from": usual.to_numpy() - parameters.corridor})
    frame["price_to"] = usual.to_numpy() + parameters.corridor
    frame["basis"] = "own usual price"
    if channels is not None and {"price_low", "price_high"} <= set(channels.columns):
        stated = channels.set_index("channel").reindex(frame["channel"])
        known = stated[["price_low", "price_high"]].notna().all(axis=1).to_numpy()
        frame["price_from"] = np.where(known, stated["price_low"], frame["price_from"])
        frame["price_to"] = np.where(known, stated["price_high"], frame["price_to"])
        frame["basis"] = np.where(known, "stated", frame["basis"])
    return frame


def violations(
    orders: pd.DataFrame, products: pd.DataFrame | None, channels: pd.DataFrame | None, parameters: Any
) -> pd.DataFrame:
    """Prices outside their corridor, dearest first (CHN-6).

    `orders`: channel, product, region, month, amount (minor units), quantity (pieces); `products`: list_price.
    Realised price = revenue over pieces. Returns channel, product, region, month, price_share (realised over list), price_from,
    price_to, given_away (minor units: what selling under the floor gave away, or was charged above the ceiling). Empty where
    no list price is known.
    """
    if products is None or "list_price" not in products:
        return pd.DataFrame(columns=COLUMNS)
    sold = orders[(orders["quantity"] > 0) & (orders[AMOUNT] > 0)].merge(products[["product", "list_price"]], on="product")
    sold = sold[sold["list_price"] > 0]
    sold["price_share"] = sold[AMOUNT] / (sold["quantity"] * sold["list_price"])
    sold = sold.merge(corridors(sold, channels, parameters), on="channel")
    share, room = sold["price_share"].round(9), parameters.price_tolerance
    under, over = (sold["price_from"] - room - share).round(9) > 0, (share - sold["price_to"] - room).round(9) > 0
    gap = np.where(under, sold["price_from"] - share, share - sold["price_to"])
    sold["given_away"] = (gap * sold["list_price"] * sold["quantity"]).round().astype("int64")
    found = sold[under | over].sort_values(["given_away", *COLUMNS[:4]], ascending=[False, True, True, True, True])
    return found[COLUMNS].reset_index(drop=True)
