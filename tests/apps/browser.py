"""A browser that nobody sees, and that reaches nothing but this machine."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
)


def missing() -> str:
    """Say why no browser can run here, or nothing."""
    absent = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


class Browser:
    """A browser, as far as it can be told what to do."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._untyped: Any = driver

    def script(self, text: str, *arguments: Any) -> Any:
        """Run a script in the page, and give what it returns."""
        return self._untyped.execute_script(text, *arguments)

    def command(self, name: str, **values: Any) -> None:
        """Give a command of the browser's own protocol."""
        self._untyped.execute_cdp_cmd(name, values)


@contextmanager
def browsing(profile: Path) -> Generator[Browser]:
    """Open a browser with a profile of its own."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    # Named here, the driver is not looked for, and nothing asks the network where it is.
    driver = Chrome(options, ChromeService(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
