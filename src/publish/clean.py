"""Makes what a notebook printed or fetched harmless: nothing of it can run in a page, or ask another machine for anything.

HTML goes through bleach, which keeps what it is told and no more; pictures in SVG are rebuilt from what is allowed there.
"""

import base64
import binascii
import re
from urllib.parse import quote
from xml.etree import ElementTree

import bleach
from bleach.css_sanitizer import CSSSanitizer
from bs4 import BeautifulSoup
from defusedxml import ElementTree as SafeElementTree
from defusedxml.common import DefusedXmlException

TAGS = set(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "meter",
        "ol",
        "p",
        "pre",
        "progress",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "u",
        "ul",
        "var",
        "wbr",
    ]
)
ATTRIBUTES = set(
    [
        "align",
        "alt",
        "colspan",
        "datetime",
        "dir",
        "height",
        "high",
        "href",
        "lang",
        "low",
        "max",
        "min",
        "open",
        "optimum",
        "reversed",
        "rowspan",
        "scope",
        "span",
        "src",
        "start",
        "style",
        "title",
        "value",
        "width",
        "aria-label",
        "role",
    ]
)
RASTER = r"data:image/(png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*"
DRAWN = r"data:image/svg\+xml[;,].*"  # in <img>, where no script of it runs and nothing is loaded


class Clean:
    """Cleans one notebook's pieces, and remembers what a reader might miss."""

    def __init__(self):
        self.left_out = []
        self.elsewhere = []

    def warnings(self):
        return [f"{what} was left out: it could run, or load something." for what in sorted(set(self.left_out))] + [
            f"the picture {address} is only linked to, as nothing is fetched: keep it beside the notebook."
            for address in dict.fromkeys(self.elsewhere)
        ]

    def html(self, source, classes=False):
        """@param classes: for our own rendering of prose, whose highlighted code needs them"""
        # What isn't text to read goes with its content; bleach alone would show the content.
        source = without_elements(source, self._instead)

        def allowed(tag, name, value):
            if name == "class":
                return classes
            if name == "href":
                return tag == "a" and scheme(value) != "data"
            if name == "src":
                return tag == "img" and self._source(value)
            if name == "role":
                return value in ("img", "group", "note", "list", "listitem", "table", "row", "cell")
            return name in ATTRIBUTES

        clean = bleach.clean(
            source,
            tags=TAGS,
            attributes=allowed,
            protocols={"http", "https", "mailto", "data"},
            strip=True,
            css_sanitizer=CSSSanitizer(),
        )
        clean, elsewhere = pictures_to_links(clean)
        self.elsewhere += elsewhere
        return clean

    def svg(self, source):
        """The picture rebuilt; '' if it can't be read as one."""
        try:
            root = SafeElementTree.fromstring(source)
            if root.tag not in (f"{{{SVG}}}svg", "svg"):
                return ""
            rebuilt = _rebuilt(root)
            for name in ("width", "height"):
                rebuilt.attrib.pop(name, None) if rebuilt.get(name, "").endswith("%") else None
            return ElementTree.tostring(rebuilt, encoding="unicode")
        # Elements within elements, some hundreds deep, end Python's stack.
        except (ElementTree.ParseError, DefusedXmlException, ValueError, RecursionError):
            return ""

    def _instead(self, name, element):
        """What stands in a page in the place of an element of NOT_TEXT."""
        if name != "svg":
            self.left_out.append(f"<{name}>")
            return ""
        svg = self.svg(element) or self.svg(
            re.sub("<svg", f'<svg xmlns="{SVG}"', element, count=1, flags=re.IGNORECASE)
        )
        if not svg:
            self.left_out.append("an SVG picture that can't be read")
            return ""
        title = ElementTree.fromstring(svg).find(f"{{{SVG}}}title")
        alt = "".join(title.itertext()) if title is not None else ""
        return f'<img alt="{attribute(alt)}" src="{data_uri(svg)}">'

    def _source(self, value):
        if re.fullmatch(RASTER, value) or re.fullmatch(DRAWN, value, re.DOTALL):
            return True
        return scheme(value) in ("", "http", "https")


NOT_TEXT = [
    "svg",
    "script",
    "style",
    "iframe",
    "object",
    "template",
    "noscript",
    "noembed",
    "math",
    "title",
    "textarea",
    "select",
]
TAG_OF_NOT_TEXT = re.compile(rf"<(/?)({'|'.join(NOT_TEXT)})\b", re.IGNORECASE)


