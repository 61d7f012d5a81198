"""axe-core, the accessibility checker, in a real Chromium: what it finds serious on a page."""

import html
import json
from importlib import metadata
from pathlib import Path
from typing import Any

DISTRIBUTION = "axe-playwright-python"
"""A wheel that carries `axe.min.js`; see `.ci/axe.lock`."""
_FRAME = """<!DOCTYPE html><html lang="en"><meta name="color-scheme" content="light dark"><title>frame</title>
<iframe title="page" style="color-scheme: light dark" width="{width}" height="900" srcdoc="{page}"></iframe>
<script>
addEventListener("load", async () => {{
  const inside = document.querySelector("iframe").contentWindow;
  inside.eval({axe});
  inside.document.querySelectorAll("details").forEach((one) => {{ one.open = true; }});
  const found = await inside.axe.run(inside.document, {{}});
  const dark = inside.matchMedia("(prefers-color-scheme: dark)").matches;
  const told = document.createElement("pre");
  told.id = "found";
  told.textContent = JSON.stringify({{ dark, passes: found.passes.length, violations: found.violations.map((one) => ({{
    id: one.id, impact: one.impact, help: one.help,
    nodes: one.nodes.slice(0, 5).map((node) => node.html.slice(0, 300) + " " + (node.any[0] || {{}}).message) }})) }});
  document.body.append(told);
}});
</script>"""


def script() -> str:
    """The text of `axe.min.js`.

    Raises:
        RuntimeError: it is not installed; only a browser may be missing.
    """
    try:
        files = metadata.files(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        files = []
    found = [file for file in files if file.name == "axe.min.js"]
    if not found:
        raise RuntimeError("axe-core is not installed: run `make test`, or pip install --no-deps -r .ci/axe.lock")
    return Path(str(found[0].locate())).read_text(encoding="utf-8")


def framed(page: str, width: int) -> str:
    """A page that shows another one, lets axe look at it, and leaves its findings in `#found`.

    Args:
        page: the page; its content security policy is taken out, which would stop the checker itself.
        width: of the frame, CSS pixels.
    """
    unlocked = page.replace('http-equiv="Content-Security-Policy"', 'data-policy=""')
    assert unlocked != page
    return _FRAME.format(width=width, page=html.escape(unlocked), axe=json.dumps(script()).replace("</", "<\\/"))


def serious(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The violations that keep somebody from reading the page."""
    return [one for one in found if one["impact"] in ("serious", "critical")]
