"""What departments owe each other for a target: milestones as a matrix of targets by departments (MET-3)."""

import pandas as pd

STATES = ("done", "late", "due soon", "open")


def milestones(table: pd.DataFrame | None, metrics: list[str], as_of: str, warn_days: int) -> pd.DataFrame:
    """Each milestone with its state at as_of (MET-3): milestone, target, department, owes_to, due, state, note.

    `table`: milestone, target, department, owes_to, due, and where known done (days) and proof. Done counts only up to `as_of`
    (YYYY-MM-DD); "due soon" is due within `warn_days`. note: no proof for what is done, or a target that is not
    among `metrics`. Sorted by due day. Empty without the table.
    """
    columns = ["milestone", "target", "department", "owes_to", "due", "state", "note"]
    if table is None:
        return pd.DataFrame(columns=columns)
    frame = table.copy()
    day = pd.Timestamp(as_of)
    due = pd.to_datetime(frame["due"])
    done = pd.to_datetime(frame["done"]) if "done" in frame else pd.Series(pd.NaT, index=frame.index)
    proof = frame["proof"].fillna("") if "proof" in frame else pd.Series("", index=frame.index)
    finished = done.notna() & (done <= day)
    soon = due <= day + pd.Timedelta(days=warn_days)
    frame["state"] = [
        "done" if f else "late" if d < day else "due soon" if s else "open" for f, d, s in zip(finished, due, soon, strict=True)
    ]
    stray = ~frame["target"].isin(metrics)
    frame["note"] = [
        "no such target" if s else "done without proof" if f and not p else ""
        for s, f, p in zip(stray, finished, proof, strict=True)
    ]
    frame["due"] = due.dt.strftime("%Y-%m-%d")
    return frame.sort_values(["due", "milestone"])[columns].reset_index(drop=True)


def matrix(listed: pd.DataFrame) -> pd.DataFrame:
    """Target x department (MET-3): in each cell what it owes whom by when, the next open milestone first.

    `listed`: see `milestones`. Returns target and one text column per department, "" where nothing is owed; a cell reads
    "Service, 2026-05-31: late (1 of 3 done)".
    """
    departments = sorted(listed["department"].unique()) if len(listed) else []
    rows = []
    for target in dict.fromkeys(listed["target"]):
        cells = []
        for department in departments:
            part = listed[(listed["target"] == target) & (listed["department"] == department)]
            cells.append(_cell(part))
        rows.append((target, *cells))
    return pd.DataFrame(rows, columns=["target", *departments])


def _cell(part: pd.DataFrame) -> str:
    if part.empty:
        return ""
    done = int((part["state"] == "done").sum())
    waiting = part[part["state"] != "done"].sort_values(["due", "milestone"])
    if waiting.empty:
        return f"all {done} done" if done > 1 else "done"
    first = waiting.iloc[0]
    return f"{first['owes_to']}, {first['due']}: {first['state']} ({done} of {len(part)} done)"
