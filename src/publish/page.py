"""The form `html`: a page that needs nothing but itself, and an index of the pages."""

import base64
import hashlib
import re
from types import SimpleNamespace
from urllib.parse import quote, unquote, urlsplit

from about import TEMPLATES
from bs4 import BeautifulSoup
from bs4.formatter import HTMLFormatter
from clean import Clean, attribute, data_uri, scheme
from jinja2 import Environment, FileSystemLoader, pass_context
from markupsafe import Markup
from nbconvert import HTMLExporter
from outputs import LEFT_OUT, Outputs, is_folded, lines_of, outputs_hidden, tables_html
from prose import Formulas, prose_html
from traitlets.config import Config

from live import form_html, outputs_html

PAGE = TEMPLATES / "html"
# What surrounds the cells is written with everything escaped that isn't marked as HTML.
frame = Environment(loader=FileSystemLoader(PAGE), autoescape=True, keep_trailing_newline=True)

# Escapes what has to be; `>` has not.
FORMATTER = HTMLFormatter(lambda text: text.replace("&", "&amp;").replace("<", "&lt;"))

# The text of our charts follows the page.
CHART_STYLE = (
    "<style>:root{--chart-text:#3d444d;color:var(--chart-text)}"
    "@media(prefers-color-scheme:dark){:root{--chart-text:#d1d7e0}}</style>"
)


