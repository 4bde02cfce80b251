"""Every state of the card on one page, photographed and measured in a real browser.

`python -m tests.display.gallery` writes test-output/display/ and prints what was measured as JSON.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Dialog, sync_playwright

from qpm_lab.display import (
    backends_html,
    budgets_html,
    jobs_html,
    quote_html,
    session_html,
    to_html,
    to_png,
    to_text,
    usage_html,
)

from . import documents, lists, sweeps, trusted

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OUT = Path("test-output/display")
CARDS = {**documents.gallery(), **trusted.gallery(), **sweeps.gallery()}
MEASURE = """() => [...document.querySelectorAll('.qpm-card')].map(card => {
  const box = part => card.querySelector(part)?.getBoundingClientRect();
  const [left, right] = [box('.mains'), box('.side')];
  const cut = [...card.querySelectorAll('header, .body *, .why, .next, footer')].filter(
    part => !part.closest('.sr, details:not([open])') && (part.getBoundingClientRect().right > innerWidth
      || part.matches('.track') && part.offsetWidth < 80));
  return {label: card.getAttribute('aria-label'), height: card.offsetHeight,
          stacked: left && right ? right.top >= left.bottom : null, cut: cut.map(part => part.outerHTML)};
})"""


def browser_path() -> str | None:
    """The browser on this machine; None when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def page() -> str:
    """All cards and tables under each other."""
    cards = "".join(f"<h6>{name}</h6>{to_html(d)}" for name, d in CARDS.items())
    tables = jobs_html(lists.JOBS) + budgets_html(lists.BUDGETS) + backends_html(lists.BACKENDS)
    tables += quote_html(documents.completed()) + usage_html(lists.USAGE) + jobs_html([])
    tables += session_html(lists.SESSION) + session_html(lists.CLOSED) + session_html(None, lists.OWN)
    scheme = "<style>:root{color-scheme:light dark}</style>"
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>Cards</title>{scheme}<body>{cards}{tables}"


def photograph(browser: Browser, scheme: Any, width: int) -> dict[str, Any]:
    """One screenshot, the sizes of the cards, and whatever the page tried to run or load."""
    view = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    alarms: list[str] = []

    def refuse(dialog: Dialog) -> None:
        alarms.append(dialog.message)
        dialog.dismiss()

    view.on("dialog", refuse)
    view.on("request", lambda request: alarms.append(request.url))
    view.goto((OUT / "gallery.html").absolute().as_uri())
    view.screenshot(path=OUT / f"gallery-{scheme}-{width}.png", full_page=True)
    cards = view.evaluate(MEASURE)
    ground = view.evaluate("() => getComputedStyle(document.querySelector('.qpm-card')).backgroundColor")
    return {"scheme": scheme, "width": width, "ground": ground, "alarms": alarms[1:], "cards": cards}


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "gallery.html").write_text(page(), encoding="utf-8")
    for name in ("completed", "wide", "red", "unmet", "refused", "sweep", "grid"):
        (OUT / f"{name}.png").write_bytes(to_png(CARDS[name]))
    texts = (to_text(d, width=88, encoding="utf-8") for d in CARDS.values())
    (OUT / "gallery.txt").write_text("\n\n".join(texts), encoding="utf-8")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path(), args=FLAGS)
        views = [photograph(browser, scheme, w) for scheme in ("light", "dark") for w in (800, 400)]
        browser.close()
    print(json.dumps(views))


if __name__ == "__main__":
    main()
