"""The command line: `planlib run`, `planlib audit`, `planlib backtest`, `planlib params`, `planlib methods`.

Exit codes: 0 ok, 1 the run failed, 2 usage or parameters, 3 input data, 4 a gate or tie-out; audit has 0 equal,
1 different, 2 not comparable; backtest --prove has 1 where a past plan knew of the future. Standard output carries the
answer only (the report's path, the parameters, the verdicts, the tables); all else goes to standard error.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from planlib.errors import ParameterError, PlanError
from planlib.run.chain import CHAPTERS, Progress, run, section
from planlib.run.folder import near

app = typer.Typer(
    help="A target split by region, product, channel, month and customer group, to the cent.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ParamsFile = Annotated[Path, typer.Argument(metavar="PARAMS", help="A params file such as params/2026Q2.yml.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="Closing date instead of the file's own.")]
Reports = Annotated[Path | None, typer.Option(help="Folder for reports; default: reports/ of the project.")]


class Bar(Progress):
    """A progress bar with chapter names and times; plain lines where standard error is not a terminal."""

    def __init__(self, quiet: bool) -> None:
        from rich.console import Console

        self._console, self._quiet = Console(stderr=True, highlight=False, quiet=quiet), quiet
        self._bar: Any = None
        self._task: Any = None

    def begin(self, run: str, stems: tuple[str, ...]) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Columns

        self.end()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Columns(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._task = self._bar.add_task(f"{run}: reading", total=len(stems))
        self._run = run
        self._bar.start()

    def chapter(self, stem: str, state: str, seconds: float = 0.0) -> None:
        if state == "running":
            self._bar.update(self._task, description=f"{self._run}: {stem}")
            return
        self._bar.advance(self._task)
        self.say(f"{self._run}  {stem:<14} {f'{seconds:5.1f} s' if state == 'done' else '   kept'}")

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


@contextlib.contextmanager
def _ending(bar: Bar | None = None) -> Iterator[None]:
    """Turn what went wrong into a sentence and an exit code."""
    try:
        yield
    except PlanError as error:
        _leave(bar, f"planlib: {error}", error.exit_code)
    except OSError as error:
        _leave(bar, f"planlib: {error}; no report was published, earlier ones are as they were.", 1)
    except KeyboardInterrupt:
        _leave(bar, "planlib: stopped; no report was published. Run again to go on from the first open chapter.", 130)
    finally:
        if bar is not None:
            bar.end()


def _leave(bar: Bar | None, text: str, code: int) -> None:
    if bar is not None:
        bar.end()
    print(text, file=sys.stderr)
    raise typer.Exit(code)


def _date(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise ParameterError(f"--as-of: found {text!r}, expected a date such as 2026-03-31; correct it.") from None


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@app.command("run")
def run_command(
    params: ParamsFile,
    as_of: AsOf = None,
    force: Annotated[bool, typer.Option("--force", help="Run every chapter and publish a further report.")] = False,
    cold: Annotated[bool, typer.Option("--cold", help="Start every kernel from nothing, as an audit does.")] = False,
    reports: Reports = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but faults.")] = False,
) -> None:
    """Run the chapters and publish a report; prints its path. Does nothing when it is up to date."""
    from planlib.run.params import load

    signal.signal(signal.SIGTERM, _stop)
    bar = Bar(quiet)
    with _ending(bar):
        folder = run(load(params, as_of=_date(as_of)), force=force, cold=cold, reports=reports, progress=bar)
        bar.end()
        print(near(folder / "index.html"))


@app.command("audit")
def audit_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder, or its name under reports/.")],
    reports: Reports = None,
) -> None:
    """Run a published run again from its manifest, cold, and compare every plan table (0 equal, 1 different, 2 neither)."""
    from planlib.run.audit import audit, find
    from planlib.run.params import project_root

    bar = Bar(quiet=False)
    signal.signal(signal.SIGTERM, _stop)
    with _ending(bar):
        here = Path.cwd() / "x"
        folder = find(run, (reports or project_root(here) / "reports").resolve())
        try:
            root = project_root(folder)
        except ParameterError:
            root = project_root(here)

        def tell(line: str) -> None:
            bar.end()
            print(line)

        code = audit(folder, root=root, progress=bar, tell=tell)
    raise typer.Exit(code)


@app.command("backtest")
def backtest_command(
    params: ParamsFile,
    years: Annotated[
        list[str] | None, typer.Option("--years", help="Years to judge: 2024,2025; default: the last three.")
    ] = None,
    prove: Annotated[
        bool, typer.Option("--prove", help="Plan the last year twice with another future: 1 if it shows.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Judge again, also where nothing has changed.")] = False,
    reports: Reports = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but the answer and faults.")] = False,
) -> None:
    """Plan past years from what was known before them and hold them against what came; prints tables and their page's path."""
    from planlib.run import backtest
    from planlib.run.params import load

    signal.signal(signal.SIGTERM, _stop)
    bar = Bar(quiet)
    with _ending(bar):
        settings, chosen = load(params), _years(years)
        if prove:
            leaks = backtest.proven(settings, chosen[-1] if chosen else None, reports=reports, progress=bar)
            print(f"differs when the future does: {', '.join(leaks)}" if leaks else "the past plan knew nothing of the future")
            raise typer.Exit(1 if leaks else 0)
        folder = backtest.backtest(settings, chosen, reports=reports, force=force, progress=bar)
        print(backtest.told(folder))
        print(near(folder / "index.html"))


def _years(texts: list[str] | None) -> list[int]:
    found = [part for text in texts or [] for part in text.replace(",", " ").split()]
    wrong = [part for part in found if not (part.isascii() and part.isdigit() and len(part) == 4)]
    if wrong:
        raise ParameterError(f"--years: found {wrong[0]!r}, expected years such as 2024,2025; correct it.")
    return sorted({int(part) for part in found})


@app.command("params")
def params_command(params: ParamsFile, as_of: AsOf = None) -> None:
    """Print the parameters in force, defaults and extended files included, as YAML."""
    import yaml

    from planlib.run.manifest import relative
    from planlib.run.params import load

    with _ending():
        settings = load(params, as_of=_date(as_of))
        data = {table: {**each, "file": relative(Path(each["file"]), settings.root)} for table, each in settings.data.items()}
        shown = {
            "run": settings.run,
            **settings.header(),
            "baseline": settings.baseline.source.name if settings.baseline else None,
            "data": {table: {k: v for k, v in each.items() if v not in (None, {})} for table, each in data.items()},
            **{name: settings.parameters[name] for name in map(section, CHAPTERS)},
        }
        print(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=110), end="")


@app.command("methods")
def methods_command(
    only: Annotated[str, typer.Argument(metavar="ID", help="An item, its letters or a chapter: REG-2, REG, 02-region.")] = "",
) -> None:
    """Print the method book: each item, with its chapter, functions, parameters and tests (1 when one is not done)."""
    from planlib.run.methods import items, text
    from planlib.run.params import project_root

    with _ending():
        found = items(project_root(Path.cwd() / "x"), only)
        print(text(found, CHAPTERS))
        if any(item.lacks for item in found if item.chapter in CHAPTERS):
            raise typer.Exit(1)


def main() -> None:
    """The console script."""
    app()
