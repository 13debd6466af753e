"""The environment's proxies, for one URL at a time.

aiohttp's own `trust_env` also reads `.netrc`, in a thread of its own and per request, and refuses a request that has an
`Authorization` header when the file names its host. So proxies are looked up here, and `.netrc` is left alone.
"""

import os
import sys
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_NAMES = ("http_proxy", "https_proxy", "all_proxy")
_VARIABLES = (*_NAMES, *(name.upper() for name in _NAMES))
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_ONLY_ENVIRONMENT = sys.platform not in {"darwin", "win32", "cygwin"}
"""Whether the system itself has no settings beside the environment's."""


def proxy_for(url: str) -> str | None:
    """Give the proxy that the environment names for a URL, or None for a direct connection.

    `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` count, in upper or lower case, and the system's settings where
    the platform has them.
    """
    if _ONLY_ENVIRONMENT and not any(name in os.environ for name in _VARIABLES):
        return None  # `getproxies` reads the whole environment, and this is asked once per request
    proxies = getproxies()
    if not proxies:
        return None
    parts = urlsplit(url)
    if parts.hostname in _THIS_MACHINE or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxies.get(parts.scheme) or proxies.get("all")
