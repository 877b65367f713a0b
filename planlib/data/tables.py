"""The data dictionary: every table a company may bring, its columns, and what is left out when one is missing.

One home for these facts: the strict reader checks against them, `data/README.md` is tested against them, and the
sentences in `without` are what the report prints when a table or column is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "date", "month", "year", "money", "price", "decimal", "share", "choice"]

EXPECTED: dict[str, str] = {
    "text": "text without blanks or control characters at its ends or inside",
    "date": "a date as 2025-01-31",
    "month": "a month as 2025-01",
    "year": "a year as 2025",
    "money": "an amount as 1234.56 or -1234.56, no separators, no currency sign",
    "price": "a price per unit as 12.34",
    "decimal": "a number as 1234.5 or -1234.5",
    "share": "a share as 0.25",
    "choice": "one of the listed values",
}


@dataclass(frozen=True)
class Column:
    """One column of a table: `kind` decides how it is read, `without` says what happens when it is absent."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = True
    without: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    blank: bool = False


@dataclass(frozen=True)
class TableSpec:
    """One table: its columns, the columns that identify a row (`key`), and the money column to foot (`control`)."""

    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    control: str | None = None
    required: bool = False
    without: str = ""

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def _optional(name: str, kind: Kind, meaning: str, without: str, unit: str = "", **more: Any) -> Column:
    return Column(name, kind, meaning, unit, required=False, without=without, **more)


# Read and checked already, so that a company can bring it; a chapter that comes to use it says what its absence means.
UNUSED = "nothing changes yet: it is read and checked, no chapter uses it"

