"""The sample company's goods: what is known of products' markets, channels' prices, dealers, their months, stock and freight.

Everything is invented, and drawn from its own streams (26 to 28), so that no other table moves with it.
"""

import numpy as np
import pandas as pd

from planlib.data.provinces import PROVINCES
from planlib.data.sample_orders import CHANNELS, MONTHS, PRODUCTS, stream
from planlib.plan import largest_remainder

# product: market's size in 2025 (million yuan), its growth, the largest rival's share of it
_MARKETS = {
    "Aqua 400": (118, 0.03, 0.062),
    "Aqua 600": (112, 0.13, 0.078),
    "Aqua 800 Pro": (120, 0.19, 0.081),
    "Aqua Mini": (35, -0.04, 0.055),
    "Pitcher One": (40, -0.08, 0.12),
    "Breeze 300": (66, 0.01, 0.058),
    "Breeze 500": (92, 0.06, 0.071),
    "Breeze Max": (102, 0.21, 0.082),
    "Breeze Go": (80, 0.28, 0.095),
    "Pro 2000": (132, 0.06, 0.088),
    "Pro 5000": (150, 0.15, 0.118),
    "HVAC Pure": (93, -0.02, 0.074),
    "Filter Set": (85, 0.08, 0.064),
    "Care Plan": (52, 0.16, 0.097),
}
# product: target users of the launch, channels that are to carry it, marketing of the launch (yuan), valid feedback in the
# first 30 days, improvements made from it
_LAUNCHES = {"Aqua 800 Pro": (420, 4, 620_000, 1180, 3), "Breeze Go": (1600, 3, 260_000, 860, 2)}
# channel: realised price as a share of the list price, from and to
_CORRIDORS = {
    "Dealers": ("0.64", "0.73"),
    "Own stores": ("0.91", "1.05"),
    "E-commerce": ("0.83", "0.98"),
    "Key accounts": ("0.72", "0.84"),
    "Distributors": ("0.59", "0.68"),
}
# warehouse: its area, its part of the stock
_WAREHOUSES = {
    "Tianjin": ("North", 0.20),
    "Suzhou": ("East", 0.34),
    "Dongguan": ("South", 0.20),
    "Wuhan": ("Central", 0.14),
    "Chengdu": ("Southwest", 0.12),
}
_PLACES = {"North": (4, 5), "Northeast": (6, 7), "East": (6, 3), "Central": (4, 3), "South": (4, 0), "Southwest": (1, 2)}
_PLACES |= {"Northwest": (0, 5)}
# days of sales in stock; the rest have 70, and 24 where goods move fast
_DAYS = {"Breeze Max": 24, "Breeze Go": 16, "Aqua Mini": 170, "HVAC Pure": 150, "Pitcher One": 0, "Filter Set": 27}
_FAST = ("Filter Set", "Care Plan", "Aqua Mini", "Breeze Go", "Pitcher One")
# dealers whose last months before 2026 fell off
_FALLING = {5: 3, 12: 6, 21: 2, 30: 5, 44: 3}


def products() -> pd.DataFrame:
    """The products with their markets (yuan a year, growth, the largest rival's share)."""
    rows = []
    for p in PRODUCTS:
        size, growth, rival = _MARKETS[p.name]
        rows.append((p.name, p.line, p.launched, p.price, size * 1_000_000, growth, rival))
    columns = ["product", "line", "launched", "list_price", "market_size", "market_growth", "rival_share"]
    return pd.DataFrame(rows, columns=columns)


def launches() -> pd.DataFrame:
    """What was set for each launch, and what came."""
    columns = ["product", "target_users", "core_channels", "spend", "feedback", "improvements"]
    return pd.DataFrame([(name, *set_) for name, set_ in _LAUNCHES.items()], columns=columns)


def channels(capacity: list[int]) -> pd.DataFrame:
    """The channels with their capacity (yuan a year) and price corridor."""
    rows = [(c.name, c.type, most, *_CORRIDORS[c.name]) for c, most in zip(CHANNELS, capacity, strict=True)]
    return pd.DataFrame(rows, columns=["channel", "type", "capacity", "price_low", "price_high"])


