"""
What a program draws of itself: `with span("download"):` is a block in the notebook's charts, `tick()` says "this thread runs now".

Beside a notebook these are the recorder's own; alone (`python print_sum.py`) nobody draws, and they do nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

try:
    from _tslab_parallel import span, start_clock, tick
except ModuleNotFoundError:

    @contextlib.contextmanager
    def span(label: str | None = None, lane: str | None = None) -> Iterator[None]:
        """Draws what runs inside as one block; also a decorator."""
        yield

    def tick(label: str | None = None) -> None:
        """Says that this thread is running now."""

    def start_clock() -> None:
        """The program's time begins here: what came before is not counted."""


__all__ = ["span", "start_clock", "tick"]
