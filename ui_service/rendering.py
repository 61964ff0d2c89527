"""What the templates may call: words, shapes of numbers and times, addresses of static files that never go stale."""

import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path

from flask import Flask
from markdown_it import MarkdownIt
from markupsafe import Markup

from ui_service import figures, file_words, masks, scale, sizes, words
from ui_service.signed_in import HOME, current_person

# html=False: a card's own HTML comes out as text. Images could call other hosts, so they stay off.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")

_SCROLLS = '<div class="scroll" role="group" aria-label="Table" tabindex="0">'


def equip_templates(app: Flask) -> None:
    """Filters, tests and names for the templates."""
    app.jinja_env.globals.update(
        words=words,
        file_words=file_words,
        scale=scale,
        sizes=sizes,
        masks=masks,
        figures=figures,
        current_person=current_person,
        homes=HOME,
    )
    app.jinja_env.filters.update(markdown=markdown, clock=clock, bytes=bytes_in_words, section=section)
    app.jinja_env.filters.update(seconds=seconds, milliseconds=milliseconds, groups=figures.groups)
    root = Path(app.static_folder or "")

    @app.url_defaults
    def version(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static" and "filename" in values:
            values["v"] = _fingerprint(root / str(values["filename"]))


def markdown(text: str) -> Markup:
    """A card's Markdown as HTML; HTML inside it is shown as text. A table too wide for its place scrolls by itself."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"  # the page's own headings stand above a card's
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    html = html.replace("<table>", f"{_SCROLLS}<table>").replace("</table>", "</table></div>")
    return Markup(html)  # noqa: S704  # nosec B704  # nosemgrep: markup


def section(card: str, heading: str) -> str:
    """What a card's Markdown says under a second-level heading; empty where it has none of this name."""
    for part in f"\n{card}".split("\n## ")[1:]:
        title, _, text = part.partition("\n")
        if title.strip() == heading:
            return text.strip()
    return ""


def clock(moment: datetime) -> str:
    """The time of day in UTC; static/times.js puts the reader's own in its place."""
    return f"{moment:%H:%M} UTC"


def seconds(duration_s: float) -> str:
    """A duration to two digits that mean something: 0.04 s, 1.3 s, 75 s."""
    return (
        f"{duration_s:.2f} s" if duration_s < 1 else f"{duration_s:.1f} s" if duration_s < 10 else f"{duration_s:.0f} s"
    )


def milliseconds(duration_s: float) -> str:
    """A duration that is to be compared with others of its kind: 3.4 ms, 120 ms, 1.3 s."""
    if duration_s >= 1:
        return seconds(duration_s)
    return f"{1000 * duration_s:.1f} ms" if duration_s < 0.01 else f"{1000 * duration_s:.0f} ms"


def bytes_in_words(size_bytes: int) -> str:
    """A size as people say it: 812 KB, 4.1 MB."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000))} KB"
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes < 10_000_000 else f"{size_bytes / 1e6:.0f} MB"


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else "0"
