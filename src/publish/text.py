"""The one normaliser: text of a notebook as pages and posts can carry it, before anything looks at it or cleans it.

What a browser, a template or a blog's Markdown would take for the end of a line is one, and what nobody sees is gone:
control characters, halves of surrogate pairs, and the noncharacters that the exporter marks places with (see `Held`).
"""

import re

ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
UNSEEN = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
HIDDEN = re.compile(f"[{UNSEEN}]")
# A terminal's text keeps what moves its cursor or gives it colours, until that is drawn.
HIDDEN_IN_TERMINALS = re.compile(f"(?![\x08\x1b])[{UNSEEN}\x0b\x0c]")
TERMINAL = {"text", "traceback", "ename", "evalue", "text/plain"}


def normal(text):
    return HIDDEN.sub("", ENDS.sub("\n", text))


def normalise(value, terminal=False):
    """The same for every string within a notebook, in its place; returns the value."""
    if isinstance(value, str):
        return HIDDEN_IN_TERMINALS.sub("", value) if terminal else normal(value)
    if isinstance(value, list):
        value[:] = [normalise(part, terminal) for part in value]
    elif isinstance(value, dict):
        for key, part in value.items():
            value[key] = normalise(part, key in TERMINAL)
    return value


class Held:
    """Pieces that are put in when all around them is cleaned or quoted: a mark, which no text can hold, keeps the place."""

    def __init__(self):
        self.pieces = []

    def hold(self, piece):
        self.pieces.append(piece)
        return f"\ufdd0{len(self.pieces) - 1}\ufdd1"

    def put_in(self, text):
        return re.sub("\ufdd0(\\d+)\ufdd1", lambda found: self.pieces[int(found[1])], text)
