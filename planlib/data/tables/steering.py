"""What the company steers by: targets, money spent, projects, people, milestones."""

from planlib.data.tables.spec import UNUSED, Column, TableSpec, optional

STEERING: dict[str, TableSpec] = {
    "marketing": TableSpec(
        "What each marketing activity cost and brought",
        (
            Column("month", "month", "month of the spend", "month"),
            Column("activity", "text", "marketing activity"),
            Column("spend", "money", "money spent", "currency", low=0),
            optional(
                "revenue",
                "money",
                "revenue attributed to the activity",
                "response curves are read from total revenue, less surely, or not at all where too few months are known",
                "currency",
            ),
            optional("channel", "text", "sales channel the activity feeds", "returns are told by activity alone"),
            optional(
                "kind",
                "choice",
                "whether it advertises or promotes",
                "every activity counts as advertising, promotion is not capped",
                choices=("advertising", "promotion"),
            ),
            optional(
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
            optional("response_low", "money", "what it brings at worst", "its return is not shown", "currency", low=0),
            optional("response_high", "money", "what it brings at best", "its return is not shown", "currency", low=0),
            optional(
                "critical",
                "choice",
                "whether the plan fails without it",
                "no project is on the critical path",
                choices=("yes", "no"),
            ),
            optional("requires", "text", "project it cannot do without, blank for none", "projects stand alone", blank=True),
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
            optional("role", "text", "role", "span of control and team patterns are left out"),
            Column("hired", "date", "first day", "day"),
            optional("left", "date", "last day, blank while employed", "everyone counts as employed", "day", blank=True),
            optional("hours", "decimal", "working hours a month", "hours used are not watched", "hours a month", low=0),
            optional(
                "used", "decimal", "of them on customers and orders", "hours used are not watched", "hours a month", low=0
            ),
            optional(
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
    "milestones": TableSpec(
        "What departments owe each other for a target, and by when",
        (
            Column("milestone", "text", "what is handed over"),
            Column("target", "text", "target it serves, as chapter 01 names it"),
            Column("department", "text", "department that owes it"),
            Column("owes_to", "text", "department that waits for it"),
            Column("due", "date", "day it is due", "day"),
            optional("done", "date", "day it was done, blank while open", "nothing counts as done", "day", blank=True),
            optional("proof", "text", "what shows that it is done", "what is done has no proof", blank=True),
            optional("phase", "text", "phase of the plan", UNUSED),
        ),
        key=("milestone",),
        without="what departments owe each other is left out",
    ),
}
