"""A chapter opened by hand: it works on a draft, a copy of the newest published run, and never in a published report."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from planlib.chapters.base import ChapterParameters
from planlib.errors import ParameterError, PlanError

DRAFT = "reports/draft"
SHORT = 40  # letters of a value that a note still shows


def prepare(draft: Path) -> None:
    """Give the draft the newest published run to stand on; what it made since is kept while that very report is the newest.

    Raises PlanError when the draft's report is gone: nothing would say what its numbers stand on.
    """
    marker, latest = draft / "from.txt", draft.parent / "latest"
    if not (latest / "manifest.json").is_file():
        if marker.exists():
            came = marker.read_text(encoding="utf-8").partition(" ")[0]
            raise PlanError(
                f"{DRAFT}: found the draft of run {came}, whose report is not there any more, expected a published run; "
                "start with `make plan`, then open it again."
            )
        return
    source = latest.resolve()
    # A report made again under its old name is another report: its manifest tells.
    origin = f"{source.name} {hashlib.sha256((source / 'manifest.json').read_bytes()).hexdigest()}"
    if marker.exists() and marker.read_text(encoding="utf-8") == origin:
        return
    unpublished(draft)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    shutil.copy2(source / "run.json", draft / "run.json")
    for made in ("plan", "tables"):
        if (source / made).is_dir():
            shutil.copytree(source / made, draft / made)
    marker.write_text(origin, encoding="utf-8")


def unpublished(run: Path) -> None:
    """PlanError when a run folder is a published report: a chapter would write over it."""
    if (run / "manifest.json").exists():
        raise PlanError(
            f"run {run.name!r}: found a published report, which no chapter may change, expected a draft; "
            f"set `run` to {DRAFT!r} again. A report that is called so must be moved, and its params file given another `run`."
        )


def from_run(
    model: type[ChapterParameters], namespace: Mapping[str, Any], used: Mapping[str, Any], as_set: Sequence[str]
) -> dict[str, Any]:
    """The run's values for parameters that stand at their default and are not in `as_set`: a draft starts where it ended."""
    defaults = model().model_dump(mode="json")
    unknown = sorted(set(as_set) - set(defaults))
    if unknown:
        raise ParameterError(f"as_set: found {', '.join(unknown)}, expected some of {', '.join(defaults)}; correct it.")
    open_to = [name for name in defaults if name not in as_set and namespace.get(name) == defaults[name]]
    return {name: used[name] for name in open_to if used.get(name, defaults[name]) != defaults[name]}


def told(run: str, taken: Mapping[str, Any], namespace: Mapping[str, Any]) -> str:
    """Which values a draft took from its run, what the cell says, and how to have the cell's."""
    values = [f"{name}{_change(value, namespace[name])}" for name, value in sorted(taken.items())]
    return (
        f"From run {run}: {', '.join(values)}. A value other than its default in the cell above takes precedence; "
        f"to plan with a default itself, name it where the chapter is opened: as_set={sorted(taken)[:1]}."
    )


def _change(value: Any, default: Any) -> str:
    shown = f" {value!r} (the cell says {default!r})"
    return shown if len(shown) <= SHORT + 20 else ""
