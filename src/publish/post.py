"""The forms `jekyll` and `hexo`: a post in Markdown with front matter, and its pictures in the folder of the site."""

import base64
import posixpath
import re
from urllib.parse import unquote

import yaml
from about import TEMPLATES
from clean import Clean, attribute, scheme
from nbconvert import HTMLExporter, MarkdownExporter
from nbconvert.filters import strip_ansi
from outputs import LEFT_OUT, Outputs, is_folded, lines_of, tables_html
from page import page_address
from text import Held, normal
from traitlets.config import Config


class Jekyll:
    """Pictures under assets/. Jekyll gives every post to Liquid first, so what looks like Liquid is quoted."""

    pictures = "assets"
    layout = {"layout": "post"}

    @staticmethod
    def file(about):
        return f"_posts/{about.post_date():%Y-%m-%d}-{about.slug}.md"

    @staticmethod
    def quoted(text):
        return re.sub(r"\{[{%]", lambda found: '{{ "' + found[0] + '" }}', text)

    @staticmethod
    def picture_address(path):
        return '{{ "/%s" | relative_url }}' % path

    @classmethod
    def post_address(cls, about, _):
        return "{% post_url " + cls.file(about)[len("_posts/") : -len(".md")] + " %}"


class Hexo:
    """Pictures under source/images/, where they are found whatever the site's settings are."""

    pictures = "source/images"
    layout = {"disableNunjucks": True}  # else what looks like a template in code or output would be run as one

    @staticmethod
    def file(about):
        return f"source/_posts/{about.slug}.md"

    @staticmethod
    def quoted(text):
        return text

    @staticmethod
    def picture_address(path):
        return path.removeprefix("source")

    @classmethod
    def post_address(cls, about, seen_from):
        # Relative, as Hexo knows of no link what the site's root is.
        return posixpath.relpath(cls._address(about), cls._address(seen_from)) + "/"

    @staticmethod
    def _address(about):
        own = about.front_matter.get("permalink")
        return f"/{str(own).strip('/')}" if own else f"/{about.post_date():%Y/%m/%d}/{about.slug}"


class Posts:
    """The posts of one export. :param to: 'jekyll' or 'hexo'"""

    def __init__(self, abouts, node, to):
        self.node = node
        self.abouts = {about.name: about for about in abouts}
        taken = set()
        for about in abouts:
            while about.slug in taken:
                about.slug += "-2"
            taken.add(about.slug)
        self.site = {"jekyll": Jekyll, "hexo": Hexo}[to]

    def page(self, notebook, about):
        """Returns ({file name: content}, warnings), the post last."""
        site, clean, files = self.site, Clean(), {}
        folder = f"{site.pictures}/{about.slug}"
        # Our own Liquid and the posts' words are put in when everything else is quoted.
        held = Held()
        hold = held.hold

        def place(name, content):
            files[f"{folder}/{name}"] = content
            return hold(site.picture_address(f"{folder}/{name}"))

        renderer = HTMLExporter(exclude_anchor_links=True)
        outputs = Outputs(about, clean, self.node, place, lambda source: renderer.markdown2html({}, source))
        outputs.prepare(notebook)
        without_title(notebook, about)

        def prose(cell):
            return self._prose(cell, about, place, hold)

        exporter = MarkdownExporter(
            template_name="post",
            extra_template_basedirs=[str(TEMPLATES)],
            config=Config(
                {
                    "TagRemovePreprocessor": LEFT_OUT,
                    # Pictures go where the site wants them.
                    "ExtractAttachmentsPreprocessor": {"enabled": False},
                    "ExtractOutputPreprocessor": {"enabled": False},
                }
            ),
        )
        for name, function in {
            "prose": prose,
            "fenced": fenced,
            "one_block": one_block,
            "escape_markdown": escape_markdown,
            "escape_attribute": attribute,
            "strip_colours": strip_ansi,
            "tables_html": tables_html,
            "is_folded": is_folded,
            "lines_of": lines_of,
        }.items():
            exporter.register_filter(name, function)
        text = (notebook.metadata.get("language_info") or {}).get("name", "")
        resources = {"about": about, "language": re.sub(r"\W", "", str(text))}
        body, _ = exporter.from_notebook_node(notebook, resources=resources)
        body = re.sub(r"\n{3,}", "\n\n", site.quoted(body)).strip() + "\n"
        body = held.put_in(body)
        files[site.file(about)] = f"---\n{self._front_matter(about)}---\n\n{body}"
        warnings = [*about.warnings, *outputs.warnings]
        if outputs.without_words:
            warnings.append(f"Alternative text is missing on {outputs.without_words} image(s).")
        warnings += clean.warnings()
        return files, warnings

    def _front_matter(self, about):
        matter = {"title": about.title, "date": about.post_date()}
        if about.description:
            matter["description"] = about.description
        matter.update({"lang": about.lang, **self.site.layout, **about.front_matter})
        return yaml.safe_dump(matter, allow_unicode=True, sort_keys=False, width=1000)

    def _prose(self, cell, about, place, hold):
        """Prose as it was written, with its pictures taken along and its links to notebooks leading to their posts."""
        attachments = cell.get("attachments", {})

        def picture(found):
            alt, source = found[1], unquote(found[2])
            content = None
            if source.startswith("attachment:"):
                bundle = attachments.get(source.removeprefix("attachment:"), {})
                content = next(
                    (base64.b64decode(data) for mime, data in bundle.items() if mime != "image/svg+xml"), None
                )
            elif not scheme(source) and not source.startswith("/"):
                file = (about.path.parent / source).resolve()
                if file.is_file() and file.is_relative_to(about.path.parent.resolve()):
                    content = file.read_bytes()
            if content is None:
                return found[0]
            name = re.sub(r"[^\w.-]", "-", source.removeprefix("attachment:").rpartition("/")[2])
            return f"![{alt}]({place(name, content)})"

        def link(found):
            def post(name):
                return hold(self.site.post_address(self.abouts[name], about)) if name in self.abouts else None

            return f"]({page_address(found[1], post)})"

        source = re.sub(r"!\[([^\]]*)\]\(([^)\s]+)\)", picture, cell.source)
        return re.sub(r"(?<!!)\]\(([^)\s]+\.ipynb[^)\s]*)\)", link, source)


def without_title(notebook, about):
    """A theme shows the title by itself: a heading that repeats it goes."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            found = re.match(r"\s*#\s+(.+?)\s*#*\s*(\n|$)", cell.source)
            if found and found[1].replace("*", "").replace("`", "").strip() == about.title:
                cell.source = cell.source[found.end() :].lstrip("\n")
            return


def fenced(text, language=""):
    """A fence that the text can't end."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def one_block(html):
    """Markdown takes HTML as it is until a blank line."""
    return re.sub(r"\n[ \t]*(?=\n)", "", normal(html)).strip()


def escape_markdown(text):
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]{}()#!|\"'$:])", r"\\\1", text)
