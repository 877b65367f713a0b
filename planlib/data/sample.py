"""The sample company from a seed: a fictional Chinese brand for home and commercial water and air treatment.

The public figures of the provinces are real (see `provinces`), everything else is invented. Orders come from
`sample_orders`; targets, dealers, staff, marketing and indicators are built upon them here. The tables are committed
under data/sample/ and come out of the seed byte for byte. Run as `python -m planlib.data.sample FOLDER`.
"""

import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from planlib.data import sample_goods
from planlib.data.provinces import PROVINCES
from planlib.data.sample_orders import (
    CHANNELS,
    DAYS,
    FIRST,
    HOUSEHOLD,
    INDUSTRIES,
    MONTHS,
    PRODUCTS,
    Ints,
    holidays,
    order_lines,
    stream,
)

SEED = 20260331


# The other tables ----------------------------------------------------------------------------------------------------


def _regions(seed: int) -> pd.DataFrame:
    rows = [
        (p.name, p.area, f"{p.gdp:.2f}", f"{p.gdp_growth / 100:.3f}", p.income, p.population, p.maturity, p.rival_share)
        for p in PROVINCES
    ]
    columns = ["region", "area", "gdp", "gdp_growth", "income", "population", "maturity", "rival_share"]
    return pd.concat([pd.DataFrame(rows, columns=columns), _markets(stream(seed, 23))], axis=1)


def _markets(rng: np.random.Generator) -> pd.DataFrame:
    """Rivals' coverage goes with their share, their price falls where they are many; consumption leans to rich provinces."""
    rows = []
    for p in PROVINCES:
        coverage = min(0.95, max(0.10, 0.10 + 1.30 * p.rival_share + 0.16 * (rng.random() - 0.5)))
        price = 1.06 - 0.30 * (p.rival_share - 0.30) + 0.16 * (rng.random() - 0.5)
        consumption = 0.94 + 0.0000012 * p.income + 0.10 * (rng.random() - 0.5)
        rows.append((f"{coverage:.2f}", f"{price:.2f}", f"{consumption:.3f}"))
    return pd.DataFrame(rows, columns=["rival_coverage", "rival_price", "consumption"])


def _people(customers: pd.DataFrame) -> pd.DataFrame:
    """What is known of each customer: households have neither industry nor size of their own."""
    rows = []
    columns = [customers[column].tolist() for column in ("kind", "region", "industry", "scale", "city")]
    for kind, region, industry, scale, city in zip(*columns, strict=True):
        firm = (list(INDUSTRIES)[industry], ("Small", "Medium", "Large")[scale])
        what = ("Household", "Household") if kind == HOUSEHOLD else firm
        rows.append((PROVINCES[region].name, *what, PROVINCES[region].cities[city]))
    return pd.DataFrame(rows, columns=["region", "industry", "size", "city"])


