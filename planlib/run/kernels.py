"""Kernels for the chapters: forked from one process that has imported the heavy packages, or started cold.

Great Expectations, Ibis and the solver cost several seconds to import. A template process pays that once; each chapter
then gets its own fresh process by `fork`, so no state passes from one chapter to the next. Forked and cold kernels see the
same environment: hash seed, time zone, locale and BLAS threads are fixed, and of the caller's variables only PATH and
its kind are let through.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

HEAVY = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "scipy.optimize",
    "pulp",
    "highspy",
    "pydantic",
    "ibis",
    "duckdb",
    "ibis.backends.duckdb",
    "altair",
    "great_expectations",
    "babel.numbers",
    "IPython.core.completer",
    "planlib.plan",
    "planlib.lp",
    "planlib.charts",
    "planlib.workbook",
)

FIXED = {
    "PYTHONHASHSEED": "0",
    "PYTHONSAFEPATH": "1",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
PASSED = ("PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH")

PRELOAD_SECONDS = 120.0
PR_SET_PDEATHSIG = 1


PACKAGE = Path(__file__).resolve().parents[1]  # the planlib of this command: what is hashed is what computes


def environment(scratch: Path) -> dict[str, str]:
    """The variables a chapter sees, whatever the caller's own are.

    A person's IPython profile and start-up scripts must not take part in a run, hence the empty `IPYTHONDIR`. Modules come from
    the command's own planlib, which alone lies in `PYTHONPATH`, the standard library and the installed packages; no working
    directory is searched (`PYTHONSAFEPATH`).
    """
    kept = {name: os.environ[name] for name in PASSED if name in os.environ}
    return kept | FIXED | {"PYTHONPATH": str(scratch / "code"), "IPYTHONDIR": str(scratch / "ipython")}


def can_fork() -> bool:
    """Whether this system can fork kernels (Linux; elsewhere forking after imports is not safe)."""
    return sys.platform == "linux" and hasattr(os, "fork")


class Template:
    """The process that imported everything, and the socket it takes orders from."""

    def __init__(self, preload: tuple[str, ...], env: Mapping[str, str], scratch: Path) -> None:
        ours, theirs = socket.socketpair()
        with theirs, (scratch / "template.log").open("wb") as sink:
            # -c, not -m: the module must be importable under its own name in every fork
            order = f"from planlib.run.kernels import serve; serve({theirs.fileno()}, {list(preload)!r})"
            self._process = subprocess.Popen(
                [sys.executable, "-c", order],
                env=dict(env),
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the chain, which then ends the template
            )
        ours.settimeout(PRELOAD_SECONDS)
        self._socket, self._replies = ours, ours.makefile("r", encoding="utf-8")

    def ask(self, **order: Any) -> dict[str, Any]:
        """Send one order and wait for its answer; OSError if the template is gone or silent."""
        self._socket.sendall((json.dumps(order) + "\n").encode())
        line = self._replies.readline()
        if not line:
            raise ConnectionError("the template process ended")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        """End the template; it ends its kernels first."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._replies.close()
        self._socket.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ForkedProcess:
    """What a provisioner wants of a `Popen`, for a process that is the template's child and not ours."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, template: Template) -> None:
        self.pid, self._template = pid, template
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            try:
                self._code = self._template.ask(poll=self.pid)["code"]
            except (OSError, ValueError):
                self._code = -signal.SIGKILL  # no kernel outlives the template
        return self._code

    def wait(self) -> int | None:
        while self.poll() is None:
            time.sleep(0.01)
        return self._code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class ForkedProvisioner(LocalProvisioner):
    """Starts a chapter's kernel by forking the template, or as an ordinary process when there is none."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        kernels = getattr(self.parent, "kernels", None)
        if kernels is None:
            return await super().launch_kernel(cmd, **kwargs)
        template = kernels.template
        if template is not None:
            try:
                # cmd is [python, -m, ipykernel_launcher, arguments of the kernel ...]
                reply = template.ask(fork=cmd[3:], cwd=str(kernels.cwd))
                self.process: Any = ForkedProcess(reply["pid"], template)
                self.pid = self.pgid = reply["pid"]
                self.cwd = kernels.cwd
                return self.connection_info
            except (OSError, ValueError, KeyError) as fault:
                kernels.fall_back(str(fault))
        return await super().launch_kernel(cmd, **{**kwargs, "env": dict(kernels.env), "cwd": str(kernels.cwd)})


