"""Markdown to HTML, as JupyterLab shows it: formulas as MathML, attachments, task lists, GitHub's alerts, HTML of the writer's own."""

import re
from html import escape, unescape
from urllib.parse import unquote
from xml.etree import ElementTree

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

MATHML = "http://www.w3.org/1998/Math/MathML"
ElementTree.register_namespace("m", MATHML)
TAGS = set(
    [
        "math",
        "maction",
        "menclose",
        "merror",
        "mfenced",
        "mfrac",
        "mi",
        "mmultiscripts",
        "mn",
        "mo",
        "mover",
        "mpadded",
        "mphantom",
        "mprescripts",
        "mroot",
        "mrow",
        "ms",
        "mspace",
        "msqrt",
        "mstyle",
        "msub",
        "msubsup",
        "msup",
        "mtable",
        "mtd",
        "mtext",
        "mtr",
        "munder",
        "munderover",
        "none",
        "semantics",
    ]
)
ATTRIBUTES = set(
    [
        "accent",
        "accentunder",
        "align",
        "columnalign",
        "columnlines",
        "columnspacing",
        "depth",
        "display",
        "displaystyle",
        "fence",
        "form",
        "frame",
        "height",
        "largeop",
        "linethickness",
        "lspace",
        "mathvariant",
        "maxsize",
        "minsize",
        "movablelimits",
        "notation",
        "rowlines",
        "rowspacing",
        "rspace",
        "scriptlevel",
        "separator",
        "stretchy",
        "symmetric",
        "voffset",
        "width",
    ]
)
ALERTS = {"NOTE": "Note", "TIP": "Tip", "IMPORTANT": "Important", "WARNING": "Warning", "CAUTION": "Caution"}


class Formulas:
    """The formulas of one notebook. A page has them as MathML, which needs no script; one that can't be read stays TeX, and is told."""

    def __init__(self):
        self.warnings = []
        self.macros = {}
        self._held = []

    def hold(self, tex, is_block):
        """Text that stands for the formula while the HTML around it is cleaned."""
        self._held.append(self.mathml(tex, is_block))
        return f"FORMULA{len(self._held) - 1}HELD"

    def release(self, html):
        return re.sub(r"FORMULA(\d+)HELD", lambda found: self._at(found), html)

    def _at(self, found):
        number = int(found[1])
        return self._held[number] if number < len(self._held) else found[0]

    def mathml(self, tex, is_block):
        tex = unescape(tex).strip()
        tex = self._without_macros(tex)
        if not tex:
            return ""
        try:
            if len(tex) > 20_000:
                raise ValueError("too long")
            rebuilt = self._rebuilt(ElementTree.fromstring(convert(tex, display="block" if is_block else "inline")))
            html = ElementTree.tostring(rebuilt, encoding="unicode")
            # An unknown command is left as a name with its backslash.
            if re.search(r">\s*\\[A-Za-z]", html):
                raise ValueError("an unknown command")
            return html.replace("m:", "").replace(f' xmlns:m="{MATHML}"', "").replace(f'xmlns:m="{MATHML}"', "")
        except Exception:  # latex2mathml raises errors of many kinds, and IndexError
            self.warnings.append(f"the formula {tex[:60]} can't be read: it is shown as its TeX.")
            return f"<code>{escape(tex)}</code>"

    def _without_macros(self, tex):
        """`\\newcommand{\\R}{\\mathbb{R}}`, also with arguments, for what comes after it in the notebook."""
        for found in list(re.finditer(r"\\(?:re)?newcommand\*?\s*\{?\\([A-Za-z]+)\}?\s*(?:\[(\d)\])?\s*(?=\{)", tex))[
            ::-1
        ]:
            end = closing(tex, found.end())
            if end:
                self.macros[found[1]] = (int(found[2] or 0), tex[found.end() + 1 : end - 1])
                tex = tex[: found.start()] + tex[end:]
        for _ in range(20):
            found = next((one for one in re.finditer(r"\\([A-Za-z]+)", tex) if one[1] in self.macros), None)
            if not found or len(tex) > 20_000:
                break
            count, body = self.macros[found[1]]
            end, values = found.end(), []
            for _ in range(count):
                start = end + len(tex[end:]) - len(tex[end:].lstrip())
                stop = closing(tex, start)
                values.append(tex[start + 1 : stop - 1] if stop else tex[start : start + 1])
                end = stop or start + 1
            for number, value in enumerate(values, 1):
                body = body.replace(f"#{number}", value)
            tex = f"{tex[: found.start()]}{{{body}}}{tex[end:]}"
        return tex.strip()

    def _rebuilt(self, element):
        """Nothing but MathML that shows something."""
        name = element.tag.rpartition("}")[2]
        if name not in TAGS:
            raise ValueError(f"<{name}>")
        copy = ElementTree.Element(f"{{{MATHML}}}{name}")
        for key, value in element.attrib.items():
            if key in ATTRIBUTES:
                copy.set(key, value)
        copy.text, copy.tail = element.text, element.tail
        copy.extend(self._rebuilt(child) for child in element)
        return copy


def closing(tex, at):
    """Where the group that begins at a place ends; 0 if none does."""
    if tex[at : at + 1] != "{":
        return 0
    depth = 0
    for place in range(at, len(tex)):
        if tex[place] == "\\":
            continue
        depth += {"{": 1, "}": -1}.get(tex[place], 0)
        if depth == 0:
            return place + 1
    return 0


class Prose(IPythonRenderer):
    """Renders one cell."""

    def __init__(self, formulas, cell, path):
        super().__init__(
            escape=False,
            embed_images=True,
            exclude_anchor_links=True,
            path=path,
            attachments=cell.get("attachments", {}),
        )
        self.formulas = formulas

    def inline_math(self, body):
        # Money: `$5 and $10`.
        if body != body.strip() or body.endswith(","):
            return f"${escape(unescape(body))}$"
        return self.formulas.hold(body, is_block=False)

    def block_math(self, body):
        return self.formulas.hold(body, is_block=True)

    def latex_environment(self, name, body):
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

    # A tag at a time comes here, not an element: it stays as it is, and the whole cell is cleaned together.
    def inline_html(self, html):
        return self._pictures(html)

    def block_html(self, html):
        return f"{self._pictures(html)}\n"

    def _pictures(self, html):
        def embedded(found):
            source = self._embed_image_or_attachment(unescape(found[2]))
            return f"{found[1]}{escape(source)}{found[3]}"

        return re.sub(r"(<img\b[^>]*?\bsrc\s*=\s*[\"'])([^\"']*)([\"'])", embedded, html, flags=re.IGNORECASE)

    def _embed_image_or_attachment(self, src):
        """A missing one keeps its address; page.py says that it isn't there."""
        prefix, _, name = src.partition(":")
        if prefix != "attachment":
            return super()._embed_image_or_attachment(unquote(src)) if "://" not in src else src
        known = name if name in self.attachments else unquote(name)
        return super()._embed_image_or_attachment(f"attachment:{known}") if known in self.attachments else unquote(name)


def prose_html(source, formulas, cell, path):
    html = MarkdownWithMath(renderer=Prose(formulas, cell, path)).render(source)
    html = re.sub(
        r'<input class="task-list-item-checkbox" type="checkbox" disabled( checked)?\s*/?>',
        lambda found: "☑ " if found[1] else "☐ ",
        html,
    )
    return re.sub(
        rf"<blockquote>\s*<p>\[!({'|'.join(ALERTS)})\]\s*",
        lambda found: f'<blockquote class="alert {found[1].lower()}"><p><strong>{ALERTS[found[1]]}</strong></p><p>',
        html,
    )
