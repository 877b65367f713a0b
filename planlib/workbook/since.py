"""What a later plan says of an earlier one that expected months of last year: what these sold, and what that changed."""

import pandas as pd

from planlib.chapters.last_year import moved, replaced, said_since
from planlib.lp import Split
from planlib.plan import AMOUNT
from planlib.workbook.chapter import Chapter
from planlib.workbook.given import BASE, UNAIDED

TITLE = "What the months sold since changed"


def since(chapter: Chapter, plan: Split | pd.DataFrame, last_year: int = 0, baseline: int = 0) -> None:
    """Where the plan in force expected months that are sold by now: what that changed; nothing where it did not.

    By member for a split, beside the plan in force; else by month for the company, with what it does to the growth asked for
    and the gap (`last_year` and the momentum `baseline`, minor units).
    """
    then = chapter.expected_then
    if then is None:
        return
    if isinstance(plan, Split):
        into, stood = plan.into, chapter.in_force()
        sold = chapter.orders(into, "month")
        sold = sold[sold["month"].isin(then["month"].unique())]
        changed = moved(then, sold, plan.plan if stood is None else stood, plan.plan, into)
        chapter.table(changed, f"{TITLE}, by {into}: the plan in force and now")
        return
    found = replaced(then, chapter.orders("month"))
    chapter.table(found, TITLE)
    stood = chapter.in_force()
    unaided, about = (chapter.handed_on(chapter.stem, title, in_force=True) for title in (UNAIDED, BASE))
    if stood is not None and unaided is not None and about is not None:
        path = int(unaided[["booked", "expected"]].sum(axis=1).iloc[0])
        before = int(stood[AMOUNT].sum()), int(about[AMOUNT].iloc[0]), path
        chapter.note(said_since(found, (int(plan[AMOUNT].sum()), last_year, baseline), before, chapter.show))