class Kernels:
    """The kernels of one run: `with Kernels(cwd) as kernels: pm.execute_notebook(..., **kernels.engine())`.

    `cwd` is where a kernel works, `say` takes one sentence for a person.
    Preloading starts at once and goes on while the caller does something else.
    """

    def __init__(
        self,
        cwd: Path,
        *,
        cold: bool = False,
        preload: tuple[str, ...] = HEAVY,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        # Unix socket paths end at 107 bytes, so a long TMPDIR is not used
        base = tempfile.gettempdir() if len(tempfile.gettempdir()) < 40 else "/tmp"
        self.scratch = Path(tempfile.mkdtemp(prefix="plan-", dir=base))
        self.cwd, self._say, self._started = cwd, say, 0
        (self.scratch / "code").mkdir()
        (self.scratch / "code" / PACKAGE.name).symlink_to(PACKAGE, target_is_directory=True)
        self.env = environment(self.scratch)
        self.template: Template | None = None
        if cold:
            return
        if can_fork():
            self.template = Template(preload, self.env, self.scratch)
        else:
            say("kernels are started cold: this system cannot fork them")

    def fall_back(self, fault: str) -> None:
        """Go on with cold kernels, and say so once."""
        log = self.scratch / "template.log"
        last = (log.read_text(errors="replace").strip().splitlines() or [""])[-1]
        self._say(f"kernels are started cold from here: {fault or 'the template process failed'} {last}".rstrip())
        if self.template is not None:
            self.template.close()
        self.template = None

    def engine(self) -> dict[str, Any]:
        """Arguments for `papermill.execute_notebook` that make it use one new kernel of ours."""
        self._started += 1
        kernels, stem = self, self.scratch / f"k{self._started}"
        spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": "planlib-forked"}},
        )
        provisioners = KernelProvisionerFactory.instance().provisioners
        provisioners.setdefault(
            "planlib-forked",
            EntryPoint("planlib-forked", f"{__name__}:ForkedProvisioner", KernelProvisionerFactory.GROUP_NAME),
        )

        class Manager(AsyncKernelManager):
            def __init__(self, **kwargs: Any) -> None:
                # ipc: other users of the machine cannot reach it, and no two kernels can race for a port.
                # Its `ip` must be unique, or two kernels in one folder collide.
                kwargs |= {"transport": "ipc", "ip": str(stem), "connection_file": f"{stem}.json"}
                super().__init__(**kwargs)
                self.kernels = kernels

            @property
            def kernel_spec(self) -> KernelSpec:
                return spec

        # a used kernel has nothing left to say: kill it rather than wait for its farewell
        return {
            "kernel_manager_class": Manager,
            "kernel_name": "python3",
            "language": "python",
            "shutdown_kernel": "immediate",
        }

    def __enter__(self) -> Kernels:
        return self

    def __exit__(self, *_: object) -> None:
        if self.template is not None:
            self.template.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


def serve(fd: int, preload: list[str]) -> None:
    """The template's life: import, then fork on demand until the socket closes, then end every kernel."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    time.tzset()
    for name in ["ipykernel.kernelapp", "ipykernel.ipkernel", *preload]:
        try:
            importlib.import_module(name)
        except Exception as fault:  # the chapter that needs it will say so where a reader looks
            print(f"not preloaded: {name}: {fault!r}", file=sys.stderr, flush=True)
    gc.collect()
    gc.freeze()  # the collector must not touch, and so copy, the shared pages
    children: dict[int, int | None] = {}
    with socket.socket(fileno=fd) as link, contextlib.suppress(OSError):
        for order in _orders(link):
            if "fork" in order:
                pid = os.fork()
                if pid == 0:
                    _become_kernel(link, order["fork"], order["cwd"])
                children[pid] = None
                reply: dict[str, int | None] = {"pid": pid}
            else:
                reply = {"code": _code(order["poll"], children)}
            link.sendall((json.dumps(reply) + "\n").encode())
    for pid, code in children.items():
        if code is None:
            with contextlib.suppress(OSError):
                os.killpg(pid, signal.SIGKILL)


def _orders(link: socket.socket) -> Iterator[dict[str, Any]]:
    with link.makefile("r", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _code(pid: int, children: dict[int, int | None]) -> int | None:
    """The exit code of a kernel, None while it runs."""
    if pid in children and children[pid] is None:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            children[pid] = os.waitstatus_to_exitcode(status)
    return children.get(pid, -signal.SIGKILL)


def _become_kernel(link: socket.socket, argv: list[str], cwd: str) -> None:
    """In the fork: leave the template's session, then be an ordinary kernel until told to end."""
    code = 1
    try:
        _die_with_parent()
        link.detach()
        os.setsid()
        os.chdir(cwd)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        gc.enable()
        from ipykernel.kernelapp import IPKernelApp

        IPKernelApp.launch_instance(argv=argv)
        code = 0
    finally:
        os._exit(code)


def _die_with_parent() -> None:
    """Ask Linux to end this process when the one that started it ends, even by SIGKILL."""
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