def without_elements(source, instead):
    """HTML with instead(name, element) for each element of NOT_TEXT, read once from left to right."""
    pieces, at, name, start, depth = [], 0, "", 0, 0
    for tag in TAG_OF_NOT_TEXT.finditer(source):
        opens, found = not tag[1], tag[2].lower()
        if (name and found != name) or tag.start() < at:
            continue  # the content of one, or its own tag
        if name and opens:
            depth += 1
        elif name or opens:
            end = source.find(">", tag.end())
            end = len(source) if end < 0 else end + 1
            if not name:
                pieces.append(source[at : tag.start()])
                name, start, depth, at = found, tag.start(), 1, tag.end()
                if not source.endswith("/>", tag.end(), end):
                    continue
            depth -= 1
            if depth == 0:
                pieces.append(instead(name, source[start:end]))
                name, at = "", end
    if name:
        pieces.append(instead(name, source[start:]))  # never closed: it goes on to the end
    else:
        pieces.append(source[at:])
    return "".join(pieces)


def pictures_to_links(html):
    """A picture that is elsewhere becomes a link: a page asks nobody for anything. Returns the HTML and the addresses."""
    if not re.search(r"<img\b", html, re.IGNORECASE):
        return html, []
    soup = BeautifulSoup(html, "html.parser")
    found = [image for image in soup.find_all("img") if scheme(image.get("src", "")) in ("http", "https")]
    for image in found:
        link = soup.new_tag("a", href=image["src"])
        link.string = image.get("alt") or image["src"]
        image.replace_with(link)
    return (str(soup) if found else html), [image["src"] for image in found]


def scheme(address):
    """As a browser reads it: without blanks and control characters. '' for a relative address."""
    bare = re.sub(r"[\x00-\x20\x7f]", "", address).lower()
    if bare.startswith("//"):
        return "http"
    found = re.match(r"([a-z][a-z0-9+.-]*):", bare)
    return found[1] if found else ""


def base64_or_nothing(data):
    """The bytes of a PNG or JPEG output, or None if it isn't base64."""
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def data_uri(svg):
    # Shorter than base64, and a compressed page shrinks it further.
    return "data:image/svg+xml," + quote(svg, safe=" =:/;,.!$()*+?@[]{}|~-_")


def attribute(text):
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)

SVG_TAGS = set(
    [
        "svg",
        "g",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "textPath",
        "title",
        "desc",
        "defs",
        "clipPath",
        "mask",
        "linearGradient",
        "radialGradient",
        "stop",
        "pattern",
        "symbol",
        "use",
        "marker",
        "image",
        "style",
        "filter",
        "feBlend",
        "feColorMatrix",
        "feComposite",
        "feFlood",
        "feGaussianBlur",
        "feMerge",
        "feMergeNode",
        "feOffset",
    ]
)


def _rebuilt(element):
    name = element.tag.rpartition("}")[2]
    copy = ElementTree.Element(f"{{{SVG}}}{name}")
    for key, value in element.attrib.items():
        local = key.rpartition("}")[2]
        if local == "href":
            if value.startswith("#") or (name == "image" and re.fullmatch(RASTER, value)):
                copy.set("href", value)
        elif not local.lower().startswith("on") and "{" not in key and local != "base" and _harmless(value):
            copy.set(local, value)
    if name != "style" or _harmless(element.text or ""):
        copy.text = element.text
    for child in element:
        if (
            isinstance(child.tag, str)
            and child.tag.rpartition("}")[2] in SVG_TAGS
            and (child.tag.startswith(f"{{{SVG}}}") or "}" not in child.tag)
        ):
            rebuilt = _rebuilt(child)
            rebuilt.tail = child.tail
            copy.append(rebuilt)
        elif len(copy):
            copy[-1].tail = (copy[-1].tail or "") + (child.tail or "")
        else:
            copy.text = (copy.text or "") + (child.tail or "")
    return copy


def _harmless(style):
    """Styles and attributes that name nothing outside the picture."""
    return not re.search(r"\\|@import|javascript:|url\((?!\s*['\"]?#)|image\(|image-set\(", style, re.IGNORECASE)
