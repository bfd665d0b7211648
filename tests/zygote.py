"""A process that has loaded polytag and torch once, and forks whenever a command is to run: what the documentation's
shell blocks call ``polytag``, and what tests call that start trainings. Start-up costs a second or more each time.

    with zygote(folder) as path:        # a PATH whose first directory has `polytag` and `python`

A signal to such a program reaches the command; killed, it takes the command with it, and it ends as the command does.
What a command has of its own is its memory, its files and its exit; modules are loaded already, whatever PYTHONPATH
says, and process groups are not those of its parent. Tests of these start a real process.
"""

import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CLIENT = """\
#!{python} -ES
import json, os, signal, socket, sys
with socket.socket(socket.AF_UNIX) as link:
    link.connect({address!r})
    request = {{"name": {name!r}, "args": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ)}}
    socket.send_fds(link, [json.dumps(request).encode() + b"\\n"], [0, 1, 2])
    worker = int(link.recv(20))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda given, _: os.kill(worker, given))
    code = int(link.recv(20) or b"1")
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


# What takes its time to load: all commands need torch, raw text needs spaCy, each training draws its curves, and
# PyTorch's optimisers load its compiler when the first one is made (one and a half seconds).
PRELOADED = (
    "torch", "polytag.cli", "polytag.training", "polytag.bulk", "spacy", "matplotlib.figure", "torch._dynamo",
    "multiprocessing.spawn",
)  # fmt: skip


@contextmanager
def zygote(folder: Path, first: str = "") -> Iterator[str]:
    """Yields a PATH; ends the process, not what it forked. ``first`` is code that it runs before it loads anything."""
    address, programs = folder / "zygote", folder / "bin"
    programs.mkdir()
    for name in ("polytag", "python"):
        (programs / name).write_text(
            CLIENT.format(name=name, python=sys.executable, address=str(address)), encoding="utf-8"
        )
        (programs / name).chmod(0o755)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    begin = f"{first}\nimport runpy\nrunpy.run_path({__file__!r}, run_name='__main__')"
    command = [sys.executable, "-c", begin, str(address), str(programs / "python")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield f"{programs}:{os.environ.get('PATH', '/usr/bin:/bin')}"
        finally:
            process.terminate()


def serve(address: str, python: str) -> None:
    """Fork for each request; the child runs the command, a process between tells its exit code."""
    for module in PRELOADED:
        with suppress(Exception):  # what is not installed
            importlib.import_module(module)
    os.fsync = lambda _: None  # as in tests, where nobody looks at pictures either
    if passes := sys.modules.get("polytag.training.passes"):
        passes.write_curves = lambda *_: None  # type: ignore[attr-defined]
    sys.executable = python  # what a command starts again starts at once too; multiprocessing keeps the real one
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        os.write(1, b"ready\n")
        while True:
            link, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                attend(link)
            link.close()
            os.waitpid(-1, 0)  # the process between ends at once: its own child is nobody's


def attend(link: socket.socket) -> None:
    if os.fork():
        os._exit(0)
    request, descriptors, _, _ = socket.recv_fds(link, 1 << 20, 3)
    while not request.endswith(b"\n"):
        request += link.recv(1 << 20)
    worker = os.fork()
    if worker == 0:
        link.close()
        for at, descriptor in enumerate(descriptors):
            os.dup2(descriptor, at)
        run(**json.loads(request))
    link.send(str(worker).encode())
    threading.Thread(target=kill_without_client, args=(link, worker), daemon=True).start()
    status = os.waitpid(worker, 0)[1]
    with suppress(BrokenPipeError):
        link.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def kill_without_client(link: socket.socket, worker: int) -> None:
    """Wait for the end of the program that stands for the worker, which says nothing more."""
    link.recv(1)
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)


def run(name: str, args: list[str], cwd: str, env: dict[str, str]) -> None:
    """Become the program: ``polytag ARGS``, or ``python FILE``, ``python -m MODULE``, ``python -c CODE``."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [name, *args]
    try:
        (run_polytag if name == "polytag" else run_python)(args)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def run_polytag(args: list[str]) -> None:
    from polytag.cli import main

    main(args)


def run_python(args: list[str]) -> None:
    sys.path[0] = str(Path.cwd())
    sys.argv = args
    if args[0] == "-c":
        exec(compile(textwrap.dedent(args[1]), "<documentation>", "exec"), {"__name__": "__main__"})
    elif args[0] == "-m":
        sys.argv = args[1:]
        runpy.run_module(args[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(args[0], run_name="__main__")


if __name__ == "__main__":
    serve(*sys.argv[1:])
