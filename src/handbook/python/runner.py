"""
The Python side of `python()`: runs the program of a notebook cell, or the main() of a file, and writes down what happened.

Each run gets a folder of its own with a copy of this file as `_tslab_parallel.py` and a `main.py` that calls `run`. Works with
Python 3.8 and later, with nothing but the standard library.
"""

import ast
import atexit
import contextlib
import importlib
import inspect
import json
import linecache
import math
import os
import sys
import textwrap
import threading
import time
import traceback

CELL = "<cell>"  # a program's text; a file's own path otherwise
FOLDER = os.path.dirname(os.path.abspath(__file__))
SPANS = os.path.join(FOLDER, "spans.jsonl")
MAX_SAFE = 2**53 - 1

clock = time.perf_counter  # the system's monotonic clock: the same in all processes of a machine

_spans = []  # what the program's own process did; its children write theirs to a file
_child = True  # until run() finds out that this is the program's own process
_file = None


def run(scope):
    """Runs the program with scope as its globals. In a worker that multiprocessing spawned: only its definitions."""
    scope.pop("run")
    if os.path.exists(os.path.join(FOLDER, "program.json")):
        if scope["__name__"] == "__main__":
            _end_with_the_kernel()
            _run_here(_load_file, scope)
        return  # a worker finds the file's functions by its module
    source = _read("program.py")
    # As in the interpreter's own prompt, a program that is indented as a whole is moved to the left.
    if next((line for line in source.splitlines() if line.strip()), "")[:1].isspace():
        source = textwrap.dedent(source)
    linecache.cache[CELL] = (len(source), None, source.splitlines(True), CELL)  # for tracebacks
    scope.update(
        span=span,
        tick=tick,
        start_clock=start_clock,
        data=json.loads(_read("input.json"), object_hook=_from_json),
    )
    if scope["__name__"] == "__main__":
        _end_with_the_kernel()
        _run_here(lambda: _compile(source), scope)
    else:
        sys.stdout.reconfigure(line_buffering=True)
        _compile(source)(scope)


def _load_file():
    """Returns a function that calls the file's main() with the notebook's knobs."""
    global CELL
    program = json.loads(_read("program.json"), object_hook=_from_json)
    CELL, knobs = program["file"], program["knobs"]
    folder, name = os.path.split(CELL)
    sys.path[0] = folder  # as for a script: what lies beside it can be imported, by spawned workers too
    sys.argv = [CELL]
    module = importlib.import_module(name[: -len(".py")])
    if not os.path.samefile(getattr(module, "__file__", None) or FOLDER, CELL):
        raise ImportError("%s is the name of a module of Python's own: give the file another name" % name)
    if not callable(getattr(module, "main", None)):
        raise AttributeError("%s has no function main(), which python() calls with its knobs" % name)
    known = inspect.signature(module.main).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        for knob in knobs:
            if knob not in known:
                has = ", ".join(known) or "none"
                raise TypeError("main() of %s has no knob %s; it has %s" % (name, knob, has))

    def program(scope):
        value = module.main(**knobs)
        if inspect.iscoroutine(value):
            import asyncio

            value = asyncio.run(value)
        return value

    return program


def _run_here(load, scope):
    global _child, _result
    _child = False
    sys.path[0] = os.getcwd()
    sys.path.append(FOLDER)  # spawned workers import this module too
    sys.argv = [CELL]
    # Lines appear as they are printed, as in a terminal; without buffering, threads would mix within a line.
    sys.stdout.reconfigure(line_buffering=True)
    result = {
        "version": sys.version.split()[0],
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "executable": sys.executable,
        "spans": _spans,
    }
    _result = result
    try:
        program = load()
        result["startedAt"] = time.time() * 1000
        result["start"] = clock()
        try:
            value = program(scope)
        finally:
            result["end"] = clock()
        result["value"] = _to_json(value, "its last expression" if CELL == "<cell>" else "what main() returns")
    except NotJson as error:
        result["notJson"] = str(error)
    except BaseException as error:
        result["end"] = result.get("end", clock())
        if isinstance(error, SystemExit) and error.code in (None, 0):
            result["value"] = None
        else:
            result["error"] = _describe(error)
    if "value" in result:
        # Registered first, so called last: after the program's threads and children have been waited for.
        atexit.register(_finish, result)
    else:
        _finish(result)
        os._exit(1)


def _finish(result):
    _write("result.json", json.dumps(result))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def _compile(source):
    """Returns a function that runs source and returns the value of its last expression, if it ends with one."""
    tree = compile(source, CELL, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    codes = [compile(tree, CELL, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)]
    if last:
        codes.append(compile(last, CELL, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True))
    is_async = any(code.co_flags & 0x80 for code in codes)  # inspect.CO_COROUTINE

    def program(scope):
        value = None
        for code in codes:
            value = eval(code, scope)
        return value

    async def async_program(scope):
        value = None
        for code in codes:
            value = eval(code, scope)
            if code.co_flags & 0x80:
                value = await value
        return value

    def run_async(scope):
        import asyncio

        return asyncio.run(async_program(scope))

    return run_async if is_async else program


def _describe(error):
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename != CELL:  # the frames above are this file's
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error, trace)
    last = [line for line in "".join(lines).strip().splitlines() if line.strip()][-1]
    text = "".join(lines).replace(os.path.dirname(CELL) + os.sep, "") if CELL != "<cell>" else "".join(lines)
    described = {"type": type(error).__name__, "message": last, "traceback": text}
    missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
    if missing and missing.split(".")[0] not in sys.modules:
        described["missing"] = missing.split(".")[0]
    return described


# The program's clock: span() and tick()


