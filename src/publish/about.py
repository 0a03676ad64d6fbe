"""What a notebook says about itself: title, description, language, date, from its metadata."""

import datetime
import html
import json
import re
from pathlib import Path
from urllib.parse import quote

import yaml

TEMPLATES = Path(__file__).parent / "templates"
WORDS = json.loads((TEMPLATES / "words.json").read_text(encoding="utf-8"))

# What posts of Jekyll and Hexo have in their front matter, in the order in which people write it.
FRONT_MATTER = [
    "layout",
    "author",
    "authors",
    "category",
    "categories",
    "tag",
    "tags",
    "toc",
    "mathjax",
    "permalink",
    "last_modified_at",
    "updated",
    "image",
]


class About:
    """title, lang, description, date, words (the page's own words in that language), front_matter."""

    def __init__(self, notebook, path):
        metadata = notebook.metadata
        self.path = path
        self.name = path.stem
        # In addresses; in the names of a post's files, which end up in templates, in YAML and in other programs' addresses.
        self.href = quote(f"{self.name}.html")
        self.slug = re.sub(r"[^\w.-]+", "-", self.name).strip("-.") or "post"
        self.warnings = []
        self.lang = self._language(metadata.get("lang") or metadata.get("language") or "en")
        self.words = WORDS.get(self.lang.split("-")[0].lower(), WORDS["en"])
        self.title = str(metadata.get("title") or first_heading(notebook) or path.stem).strip()
        self.description = str(metadata.get("description") or first_paragraph(notebook))
        self.image = str(metadata.get("image") or "")
        self.date = self._date(metadata.get("date"))
        self.front_matter = {key: natural(metadata[key]) for key in FRONT_MATTER if key in metadata}
        # Whatever else a theme wants.
        more = metadata.get("front_matter")
        if isinstance(more, dict):
            self.front_matter.update({key: natural(value) for key, value in more.items()})

    def _language(self, lang):
        if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", str(lang)):
            return str(lang)
        self.warnings.append(f'The language "{lang}" in the metadata is not a code such as "en" or "ko": "en" is used.')
        return "en"

    def _date(self, said):
        """A date or datetime; None if the metadata have none."""
        date = natural(said) if said else None
        if date is None or isinstance(date, datetime.date):
            return date
        self.warnings.append(f'The date "{said}" in the metadata is not one such as 2026-01-31 or 2026-01-31 09:00:00.')
        return None

    def post_date(self):
        """A post needs one: without it in the metadata, the day on which the notebook was last changed."""
        if self.date:
            return self.date
        self.date = datetime.date.fromtimestamp(self.path.stat().st_mtime)
        self.warnings.append(
            f"{self.path.name} has no date in its metadata: the post has the day on which the file was last changed."
        )
        return self.date


def natural(value):
    """Text that YAML would read as a date becomes one, so that the front matter has it without quotes."""
    if not isinstance(value, str):
        return value
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return read if isinstance(read, datetime.date) else value


def prose(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def first_heading(notebook):
    for source in prose(notebook):
        found = re.search(r"^#[ \t]+(\S.*)", source, re.MULTILINE)
        if found:
            return plain(found[1].rstrip().rstrip("#"))
    return ""


def first_paragraph(notebook):
    """The first paragraph of prose that is a sentence, not a heading, a list or a quoted title."""
    for source in prose(notebook):
        for paragraph in re.split(r"\n\s*\n", source):
            text = plain(paragraph)
            if len(text) > 30 and not re.match(r"\s*([#>|<`!「-]|\*\s|\d+\.\s)", paragraph):
                return text if len(text) <= 160 else text[:160].rsplit(" ", 1)[0] + " …"
    return ""


def plain(markdown):
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    # Emphasis and code lose their marks; a name such as a_b keeps what is within it.
    kept = []
    text = re.sub(r"`+([^`]+)`+", lambda code: kept.append(code[1]) or f"\0{len(kept) - 1}\0", text)
    text = re.sub(r"(?<![\w*])([*_]{1,3})(?=\S)(.+?)(?<=\S)\1(?![\w*])", r"\2", text)
    text = re.sub(r"</?[A-Za-z][^>]*>", "", text)
    text = re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], text)
    return " ".join(html.unescape(text).split())
