"""Kernels: forked from one warm process or started cold, each its own, none left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import papermill
import pytest

from planlib.run.kernels import Kernels, can_fork

CODE = """
import os, sys
warm = "wave" in sys.modules
seen = [os.getpid(), os.getppid(), warm, os.environ["PYTHONHASHSEED"], os.environ["TZ"], os.getcwd(), hash("East")]
seen += ["SECRET_TOKEN" in os.environ]
print(*seen, sep="|")
"""


def executed(kernels: Kernels, folder: Path, number: int) -> list[str]:
    source = folder / f"in{number}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)]), source)
    done = papermill.execute_notebook(str(source), str(folder / f"out{number}.ipynb"), progress_bar=False, **kernels.engine())
    return done.cells[0].outputs[0].text.strip().split("|")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(*pids: int, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux only")
def test_forked_kernels_are_warm_separate_and_end_with_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    with Kernels(tmp_path, preload=("wave",)) as kernels:
        first, second = executed(kernels, tmp_path, 1), executed(kernels, tmp_path, 2)
        assert kernels.template is not None
        template = int(first[1])

    assert first[0] != second[0] and first[1] == second[1]
    assert first[2:] == second[2:]
    assert first[2:6] == ["True", "0", "UTC", str(tmp_path)]
    assert first[7] == "False"  # the caller's own variables do not get in
    assert gone(template, int(first[0]), int(second[0]))
    assert not kernels.scratch.exists()


def test_cold_kernels_see_the_same_environment(tmp_path):
    with Kernels(tmp_path, cold=True) as kernels:
        cold = executed(kernels, tmp_path, 1)
    with Kernels(tmp_path, preload=("wave",)) as kernels:
        warm = executed(kernels, tmp_path, 2)

    assert cold[2] == "False" and warm[2] == "True"
    assert cold[3:] == warm[3:]


@pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux only")
def test_a_dead_template_means_cold_kernels_and_a_word(tmp_path):
    said: list[str] = []
    with Kernels(tmp_path, preload=(), say=said.append) as kernels:
        first = executed(kernels, tmp_path, 1)
        os.kill(int(first[1]), signal.SIGKILL)
        assert gone(int(first[1]))
        second = executed(kernels, tmp_path, 2)

    assert second[3:] == first[3:]
    assert len(said) == 1 and "cold" in said[0]


@pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux only")
def test_nothing_is_left_when_the_run_is_killed(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from planlib.run.kernels import Kernels\n"
        "sys.path.insert(0, sys.argv[2]); from test_kernels import executed\n"
        "folder = Path(sys.argv[1])\n"
        "with Kernels(folder, preload=()) as kernels:\n"
        "    print(executed(kernels, folder, 1)[1], flush=True); time.sleep(60)\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    template = int(running.stdout.readline())
    assert alive(template)
    running.kill()
    running.wait()
    running.stdout.close()

    assert gone(template)
