"""One notebook run to its end by papermill (its only door), with the executed notebook as evidence of what it did."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planlib import errors
from planlib.errors import PlanError
from planlib.run.folder import near

if TYPE_CHECKING:
    from planlib.run.kernels import Kernels

CELL_SECONDS = 1800  # a cell that hangs fails its chapter; no number ever depends on this limit


def execute(notebook: Path, into: Path, parameters: Mapping[str, Any], kernels: Kernels, root: Path) -> None:
    """Run one notebook, keep in `into` what it looks like afterwards, and make sure that it ran to its end.

    Raises the PlanError that a cell raised, or PlanError for any other end than that of its last cell.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    stem, target = notebook.stem, into / notebook.name
    into.mkdir(exist_ok=True)
    running = target.with_name(f".running-{stem}.ipynb")

    def literal(path: Path) -> str:  # papermill formats paths, so a brace in a folder's name must be doubled
        return str(path).replace("{", "{{").replace("}", "}}")

    try:
        executed = papermill.execute_notebook(
            literal(notebook),
            literal(running),
            parameters=dict(parameters),
            progress_bar=False,
            execution_timeout=CELL_SECONDS,
            start_timeout=120,
            **kernels.engine(),
        )
    except papermill.PapermillExecutionError as error:
        kind = getattr(errors, error.ename, None)
        known: type[PlanError] | None = kind if isinstance(kind, type) and issubclass(kind, PlanError) else None
        where = f"evidence: {near(target)}, cell {error.exec_count}"
        if error.ename == "SystemExit":
            text = "a cell called sys.exit(); raise a PlanError instead, and run again"
        else:
            text = error.evalue if known else f"{error.ename}: {error.evalue}{_beside(error, notebook.parent)}"
        raise (known or PlanError)(f"{stem}: {text}\n{where}") from None
    except CellTimeoutError:
        text = f"a cell ran for more than {CELL_SECONDS} s, expected an end"
        raise PlanError(f"{stem}: {text}; look for the cell still running.\nevidence: {near(target)}") from None
    except (DeadKernelError, RuntimeError) as error:
        text = "the kernel died (killed, out of memory, or a cell ended it), expected every cell to run"
        raise PlanError(f"{stem}: {text}; {error}\nevidence: {near(target)}") from None
    finally:
        if running.exists():
            _settle(running, target, root)
    for number, cell in enumerate((c for c in executed.cells if c.cell_type == "code"), start=1):
        if cell.metadata.get("papermill", {}).get("status") != "completed":
            ended = any(out.get("ename") == "SystemExit" for out in cell.outputs)
            text = "called sys.exit()" if ended else "did not run to its end"
            raise PlanError(
                f"{stem}: code cell {number} {text}, expected every code cell to be completed; "
                f"a chapter ends by its gate, so take the exit out.\nevidence: {near(target)}"
            )


def _beside(error: Any, notebooks: Path) -> str:
    """Where a module that was not found lies beside the notebooks, why a run does not import it."""
    name = str(error.evalue).rpartition("named ")[2].strip("'").partition(".")[0]
    there = error.ename == "ModuleNotFoundError" and ((notebooks / f"{name}.py").exists() or (notebooks / name).is_dir())
    return f"; {name} lies beside the notebooks, where no key knows of it: move it into planlib/" if there else ""


def _settle(running: Path, target: Path, root: Path) -> None:
    """Give an executed notebook its name, and take out where on this machine the project lies."""
    text = running.read_text(encoding="utf-8").replace(json.dumps(str(root), ensure_ascii=False)[1:-1] + "/", "")
    running.write_text(text, encoding="utf-8")
    running.replace(target)