class Pages:
    """
    The pages of one export.

    :param abouts: an About for each page that there is or will be, in order
    :param node: the command that draws charts
    :param vega: the scripts of Vega, for live charts; empty for pictures alone
    :param address: where the pages will be found, with a slash at its end; '' if that isn't known
    :param live: by a notebook's path, what live.ts made of its live cells
    """

    def __init__(self, abouts, node, vega=(), address="", live=None):
        self.live = live or {}
        self.abouts, self.node, self.vega, self.address = abouts, node, vega, address
        self.names = {about.name for about in abouts}
        self.has_index = len(abouts) > 1 or "index" in self.names

    def page(self, notebook, about):
        """Returns ({file name: content}, warnings)."""
        clean = Clean()
        previews = []
        lively = self.live.get(str(about.path))
        taken = []

        def is_live(cell):
            return lively is not None and cell.get("id") in lively["cells"]

        def place(name, content):
            if isinstance(content, bytes):
                kind = "jpeg" if name.endswith("jpg") else "png"
                previews.insert(0, (f"previews/{about.name}.{name.rpartition('.')[2]}", content))
                return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
            previews.append((f"previews/{about.name}.svg", on_white(content)))
            return data_uri(content.replace(">", f">{CHART_STYLE}", 1))

        exporter = HTMLExporter(
            embed_images=True,
            exclude_anchor_links=True,
            template_name="html",
            extra_template_basedirs=[str(TEMPLATES)],
            config=Config({"TagRemovePreprocessor": LEFT_OUT}),
        )
        formulas = Formulas()
        folder = str(about.path.parent)

        @pass_context
        def markdown(context, source):
            return prose_html(source, formulas, context.get("cell", {}), folder)

        outputs = Outputs(
            about, clean, self.node, place, lambda source: prose_html(source, formulas, {}, folder), formulas
        )
        outputs.prepare(notebook)
        for name, function in {
            "markdown2html": markdown,
            "clean_prose": lambda html: formulas.release(clean.html(html, classes=True)),
            "formulas": formulas.release,
            "escape_attribute": attribute,
            "tables_html": tables_html,
            "is_folded": is_folded,
            "outputs_hidden": outputs_hidden,
            "cell_id": lambda cell: attribute(str(cell.get("id", ""))),
            "lines_of": lines_of,
            "knobs_html": lambda cell: (
                form_html(cell.id, lively["cells"][cell.id], about.words, taken) if is_live(cell) else ""
            ),
            "outputs_html": lambda cell: outputs_html(cell.id) if is_live(cell) else "",
        }.items():
            exporter.register_filter(name, function)
        resources = {
            "metadata": {"name": about.name, "path": str(about.path.parent)},
            "about": about,
            "interactive": bool(self.vega),
        }
        html, _ = exporter.from_notebook_node(notebook, resources=resources)
        soup = BeautifulSoup(html, "html.parser")
        warnings = [*about.warnings, *outputs.warnings, *formulas.warnings]
        warnings += self._pictures(soup)
        self._links(soup)
        contents = headings(soup, about)
        code(soup)
        if outputs.without_words:
            warnings.append(f"Alternative text is missing on {outputs.without_words} image(s).")
        warnings += clean.warnings()

        live = soup.find("script", type="application/json") is not None
        files = {}
        preview, alt = "", ""
        if self._is_elsewhere(about.image):
            preview, alt = about.image, about.title
        elif previews:
            name, content = previews[0]
            files[name] = content
            preview, alt = self.address + quote(name), about.title
        files[f"{about.name}.html"] = self._framed(
            about,
            soup.decode(formatter=FORMATTER),
            contents=contents,
            preview=preview,
            preview_alt=alt,
            live=live,
            assets=lively["assets"] if lively else [],
        )
        return files, warnings

    def index(self):
        """The list of pages, unless a notebook is the index."""
        first = self.abouts[0]
        pages = [{"href": a.href, "title": a.title, "lang": a.lang, "description": a.description} for a in self.abouts]
        body = frame.get_template("list.html.j2").render(pages=pages, words=first.words)
        about = SimpleNamespace(
            lang=first.lang, title=first.words["pages"], name="index", href="index.html", words=first.words
        )
        return self._framed(about, body, contents=[], preview="", preview_alt="", live=False)

    def _framed(self, about, body, contents, preview, preview_alt, live, assets=()):
        name, words = about.name, about.words
        scripts = [(PAGE / "page.js").read_text(encoding="utf-8")]
        if live:
            scripts += [*self.vega, (PAGE / "interactive.js").read_text(encoding="utf-8")]
        if assets:
            scripts.append((PAGE / "live.js").read_text(encoding="utf-8"))
        scripts = [re.sub(r"^\s*//.*\n|^ +", "", script, flags=re.MULTILINE) for script in scripts]
        # `</` would end the element.
        scripts = [script.replace("</script", "<\\/script") for script in scripts]
        at = [a.name for a in self.abouts].index(name) if name in self.names else None
        near = {"previous": None, "next": None}
        if at is not None:
            near["previous"] = self._neighbour(at - 1) if at > 0 else None
            near["next"] = self._neighbour(at + 1)
        return frame.get_template("page.html.j2").render(
            about=about,
            words=words,
            body=Markup(without_ends(body.strip())),
            css=Markup(small((PAGE / "page.css").read_text(encoding="utf-8"))),
            scripts=[Markup(script) for script in scripts],
            assets=" ".join(assets),
            policy=policy(scripts, bool(assets)),
            contents=contents if len(contents) > 1 else [],
            index="index.html" if self.has_index else "",
            is_index=name == "index",
            address=self.address and self.address + ("" if name == "index" else about.href),
            preview=preview,
            preview_alt=preview_alt,
            **near,
        )

    def _neighbour(self, at):
        if at >= len(self.abouts):
            return None
        about = self.abouts[at]
        return {"href": about.href, "title": about.title, "lang": about.lang}

    def _links(self, soup):
        """A link to a notebook that has a page goes to the page."""
        for link in soup.select("a[href]"):
            link["href"] = page_address(
                link["href"], lambda name: quote(f"{name}.html") if name in self.names else None
            )

    def _pictures(self, soup):
        """What is left are pictures of the notebook's folder that are not there."""
        warnings = []
        for picture in soup.select("img:not([src^='data:'])"):
            source = picture.get("src", "")
            warnings.append(f"the picture {source or 'without an address'} is not in the notebook's folder.")
            picture.replace_with(picture.get("alt") or source)
        return warnings

    @staticmethod
    def _is_elsewhere(source):
        return scheme(source) in ("http", "https")


def page_address(href, address_of):
    """`href`, or if it is a notebook here that has a page (address_of says which) the page's."""
    parts = urlsplit(href)
    name = re.fullmatch(r"(?:\./)?([^/]+)\.ipynb", unquote(parts.path))
    if parts.scheme or parts.netloc or not name:
        return href
    address = address_of(name[1])
    return address + (f"#{parts.fragment}" if parts.fragment else "") if address else href


