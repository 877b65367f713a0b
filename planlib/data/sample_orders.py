"""The sample company's customers and their orders, drawn from a seed.

Each customer has an own purchase rate and lifetime (gamma rates and drop-out, after Fader, Hardie & Lee 2005, "Counting
your customers the easy way"), and orders on days drawn from its channel's seasonal intensity with moving holidays.

The same everywhere: every draw is a plain uniform of `PCG64`, shaped here by arithmetic that is rounded at once and
chosen by integer weights, so that neither the distributions of a numpy release nor the last bit of a platform's
`exp` can move a line. Amounts are integer cents.
"""

from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from lunardate import LunarDate
from numpy.typing import NDArray

from planlib.data.provinces import PROVINCES

FIRST, LAST = date(2023, 1, 1), date(2026, 3, 31)
DAYS = (LAST - FIRST).days + 1
MONTHS = [f"{year}-{month:02d}" for year in range(2023, 2027) for month in range(1, 13)][:39]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Product(NamedTuple):
    """One product; weights are how often households and businesses choose it, at the start and end of the orders."""

    name: str
    line: str
    launched: date
    price: int  # list price, yuan
    cost: float  # unit cost as a share of list price
    household: int
    business: int
    start: float  # relative demand in 2023-01 ...
    end: float  # ... and in 2026-03: the life-cycle stage
    channels: str  # initials of the channels that carry it
    tiers: str = "mgi"  # initials of the province maturities that carry it


PRODUCTS = (
    Product("Aqua 400", "Water", date(2018, 3, 1), 1899, 0.40, 15, 6, 1.05, 0.90, "DOEX"),
    Product("Aqua 600", "Water", date(2021, 5, 1), 2899, 0.38, 12, 7, 0.75, 1.45, "DOEX"),
    Product("Aqua 800 Pro", "Water", date(2024, 9, 1), 4299, 0.37, 10, 6, 0.90, 1.60, "DOE", "mg"),
    Product("Aqua Mini", "Water", date(2016, 4, 1), 899, 0.45, 10, 3, 1.35, 0.45, "DEX"),
    Product("Pitcher One", "Water", date(2015, 6, 1), 199, 0.48, 9, 1, 1.20, 0.60, "OE"),
    Product("Breeze 300", "Air", date(2017, 9, 1), 1599, 0.43, 9, 5, 1.30, 0.55, "DEX"),
    Product("Breeze 500", "Air", date(2020, 10, 1), 2599, 0.39, 9, 7, 1.00, 0.95, "DOEK"),
    Product("Breeze Max", "Air", date(2022, 8, 1), 3999, 0.38, 5, 6, 0.60, 1.70, "DOEK", "mg"),
    Product("Breeze Go", "Air", date(2025, 6, 1), 799, 0.42, 24, 6, 0.90, 1.50, "OEX"),
    Product("Pro 2000", "Commercial", date(2019, 3, 1), 12800, 0.39, 0, 11, 1.00, 0.95, "DKX"),
    Product("Pro 5000", "Commercial", date(2022, 3, 1), 29800, 0.37, 0, 5, 0.60, 1.50, "DK", "mg"),
    Product("HVAC Pure", "Commercial", date(2017, 5, 1), 18800, 0.41, 0, 4, 1.30, 0.55, "DK", "m"),
    Product("Filter Set", "Care", date(2016, 4, 1), 299, 0.33, 26, 30, 0.95, 1.15, "DOEKX"),
    Product("Care Plan", "Care", date(2020, 6, 1), 699, 0.30, 8, 12, 0.70, 1.55, "OEK"),
)
EXIT = ("Pitcher One", date(2025, 12, 31))  # no sale and no return after this day


class Channel(NamedTuple):
    """One channel; shares say where households and businesses buy, price is the share of list price it pays."""

    name: str
    type: str
    household: int
    business: int
    price: float
    slack: float  # capacity over what a 30% higher 2025 would need, share
    absent: tuple[str, ...]  # provinces without it


