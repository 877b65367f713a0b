"""The market and who buys: regions, customers, rivals, indicators, the calendar."""

from planlib.data.tables.spec import UNUSED, Column, TableSpec, optional

MARKET: dict[str, TableSpec] = {
    "regions": TableSpec(
        "What is known of each region's market",
        (
            Column("region", "text", "sales region, as in orders"),
            optional("area", "text", "larger area the region belongs to", "each region is a team of its own in the pyramid"),
            Column("gdp", "decimal", "gross domestic product", "100 million of currency", low=0),
            optional(
                "gdp_growth",
                "share",
                "yearly growth of the gross domestic product",
                "market growth is left out of potential",
                "share",
                low=-1,
                high=1,
            ),
            Column("income", "decimal", "disposable income per head", "currency per head", low=0),
            optional(
                "population",
                "decimal",
                "inhabitants",
                "customers per inhabitant are left out of the market table",
                "10 thousand",
                low=0,
            ),
            optional(
                "maturity",
                "choice",
                "how built up the region's channels are",
                "every region counts as growing",
                choices=("incubating", "growing", "mature"),
            ),
            optional(
                "rival_share",
                "share",
                "share of the market that rivals hold",
                "the rivals' share is left out of competition",
                "share",
                low=0,
                high=1,
            ),
            optional(
                "rival_coverage",
                "share",
                "share of the outlets that rivals are in",
                "the rivals' coverage is left out of competition",
                "share",
                low=0,
                high=1,
            ),
            optional(
                "rival_price",
                "decimal",
                "what rivals ask to what the company asks, 1 = the same",
                "the rivals' price is left out of competition",
                "ratio",
                low=0.1,
                high=10,
            ),
            optional(
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
    "customers": TableSpec(
        "Who buys",
        (
            Column("customer", "text", "customer number, as in orders"),
            optional("region", "text", "home region", "a customer's region is the one it bought most in"),
            optional("industry", "text", "industry", "customers are told apart by region, key industries are left out"),
            optional("size", "text", "size class", "the profile has no sizes"),
            optional("city", "text", "city", "new cities are named by region only, what they bring is left out"),
            optional(
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
    "calendar": TableSpec(
        "Moving holidays and sales events; overrides the computed calendar",
        (
            Column("date", "date", "day of the event", "day"),
            Column("event", "text", "name of the event"),
            optional(
                "region",
                "text",
                "region that keeps the event, blank for all of them",
                "every event counts everywhere",
                blank=True,
            ),
            optional(
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
    "periods": TableSpec(
        "The company's own periods in place of calendar months: 4-4-5 weeks, thirteen periods, years that end mid-month",
        (
            Column("start", "date", "first day of the period", "day"),
            Column("end", "date", "last day of the period", "day"),
            Column("label", "text", "what the company calls it, such as 2026-P03"),
            optional(
                "year",
                "year",
                "plan year it belongs to",
                "the year is the one that the label names, else a year begins wherever the label of the first row comes again",
                "year",
            ),
        ),
        key=("start",),
        without="months are calendar months",
        told=False,
    ),
    "kpis": TableSpec(
        "Measures that are not in orders, by month",
        (
            Column("month", "month", "month of the measure", "month"),
            Column("kpi", "text", "name of the measure"),
            Column("value", "decimal", "its value", "as `unit` says"),
            optional("unit", "text", "unit of the value", UNUSED),
        ),
        key=("month", "kpi"),
        without="measures that are not in orders (leads, repurchase, satisfaction) are left out",
    ),
    "rivals": TableSpec(
        "Competitors, and how we stand against each",
        (
            Column("rival", "text", "competitor"),
            Column("share", "share", "its share of the market", "share", low=0, high=1),
            optional(
                "price_index", "decimal", "its prices over ours", "its price position is left out", "1 = our prices", low=0
            ),
            optional(
                "coverage", "share", "share of the market it reaches", "coverage gaps are left out", "share", low=0, high=1
            ),
            *(
                optional(
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
}
