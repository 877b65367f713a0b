"""Wall time of the chain against a plain papermill loop, in pairs in one run, and of `split` against its peers: `make bench`.

`... -m tests.benchmarks 3` runs three pairs, `... quick` one pair and the smaller splits against the fastest peer only;
`... split` only the second part, see split.py; `... lifetime` only the fit of customers' lifetime value, see lifetime.py;
`... response` only the reading of marketing returns, see response.py; `... growth` how a split's time grows, see growth.py.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import growth, lifetime, response, split

ROOT = Path(__file__).parent.parent.parent
PLANLIB = Path(sys.executable).parent / "planlib"
QUARTERS = ("2026Q1", "2026Q2")
AIM = 0.35

# What a team without planlib's runner does: papermill over each notebook, an ordinary kernel each, one after the other.
PLAIN = """
import json, sys
from pathlib import Path
import papermill
papermill.utils.logger.setLevel("ERROR")
notebooks, reports = Path(sys.argv[1]), Path(sys.argv[2])
for quarter in sys.argv[3:]:
    run = reports / quarter
    parameters = json.loads((run / "run.json").read_text())["parameters"]
    for notebook in sorted(notebooks.glob("*.ipynb")):
        target = run / "notebooks" / notebook.name
        target.parent.mkdir(exist_ok=True)
        words = {**parameters[notebook.stem[3:]], "run": str(run)}
        papermill.execute_notebook(str(notebook), str(target), parameters=words, progress_bar=False)
"""


def forked(folder: Path) -> float:
    """Both quarters by one `planlib run`: reading the orders, gates, manifest and reports included."""
    began = time.monotonic()
    subprocess.run([PLANLIB, "run", "params/2026Q2.yml", "--reports", folder, "--quiet"], cwd=ROOT, check=True, stdout=-3)
    return time.monotonic() - began


def plain(finished: Path, folder: Path) -> float:
    """The same notebooks of both quarters in a papermill loop; the inputs are read already, no report is written."""
    for quarter in QUARTERS:
        (folder / quarter).mkdir(parents=True)
        shutil.copy2(finished / quarter / "run.json", folder / quarter)  # its plan in force is the published one
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", PLAIN, ROOT / "notebooks", folder, *QUARTERS], cwd=ROOT, check=True)
    return time.monotonic() - began


def main() -> None:
    if sys.argv[1:2] == ["split"]:
        return split.main(sys.argv[2:])
    if sys.argv[1:2] == ["lifetime"]:
        return lifetime.main()
    if sys.argv[1:2] == ["response"]:
        return response.main()
    if sys.argv[1:2] == ["growth"]:
        return growth.main()
    quick = sys.argv[1:2] == ["quick"]
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 and not quick else 1
    ratios = []
    for number in range(1, pairs + 1):
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            ours, theirs = forked(folder / "ours"), plain(folder / "ours", folder / "plain")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        ratios.append(ours / theirs)
        print(f"pair {number}: planlib run {ours:.1f} s, plain papermill loop {theirs:.1f} s, ratio {ours / theirs:.2f}")
    print(f"chain, {2 * 7} chapters: median ratio {statistics.median(ratios):.2f} (aim: at most {AIM})")
    split.main(["quick"] if quick else [])
    growth.main()
    lifetime.main(5 if quick else 15)
    response.main(1 if quick else 5)


if __name__ == "__main__":
    main()
