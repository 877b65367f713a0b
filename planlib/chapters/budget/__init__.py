"""07 budget: marketing over activities and projects, regional pools, a reserve, and the watch over them (BUD-1 to BUD-6)."""

from planlib.chapters.budget.activities import bounds, covered, curves, gone, is_promotion, known, last_year, naive, traits
from planlib.chapters.budget.limits import listed, readable
from planlib.chapters.budget.money import Allocation, allocate, at_headquarters, by_region, free, pool_shares, pools, total
from planlib.chapters.budget.parameters import Parameters
from planlib.chapters.budget.priorities import by_customer, by_month, by_product, taken, valuable
from planlib.chapters.budget.projects import aligned, scorecard
from planlib.chapters.budget.projects import known as known_projects
from planlib.chapters.budget.returns import board, gain, summed
from planlib.chapters.budget.telling import (
    compare,
    headline,
    lacking,
    left,
    message,
    reason,
    region_pools,
    sentence,
    steps,
    untold,
    watched,
)
from planlib.chapters.budget.watch import days_of, hours, quarters, stock, variance

QUESTION = "What may marketing cost, where does the next unit of money return most, and what is held back?"

__all__ = [
    "QUESTION", "Allocation", "Parameters", "aligned", "allocate", "at_headquarters", "board", "bounds",
    "by_customer", "by_month", "by_product", "by_region", "compare", "covered", "curves", "days_of", "free", "gain",
    "gone", "headline", "hours", "is_promotion", "known", "known_projects", "lacking", "last_year", "left", "listed",
    "message", "naive", "pool_shares", "pools", "quarters", "readable", "reason", "region_pools", "scorecard",
    "sentence", "steps", "stock", "summed", "taken", "total", "traits", "untold", "valuable", "variance", "watched",
]  # fmt: skip
