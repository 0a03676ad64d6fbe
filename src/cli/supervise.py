"""`supervise.py PROGRAM ARGS`: runs a Python program tied to the one that started it: when its standard input ends, it stops.

The input ends when the starter closes it, and also when the starter is gone, however that happened. Nothing that the
program started outlives it: kernels run in sessions of their own, where no Ctrl-C reaches them.
"""

import contextlib
import os
import runpy
import signal
import sys
import threading
import time

import psutil

GRACE_S = 8  # to stop in good order; JupyterLab gives its kernels up to 5


@contextlib.contextmanager
def supervised():
    """Runs its block in the main thread; from there `SystemExit` is raised when it is time to stop."""
    processes = set()

    def end_all():
        processes.update(psutil.Process().children(recursive=True))
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.kill()

    def watch():
        while os.read(0, 4096):  # not sys.stdin: its lock would be held when Python ends
            pass
        # Before the kernels end: what one of them leaves behind is nobody's child afterwards.
        processes.update(psutil.Process().children(recursive=True))
        if sys.platform == "win32":
            import _thread

            _thread.interrupt_main()
        else:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        end_all()
        os._exit(1)

    def stop(*_):
        raise SystemExit(1)

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        end_all()


if __name__ == "__main__":
    program = sys.argv[1]
    del sys.argv[0]
    sys.path[0] = os.path.dirname(program)
    with supervised():
        runpy.run_path(program, run_name="__main__")
