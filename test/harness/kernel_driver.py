"""Drives one Jupyter kernel through jupyter_client, as a front end does, for kernel.ts.

Requests come in as JSON lines on stdin, replies and the kernel's messages go out as JSON lines on stdout.
When stdin closes (the test ended, or was killed) the kernel is killed: no test leaves a kernel behind.
"""

import asyncio
import json
import os
import sys
import time

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager


class OneKernel(KernelSpecManager):
    """Knows the one kernel it was given, so that nothing has to be installed for a test."""

    argv: list[str] = []

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(argv=self.argv, display_name=kernel_name, language="typescript")


def emit(**message):
    print(json.dumps(message, default=str), flush=True)


class Driver:
    async def start(self, argv, cwd, env):
        specs = OneKernel()
        specs.argv = argv
        self.manager = AsyncKernelManager(kernel_name="tslab", kernel_spec_manager=specs)
        self.env = {**os.environ, **env}
        # The kernel's own stdout must not mix with our JSON lines.
        await self.manager.start_kernel(cwd=cwd, env=self.env, stdout=sys.stderr, stderr=sys.stderr)
        await self.connect()
        return {"pid": self.manager.provisioner.pid}

    async def connect(self):
        self.client = self.manager.client()
        self.client.start_channels()
        await self.client.wait_for_ready(timeout=60)
        self.cells = {}  # Jupyter's message id -> the test's own name of the cell
        self.sent = {}
        self.replied = {}
        self.idle = {}
        self.tasks = [
            asyncio.create_task(self.listen_iopub()),
            asyncio.create_task(self.listen_shell()),
            asyncio.create_task(self.watch()),
        ]

    async def disconnect(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.client.stop_channels()

    async def listen_iopub(self):
        while True:
            message = await self.client.get_iopub_msg(timeout=None)
            kind, content = message["msg_type"], message["content"]
            cell = self.cells.get(message["parent_header"].get("msg_id"))
            if kind == "status":
                if content["execution_state"] == "idle" and cell is not None:
                    self.idle[cell] = (time.perf_counter() - self.sent[cell]) * 1000
                    self.finish(cell)
            elif cell is not None or kind == "update_display_data":
                emit(cell=cell, type=kind, content=content)

    async def listen_shell(self):
        while True:
            message = await self.client.get_shell_msg(timeout=None)
            cell = self.cells.get(message["parent_header"].get("msg_id"))
            if cell is not None:
                self.replied[cell] = message["content"]["status"]
                self.finish(cell)

    def finish(self, cell):
        # The reply and the idle status come on two channels, in any order; each may be last.
        if cell in self.idle and cell in self.replied:
            emit(cell=cell, type="done", content={"status": self.replied[cell], "ms": self.idle[cell]})

    async def watch(self):
        while await self.manager.is_alive():
            await asyncio.sleep(0.05)
        emit(type="died")

    def run(self, cell, code):
        self.sent[cell] = time.perf_counter()
        self.cells[self.client.execute(code, allow_stdin=False)] = cell

    async def interrupt(self):
        await self.manager.interrupt_kernel()

    async def restart(self):
        before = time.perf_counter()
        old = self.manager.provisioner.process
        await self.disconnect()
        await self.manager.restart_kernel(env=self.env)
        stopped = time.perf_counter()
        await self.connect()
        return {
            "pid": self.manager.provisioner.pid,
            "exitCode": old.returncode,
            "stopMs": (stopped - before) * 1000,
            "ms": (time.perf_counter() - before) * 1000,
        }

    async def close(self):
        await self.disconnect()
        await self.manager.shutdown_kernel(now=True)

    async def answer(self, request):
        try:
            result = getattr(self, request["method"])(**request.get("params", {}))
            if asyncio.iscoroutine(result):
                result = await result
            emit(id=request["id"], result=result)
        except Exception as error:
            emit(id=request["id"], error=f"{type(error).__name__}: {error}")


async def main():
    driver = Driver()
    lines = asyncio.StreamReader(limit=2**26)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    requests = set()  # keeps a reference, else the loop may drop a running task
    while line := await lines.readline():
        task = asyncio.create_task(driver.answer(json.loads(line)))
        requests.add(task)
        task.add_done_callback(requests.discard)
    manager = getattr(driver, "manager", None)
    if manager and manager.has_kernel:
        await manager.shutdown_kernel(now=True)


asyncio.run(main())