_NO_STORES = "Inner Mongolia,Jilin,Heilongjiang,Hainan,Guizhou,Yunnan,Tibet,Gansu,Qinghai,Ningxia,Xinjiang,Shanxi,Guangxi"
CHANNELS = (
    Channel("Dealers", "dealer", 22, 44, 0.68, 0.25, ("Tibet",)),
    Channel("Own stores", "own_store", 20, 3, 0.97, 0.15, tuple(_NO_STORES.split(","))),
    Channel("E-commerce", "online", 44, 13, 0.90, -0.08, ()),
    Channel("Key accounts", "key_account", 0, 30, 0.78, 0.20, ("Tibet", "Qinghai", "Ningxia", "Gansu", "Hainan", "Jilin")),
    Channel("Distributors", "distributor", 14, 10, 0.64, 0.30, ("Beijing", "Shanghai", "Tibet", "Qinghai")),
)

# customers: how many, share there before 2023, orders per 1,000 days of normal demand, mean lifetime in days,
# share that returns after a gap of half a year or more
HOUSEHOLD, BUSINESS = 0, 1
NUMBER, ALREADY, RATE, LIFETIME, RETURNING = (5600, 1900), (0.22, 0.34), (8.2, 14.0), (620, 1100), (0.16, 0.22)
# demand level at the start of 2023, in April and October of each year, then around a strong first quarter of 2026
# (about a tenth over the seasonal pace of a 30% higher year); piecewise linear
LEVEL = (0.93, 0.92, 0.93, 0.94, 0.93, 0.92, 0.93, 0.95, 1.15, 1.15)
INDUSTRIES = {"Catering": 30, "Offices": 26, "Property": 18, "Hotels": 13, "Education": 2, "Healthcare": 2, "Manufacturing": 2}


# Draws: uniforms only, rounded at once ---------------------------------------------------------------------------


def stream(seed: int, table: int) -> np.random.Generator:
    """An own stream for each part, so that a new table moves no other."""
    return np.random.Generator(np.random.PCG64([seed, table]))


def _exponential(rng: np.random.Generator, size: int) -> Floats:
    drawn: Floats = -np.log(1.0 - rng.random(size))
    return drawn.round(4)


def _bell(rng: np.random.Generator, size: int) -> Floats:
    """Standard normal to a good approximation, from twelve uniforms (no platform's `erf`)."""
    return np.round(rng.random((size, 12)).cumsum(axis=1)[:, -1] - 6.0, 4)


