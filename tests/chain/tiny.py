"""A tiny company whose orders grow month by month: a few hundred lines, so that a whole year of plans takes seconds."""

import itertools
import random
from pathlib import Path

from planlib.periods import months

REGIONS, PRODUCTS, CHANNELS = ("East", "North", "West"), ("Filter", "Pump"), ("Shop", "Web")
HEAD = "order_id,date,region,product,channel,customer,quantity,revenue"


def lines(until: str) -> list[str]:
    """One order line per month, region and product up to a month, in a season and with growth; the same lines every time."""
    rng = random.Random(8)
    found = []
    for number, month in enumerate([*months(2024, 1), *months(2025, 1), *months(2026, 1)]):
        season = 1 + 0.4 * (int(month[5:]) in (6, 11)) - 0.2 * (int(month[5:]) == 2)
        for place, (region, product) in enumerate(itertools.product(REGIONS, PRODUCTS)):
            cents = round(100_000 * (1 + 0.01 * number) * season * (1 + 0.3 * place) * rng.uniform(0.9, 1.1))
            channel, customer, day = rng.choice(CHANNELS), f"C{rng.randrange(40):02}", rng.randrange(1, 29)
            row = f"{number}-{place},{month}-{day:02},{region},{product},{channel},{customer},1,{cents / 100:.2f}"
            if month <= until:
                found.append(row)
    return found


def write(path: Path, until: str, *late: str) -> None:
    """The orders file as it stands when a month has closed, with orders that came late."""
    path.write_text("\n".join([HEAD, *lines(until), *late]) + "\n", encoding="utf-8")


def sold(path: Path) -> dict[tuple[str, ...], int]:
    """Cents by region, product and month, added up from the file itself."""
    total: dict[tuple[str, ...], int] = {}
    for row in path.read_text(encoding="utf-8").split()[1:]:
        _, date, region, product, _, _, _, revenue = row.split(",")
        key = (region, product, date[:7])
        total[key] = total.get(key, 0) + round(float(revenue) * 100)
    return total
