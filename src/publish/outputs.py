"""Decides how each output of a notebook is shown, and cleans it: the templates only write it down.

Every code cell gets `metadata.shown`, a list of dictionaries with a `kind`:
`text`, `stdout`, `stderr` and `error` (text), `html` (cleaned), `check` (cleaned, with `verdict`), `picture` (src, alt,
width, height, tables, vega).
"""

import base64
import json
import re
import subprocess

from bs4 import BeautifulSoup
from clean import attribute, base64_or_nothing
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from text import normal

VEGA_LITE = "application/vnd.vegalite.v5+json"
CHECK = "application/vnd.tslab-parallel.check+json"
OTHER_VEGA_LITE = [f"application/vnd.vegalite.v{number}+json" for number in (6, 4, 3, 2)]
BEST_FIRST = [
    VEGA_LITE,
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "text/latex",
    "application/json",
    "text/plain",
]
VERDICTS = {"held": "held", "did not hold": "missed"}
SECONDS_TO_DRAW = 30
ROWS_OF_ALL_TABLES = 320  # of a page: with many charts each has a shorter table, so that a page stays light
THROWN = re.compile(r"^(?=[\w.]*(?:Error|Exception)\b).*\n[ \t]+at ", re.MULTILINE)


class Outputs:
    """
    :param about: of the notebook
    :param clean: a Clean
    :param node: the command of the program that draws charts (charts.ts)
    :param place: called with a picture's name and content (an SVG's text or the bytes of a PNG or JPEG); returns the
        address that the page has for it
    :param markdown: turns an output in Markdown into HTML
    :param formulas: a Formulas, where the form shows them as MathML
    """

    def __init__(self, about, clean, node, place, markdown, formulas=None):
        self.about, self.clean, self.node, self.place, self.markdown = about, clean, node, place, markdown
        self.formulas = formulas
        self.warnings = []
        # Named like nbconvert's own warning.
        self.without_words = 0

    def prepare(self, notebook):
        CoalesceStreamsPreprocessor().preprocess(notebook, {})
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell in code:
            for output in cell.outputs:
                rename_vega(output)
        specs = [o.data[VEGA_LITE] for cell in code for o in cell.outputs if VEGA_LITE in o.get("data", {})]
        drawn = iter(self._draw(specs))
        for number, cell in enumerate(code, 1):
            name = re.sub(r"[^\w-]", "-", cell.get("id") or f"cell-{number}", flags=re.ASCII)
            shown = []
            for output in cell.outputs:
                picture = f"{name}-{len(shown) + 1}"
                chart = next(drawn) if VEGA_LITE in output.get("data", {}) else None
                try:
                    shown += self._shown(output, picture, chart, number)
                except Exception as error:  # whatever one output holds, the others are shown
                    self.warnings.append(f"code cell {number}: an output can't be shown ({type(error).__name__}).")
                    shown += plain_text(output)
            cell.metadata["shown"] = shown

    def _draw(self, specs):
        """A drawing, or None, for each. One that ends the program, or takes too long, is left out alone."""
        # A spec may stand there as text.
        specs = [spec if isinstance(spec, dict) else {} for spec in specs]
        drawn = []
        while len(drawn) < len(specs):
            drawn += self._drawn(specs[len(drawn) :])
            if len(drawn) < len(specs):
                drawn.append(None)
        if any(specs) and None in drawn:
            which = ", ".join(str(number) for number, chart in enumerate(drawn, 1) if not chart)
            self.warnings.append(f"the figures of chart {which} (of {len(drawn)}) could not be read: it has no table.")
        rows = max(8, ROWS_OF_ALL_TABLES // len(specs)) if specs else 0
        for table in (table for chart in drawn if chart for table in chart["tables"]):
            table["rows"] = table["rows"][:rows]
        return drawn

    def _drawn(self, specs):
        """As many of them, from the first, as the program gets drawn."""
        try:
            program = subprocess.run(
                self.node, input=json.dumps(specs).encode(), stdout=subprocess.PIPE, timeout=SECONDS_TO_DRAW
            )
            lines = program.stdout
        except subprocess.TimeoutExpired as expired:
            lines = expired.stdout or b""
        return [json.loads(line) for line in lines.split(b"\n")[:-1]]

    def _shown(self, output, name, chart, number):
        kind = output.output_type
        if kind == "stream":
            text = printable(output.text)
            # tslab prints what a cell throws.
            kind = "error" if output.name == "stderr" and THROWN.search(text) else output.name
            return [{"kind": kind, "text": text}] if text.strip() else []
        if kind == "error":
            lines = output.get("traceback") or [f"{output.ename}: {output.evalue}"]
            return [{"kind": "error", "text": printable("\n".join(lines))}]
        data = output.data
        for mime in BEST_FIRST:
            if mime in data:
                shown = self._best(mime, data, output.metadata, name, chart)
                if shown:
                    return [shown]
        self.warnings.append(f"code cell {number}: nothing in {', '.join(data) or 'an output'} can be shown on a page.")
        return []

    def _best(self, mime, data, metadata, name, chart):
        content = data[mime]
        if mime == VEGA_LITE:
            svg = data.get("image/svg+xml") or (chart and chart["svg"])
            return svg and self._svg(svg, data, metadata, name, chart)
        if mime == "application/json":
            text = json.dumps(content, indent=2, ensure_ascii=False)
            return {"kind": "folded" if text.count("\n") > 20 else "text", "text": printable(text)}
        if not isinstance(content, str):
            return None
        if mime == "image/svg+xml":
            return self._svg(content, data, metadata, name, None)
        if mime == "image/gif":
            picture = base64_or_nothing(content)
            return picture and {
                "kind": "picture",
                "src": f"data:image/gif;base64,{base64.b64encode(picture).decode()}",
                "alt": self._words(mime, data, metadata),
                "width": None,
                "height": None,
            }
        if mime in ("image/png", "image/jpeg"):
            picture = base64_or_nothing(content)
            own = metadata.get(mime) if isinstance(metadata.get(mime), dict) else {}
            return picture and {
                "kind": "picture",
                "src": self.place(f"{name}.{mime[6:].replace('jpeg', 'jpg')}", picture),
                "alt": self._words(mime, data, metadata),
                "width": pixels(own.get("width")),
                "height": pixels(own.get("height")),
            }
        if mime == "text/html":
            check = data.get(CHECK)
            html = self.clean.html(content)
            # A plot or widget that is made by a script: what was stored beside it shows more.
            stored = any(kind in data for kind in ("image/png", "image/jpeg", "image/svg+xml"))
            if not html.strip() or (stored and not BeautifulSoup(html, "html.parser").get_text(strip=True)):
                return None
            if not BeautifulSoup(html, "html.parser").get_text(strip=True) and "<img" not in html:
                return None
            if isinstance(check, dict):
                return {"kind": "check", "html": html, "verdict": VERDICTS.get(str(check.get("verdict")), "open")}
            return {"kind": "html", "html": html}
        if mime == "text/markdown":
            return {"kind": "html", "html": self._released(self.clean.html(self.markdown(content), classes=True))}
        if mime == "text/latex" and self.formulas:
            tex = re.sub(r"^\s*(\$\$?|\\[\[(])|(\$\$?|\\[\])])\s*$", "", content)
            return {"kind": "html", "html": self.formulas.mathml(tex, is_block=True)}
        return {"kind": "text", "text": printable(content)}

    def _released(self, html):
        return self.formulas.release(html) if self.formulas else html

    def _svg(self, source, data, metadata, name, chart):
        svg = self.clean.svg(source)
        if not svg:
            self.warnings.append(f"{name}: its SVG can't be read.")
            return None
        size = re.match(r"<svg[^>]*>", svg)[0]
        return {
            "kind": "picture",
            "src": self.place(f"{name}.svg", svg),
            "alt": self._words("image/svg+xml", data, metadata),
            "width": pixels(*re.findall(r'\bwidth="([\d.]+)(?:px)?"', size)[:1]),
            "height": pixels(*re.findall(r'\bheight="([\d.]+)(?:px)?"', size)[:1]),
            "tables": chart["tables"] if chart else [],
            "vega": chart["vega"] if chart else None,
        }

    def _words(self, mime, data, metadata):
        """The alternative text."""
        own = metadata.get(mime)
        words = own.get("alt") if isinstance(own, dict) else None
        plain = data.get("text/plain")
        if not words and isinstance(plain, str) and not re.match(r"\s*<.*>\s*$", plain):
            words = plain
        spec = data.get(VEGA_LITE)
        if not words and isinstance(spec, dict) and isinstance(spec.get("description"), str):
            words = spec["description"]
        if not words:
            self.without_words += 1
        return " ".join(str(words or self.about.words["picture"]).split())


def rename_vega(output):
    """Vega-Lite of other versions is drawn by ours."""
    data = output.get("data", {})
    for mime in OTHER_VEGA_LITE:
        if mime in data and VEGA_LITE not in data:
            spec = data.pop(mime)
            if isinstance(spec, dict):
                spec = {**spec, "$schema": "https://vega.github.io/schema/vega-lite/v5.json"}
            data[VEGA_LITE] = spec


def plain_text(output):
    text = output.get("data", {}).get("text/plain")
    return [{"kind": "text", "text": printable(text)}] if isinstance(text, str) else []


def printable(text):
    """Without control characters that a terminal would not show; colours stay."""
    text = re.sub(r"\x1b\][^\x07\x1b]*(\x07|\x1b\\)", "", text)
    return "\x1b".join(normal(part) for part in text.split("\x1b")).rstrip("\n")


def pixels(value=None):
    try:
        return round(float(value)) if value is not None and 0 < float(value) < 100_000 else None
    except (TypeError, ValueError):
        return None


def tables_html(tables, words):
    """The figures of a chart, to be opened. One line: a blank one would end it in Markdown."""
    if not tables:
        return ""
    html = []
    for table in tables:
        head = "".join(f"<th>{attribute(column)}</th>" for column in table["columns"])
        rows = "".join(f"<tr>{''.join(f'<td>{attribute(cell)}</td>' for cell in row)}</tr>" for row in table["rows"])
        shown, total = len(table["rows"]), table["total"]
        caption = words["more"].format(f"{shown:,}", f"{total:,}") if total > shown else ""
        html.append(
            f"<table>{f'<caption>{caption}</caption>' if caption else ''}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )
    one_line = " ".join(normal("".join(html)).split("\n"))
    return f'<details class="figures"><summary>{words["figures"]}</summary>{one_line}</details>'


def is_folded(cell):
    """Long code is folded, and what its writer tagged so."""
    tags = cell.metadata.get("tags", [])
    hidden = cell.metadata.get("jupyter")
    if isinstance(hidden, dict) and hidden.get("source_hidden") is True:
        return True
    return bool({"fold", "hide-input", "hide-cell"}.intersection(tags)) or cell.source.count("\n") >= FOLDED_FROM


def outputs_hidden(cell):
    """Folded in JupyterLab, so folded here."""
    hidden = cell.metadata.get("jupyter")
    return bool(cell.outputs) and isinstance(hidden, dict) and hidden.get("outputs_hidden") is True


FOLDED_FROM = 40  # lines; what is longer pushes the picture it makes out of sight

# What nbconvert's TagRemovePreprocessor leaves out.
LEFT_OUT = {
    "remove_cell_tags": {"hide", "remove-cell"},
    "remove_input_tags": {"remove-input"},
    "remove_all_outputs_tags": {"hide-output", "remove-output"},
    "enabled": True,
}


def lines_of(cell, words):
    lines = len(cell.source.strip("\n").split("\n"))
    return words["lines"][lines != 1].format(lines)