def rated(seed: int, partners: pd.DataFrame) -> pd.DataFrame:
    """Dealers with what they bring: funds, warehouse, team, outlets, turnover, fill rate, coverage, digital work."""
    rng = stream(seed, 26)
    names = sorted(set(partners["partner"]))
    draws = dict(zip(names, np.round(rng.random((len(names), 10)), 4), strict=True))
    rows = []
    for row in partners.itertuples():
        d, years, size = draws[row.partner], row.year - 2023, float(row.result)
        skill = min(1.0, size / float(row.target)) - 0.8
        rows.append(
            (
                round(size * (0.12 + 0.15 * d[0]) / 1000) * 1000,
                round(120 + size / 6000 * (0.6 + 0.8 * d[1])),
                max(2, round(2 + size / 160_000 * (0.6 + 0.8 * d[2]))),
                round(10 * d[3] + 20 * max(0.0, skill)),
                f"{4.0 + 4.5 * d[4] + 3 * skill:.1f}",
                f"{min(0.995, 0.82 + 0.15 * d[5] + 0.1 * skill):.3f}",
                f"{0.35 + 0.4 * d[6] + 0.02 * years:.3f}",
                f"{0.25 + 0.6 * d[7] + 0.05 * years:.3f}",
                f"{0.55 + 0.44 * d[8]:.3f}",
                f"{0.02 + 0.2 * d[9] + 0.02 * years:.3f}",
            )
        )
    columns = ["funds", "warehouse", "team", "new_outlets", "turnover", "fill_rate", "coverage", "crm_use", "reports_on_time"]
    return pd.concat([partners.reset_index(drop=True), pd.DataFrame(rows, columns=[*columns, "online_share"])], axis=1)


def partner_months(seed: int, partners: pd.DataFrame, monthly: pd.Series) -> pd.DataFrame:
    """Each dealer's months: target and result (whole yuan), which sum to its years but for less than a yuan; 2026 to March.

    `monthly`: revenue of the channel by month, cents, for the season that targets follow.
    """
    rng = stream(seed, 27)
    season = monthly.reindex(MONTHS).astype("int64")
    rows = []
    for place, (name, years) in enumerate(partners.groupby("partner", sort=True), start=1):
        years = years.sort_values("year")
        last = years.iloc[-1]
        kinds = [(int(row.year), int(row.target), round(float(row.result))) for row in years.itertuples()]
        if int(last["year"]) == 2025:
            quarter = int(season.loc["2025-01":"2025-03"].sum()) / int(season.loc["2025-01":"2025-12"].sum())
            grown = round(float(last["result"]) * 1.3 / 1000) * 1000
            kinds.append((2026, grown, round(grown * quarter * (0.74 + 0.36 * rng.random()))))
        for year, target, result in kinds:
            names = [month for month in MONTHS if month[:4] == str(year)]
            usual = season.loc[names]
            whole = season.loc["2025-01":"2025-12"] if year == 2026 else usual
            if year == 2026:  # the quarter's part of the year's target
                target = round(target * int(season.loc["2025-01":"2025-03"].sum()) / int(whole.sum()))
            luck = np.rint(1000 * (0.80 + 0.40 * rng.random(len(names)))).astype("int64")
            if year == 2025 and place in _FALLING:
                luck[-_FALLING[place] :] = luck[-_FALLING[place] :] * 55 // 100
            targets = largest_remainder(target, usual.to_numpy(), names)
            results = largest_remainder(result, usual.to_numpy() // 1000 * luck, names)
            rows += [(name, month, t, r) for month, t, r in zip(names, targets, results, strict=True)]
    return pd.DataFrame(rows, columns=["partner", "month", "target", "result"])


def inventory(seed: int, year: pd.DataFrame) -> pd.DataFrame:
    """Stock by product and warehouse: pieces, their cost (whole yuan), and whether goods move fast.

    `year`: the last year's `quantity` and `cost` (cents) by number of the product, in days of which stock is reckoned.
    """
    rng = stream(seed, 28)
    rows = []
    for number, product in enumerate(PRODUCTS):
        sold, cost = (int(year.loc[number, column]) for column in ("quantity", "cost"))
        days = _DAYS.get(product.name, 24 if product.name in _FAST else 70)
        for warehouse, (_, part) in _WAREHOUSES.items():
            pieces = round(sold * days / 365 * part * (0.7 + 0.6 * round(rng.random(), 4)))
            if pieces:
                value = round(pieces * cost / sold / 100)
                rows.append((product.name, warehouse, pieces, value, "fast" if product.name in _FAST else "durable"))
    return pd.DataFrame(rows, columns=["product", "warehouse", "quantity", "value", "kind"])


def routes() -> pd.DataFrame:
    """Freight from every warehouse to every province, yuan a piece: by how far apart their areas lie."""
    rows = []
    for warehouse, (area, _) in _WAREHOUSES.items():
        for n, province in enumerate(PROVINCES):
            (x, y), (to_x, to_y) = _PLACES[area], _PLACES[province.area]
            rows.append((warehouse, province.name, f"{9 + 4 * (abs(x - to_x) + abs(y - to_y)) + n % 5 * 0.8:.2f}"))
    return pd.DataFrame(rows, columns=["warehouse", "region", "cost"])