@contextlib.contextmanager
def span(label=None, lane=None):
    """Draws what runs inside as one block. Also a decorator."""
    task = _enter_task() if lane is None else None
    start = clock()
    error = None
    try:
        yield
    except BaseException as thrown:
        error = type(thrown).__name__ + ": " + str(thrown)
        raise
    finally:
        end = clock()
        if task:
            lane = task[1]
            _leave_task(task)
        _record(_row("span", label, lane, start, end, error))


_result = {}


def start_clock():
    """What came before, such as imports, is not counted: the program's time begins here."""
    _spans.clear()
    _result["startedAt"] = time.time() * 1000
    _result["start"] = clock()


_turn = None
_turns = {}
_has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()


def tick(label=None):
    """Says "this thread is running now". A thread's ticks become one block for as long as no other thread ticks."""
    global _turn
    now = clock()
    me = threading.get_ident()
    turn = _turn if _has_gil else _turns.get(me)
    # No lock: waiting for one would hand the GIL on and change what is measured. A thread may be stopped anywhere in
    # here: what it then adds to its old turn is a time from before the stop, and a new turn is announced before its
    # time is read, so that two turns never overlap.
    if (
        turn is not None
        and turn["thread"] == me
        and turn["label"] == label
        and (_has_gil or now - turn["end"] < 0.005)  # without a GIL nobody takes it away: a pause ends the turn
    ):
        turn["end"] = now
        if _child and now - turn["sent"] > 0.002:
            turn["sent"] = now
            _record(turn)
        return
    turn = _row("tick", label, None, now, now, None)
    turn["thread"] = me
    turn["sent"] = now
    turn["id"] = "%d %d %r" % (os.getpid(), me, now)
    _turn = turn
    _turns[me] = turn
    turn["start"] = turn["end"] = clock()
    _record(turn)


def _row(kind, label, lane, start, end, error):
    lane = _lane() if lane is None else str(lane)
    return {
        "kind": kind,
        "label": None if label is None else str(label),
        "lane": lane,
        "start": start,
        "end": end,
        "error": error,
    }


def _record(row):
    global _file
    if not _child:
        _spans.append(row)
        return
    # Written at once: workers of multiprocessing are often ended without notice. Appending is atomic.
    if _file is None:
        _file = os.open(SPANS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(_file, (json.dumps(row) + "\n").encode())


def _lane():
    thread = threading.current_thread()
    if not _child:
        return thread.name
    processes = sys.modules.get("multiprocessing.process")
    name = processes.current_process().name if processes else "MainProcess"
    if name == "MainProcess":  # forked by hand
        name = "process %d" % os.getpid()
    return name if thread is threading.main_thread() else name + " " + thread.name


_tasks = []


def _enter_task():
    """In a task of asyncio: takes the lowest free number, since tasks of one thread overlap."""
    asyncio = sys.modules.get("asyncio")
    try:
        task = asyncio.current_task() if asyncio else None
    except RuntimeError:  # no event loop here
        task = None
    if task is None:
        return None
    for entry in _tasks:
        if entry[0] is task:
            entry[2] += 1
            return entry
    taken = {entry[1] for entry in _tasks}
    number = next(n for n in range(1, len(taken) + 2) if "task %d" % n not in taken)
    entry = [task, "task %d" % number, 1]
    _tasks.append(entry)
    return entry


def _leave_task(entry):
    entry[2] -= 1
    if entry[2] == 0:
        _tasks.remove(entry)


def _after_fork():
    global _child, _file, _turn
    _child, _file, _turn = True, None, None
    _turns.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


# JSON, with whole numbers of any size


class NotJson(Exception):
    pass


def _to_json(value, where):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value) if -MAX_SAFE <= value <= MAX_SAFE else {"__bigint__": hex(value)}
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    try:
        if isinstance(value, (list, tuple)):
            return [_to_json(item, "%s[%d]" % (where, at)) for at, item in enumerate(value)]
        if isinstance(value, dict) and all(isinstance(key, (str, int)) for key in value):
            carried = {str(key): _to_json(item, "%s[%r]" % (where, key)) for key, item in value.items()}
            # One that looks like a large number here is no number: see json.ts.
            return {"__bigint__": {"plain": carried["__bigint__"]}} if list(carried) == ["__bigint__"] else carried
    except RecursionError:
        raise NotJson("it contains itself, or is nested too deep for JSON") from None
    shown = repr(value) if isinstance(value, float) else "of type " + type(value).__name__
    if isinstance(value, dict):
        shown = "a dict with keys that are not text"
    raise NotJson("%s is %s, which JSON can't carry" % (where, shown))


def _from_json(value):
    if list(value) != ["__bigint__"]:
        return value
    marked = value["__bigint__"]
    return int(marked, 16) if isinstance(marked, str) else {"__bigint__": marked["plain"]}


def _read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8", newline="") as file:
        return file.read()


def _write(name, text):
    with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as file:
        file.write(text)


# The end of the kernel


def _end_with_the_kernel():
    """
    Standard input is a pipe that the kernel holds open: when it closes, the kernel is gone, however it went, and
    everything started here is killed. A process of its own watches it, because the program may keep the interpreter
    busy; and it is the parent, so that the program sees no child and no thread that it didn't start.
    """
    kernel = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    if not hasattr(os, "fork"):
        threading.Thread(target=lambda: os.read(kernel, 1) or os._exit(1), daemon=True).start()
        return
    import select
    import signal

    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    program = os.fork()
    if program == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in (kernel, wake, woken, nothing):
            os.close(fd)
        return
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    while True:
        ready = select.select([kernel, wake], [], [])[0]
        if kernel in ready:
            import shutil

            shutil.rmtree(FOLDER, ignore_errors=True)
            os.killpg(0, signal.SIGKILL)
        os.read(wake, 64)
        ended, status = os.waitpid(program, os.WNOHANG)
        if ended:
            os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