def _pick(rng: np.random.Generator, weights: Any) -> Ints:
    """One index per row of integer weights."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.int64), axis=1)
    drawn = np.floor(rng.random(len(cumulative)) * cumulative[:, -1]).astype(np.int64)
    return (cumulative <= drawn[:, None]).sum(axis=1).astype(np.int64)


def _poisson(rng: np.random.Generator, mean: Floats) -> Ints:
    """Counts by inversion: the first count whose cumulative probability reaches the uniform."""
    left = rng.random(len(mean))
    term = np.exp(-mean)
    count = np.zeros(len(mean), dtype=np.int64)
    for step in range(1, 400):
        more = left > term
        if not more.any():
            break
        left = np.where(more, left - term, 0.0)
        term = np.where(more, term * mean / step, np.inf)
        count += more
    return count


def _index(day: date) -> int:
    return (day - FIRST).days


# The calendar and the seasonal intensity --------------------------------------------------------------------------


def holidays(year: int) -> dict[str, date]:
    """Days of the moving and fixed events of a year; lunar ones from the lunar calendar."""
    lunar = {"Spring Festival": (1, 1), "Dragon Boat Festival": (5, 5), "Mid-Autumn Festival": (8, 15)}
    days = {event: LunarDate(year, month, day).to_solar_date() for event, (month, day) in lunar.items()}
    # the sun reaches 270 degrees on 21 or 22 December, Beijing time
    solstice = date(year, 12, 21 if year in (2024, 2025) else 22)
    fixed = {"618": date(year, 6, 18), "National Day": date(year, 10, 1), "Double 11": date(year, 11, 11)}
    return days | fixed | {"Winter Solstice": solstice}


def _intensity() -> Ints:
    """Demand of each channel on each day, 1,000 = a plain day: weekday, season, moving holidays, promotions."""
    days = [FIRST + timedelta(n) for n in range(DAYS)]
    weekend = np.array([day.weekday() >= 5 for day in days])
    month = np.array([day.month for day in days])
    season = np.array([0, 98, 98, 100, 97, 99, 102, 101, 97, 99, 100, 104, 106])[month] / 100
    knots = [0, *(_index(date(year, m, 1)) for year in (2023, 2024, 2025) for m in (4, 10))]
    knots += [_index(date(2025, 12, 20)), _index(date(2026, 1, 10)), DAYS - 1]
    level = np.interp(np.arange(DAYS), knots, LEVEL)
    # lift by channel: weekend, before Spring Festival, 618, Mid-Autumn to National Day, Double 11, December
    lifts = (
        (0.75, 1.30, 1.12, 1.22, 1.12, 1.12),  # Dealers
        (1.35, 1.35, 1.25, 1.35, 1.20, 1.00),  # Own stores
        (1.10, 1.15, 2.60, 1.10, 3.00, 1.05),  # E-commerce
        (0.25, 1.12, 1.00, 1.00, 1.00, 1.40),  # Key accounts
        (0.65, 1.25, 1.35, 1.15, 1.45, 1.05),  # Distributors
    )
    rows = []
    for at_weekend, before, mid_year, autumn, eleven, december in lifts:
        row = level * season * np.where(weekend, at_weekend, 1.0) * np.where(month == 12, december, 1.0)
        for year in range(2023, 2027):
            event = {name: _index(day) for name, day in holidays(year).items()}
            spring, golden = event["Spring Festival"], event["National Day"]
            windows = [(spring - 30, spring - 10, before), (spring - 6, spring - 3, 0.55), (spring - 2, spring + 5, 0.22)]
            windows += [(spring + 6, spring + 9, 0.60), (event["618"] - 17, event["618"] + 2, mid_year)]
            windows += [(min(event["Mid-Autumn Festival"], golden) - 12, golden + 7, autumn)]
            windows += [(event["Double 11"] - 18, event["Double 11"] + 1, eleven)]
            for first, last, factor in windows:
                row[max(first, 0) : max(last + 1, 0)] *= factor
        rows.append(np.rint(row * 1000).astype(np.int64))
    return np.array(rows)


# Customers and their orders ----------------------------------------------------------------------------------------


def _customers(rng: np.random.Generator, intensity: Ints) -> pd.DataFrame:
    """One row per potential customer: kind, province, home channel, first day, city, industry, size."""
    kind = np.repeat([HOUSEHOLD, BUSINESS], NUMBER)
    early = rng.random(len(kind)) < np.array(ALREADY)[kind]
    # young provinces win more of the later customers
    reach = {"mature": (1.25, 0.98), "growing": (1.0, 1.08), "incubating": (0.55, 1.30)}
    start = np.where(early, 0, np.floor(rng.random(len(kind)) * DAYS)).astype(np.int64)
    size = np.array([p.gdp * (0.5 + p.income / 80000) * reach[p.maturity][0] for p in PROVINCES])
    pull = np.array([reach[p.maturity][1] for p in PROVINCES])
    region = _pick(rng, np.rint(size * pull ** (start[:, None] // 365)))
    carried = np.array([[p.name not in c.absent for c in CHANNELS] for p in PROVINCES])
    share = np.array([[c.household for c in CHANNELS], [c.business for c in CHANNELS]])
    channel = _pick(rng, share[kind] * carried[region])
    # the first day follows the season: a customer is won by its first order
    cumulative = np.cumsum(np.hstack([np.zeros((len(CHANNELS), 1), dtype=np.int64), intensity]), axis=1)
    drawn = np.floor(rng.random(len(kind)) * cumulative[channel, -1]).astype(np.int64)
    won = np.array([np.searchsorted(cumulative[c], x, side="right") - 1 for c, x in zip(channel, drawn, strict=True)])
    start = np.where(early, 0, won)
    opened = 2 + (start >= _index(date(2024, 4, 1))) + (start >= _index(date(2025, 4, 1)))
    city = np.floor(rng.random(len(kind)) ** 2 * opened).astype(np.int64)
    industry = np.where(kind == BUSINESS, _pick(rng, np.tile(list(INDUSTRIES.values()), (len(kind), 1))), -1)
    scale = _pick(rng, np.tile([55, 32, 13], (len(kind), 1)))
    return pd.DataFrame(
        {"kind": kind, "early": early, "region": region, "channel": channel, "start": start, "city": city}
        | {"industry": industry, "scale": scale}
    )


def _occasions(rng: np.random.Generator, customers: pd.DataFrame, intensity: Ints) -> pd.DataFrame:
    """One row per order: customer, day. Each customer buys at an own rate until it drops out; some come back."""
    kind, channel, start = (customers[c].to_numpy() for c in ("kind", "channel", "start"))
    number = len(customers)
    # gamma(2) rates for households, gamma(3) for businesses, mean one: sums of exponentials
    three = [_exponential(rng, number) for _ in range(3)]
    rate = np.where(kind == BUSINESS, (three[0] + three[1] + three[2]) / 3, (three[0] + three[1]) / 2)
    rate = np.round(rate * np.array(RATE)[kind] * np.where(kind == BUSINESS, (1 + customers["scale"] * 0.4), 1.0), 3)
    end = start + np.rint(_exponential(rng, number) * np.array(LIFETIME)[kind]).astype(np.int64)
    back = end + 200 + np.floor(rng.random(number) * 230).astype(np.int64)
    returns = rng.random(number) < np.array(RETURNING)[kind]
    again = back + np.rint(_exponential(rng, number) * np.array(LIFETIME)[kind] * 0.6).astype(np.int64)
    cumulative = np.cumsum(np.hstack([np.zeros((len(CHANNELS), 1), dtype=np.int64), intensity]), axis=1)
    parts = []
    for first, last, alive in ((start, end, np.ones(number, bool)), (back, again, returns)):
        who = np.flatnonzero(alive & (first < DAYS))
        low = cumulative[channel[who], first[who]]
        span = cumulative[channel[who], np.minimum(last[who] + 1, DAYS)] - low
        count = _poisson(rng, np.round(rate[who] * span / 1e6, 4))
        each = np.repeat(np.arange(len(who)), count)
        drawn = low[each] + np.floor(rng.random(len(each)) * span[each]).astype(np.int64)
        home = channel[who][each]
        day = np.zeros(len(each), dtype=np.int64)
        for c in range(len(CHANNELS)):
            day[home == c] = np.searchsorted(cumulative[c], drawn[home == c], side="right") - 1
        won = ~(customers["early"].to_numpy()[who] & (first[who] == 0))  # those already there won no first order
        parts += [pd.DataFrame({"customer": who[each], "day": day}), pd.DataFrame({"customer": who, "day": first[who]})[won]]
    return pd.concat(parts).drop_duplicates().sort_values(["day", "customer"], ignore_index=True)


def _demand() -> Ints:
    """Weights of the products by customer kind, province, channel and month: life-cycle, assortment, local taste."""
    weights = np.zeros((2, len(PROVINCES), len(CHANNELS), len(MONTHS), len(PRODUCTS)))
    months = np.arange(len(MONTHS))
    for p, product in enumerate(PRODUCTS):
        launch = (product.launched.year - 2023) * 12 + product.launched.month - 1
        stage = np.interp(months, [max(launch, 0), len(MONTHS) - 1], [product.start, product.end])
        stage = stage * np.clip((months - launch + 1) / 8, 0, 1)  # eight months from launch to full demand
        if product.name == EXIT[0]:
            stage = stage * np.clip((36 - months) / 12, 0, 1)  # sold out over its last year
        for r, province in enumerate(PROVINCES):
            taste = {"Air": {"North": 1.4, "Northeast": 1.2, "South": 0.6}, "Water": {"South": 1.2, "Northwest": 1.2}}
            local = taste.get(product.line, {}).get(province.area, 1.0) * (province.maturity[0] in product.tiers)
            for c, channel in enumerate(CHANNELS):
                if channel.name[0] in product.channels and province.name not in channel.absent:
                    weights[HOUSEHOLD, r, c, :, p] = stage * local * product.household * 1000
                    weights[BUSINESS, r, c, :, p] = stage * local * product.business * 1000
    return np.rint(weights).astype(np.int64)


def _lines(rng: np.random.Generator, customers: pd.DataFrame, occasions: pd.DataFrame) -> pd.DataFrame:
    """Order lines with indices for names and integer cents for amounts, returns included."""
    order = pd.DataFrame(occasions)
    who = customers.loc[order["customer"]]
    order["region"], order["kind"] = who["region"].to_numpy(), who["kind"].to_numpy()
    # one order in ten goes through another channel of the province
    carried = np.array([[p.name not in c.absent for c in CHANNELS] for p in PROVINCES])
    share = np.array([[c.household for c in CHANNELS], [c.business for c in CHANNELS]])
    other = _pick(rng, share[order["kind"]] * carried[order["region"]])
    order["channel"] = np.where(rng.random(len(order)) < 0.10, other, who["channel"].to_numpy())
    extra = rng.random(len(order))
    lines = order.loc[order.index.repeat(1 + (extra < 0.36).astype(int) + (extra < 0.08))]
    lines = lines.rename_axis("order").reset_index()
    days = [FIRST + timedelta(n) for n in range(DAYS)]
    lines["n"] = np.array([(day.year - 2023) * 12 + day.month - 1 for day in days])[lines["day"]]
    keys = tuple(lines[column].to_numpy() for column in ("kind", "region", "channel", "n"))
    lines["product"] = _pick(rng, _demand()[keys])
    lines = lines.drop_duplicates(["order", "product"], ignore_index=True)

    product, kind = lines["product"].to_numpy(), lines["kind"].to_numpy()
    price = np.array([p.price for p in PRODUCTS], dtype=np.int64)[product]
    # businesses buy cheap goods by the dozen and machines one by one
    most = np.select([price < 500, price < 1000, price < 5000, price < 15000], [36, 14, 8, 3], 2)
    most = most * np.array([1.0, 1.5, 2.2])[customers["scale"].to_numpy()[lines["customer"]]]
    draw = rng.random(len(lines))
    quantity = np.where(kind == BUSINESS, 1 + np.floor(draw**2 * most), 1 + (draw < 0.12) + (draw < 0.02)).astype(np.int64)
    terms = np.array([c.price for c in CHANNELS])[lines["channel"]] + np.round(_bell(rng, len(lines)) * 0.025, 3)
    promotion = np.zeros(DAYS)
    for year in range(2023, 2027):
        for event in ("618", "Double 11"):
            day = _index(holidays(year)[event])
            promotion[max(day - 17, 0) : day + 2] = 0.08
    terms = terms - promotion[lines["day"]] * np.array([0.25, 0.6, 1.0, 0.0, 0.4])[lines["channel"]]
    lines["quantity"] = quantity
    lines["revenue"] = np.rint(quantity * price * np.round(terms, 3) * 100).astype(np.int64)
    inflation = 1 + 0.012 * (lines["n"].to_numpy() // 12)
    cost = np.array([p.cost for p in PRODUCTS])[product]
    unit = np.rint(price * cost * inflation * (1 + np.round(rng.random(len(lines)) - 0.5, 3) * 0.04) * 100)
    lines["cost"] = quantity * unit.astype(np.int64)
    return pd.concat([lines, _returns(rng, lines)]).sort_values(["day", "order", "product"], ignore_index=True)


def _returns(rng: np.random.Generator, lines: pd.DataFrame) -> pd.DataFrame:
    """Negative lines under the number of the order they undo, some days later: whole, or part of the pieces."""
    back = lines[rng.random(len(lines)) < 0.016].copy()
    pieces = back["quantity"] - np.floor(rng.random(len(back)) * back["quantity"] * 0.6).astype(np.int64)
    for amount in ("revenue", "cost"):
        back[amount] = -(back[amount] // back["quantity"] * pieces)
    back["quantity"] = -pieces
    back["day"] += 2 + np.floor(rng.random(len(back)) * 24).astype(np.int64)
    gone = back["product"].map(lambda p: PRODUCTS[p].name == EXIT[0])
    return back[(back["day"] < DAYS) & ~(gone & (back["day"] > _index(EXIT[1])))]


def order_lines(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers and order lines, with indices into `PROVINCES`, `CHANNELS` and `PRODUCTS` instead of names.

    Returns: customers (kind, early, region, channel, start, city, industry, scale), indexed by customer; lines
    (order, customer, day since 2023-01-01, region, channel, product, quantity, revenue and cost in cents; returns
    are negative), in order of time.
    """
    intensity = _intensity()
    customers = _customers(stream(seed, 1), intensity)
    occasions = _occasions(stream(seed, 2), customers, intensity)
    return customers, _lines(stream(seed, 3), customers, occasions)