def headings(soup, about):
    """Gives every heading an address and a link to it, lets no level be skipped; returns the table of contents."""
    if not soup.find("h1"):
        title = soup.new_tag("h1")
        title.string = about.title
        soup.insert(0, title)
    contents, taken, level = [], set(), 0
    for heading in soup.find_all(re.compile("^h[1-6]$")):
        level = min(int(heading.name[1]), level + 1)
        heading.name = f"h{level}"
        text = " ".join(heading.get_text().split())
        # As JupyterLab does, so that links made there lead here as well.
        base = name = re.sub(r"\s+", "-", text) or "heading"
        count = 1
        while name in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name)
        heading["id"] = name
        href = "#" + re.sub(r"[%\"<>\\^`{|}\[\]]", lambda c: f"%{ord(c[0]):02X}", name)
        if not heading.find("a"):
            link = soup.new_tag("a", href=href)
            link.extend(list(heading.contents))
            heading.append(link)
        if heading.find_parent(class_="prose") and level in (2, 3):
            contents.append({"text": text, "href": href, "level": level})
    return contents


def code(soup):
    """Code without what nobody sees, wide tables in a box of their own, bars with a name."""
    for block in soup.select("div.highlight"):
        block["class"] = ["highlight"]
        light(block.pre)
    for table in soup.find_all("table"):
        if not table.find_parent(class_="figures"):
            table.wrap(soup.new_tag("div", attrs={"class": "tables"}))
    for pipe in soup.select("td code, th code"):
        # GitHub's Markdown: within a table a pipe is written so, also in code.
        if pipe.string and "\\|" in pipe.string:
            pipe.string = pipe.string.replace("\\|", "|")
    for corner in soup.find_all("th"):
        if not corner.get_text(strip=True):
            corner.name = "td"  # the empty corner of a table heads nothing
    for bar in soup.select("progress:not([aria-label])"):
        bar["aria-label"] = bar.get_text() or "…"


# Pygments' names for what page.css gives a colour, to short elements of HTML: its own markup is five times the code.
KEYWORD, STRING, NUMBER, COMMENT, NAME = "b", "i", "u", "small", "dfn"
ELEMENTS = {"ow": KEYWORD, "kt": NUMBER, "nb": NUMBER, "bp": NUMBER, "nf": NAME, "nc": NAME, "fm": NAME, "nd": NAME}
KINDS = {"k": KEYWORD, "s": STRING, "m": NUMBER, "c": COMMENT}


def light(pre):
    """Highlighted code with one element where several in a row look the same, and none where there is no colour."""
    html, open_element = [], ""
    for piece in pre.find_all(string=True):
        kind = (piece.parent.get("class") or [""])[0] if piece.parent is not pre else ""
        element = ELEMENTS.get(kind) or KINDS.get(kind[:1], "")
        text = str(piece).replace("&", "&amp;").replace("<", "&lt;")
        if element != open_element and text.strip():
            html.append((f"</{open_element}>" if open_element else "") + (f"<{element}>" if element else ""))
            open_element = element
        html.append(text)
    if open_element:
        html.append(f"</{open_element}>")
    pre.clear()
    pre.append(BeautifulSoup("".join(html), "html.parser"))


def policy(scripts, live):
    """Only these scripts run, whatever else stands in the page, and what they load themselves (`live`); nothing else is loaded."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    if live:
        hashes += " 'strict-dynamic'; worker-src blob:"
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def on_white(svg):
    """A preview stands on a background that nobody knows."""
    return re.sub(r"(<svg[^>]*>)", r'\1<rect width="100%" height="100%" fill="#fff"/>', svg, count=1)


def without_ends(html):
    """HTML lets cells, rows and paragraphs end where the next begins."""
    html = re.sub(r"</(?:td|th|tr|thead|tbody)>\s*(?=<)", "", html)
    return re.sub(r"</p>\s*(?=<p>|</div>)", "", html)


def small(css):
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r":\s+", ":", re.sub(r"\s*([{};,\n])\s*", r"\1", css)).strip()
