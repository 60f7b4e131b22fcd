"""Pages that open offline: one document, one look, light and dark, narrow and wide. Pure.

Nothing is fetched: styles and scripts stand in the file, and there are no fonts or pictures but the reader's own.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files


def document(title: str, body: str, *, style: str = "", script: str = "") -> str:
    """A whole page. `body` is markup; what comes from outside must be escaped by whoever wrote it."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{asset('pages.css')}{style}</style></head>"
        f"<body><main>{body}</main>{f'<script>{script}</script>' if script else ''}</body></html>\n"
    )


def asset(name: str) -> str:
    """A style or script that ships beside this file."""
    return files("tenure.cli").joinpath("assets", name).read_text(encoding="utf-8")