def _needs(rng: np.random.Generator, people: pd.DataFrame, lines: pd.DataFrame) -> list[str]:
    """What customers ask for first, known of three in five.

    Half of them bought accordingly (under the usual price, dear models, or neither); the others answer by their size.
    """
    sold = lines[lines["quantity"] > 0]
    total = sold.groupby("product")[["revenue", "quantity"]].sum()
    usual = sold["quantity"] * sold["product"].map(total["revenue"] // total["quantity"])
    by = sold.assign(usual=usual).groupby("customer")[["revenue", "quantity", "usual"]].sum()
    cheap = (by["revenue"] * 100 < by["usual"] * 96).tolist()
    dear = (by["usual"] // by["quantity"] > total["revenue"].sum() // total["quantity"].sum()).tolist()
    weights = {"Household": (50, 30, 20), "Small": (46, 18, 36), "Medium": (30, 32, 38), "Large": (18, 34, 48)}
    draw, known, acts = np.floor(rng.random(len(people)) * 100), rng.random(len(people)) < 0.6, rng.random(len(people)) < 0.5
    rows = []
    for n, (size, number, told) in enumerate(zip(people["size"], draw, known, strict=True)):
        price, technology, _ = weights[size]
        need = "price" if number < price else "technology" if number < price + technology else "service"
        if acts[n]:
            need = "price" if cheap[n] else "technology" if dear[n] else "service"
        rows.append(need if told else "unknown")
    return rows


def _targets(yearly: Ints) -> pd.DataFrame:
    """Yearly targets by province, set so that some were steadily beaten and some steadily missed."""
    steady = dict.fromkeys(("Zhejiang", "Jiangsu", "Sichuan", "Hubei", "Anhui"), 1.12)
    steady |= dict.fromkeys(("Guangdong", "Tianjin", "Shanxi", "Henan", "Liaoning", "Heilongjiang"), 0.86)
    rows = []
    for r, province in enumerate(PROVINCES):
        for year in (2023, 2024, 2025):
            swing = ((r * 7 + year * 5) % 11 - 5) / 100  # a fixed pattern of plus and minus 5 points
            attained = steady.get(province.name, 1.0) + swing
            rows.append((year, province.name, max(round(int(yearly[r, year - 2023]) / attained / 1e5), 1) * 1000))
    return pd.DataFrame(rows, columns=["year", "region", "amount"]).sort_values(["year", "region"])


def _partners(rng: np.random.Generator, dealers: Ints) -> pd.DataFrame:
    """Dealers: each holds a share of its province's dealer sales; results sum to 92-100% of them."""
    rows, number = [], 0
    for r, province in enumerate(PROVINCES):
        if not dealers[r].any():
            continue
        size = int(dealers[r, 2])
        count = 1 + sum(size > limit for limit in (80_000_000, 200_000_000, 380_000_000))
        weights = np.rint((rng.random(count) + 0.6) * 1000)
        covered = (0.92 + 0.08 * rng.random()) / weights.sum()
        for share in weights * covered:
            number += 1
            skill, joined = round(0.80 + 0.36 * rng.random(), 3), (2024 if number % 9 == 0 else 2023)
            left = 2024 if number % 17 == 0 else 2025
            for year in range(joined, left + 1):
                result = round(int(dealers[r, year - 2023]) * share)
                target = max(round(result / (skill + 0.12 * (rng.random() - 0.5)) / 1e5), 1) * 1000
                rows.append((f"Dealer {number:02d}", province.name, "Dealers", year, target, _money(result)))
    return pd.DataFrame(rows, columns=["partner", "region", "channel", "year", "target", "result"])


def _staff(rng: np.random.Generator, sales: Ints) -> pd.DataFrame:
    """About 160 people; in the provinces marked so, more than 40% of the team came within the last year."""
    rows = []
    for r, province in enumerate(PROVINCES):
        team = max(3, round(92 * int(sales[r]) / int(sales.sum())) + 1) + 2 * province.newcomers
        new = -(-team * 11 // 20) if province.newcomers else team // 6
        leavers = 1 if r % 2 else 0
        for person in range(team + leavers):
            role = "Regional manager" if person == 0 else "Supervisor" if person % 6 == 1 else "Specialist"
            recent = team - new <= person < team
            first, length = (date(2025, 4, 10), 240) if recent else (date(2016, 3, 1), 3100)
            hired = first + timedelta(int(rng.random() * length))
            left = ""
            if person >= team:
                left = str(max(hired + timedelta(150), date(2023, 2, 1)) + timedelta(int(rng.random() * 300)))
            rows.append((province.name, role, str(hired), left))
    rows += [(p, "Specialist", f"2026-0{1 + n % 3}-1{n}", "") for n, p in enumerate(("Zhejiang", "Hubei", "Sichuan", "Anhui"))]
    people = pd.DataFrame(rows, columns=["region", "role", "hired", "left"])
    people = people.sort_values(["hired", "region"], kind="stable", ignore_index=True)
    people.insert(0, "person", [f"P{n:03d}" for n in range(1, len(people) + 1)])
    return people


def _capacities(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """What each can carry a year, in steps of 10,000 yuan: who leads sells less, who came in 2025 is still learning."""
    usual = {"Specialist": 1_400_000, "Supervisor": 1_000_000, "Regional manager": 600_000}
    rows = []
    for role, hired in zip(people["role"], people["hired"], strict=True):
        learning = 0.7 if hired >= "2025" else 1.0
        rows.append(round(usual[role] * learning * (0.85 + 0.30 * rng.random()) / 10_000) * 10_000)
    return people.assign(capacity=rows)


# activity: share of the spend, revenue per yuan at the usual spend, half-saturation as a multiple of the usual spend
_ACTIVITIES = {"Search": (0.22, 4.4, 1.4), "Social": (0.18, 3.6, 1.0), "Livestream": (0.22, 4.0, 1.6)}
_ACTIVITIES |= {"TV": (0.14, 1.5, 0.4), "Trade fairs": (0.10, 2.8, 0.8), "Field promotion": (0.14, 2.3, 0.9)}


def _marketing(rng: np.random.Generator, monthly: pd.Series) -> pd.DataFrame:
    """Monthly spend by activity, about 13% of revenue, and what it brought: a x spend / (spend + h), with noise.

    The curves stand still while the spend moves with the business and with tests, so that they can be read off.
    """
    usual = int(monthly.sum()) / len(monthly) / 100  # yuan a month
    rows = []
    for n, month in enumerate(MONTHS):
        season = 0.3 + 0.7 * int(monthly.iloc[n]) / 100 / usual
        for name, (share, yield_, half) in _ACTIVITIES.items():
            spend = round(0.13 * usual * share * season * (0.55 + 0.9 * rng.random()))
            middle = 0.13 * usual * share
            ceiling = yield_ * middle * (1 + half)
            response = ceiling * spend / (spend + half * middle) * (0.93 + 0.14 * rng.random())
            rows.append((month, name, spend, round(response)))
    return pd.DataFrame(rows, columns=["month", "activity", "spend", "revenue"])


# activity: sales channel it feeds, kind, yuan per customer won
_FEEDS = {"Search": ("E-commerce", "advertising", 3600), "Social": ("E-commerce", "advertising", 4100)}
_FEEDS |= {"Livestream": ("E-commerce", "promotion", 3400), "TV": ("Dealers", "advertising", 9500)}
_FEEDS |= {"Trade fairs": ("Key accounts", "advertising", 7600), "Field promotion": ("Own stores", "promotion", 5200)}


def _fed(rng: np.random.Generator, marketing: pd.DataFrame) -> pd.DataFrame:
    """Which sales channel each activity feeds, what kind it is, and the customers it won."""
    feeds = marketing["activity"].map(_FEEDS)
    won = [
        round(spend / cost * (0.85 + 0.3 * rng.random())) for spend, (_, _, cost) in zip(marketing["spend"], feeds, strict=True)
    ]
    return marketing.assign(channel=feeds.str[0], kind=feeds.str[1], new_customers=won)


def _worked(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Working hours a month and how many went to customers and orders; in four provinces a fifth and more stays idle."""
    hours, used = [], []
    for role, region in zip(people["role"], people["region"], strict=True):
        hours.append(84 if rng.random() < 0.08 and role == "Specialist" else 168)
        share = 0.88 + 0.11 * rng.random() - 0.16 * (region in ("Heilongjiang", "Shanxi", "Tibet", "Qinghai"))
        used.append(f"{hours[-1] * share:.1f}")
    return people.assign(hours=hours, used=used)


# project, perspective, cost, response with its range, critical, requires; yuan
_PROJECTS = [
    ("Dealer order portal", "process", 480_000, 1_150_000, 700_000, 1_600_000, "yes", ""),
    ("Customer data platform", "process", 320_000, 640_000, 380_000, 900_000, "no", ""),
    ("Filter reminders", "customer", 160_000, 980_000, 640_000, 1_250_000, "no", "Customer data platform"),
    ("Member club", "customer", 260_000, 690_000, 420_000, 950_000, "no", ""),
    ("Trade-in programme", "customer", 600_000, 1_020_000, 520_000, 1_500_000, "no", ""),
    ("Installer training", "learning", 220_000, 610_000, 380_000, 800_000, "no", ""),
    ("Sales academy", "learning", 300_000, 410_000, 150_000, 700_000, "no", ""),
    ("Price analytics", "finance", 180_000, 540_000, 260_000, 820_000, "no", ""),
    ("Receivables control", "finance", 140_000, 230_000, 120_000, 300_000, "no", "Dealer order portal"),
    ("Flagship showroom", "customer", 900_000, 1_050_000, 400_000, 1_900_000, "no", ""),
]


def _kpis(rng: np.random.Generator, monthly: pd.Series, cost: pd.Series) -> pd.DataFrame:
    """Monthly indicators: the margin follows from the orders, the others drift and wobble."""
    # at the start, at the end, decimals, unit
    drifting = {
        "repurchase_rate": (0.330, 0.395, 3, "share"),
        "nps": (38.0, 47.0, 1, "points"),
        "market_share": (0.0310, 0.0365, 4, "share"),
        "industry_growth": (0.070, 0.085, 3, "share"),
        "new_market_share": (0.085, 0.120, 3, "share"),
    }
    rows: list[tuple[str, str, str, str]] = []
    for n, month in enumerate(MONTHS):
        sales = int(monthly.iloc[n])
        rows.append((month, "gross_margin", f"{round((sales - int(cost.iloc[n])) / sales, 4):.4f}", "share"))
        for kpi, (first, last, decimals, unit) in drifting.items():
            value = (first + (last - first) * n / 38) * (0.97 + 0.06 * rng.random())
            rows.append((month, kpi, f"{value:.{decimals}f}", unit))
        count = sales / 100 * 4.1e-5 * 12 * (0.92 + 0.16 * rng.random())
        for kpi, step in (("visits", 2.5), ("leads", 0.055), ("valid_leads", 0.56), ("quotes", 0.48), ("wins", 0.31)):
            count = round(count * step * (0.96 + 0.08 * rng.random()))
            rows.append((month, kpi, str(count), "count"))
    return pd.DataFrame(rows, columns=["month", "kpi", "value", "unit"])


def _more_kpis(rng: np.random.Generator) -> pd.DataFrame:
    """Chapter 01's indicators: the company's rank in its industry by NPS (top share), launches and upgrades of the month."""
    rows: list[tuple[str, str, str, str]] = []
    launched = {f"{p.launched:%Y-%m}" for p in PRODUCTS}
    for n, month in enumerate(MONTHS):
        rank = (0.24 - 0.10 * n / 38) * (0.96 + 0.08 * rng.random())
        rows.append((month, "nps_rank", f"{rank:.3f}", "share"))
        rows.append((month, "launches", str(int(month in launched)), "count"))
        rows.append((month, "upgrades", str(int(rng.random() < 0.55) + int(rng.random() < 0.1)), "count"))
    return pd.DataFrame(rows, columns=["month", "kpi", "value", "unit"])


def _rivals() -> pd.DataFrame:
    """Invented competitors: share, prices over ours, coverage, and strength, weakness, opportunity, threat from 0 to 5."""
    rows = [
        ("Hailan Appliances", "0.182", "1.12", "0.88", "3", "4", "2", "4"),
        ("Yunjing Water", "0.096", "0.98", "0.61", "4", "3", "4", "3"),
        ("Beichen Air", "0.071", "1.05", "0.54", "4", "2", "3", "2"),
        ("Dongfu Commercial", "0.058", "0.93", "0.47", "3", "3", "4", "3"),
        ("Qiyuan Smart Home", "0.034", "0.78", "0.72", "2", "3", "2", "5"),
    ]
    return pd.DataFrame(
        rows, columns=["rival", "share", "price_index", "coverage", "strength", "weakness", "opportunity", "threat"]
    )


_OWED = """\
Offer for healthcare tenders|Revenue from new markets|Product|Sales|2026-02-27|2026-02-25|Tender file v1|prepare
Healthcare key-account team trained|Revenue from new markets|People|Sales|2026-03-20|||prepare
Dealers signed in three new cities|Revenue from new markets|Sales|Marketing|2026-05-31|||build
Lead scoring in the CRM|New valid leads a year|IT|Marketing|2026-03-15|2026-03-12|Release note 26.3|prepare
Landing pages by industry|New valid leads a year|Marketing|Sales|2026-04-20|||build
Quote within one day|New valid leads a year|Sales|Marketing|2026-06-30|||build
Filter reminder service live|Repurchase rate|Service|Sales|2026-03-31|2026-03-30|First 500 reminders|build
Care plan bundled in shops|Repurchase rate|Product|Sales|2026-07-31|||run
Service data shared weekly|Repurchase rate|IT|Service|2026-04-10|||build
Aqua 900 ready for pilot|Product launches|Product|Sales|2026-05-15|||build
Launch stock of Aqua 900|Product launches|Supply|Sales|2026-08-31|||run
Complaints closed in 48 hours|NPS, rank in the industry|Service|Product|2026-06-15|||run
Purchase prices renegotiated|Gross margin|Supply|Finance|2026-03-25|2026-03-24|Signed contracts|prepare
Monthly cost report by activity|Marketing cost, at most|Finance|Marketing|2026-02-15|2026-02-13|Report of January|prepare
"""


def _milestones() -> pd.DataFrame:
    """What the departments of the sample owe each other in 2026; some is done by the end of March, one thing is late."""
    return pd.DataFrame(
        [line.split("|") for line in _OWED.splitlines()],
        columns=["milestone", "target", "department", "owes_to", "due", "done", "proof", "phase"],
    )


def _calendar() -> pd.DataFrame:
    # how many days before an event rivals opened their sale, in 2023, 2024 and 2025
    opened = {"Spring Festival": (33, 31, 35), "618": (22, 24, 27), "Double 11": (21, 26, 28)}
    rows = []
    for year in range(2023, 2028):
        for event, day in holidays(year).items():
            known = year < 2026 and event in opened
            rows.append((str(day), event, str(day - timedelta(opened[event][year - 2023])) if known else ""))
    return pd.DataFrame(sorted(rows), columns=["date", "event", "rivals_from"])


# Everything together -------------------------------------------------------------------------------------------------


def _yearly(lines: pd.DataFrame) -> Ints:
    """Revenue in cents: one row per province, one column per year from 2023."""
    totals = np.zeros((len(PROVINCES), 4), dtype=np.int64)
    np.add.at(totals, (lines["region"].to_numpy(), lines["year"].to_numpy() - 2023), lines["revenue"].to_numpy())
    return totals


def _money(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def tables(seed: int = SEED) -> dict[str, pd.DataFrame]:
    """Every table of the sample company, as it is written: text in every cell, "" for a blank.

    Parameters: `seed`, any non-negative integer. Returns: a frame by table name; columns, types and units are in
    data/README.md. Money is yuan with two decimals in orders and partner results, whole yuan elsewhere.
    """
    customers, lines = order_lines(seed)
    buyers = np.unique(lines["customer"])
    code = pd.Series([f"C{n:04d}" for n in range(1, len(buyers) + 1)], index=buyers)
    days = np.array([str(FIRST + timedelta(n)) for n in range(DAYS)], dtype=object)
    lines["year"] = [int(day[:4]) for day in days[lines["day"]]]
    lines["month"] = [day[:7] for day in days[lines["day"]]]

    def names(members: Any, column: str) -> list[str]:
        return [members[n].name for n in lines[column]]

    orders = pd.DataFrame({"order_id": [f"S{n:05d}" for n in lines["order"] + 1], "date": days[lines["day"]]})
    orders["region"], orders["product"] = names(PROVINCES, "region"), names(PRODUCTS, "product")
    orders["channel"], orders["customer"] = names(CHANNELS, "channel"), code.loc[lines["customer"]].to_numpy()
    orders["quantity"] = lines["quantity"].to_numpy()
    orders["revenue"], orders["cost"] = ([_money(x) for x in lines[c]] for c in ("revenue", "cost"))

    yearly = _yearly(lines)
    monthly = lines.groupby("month")["revenue"].sum()
    last_year = lines[lines["year"] == 2025].groupby("channel")["revenue"].sum()
    capacity = [round(int(last_year[n]) * 1.30 * (1 + c.slack) / 1e6) * 10_000 for n, c in enumerate(CHANNELS)]
    dealers = lines[lines["channel"] == 0]
    partners = sample_goods.rated(seed, _partners(stream(seed, 6), _yearly(dealers)))
    people = _people(customers.loc[buyers])
    people.insert(0, "customer", code.to_numpy())
    people["need"] = _needs(stream(seed, 33), people, lines)
    frames = {
        "orders": orders,
        "regions": _regions(seed),
        "products": sample_goods.products(),
        "launches": sample_goods.launches(),
        "channels": sample_goods.channels(capacity),
        "customers": people,
        "marketing": _fed(stream(seed, 36), _marketing(stream(seed, 4), monthly)),
        "projects": pd.DataFrame(
            _PROJECTS,
            columns=["project", "perspective", "cost", "response", "response_low", "response_high", "critical", "requires"],
        ),
        "targets": _targets(yearly),
        "staff": _capacities(stream(seed, 24), _worked(stream(seed, 37), _staff(stream(seed, 5), yearly[:, 2]))),
        "partners": partners,
        "partner_months": sample_goods.partner_months(seed, partners, dealers.groupby("month")["revenue"].sum()),
        "inventory": sample_goods.inventory(seed, lines[lines["year"] == 2025].groupby("product")[["quantity", "cost"]].sum()),
        "routes": sample_goods.routes(),
        "calendar": _calendar(),
        "kpis": pd.concat(
            [_kpis(stream(seed, 7), monthly, lines.groupby("month")["cost"].sum()), _more_kpis(stream(seed, 20))]
        ).sort_values("month", kind="stable"),
        "rivals": _rivals(),
        "milestones": _milestones(),
    }
    return {name: frame.astype(str).reset_index(drop=True) for name, frame in frames.items()}


def write(folder: Path, seed: int = SEED) -> None:
    """Write every table as `<folder>/<table>.csv`: UTF-8, comma, "\\n", a header; the same bytes everywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables(seed).items():
        text = frame.to_csv(index=False, lineterminator="\n")
        (folder / f"{name}.csv").write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
