"""Runs notebooks and converts them to pages or posts. nbclient runs, nbconvert converts; export.ts tells how it goes.

The job comes as JSON in the first argument, what happens goes out as JSON lines:
{"notebook", "cells"}, {"cell"} when one begins, {"page", "warnings"}, or at the end {"error", ...}.
"""

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

# jsonschema would load it to judge addresses, which notebooks have none of, and its grammar takes a second or two.
sys.modules["rfc3987_syntax"] = None

import nbformat
from about import About
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from page import Pages
from post import Posts
from text import normalise
from traitlets.config import Config

# A kernel inherits standard output; only our own lines may go there.
events = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
os.dup2(2, 1)

UMASK = os.umask(0)
os.umask(UMASK)


def emit(**event):
    print(json.dumps(event), file=events)


class Failed(Exception):
    """A notebook that gets no page; the others do."""


def finish(**error):
    emit(**error)
    raise Failed


def read(path):
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook, relax_add_props=True)
        return normalise(notebook)
    except Exception as error:
        return finish(error="unreadable", notebook=str(path), message=str(error))


def nearest(notebook):
    """Of tslab's two kernels the one whose language the notebook is in, by what it says of itself."""
    spec, info = notebook.metadata.get("kernelspec", {}), notebook.metadata.get("language_info", {})
    said = " ".join(
        str(one) for one in (spec.get("name"), spec.get("language"), spec.get("display_name"), info.get("name"))
    ).lower()
    return "jslab" if re.search(r"javascript|ijs|jslab|node", said) and "typescript" not in said else "tslab"


def execute(notebook, path, kernel):
    """Runs every cell, as Run All Cells does, in the notebook's folder."""
    code = [
        index
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.source.strip() and "skip-execution" not in cell.metadata.get("tags", [])
    ]
    emit(notebook=str(path), cells=len(code))
    running = 0

    def begin(cell, cell_index):
        nonlocal running
        if cell_index in code:
            running = code.index(cell_index) + 1
            emit(cell=running)

    def wait(**_):
        # tslab drops what comes within 200 ms after an error: without this, all cells after it would have no output.
        time.sleep(0.3)

    client = NotebookClient(
        notebook,
        timeout=None,
        **({"kernel_name": kernel} if kernel else {}),
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=begin,
        on_cell_error=wait,
        # As in start.ts: a kernel that is busy when the export is interrupted is felt.
        config=Config({"KernelManager": {"shutdown_wait_time": 2}}),
    )
    try:
        client.execute()
    except NoSuchKernel as error:
        known = sorted(KernelSpecManager().find_kernel_specs())
        finish(error="kernel", name=error.name, nearest=nearest(notebook), known=known)
    except DeadKernelError:
        finish(error="dead", cell=running, source=notebook.cells[code[running - 1]].source if running else "")
    except CellExecutionError:
        cell = notebook.cells[code[running - 1]]
        # tslab prints a cell's error on stderr, other kernels send it.
        printed = "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stderr")
        sent = "\n".join("\n".join(o.traceback) for o in cell.outputs if o.output_type == "error")
        finish(error="cell", cell=running, source=cell.source, message=sent or printed)


def write(file, content):
    """A file is replaced as a whole: whoever interrupts the export keeps the last good one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # A fresh name, opened only if nothing has it: a link that somebody put there can't lead elsewhere.
    handle, partial = tempfile.mkstemp(prefix=".tslab-parallel-", suffix=".partial", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode("utf-8"))
        os.chmod(partial, 0o666 & ~UMASK)  # mkstemp's are the owner's alone, and a web server is another
        os.replace(partial, file)
    finally:
        Path(partial).unlink(missing_ok=True)


def all_pages(paths, out):
    """The notebooks named, and their neighbours that became pages earlier: an index lists them, links lead to them."""
    folders = dict.fromkeys(path.parent for path in paths)
    beside = [path for folder in folders for path in sorted(folder.glob("*.ipynb"))]
    return sorted(
        {path for path in beside if path in paths or (out / f"{path.stem}.html").exists()} | set(paths),
        key=lambda path: (path.stem != "index", path.name),
    )


def main():
    job = json.loads(sys.argv[1])
    paths = [Path(name) for name in job["notebooks"]]
    out = Path(job["out"])
    notebooks, failed = {}, set()
    for path in paths:
        try:
            notebooks[path] = read(path)
        except Failed:
            failed.add(path)
    paths = [path for path in paths if path not in failed]
    if not paths:
        sys.exit(1)
    if job["to"] == "html":
        abouts = [
            About(notebooks[path] if path in notebooks else read(path), path)
            for path in all_pages(paths, out)
            if path not in failed
        ]
        scripts = [Path(name).read_text(encoding="utf-8") for name in job["vega"]]
        form = Pages(abouts, job["node"], scripts, job["address"], job["live"])
    else:
        abouts = [About(notebooks[path], path) for path in paths]
        form = Posts(abouts, job["node"], job["to"])
    about_of = {about.path: about for about in abouts}
    for path in paths:
        try:
            publish(job, form, path, notebooks[path], about_of[path], out)
        except Failed:
            failed.add(path)
        except Exception as error:
            emit(error="unreadable", notebook=str(path), message=f"{type(error).__name__}: {error}")
            failed.add(path)
    if job["to"] == "html" and len(abouts) > 1 and all(about.name != "index" for about in abouts):
        write(out / "index.html", form.index())

    if failed:
        sys.exit(1)


def publish(job, form, path, notebook, about, out):
    if job["execute"]:
        execute(notebook, path, job["kernel"])
        normalise(notebook)
    else:
        emit(notebook=str(path), cells=0)
    # The page itself comes last, when all that it refers to is there.
    files, warnings = form.page(notebook, about)
    for name, content in files.items():
        write(out / name, content)
    emit(page=str(out / name), warnings=warnings)


main()
