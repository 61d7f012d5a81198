"""Panels of words: tables, texts in Markdown, lists of alerts, and what stands in for a panel that cannot be drawn."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape

from sloproof.foreign_text import visible
from sloproof.prometheus_answers import ActiveAlert
from sloproof.report import wording
from sloproof.report.preview.colours import INK, colour_class
from sloproof.report.preview.json_values import mapping, mappings, text
from sloproof.report.preview.look import Drawn, Look, nothing
from sloproof.report.preview.reading import Field, Shown, found, read_text
from sloproof.report.preview.rows import TIME, Cell, Frame, columns_of, frames_of, in_order
from sloproof.report.svg import element

MOST_ROWS = 200
_MOST_COLUMNS = 30
_LONGEST_ADDRESS = 80
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]\n]*)\]\(([^)\s]*)\)|\*([^*\s][^*]*)\*")
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_BULLET = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)")
_SAFE_ADDRESS = re.compile(r"https?://[^\s\"'<>`\\]+", re.ASCII)
_TABLE_ROW = re.compile(r"\s*\|(.*)\|\s*")
_TABLE_RULE = re.compile(r"[\s|:-]+")
_STATES = {"firing": "red", "pending": "orange"}


def table(look: Look) -> Drawn:
    """Rows and columns; cells are coloured as the panel says."""
    frames, told = frames_of(look)
    rows = [row for frame in frames[:1] for row in frame]
    if len(frames) > 1 and any(frames[1:]):
        told.append(f"{len(frames) - 1} more tables are not drawn: Grafana lets a reader choose among them")
    if not rows:
        return Drawn(nothing(look).body, empty=True, notes=tuple(told))
    for one in reversed(mappings(look.panel.options.get("sortBy"))):
        rows = in_order(rows, text(one.get("displayName")), bool(one.get("desc")))
    columns = _columns(rows, look)
    if len(rows) > MOST_ROWS:
        told.append(f"{len(rows) - MOST_ROWS} more rows are not drawn")
    head = element("tr", *(_heading(name, field, rows) for name, field in columns))
    body = [element("tr", *_cells(row, columns)) for row in rows[:MOST_ROWS]]
    drawn = element("table", element("thead", head), element("tbody", *body), class_="cells")
    return Drawn(
        element("div", drawn, class_="scroll", tabindex="0", role="region", **{"aria-label": look.title or "table"}),
        notes=tuple(told),
    )


def _heading(name: str, field: Field, rows: Frame) -> Markup:
    words = any(isinstance(row.get(name), str) for row in rows)
    return element("th", field.name or name, scope="col", class_="word" if words else "number")


def _columns(rows: Frame, look: Look) -> list[tuple[str, Field]]:
    found_columns = []
    for name in columns_of([rows])[:_MOST_COLUMNS]:
        kind = "time" if name == TIME else "string" if any(isinstance(row.get(name), str) for row in rows) else "number"
        field = look.field(name, name.rpartition("#")[2] if "#" in name else "", kind)
        if not mapping(field.custom).get("hidden"):
            found_columns.append((name, field))
    return found_columns


def _cells(row: Mapping[str, Cell], columns: Sequence[tuple[str, Field]]) -> Iterator[Markup]:
    for name, field in columns:
        value = row.get(name)
        figure = not isinstance(value, str)
        said = _read(value, field, name)
        style = " ".join(part for part in ("number" if figure else "", _cell_style(said, field)) if part)
        yield element("td", said.text, class_=style) if style else element("td", said.text)


def _read(value: Cell, field: Field, name: str) -> Shown:
    if isinstance(value, str):
        return read_text(value, field)
    if name == TIME and value is not None and not field.unit:
        at = value / 1000
        return Shown(f"{wording.day(at)} {wording.clock(at)}")
    return field.read(value)


def _cell_style(said: Shown, field: Field) -> str:
    if not said.known:
        return "absent"
    options = mapping(field.custom.get("cellOptions"))
    kind, colour = text(options.get("type")), colour_class(said.colour or "text")
    if colour == INK or not kind.startswith("color"):
        return ""
    return f"filled {colour}" if kind == "color-background" else f"toned {colour}"


def prose(look: Look) -> Drawn:
    """A text panel: Markdown of ours; anything else as it is written."""
    content = look.say(text(look.panel.options.get("content")))
    mode = text(look.panel.options.get("mode"), "markdown")
    if mode == "markdown":
        return Drawn(element("div", *_blocks(content), class_="prose"))
    notes = ("HTML is shown as it is written, and not as Grafana draws it",) if mode == "html" else ()
    return Drawn(element("pre", content), notes=notes)


def _blocks(content: str) -> Iterator[Markup]:
    """Paragraphs, headings, lists and tables: lines of one kind that follow each other are one block."""
    for kind, lines in groupby(content.splitlines(), key=_kind_of_line):
        yield from _BLOCKS[kind](list(lines))


def _kind_of_line(line: str) -> str:
    if _HEADING.fullmatch(line):
        return "heading"
    if _BULLET.fullmatch(line):
        return "list"
    if _TABLE_ROW.fullmatch(line):
        return "table"
    return "words" if line.strip() else "blank"


def _heading_blocks(lines: list[str]) -> list[Markup]:
    return [element("h4", _inline(line.lstrip("# "))) for line in lines]


def _list_block(lines: list[str]) -> list[Markup]:
    found_items = [match[1] for line in lines if (match := _BULLET.fullmatch(line))]
    return [element("ul", *(element("li", _inline(one)) for one in found_items))]


def _table_block(lines: list[str]) -> list[Markup]:
    inside = [line.strip().removeprefix("|").removesuffix("|") for line in lines]
    ruled = len(inside) > 1 and _TABLE_RULE.fullmatch(inside[1]) is not None
    rows = [[cell.strip() for cell in line.split("|")] for line in inside]
    head = [element("tr", *(element("th", _inline(cell), scope="col") for cell in rows[0]))] if ruled else []
    body = [element("tr", *(element("td", _inline(cell)) for cell in row)) for row in (rows[2:] if ruled else rows)]
    return [element("table", element("thead", *head), element("tbody", *body))]


_BLOCKS: Mapping[str, Callable[[list[str]], list[Markup]]] = {
    "heading": _heading_blocks,
    "list": _list_block,
    "table": _table_block,
    "words": lambda lines: [element("p", _inline(" ".join(line.strip() for line in lines)))],
    "blank": lambda lines: [],
}


def _inline(words: str) -> Markup:
    """Code, bold, emphasis and links; everything else is text."""
    parts, reached = [], 0
    plain = _unescaped(words)
    for match in _INLINE.finditer(plain):
        parts.append(escape(visible(plain[reached : match.start()])))
        code, bold, label, address, leaning = match.groups()
        if code is not None:
            parts.append(element("code", code))
        elif bold is not None:
            parts.append(element("strong", bold))
        elif label is not None:
            parts.append(link(label, address))
        else:
            parts.append(element("em", leaning))
        reached = match.end()
    return Markup("").join([*parts, escape(visible(plain[reached:]))])


def _unescaped(words: str) -> str:
    """The entities that our dashboards write so that Grafana takes free text for nothing else."""
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&#36;", "$"), ("&#91;", "["), ("&amp;", "&")):
        words = words.replace(entity, character)
    return words


def link(label: str, address: str) -> Markup:
    """A link to the web; an address of any other kind, such as one within Grafana, is told and leads nowhere.

    Args:
        label: its words.
        address: where it leads.
    """
    if _SAFE_ADDRESS.fullmatch(address):
        return element("a", label or address, href=address, rel="noreferrer noopener")
    if label and address.startswith("/"):
        return element("span", label, title=f"in Grafana: {address}", class_="unlinked")
    words = element("span", label or address)
    short = address if len(address) <= _LONGEST_ADDRESS else address.partition("?")[0][:_LONGEST_ADDRESS] + "…"
    return element("span", words, Markup(" "), element("code", short), class_="unlinked")


def alerts(look: Look) -> Drawn:
    """Alerts that are pending or firing, as the panel chooses them; the most urgent first."""
    chosen = [one for one in look.alerts if _wanted(one, look)]
    order = sorted(chosen, key=lambda one: (one.state != "firing", one.active_at))
    if not order:
        return Drawn(element("p", "no alert is pending or firing", class_="quiet"))
    rows = [
        element(
            "li",
            element("span", one.state, class_=f"chip filled {colour_class(_STATES[one.state])}"),
            element("span", element("strong", one.name), Markup(" "), _labels(one), class_="alert-words"),
            element(
                "span", f"since {wording.day(one.active_at)} {wording.clock(one.active_at)} UTC", class_="legend-figure"
            ),
        )
        for one in order[:MOST_ROWS]
    ]
    return Drawn(element("ul", *rows, class_="alert-list"))


def _wanted(alert: ActiveAlert, look: Look) -> bool:
    options = look.panel.options
    states: Any = options.get("stateFilter")
    state_wanted = not mapping(states) or bool(states.get(alert.state, True))
    name = look.fill(text(options.get("alertName")))
    matchers = re.findall(
        r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"', look.fill(text(options.get("alertInstanceLabelFilter")))
    )
    return (
        state_wanted
        and (not name or name.lower() in alert.name.lower())
        and all(_meets(alert, *one) for one in matchers)
    )


def _meets(alert: ActiveAlert, label: str, operator: str, value: str) -> bool:
    given = alert.labels.get(label, "")
    agrees = found(f"^(?:{value})$", given) if "~" in operator else given == value
    return agrees is not operator.startswith("!")


def _labels(alert: ActiveAlert) -> Markup:
    shown = {name: value for name, value in sorted(alert.labels.items()) if name != "alertname"}
    return element("span", " ".join(f'{name}="{value}"' for name, value in shown.items()), class_="unlinked")


def placeholder(look: Look) -> Drawn:
    """A panel of a kind that is not drawn here: its name, and what it asked."""
    came = sum(len(reply.series) for _, reply in look.replies)
    queries = [element("li", element("code", look.fill(target.expression))) for target, _ in look.replies]
    counted = (
        f"{came} series came from its {len(queries)} quer{'ies' if len(queries) != 1 else 'y'}"
        if queries
        else "it asks nothing"
    )
    said = element("code", look.panel.kind) + escape(f" panels are not drawn here; {counted}")
    body = element("p", said, class_="stand-in") + (element("ul", *queries) if queries else Markup(""))
    return Drawn(body, empty=bool(queries) and came == 0)
