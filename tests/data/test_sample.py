"""The sample company: the same bytes from the seed, and the facts its readers rely on."""

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from planlib.data import sample
from planlib.data.provinces import NATIONAL_GDP_2024, PROVINCES
from planlib.data.sample_orders import holidays
from planlib.data.tables import TABLES

DATA = Path(__file__).parents[2] / "data"
COMMITTED = DATA / "sample"
SPRING_FESTIVAL = {2023: "2023-01-22", 2024: "2024-02-10", 2025: "2025-01-29", 2026: "2026-02-17"}  # State Council notices


def read(table: str) -> pd.DataFrame:
    return pd.read_csv(COMMITTED / f"{table}.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    frame = read("orders")
    frame["day"] = pd.to_datetime(frame["date"], format="%Y-%m-%d")
    frame["year"] = frame["day"].dt.year
    frame["cents"] = frame["revenue"].str.replace(".", "", regex=False).astype("int64")
    return frame


def revenue(orders: pd.DataFrame, first: str, last: str) -> float:
    """Revenue per day of a span, cents."""
    span = orders["day"].between(pd.Timestamp(first), pd.Timestamp(last))
    return float(orders.loc[span, "cents"].sum()) / ((pd.Timestamp(last) - pd.Timestamp(first)).days + 1)


def test_regenerated_byte_for_byte(tmp_path: Path) -> None:
    sample.write(tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == sorted(path.name for path in COMMITTED.glob("*.csv"))
    different = [name for name in written if (tmp_path / name).read_bytes() != (COMMITTED / name).read_bytes()]
    assert not different, f"data/sample differs from its seed: {different}; run python -m planlib.data.sample data/sample"


def test_another_seed_is_another_company() -> None:
    assert not sample.tables(1)["orders"].equals(read("orders"))


def test_every_table_has_the_columns_of_the_dictionary() -> None:
    for table, spec in TABLES.items():
        if not spec.told:  # the sample has calendar months
            continue
        frame = read(table)
        assert set(frame.columns) <= set(spec.names), table
        assert {c.name for c in spec.columns if c.required} <= set(frame.columns), table
        if spec.key:
            assert not frame.duplicated(list(spec.key)).any(), table


def test_files_are_small_text_with_unix_newlines() -> None:
    assert (COMMITTED / "orders.csv").stat().st_size <= 4_500_000
    for path in COMMITTED.glob("*.csv"):
        assert b"\r" not in path.read_bytes(), path.name


@pytest.mark.parametrize(("year", "low", "high"), [(2023, 61, 63), (2024, 77, 79), (2025, 94, 98)])
def test_revenue_of_the_year_in_million_yuan(orders: pd.DataFrame, year: int, low: int, high: int) -> None:
    assert low <= orders.loc[orders["year"] == year, "cents"].sum() / 1e8 <= high


def test_first_quarter_of_2026_runs_a_tenth_over_the_pace(orders: pd.DataFrame) -> None:
    shares = [
        orders.loc[(orders["year"] == year) & (orders["day"].dt.quarter == 1), "cents"].sum()
        / orders.loc[orders["year"] == year, "cents"].sum()
        for year in (2023, 2024, 2025)
    ]
    pace = orders.loc[orders["year"] == 2025, "cents"].sum() * 1.30 * sum(shares) / 3
    assert 1.07 <= orders.loc[orders["year"] == 2026, "cents"].sum() / pace <= 1.15


def test_shape_of_the_orders(orders: pd.DataFrame) -> None:
    assert 55_000 <= len(orders) <= 60_000
    assert 900 <= orders.groupby(["region", "product", "channel"]).ngroups <= 1_200
    assert 6_000 <= orders["customer"].nunique() <= 8_000
    assert (orders["date"].min(), orders["date"].max()) == ("2023-01-01", "2026-03-31")
    assert set(orders["customer"]) == set(read("customers")["customer"])
    home = read("customers").set_index("customer")["region"]
    assert (orders["customer"].map(home) == orders["region"]).all(), "a customer lives in one region"


def test_spring_festival_moves(orders: pd.DataFrame) -> None:
    for year, festival in SPRING_FESTIVAL.items():
        assert holidays(year)["Spring Festival"] == date.fromisoformat(festival)
        day = pd.Timestamp(festival)
        week = revenue(orders, str(day - pd.Timedelta(days=2)), str(day + pd.Timedelta(days=5)))
        after = revenue(orders, str(day + pd.Timedelta(days=12)), str(day + pd.Timedelta(days=32)))
        assert week < 0.5 * after, year
    # the dip is in February 2024, in January 2025
    assert revenue(orders, "2024-02-08", "2024-02-15") < 0.4 * revenue(orders, "2024-01-23", "2024-01-31")
    assert revenue(orders, "2025-01-23", "2025-01-31") < 0.6 * revenue(orders, "2024-01-23", "2024-01-31")


def test_sales_events_lift_online_sales(orders: pd.DataFrame) -> None:
    online = orders[orders["channel"] == "E-commerce"]
    for year in (2023, 2024, 2025):
        plain = revenue(online, f"{year}-07-01", f"{year}-08-31")
        assert revenue(online, f"{year}-06-01", f"{year}-06-18") > 1.5 * plain, year
        assert revenue(online, f"{year}-10-25", f"{year}-11-11") > 1.5 * plain, year


def test_returns_follow_their_order_and_its_customer(orders: pd.DataFrame) -> None:
    returned = orders[orders["cents"] < 0]
    assert 0.012 <= len(returned) / len(orders) <= 0.020
    assert (returned["quantity"].astype(int) < 0).all()
    assert (returned["cost"].str.startswith("-")).all()
    sold = orders[orders["cents"] > 0]
    pairs = returned.merge(sold, on=["order_id", "product", "customer", "channel"], suffixes=("_back", ""))
    assert len(pairs) == len(returned)
    assert (pairs["day_back"] > pairs["day"]).all()
    assert (-pairs["cents_back"] <= pairs["cents"]).all()


def test_products_come_and_go(orders: pd.DataFrame) -> None:
    launched = read("products").set_index("product")["launched"]
    first, last = orders.groupby("product")["date"].min(), orders.groupby("product")["date"].max()
    assert (first >= launched[first.index]).all()
    assert first["Aqua 800 Pro"].startswith("2024-09")
    assert first["Breeze Go"].startswith("2025-06")
    assert last["Pitcher One"] <= "2025-12-31"
    yearly = orders.pivot_table(index="product", columns="year", values="cents", aggfunc="sum")
    assert yearly.loc["Aqua Mini", 2025] < 0.8 * yearly.loc["Aqua Mini", 2023]
    assert yearly.loc["Pro 5000", 2025] > 1.5 * yearly.loc["Pro 5000", 2023]


def test_customers_drop_out_and_return(orders: pd.DataFrame) -> None:
    days = orders[orders["cents"] > 0].drop_duplicates(["customer", "day"]).sort_values(["customer", "day"])
    gap = days.groupby("customer")["day"].diff().dt.days
    assert days.loc[gap > 183, "customer"].nunique() > 500
    last = days.groupby("customer")["day"].max()
    assert 0.3 < (last < pd.Timestamp("2025-09-30")).mean() < 0.8


def test_online_capacity_binds_at_thirty_percent_more(orders: pd.DataFrame) -> None:
    channels = read("channels").set_index("channel")["capacity"].astype("int64")
    asked = orders[orders["year"] == 2025].groupby("channel")["cents"].sum() * 1.30 / 100
    room = channels / asked
    assert room["E-commerce"] == pytest.approx(0.92, abs=0.005)
    assert (room.drop("E-commerce") > 1.05).all()


def test_every_target_has_orders_and_some_are_steadily_beaten_or_missed(orders: pd.DataFrame) -> None:
    targets = read("targets").astype({"year": int, "amount": "int64"})
    assert targets.groupby("region")["year"].nunique().eq(3).all()
    assert len(targets) == 31 * 3
    reached = orders.groupby(["year", "region"])["cents"].sum().rename("cents").reset_index()
    both = targets.merge(reached, on=["year", "region"])
    assert len(both) == len(targets)
    attained = (both["cents"] / 100 / both["amount"]).groupby(both["region"])
    assert (attained.min() > 1.05).sum() >= 4
    assert (attained.max() < 0.95).sum() >= 4


@pytest.mark.parametrize("as_of", ["2025-12-31", "2026-03-31"])
def test_newcomers_exceed_two_fifths_in_some_provinces_only(as_of: str) -> None:
    staff = read("staff")
    assert 150 <= len(staff) <= 180
    there = staff[(staff["hired"] <= as_of) & ((staff["left"] == "") | (staff["left"] > as_of))]
    assert there["region"].nunique() == 31
    year_before = f"{int(as_of[:4]) - 1}{as_of[4:]}"
    share = (there["hired"] > year_before).groupby(there["region"]).mean()
    assert 3 <= (share > 0.40).sum() <= 4
    assert ((staff["left"] == "") | (staff["left"] > staff["hired"])).all()


def test_dealers_results_are_part_of_their_provinces_sales(orders: pd.DataFrame) -> None:
    partners = read("partners").astype({"year": int, "target": float, "result": float})
    assert 40 <= partners["partner"].nunique() <= 60
    assert partners.groupby("partner")["year"].nunique().isin([1, 2, 3]).all()
    results = partners.groupby(["region", "year"])["result"].sum()
    sales = orders[orders["channel"] == "Dealers"].groupby(["region", "year"])["cents"].sum() / 100
    assert (results <= sales[results.index] + 0.05).all()
    assert (partners["result"] < partners["target"]).mean() > 0.3, "many dealers miss"


def test_marketing_has_diminishing_returns(orders: pd.DataFrame) -> None:
    marketing = read("marketing").astype({"spend": float, "revenue": float})
    assert 0.12 <= marketing["spend"].sum() / (orders["cents"].sum() / 100) <= 0.14
    for activity, rows in marketing.groupby("activity"):
        assert len(rows) == 39, activity
        rows = rows.sort_values("spend")
        little, much = rows.head(13), rows.tail(13)
        assert much["revenue"].sum() > little["revenue"].sum(), activity
        assert much["revenue"].sum() / much["spend"].sum() < 0.85 * little["revenue"].sum() / little["spend"].sum(), activity


def test_public_figures() -> None:
    assert len(PROVINCES) == 31
    assert sum(p.gdp for p in PROVINCES) == pytest.approx(NATIONAL_GDP_2024, rel=0.02)
    # national: 1,408.28 million inhabitants, 41,314 yuan per head, end of 2024
    people = sum(p.population for p in PROVINCES)
    assert people == pytest.approx(140_828, rel=0.005)
    assert sum(p.income * p.population for p in PROVINCES) / people == pytest.approx(41_314, rel=0.02)
    assert len({p.area for p in PROVINCES}) == 7
    regions = read("regions").set_index("region")
    assert regions.loc["Guangdong", ["gdp", "gdp_growth"]].tolist() == ["141633.81", "0.035"]
    assert len({city for p in PROVINCES for city in p.cities}) == 31 * 4


def test_readme_documents_every_column() -> None:
    sections = re.split(r"^## ", (DATA / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    text = {section.splitlines()[0]: section for section in sections}
    for table, spec in TABLES.items():
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text[table].splitlines() if line[:1] == "|"]
        documented = [(name, required, without) for name, _, _, required, _, without in rows[2:]]
        assert documented == [(c.name, "yes" if c.required else "no", c.without or "-") for c in spec.columns], table
        assert spec.required or spec.without in text[table], table