TABLES: dict[str, TableSpec] = {
    "orders": TableSpec(
        "Every order line of the company; returns and cancellations are negative lines",
        (
            Column("order_id", "text", "number of the order; lines of one order share it"),
            Column("date", "date", "day of the order", "day"),
            Column("region", "text", "sales region that is credited"),
            Column("product", "text", "product or product line that is planned"),
            _optional("channel", "text", "sales channel", "the channel split is one channel, `all`"),
            _optional("customer", "text", "customer number", "customers are one group, `All`"),
            Column("quantity", "decimal", "pieces sold, negative when returned", "pieces"),
            Column("revenue", "money", "net revenue of the line, negative when returned", "currency"),
            _optional(
                "cost", "money", "cost of the goods of the line", "the baseline of the gross margin is left out", "currency"
            ),
            _optional(
                "unit_cost",
                "price",
                "cost per piece; read when `cost` is absent, cost = quantity x unit_cost",
                "the baseline of the gross margin is left out",
                "currency per piece",
            ),
        ),
        control="revenue",
        required=True,
    ),
    "regions": TableSpec(
        "What is known of each region's market",
        (
            Column("region", "text", "sales region, as in orders"),
            _optional("area", "text", "larger area the region belongs to", "each region is a team of its own in the pyramid"),
            Column("gdp", "decimal", "gross domestic product", "100 million of currency", low=0),
            _optional(
                "gdp_growth",
                "share",
                "yearly growth of the gross domestic product",
                "market growth is left out of potential",
                "share",
                low=-1,
                high=1,
            ),
            Column("income", "decimal", "disposable income per head", "currency per head", low=0),
            _optional(
                "population",
                "decimal",
                "inhabitants",
                "customers per inhabitant are left out of the market table",
                "10 thousand",
                low=0,
            ),
            _optional(
                "maturity",
                "choice",
                "how built up the region's channels are",
                "every region counts as growing",
                choices=("incubating", "growing", "mature"),
            ),
            _optional(
                "rival_share",
                "share",
                "share of the market that rivals hold",
                "the rivals' share is left out of competition",
                "share",
                low=0,
                high=1,
            ),
            _optional(
                "rival_coverage",
                "share",
                "share of the outlets that rivals are in",
                "the rivals' coverage is left out of competition",
                "share",
                low=0,
                high=1,
            ),
            _optional(
                "rival_price",
                "decimal",
                "what rivals ask to what the company asks, 1 = the same",
                "the rivals' price is left out of competition",
                "ratio",
                low=0.1,
                high=10,
            ),
            _optional(
                "consumption",
                "decimal",
                "how much of their income people spend, to the country's mean of 1",
                "consumption is left out of potential",
                "index",
                low=0,
                high=10,
            ),
        ),
        key=("region",),
        without="regional potential rests on the region's own orders, and competition and maturity are left out",
    ),
    "products": TableSpec(
        "The products that are planned",
        (
            Column("product", "text", "product or product line, as in orders"),
            _optional("line", "text", "product line", "a product's rivals for the first place are all others"),
            _optional("launched", "date", "day of the launch", "a launch is a product first sold within the last year", "day"),
            _optional("list_price", "money", "list price", "price corridors are left out", "currency per piece", low=0),
            _optional(
                "market_size",
                "money",
                "what all suppliers sell in the product's market in a year",
                "the portfolio matrix compares products with each other, and sets no floors and caps",
                "currency per year",
                low=0,
            ),
            _optional(
                "market_growth",
                "share",
                "yearly growth of that market",
                "the portfolio matrix takes the product's own growth",
                "share",
                low=-1,
                high=5,
            ),
            _optional(
                "rival_share",
                "share",
                "the largest rival's share of that market",
                "the portfolio matrix compares products with each other, and sets no floors and caps",
                "share",
                low=0,
                high=1,
            ),
        ),
        key=("product",),
        without="products are told apart by their orders alone: no market shares, no price corridors",
    ),
    "launches": TableSpec(
        "What was set for a launch, and what came of it",
        (
            Column("product", "text", "product, as in orders"),
            Column("target_users", "decimal", "customers the launch aims at", "customers", low=0),
            _optional(
                "core_channels",
                "decimal",
                "number of channels that are to carry it",
                "every channel counts as one that is to carry a launch",
                "channels",
                low=1,
            ),
            _optional(
                "spend",
                "money",
                "marketing money of the launch",
                "payback and acquisition cost of launches are left out",
                "currency",
                low=0,
            ),
            _optional(
                "feedback",
                "decimal",
                "pieces of valid feedback in the first 30 days",
                "feedback on launches is left out",
                "pieces",
                low=0,
            ),
            _optional(
                "improvements",
                "decimal",
                "improvements made from that feedback",
                "improvements of launches are left out",
                "count",
                low=0,
            ),
        ),
        key=("product",),
        without="a launch is told by its orders alone: users reached, payback and feedback are left out",
    ),
    "channels": TableSpec(
        "The channels goods are sold through",
        (
            Column("channel", "text", "sales channel, as in orders"),
            _optional(
                "type",
                "text",
                "dealer, distributor, own_store, online, key_account, ...",
                "incentives by type and the traffic between online and offline are left out",
            ),
            _optional(
                "capacity",
                "money",
                "most the channel can sell in a year",
                "no channel is capped by its capacity",
                "currency per year",
                low=0,
            ),
            _optional(
                "price_low",
                "share",
                "lowest price allowed, of the list price",
                "the price corridor is drawn around the channel's own usual price",
                "share",
                low=0,
                high=2,
            ),
            _optional(
                "price_high",
                "share",
                "highest price allowed, of the list price",
                "the price corridor is drawn around the channel's own usual price",
                "share",
                low=0,
                high=2,
            ),
        ),
        key=("channel",),
        without="no channel is capped by its capacity",
    ),
    "customers": TableSpec(
        "Who buys",
        (
            Column("customer", "text", "customer number, as in orders"),
            _optional("region", "text", "home region", "a customer's region is the one it bought most in"),
            _optional("industry", "text", "industry", "customers are told apart by region, key industries are left out"),
            _optional("size", "text", "size class", "the profile has no sizes"),
            _optional("city", "text", "city", "new cities are named by region only, what they bring is left out"),
            _optional(
                "need",
                "choice",
                "what the customer asks for first, where known",
                "needs are inferred from what customers bought and paid",
                choices=("price", "technology", "service", "unknown"),
            ),
        ),
        key=("customer",),
        without="customers are told apart by their orders alone: no industries, sizes, cities or stated needs",
    ),
    "marketing": TableSpec(
        "What each marketing activity cost and brought",
        (
            Column("month", "month", "month of the spend", "month"),
            Column("activity", "text", "marketing activity"),
            Column("spend", "money", "money spent", "currency", low=0),
            _optional(
                "revenue",
                "money",
                "revenue attributed to the activity",
                "response curves are read from total revenue, less surely, or not at all where too few months are known",
                "currency",
            ),
            _optional("channel", "text", "sales channel the activity feeds", "returns are told by activity alone"),
            _optional(
                "kind",
                "choice",
                "whether it advertises or promotes",
                "every activity counts as advertising, promotion is not capped",
                choices=("advertising", "promotion"),
            ),
            _optional(
                "new_customers",
                "decimal",
                "customers it won in the month",
                "the cost of a new customer is left out",
                "count",
                low=0,
            ),
        ),
        key=("month", "activity"),
        control="spend",
        without="the budget follows the channels' planned revenue, without response curves",
    ),
    "projects": TableSpec(
        "What else the budget may buy: each project is weighed against marketing anew",
        (
            Column("project", "text", "name of the project"),
            Column(
                "perspective",
                "choice",
                "side of the balanced scorecard it serves",
                choices=("finance", "customer", "process", "learning"),
            ),
            Column("cost", "money", "what it costs in the plan year", "currency", low=0),
            Column("response", "money", "revenue it brings in the plan year, as its owner expects", "currency", low=0),
            _optional("response_low", "money", "what it brings at worst", "its return is not shown", "currency", low=0),
            _optional("response_high", "money", "what it brings at best", "its return is not shown", "currency", low=0),
            _optional(
                "critical",
                "choice",
                "whether the plan fails without it",
                "no project is on the critical path",
                choices=("yes", "no"),
            ),
            _optional("requires", "text", "project it cannot do without, blank for none", "projects stand alone", blank=True),
        ),
        key=("project",),
        control="cost",
        without="no project is weighed against marketing",
    ),
    "targets": TableSpec(
        "Yearly targets set in the past, by region",
        (
            Column("year", "year", "plan year of the target", "year"),
            Column("region", "text", "sales region, as in orders"),
            Column("amount", "money", "revenue target", "currency", low=0),
        ),
        key=("year", "region"),
        control="amount",
        without="attainment history is left out, and no region's base is raised or reviewed for it",
    ),
    "staff": TableSpec(
        "The sales team",
        (
            Column("person", "text", "person or personnel number"),
            Column("region", "text", "sales region, as in orders"),
            _optional("role", "text", "role", "span of control and team patterns are left out"),
            Column("hired", "date", "first day", "day"),
            _optional("left", "date", "last day, blank while employed", "everyone counts as employed", "day", blank=True),
            _optional("hours", "decimal", "working hours a month", "hours used are not watched", "hours a month", low=0),
            _optional(
                "used", "decimal", "of them on customers and orders", "hours used are not watched", "hours a month", low=0
            ),
            _optional(
                "capacity",
                "money",
                "revenue the person can carry a year",
                "a head can carry what it brought in the best quarter of regions",
                "currency per year",
                low=0,
            ),
        ),
        key=("person",),
        without="the newcomer rule, capacity per head, span of control and team patterns are left out",
    ),
    "partners": TableSpec(
        "Dealers and other partners: what was agreed and what came",
        (
            Column("partner", "text", "dealer or other partner"),
            Column("region", "text", "sales region, as in orders"),
            Column("channel", "text", "sales channel, as in orders"),
            Column("year", "year", "plan year", "year"),
            Column("target", "money", "agreed revenue", "currency", low=0),
            Column("result", "money", "revenue reached", "currency"),
            _optional(
                "funds",
                "money",
                "working capital the partner has for the business",
                "that measure is left out of the partner score",
                "currency",
                low=0,
            ),
            _optional(
                "warehouse", "decimal", "its warehouse", "that measure is left out of the partner score", "square metres", low=0
            ),
            _optional(
                "team",
                "decimal",
                "its people for the business",
                "that measure is left out of the partner score",
                "people",
                low=0,
            ),
            _optional(
                "new_outlets",
                "decimal",
                "outlets opened in the year",
                "that measure is left out of the partner score",
                "outlets",
                low=0,
            ),
            _optional(
                "turnover",
                "decimal",
                "how often its stock turns in the year",
                "that measure is left out of the partner score",
                "times",
                low=0,
            ),
            _optional(
                "fill_rate",
                "share",
                "orders delivered in full from stock",
                "that measure is left out of the partner score",
                "share",
                low=0,
                high=1,
            ),
            _optional(
                "coverage",
                "share",
                "outlets of its territory that it serves",
                "that measure is left out of the partner score",
                "share",
                low=0,
                high=1,
            ),
            _optional(
                "crm_use",
                "share",
                "customer visits recorded in the system",
                "that measure is left out of the partner score",
                "share",
                low=0,
                high=1,
            ),
            _optional(
                "reports_on_time",
                "share",
                "reports that came on time",
                "that measure is left out of the partner score",
                "share",
                low=0,
                high=1,
            ),
            _optional(
                "online_share",
                "share",
                "share of its sales that are ordered online",
                "that measure is left out of the partner score",
                "share",
                low=0,
                high=1,
            ),
        ),
        key=("partner", "channel", "year"),
        control="target",
        without="partner score and health are left out, and rebates are reckoned at plan",
    ),
    "partner_months": TableSpec(
        "The same by month, for the health report",
        (
            Column("partner", "text", "dealer or other partner, as in partners"),
            Column("month", "month", "month", "month"),
            Column("target", "money", "agreed revenue", "currency", low=0),
            Column("result", "money", "revenue reached", "currency"),
        ),
        key=("partner", "month"),
        control="result",
        without="partners' health is read from their years",
    ),
    "inventory": TableSpec(
        "Stock that is there, by product and warehouse",
        (
            Column("product", "text", "product, as in orders"),
            Column("warehouse", "text", "warehouse"),
            Column("quantity", "decimal", "pieces on hand", "pieces", low=0),
            Column("value", "money", "what they cost", "currency", low=0),
            _optional("kind", "choice", "whether goods move fast", "all goods count as durable", choices=("fast", "durable")),
        ),
        key=("product", "warehouse"),
        control="value",
        without="stock days and the routing of orders to stock are left out",
    ),
    "routes": TableSpec(
        "What a piece costs from a warehouse to a region",
        (
            Column("warehouse", "text", "warehouse, as in inventory"),
            Column("region", "text", "sales region, as in orders"),
            Column("cost", "money", "freight", "currency per piece", low=0),
        ),
        key=("warehouse", "region"),
        without="the routing of orders to stock is left out",
    ),
    "calendar": TableSpec(
        "Moving holidays and sales events; overrides the computed calendar",
        (
            Column("date", "date", "day of the event", "day"),
            Column("event", "text", "name of the event"),
            _optional(
                "rivals_from",
                "date",
                "day on which rivals opened their sale for the event, blank where not known",
                "the opening of pre-sales is left out",
                "day",
                blank=True,
            ),
        ),
        without="festival days come from the lunar calendar",
    ),
    "kpis": TableSpec(
        "Measures that are not in orders, by month",
        (
            Column("month", "month", "month of the measure", "month"),
            Column("kpi", "text", "name of the measure"),
            Column("value", "decimal", "its value", "as `unit` says"),
            _optional("unit", "text", "unit of the value", UNUSED),
        ),
        key=("month", "kpi"),
        without="measures that are not in orders (leads, repurchase, satisfaction) are left out",
    ),
    "rivals": TableSpec(
        "Competitors, and how we stand against each",
        (
            Column("rival", "text", "competitor"),
            Column("share", "share", "its share of the market", "share", low=0, high=1),
            _optional(
                "price_index", "decimal", "its prices over ours", "its price position is left out", "1 = our prices", low=0
            ),
            _optional(
                "coverage", "share", "share of the market it reaches", "coverage gaps are left out", "share", low=0, high=1
            ),
            *(
                _optional(
                    name,
                    "decimal",
                    meaning,
                    "strengths, weaknesses, opportunities and threats are left out",
                    "0-5",
                    low=0,
                    high=5,
                )
                for name, meaning in (
                    ("strength", "where we are better, scored"),
                    ("weakness", "where it is better, scored"),
                    ("opportunity", "what it leaves open to us, scored"),
                    ("threat", "what it may take from us, scored"),
                )
            ),
        ),
        key=("rival",),
        without="competitors are left out of the grounds of the target",
    ),
    "milestones": TableSpec(
        "What departments owe each other for a target, and by when",
        (
            Column("milestone", "text", "what is handed over"),
            Column("target", "text", "target it serves, as chapter 01 names it"),
            Column("department", "text", "department that owes it"),
            Column("owes_to", "text", "department that waits for it"),
            Column("due", "date", "day it is due", "day"),
            _optional("done", "date", "day it was done, blank while open", "nothing counts as done", "day", blank=True),
            _optional("proof", "text", "what shows that it is done", "what is done has no proof", blank=True),
            _optional("phase", "text", "phase of the plan", UNUSED),
        ),
        key=("milestone",),
        without="what departments owe each other is left out",
    ),
}


def dictionary() -> pd.DataFrame:
    """The data dictionary as a table.

    Returns one row per column of every table: `table, column, kind, unit, required, meaning, without`; a first row per
    table has an empty `column` and speaks of the table as a whole.
    """
    import pandas as pd

    rows: list[tuple[object, ...]] = []
    for table, spec in TABLES.items():
        rows.append((table, "", "table", "", spec.required, spec.meaning, spec.without))
        for column in spec.columns:
            rows.append((table, column.name, column.kind, column.unit, column.required, column.meaning, column.without))
    return pd.DataFrame(rows, columns=["table", "column", "kind", "unit", "required", "meaning", "without"])
