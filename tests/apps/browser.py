"""A browser that nobody sees, and that reaches nothing but this machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-proxy-server",
    "--window-size=1100,820",
)


def missing() -> str:
    """Say why no browser can run here, or nothing."""
    absent = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


@contextmanager
def browsing(profile: Path) -> Iterator[Chrome]:
    """Open a browser with a profile of its own."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    # Named here, the driver is not looked for, and nothing asks the network where it is.
    service = ChromeService(
        shutil.which("chromedriver"), env={**os.environ, "SE_OFFLINE": "true", "NO_PROXY": "127.0.0.1,localhost"}
    )
    browser = Chrome(options, service)
    try:
        yield browser
    finally:
        browser.quit()
