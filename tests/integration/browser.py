"""A real Chromium without a window: a page's DOM after its scripts, and its console."""

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
SECONDS = 60
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --enable-logging=stderr "
    "--window-size=1200,900"
)


class _Found(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.inside, self.text = False, ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = ("id", "found") in attrs

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside else ""


def found_in(dumped_page: str) -> str:
    """What a page's script left in the element `#found`."""
    return _Found(dumped_page).text


def dumped(page: str, folder: Path, *flags: str, budget: int = 3_000) -> tuple[str, str]:
    """A page after its scripts ran.

    Args:
        page: HTML.
        folder: where the page and the browser's profile go.
        flags: more flags of Chromium.
        budget: milliseconds of virtual time that its scripts get.

    Returns:
        Its DOM, and what the browser logged.
    """
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [str(CHROMIUM), *FLAGS.split(), *flags, f"--virtual-time-budget={budget}"]
    command += [f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    return done.stdout, done.stderr


def refused(log: str) -> list[str]:
    """The lines in which a page's console complains, such as of what its policy stopped."""
    return [line for line in log.splitlines() if "CONSOLE" in line]
