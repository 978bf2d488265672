"""The frame of a page that needs nothing else: style for light and dark, sections and tables. What is said on it is in `report`.

Text that comes from outside goes through `escape` before it reaches a section or a cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from onedial.evals.report.style import TONES

Row = Sequence[str]

STYLE = """
:root { --type: system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; color-scheme: light dark; LIGHT }
@media (prefers-color-scheme: dark) { :root { DARK } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1160px; padding: 3.2rem 2rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 var(--type); -webkit-text-size-adjust: 100% }
h1 { margin: 0; font-size: 2.1rem; line-height: 1.2; letter-spacing: -.015em; text-wrap: balance }
h2 { margin: 3.4rem 0 .3rem; font-size: 1.2rem; letter-spacing: -.005em }
p { margin: .2rem 0 1.1rem; max-width: 62rem } .lead { margin: .7rem 0 0; max-width: none } .lead, .soft, figcaption { color: var(--soft) }
figure { margin: 1.4rem 0 0; overflow-x: auto } svg { display: block; height: auto; max-width: 100% } svg g { outline: none }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 2.5rem; align-items: start }
.row { display: flex; flex-wrap: wrap; gap: 1.2rem 2rem } .row figure { flex: none }
.scroll { overflow-x: auto; margin-top: 1.2rem }
table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.4; font-variant-numeric: tabular-nums }
th, td { padding: .42rem 1.1rem .42rem 0; text-align: left; vertical-align: baseline }
th { font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--faint); vertical-align: bottom }
td { border-bottom: 1px solid var(--rule) } th:last-child, td:last-child { padding-right: 0 }
.number { text-align: right; white-space: nowrap } .range { color: var(--soft); font-size: .8125rem }
tr.group td { padding-top: 1.15rem; font-weight: 600; border-bottom-color: var(--faint) }
.joint { color: var(--ramp-4); font-weight: 650 } .model-only { color: var(--model-only) } .compute-only { color: var(--compute-only) }
.kept, .noise { color: var(--ramp-4); font-weight: 600 } .missed { color: var(--model-only); font-weight: 600 }
dl { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: .45rem 1.5rem; max-width: 58rem; font-size: .9375rem }
dt { font-weight: 600 } dd { margin: 0 } ul { padding-left: 1.2rem; max-width: 58rem } li { margin: .3rem 0 }
details { margin-top: 1.6rem } summary { cursor: pointer; color: var(--soft) }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: .8125rem }
@media (max-width: 860px) { body { padding: 1.6rem 1rem 3rem } h1 { font-size: 1.55rem } .pair { grid-template-columns: minmax(0, 1fr) }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0 } dd { margin-bottom: .7rem }
  th:first-child, td:first-child { min-width: 9.5rem } figure.wide svg { min-width: 720px; max-width: none } }
@media print { body { max-width: none; padding: 0 } h2 { break-after: avoid } figure, tr { break-inside: avoid } }
"""


def page(title: str, body: Iterable[str]) -> str:
    """Write a whole page: one file, no script, and a policy that forbids it to load anything."""
    style = STYLE.replace("LIGHT", _variables(dark=False)).replace("DARK", _variables(dark=True))
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        )
    )


def _variables(dark: bool) -> str:
    return "; ".join(f"--{tone.name}: {tone.dark if dark else light}" for light, tone in TONES.items())


def section(heading: str, intro: str, *parts: str) -> str:
    """Write a heading, a sentence on what is seen (or none), and the parts; `intro` is plain text, the parts are markup."""
    lead = f'<p class="soft">{escape(intro)}</p>' if intro else ""
    return "\n".join(("<section>", f"<h2>{escape(heading)}</h2>", lead, *parts, "</section>"))


def figure(svg: str, label: str, wide: bool = False) -> str:
    """Frame a panel; `label` is read out in its place. A wide one scrolls on small screens."""
    return f'<figure{" class=wide" if wide else ""} role="group" aria-label="{escape(label)}">{svg}</figure>'


def table(head: Sequence[str], rows: Iterable[Row], text_columns: int = 1) -> str:
    """Write a table of marked-up cells; columns after the first `text_columns` are numbers. A row of one cell is a heading."""
    columns = "".join(_cell("th", i, escape(name), text_columns) for i, name in enumerate(head))
    lines = (
        f'<tr class="group"><td colspan="{len(head)}">{row[0]}</td></tr>'
        if len(row) == 1
        else "<tr>" + "".join(_cell("td", i, cell, text_columns) for i, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return "\n".join(('<div class="scroll"><table>', f"<thead><tr>{columns}</tr></thead>", "<tbody>", *lines, "</tbody></table></div>"))


def _cell(tag: str, column: int, text: str, text_columns: int) -> str:
    return f"<{tag}{' class=number' if column >= text_columns else ''}>{text}</{tag}>"
