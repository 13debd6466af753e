"""The environment's proxies, for one URL at a time.

aiohttp's own `trust_env` also reads `.netrc`, in a thread of its own and per request, and refuses a request that has an
`Authorization` header when the file names its host. So proxies are looked up here, and `.netrc` is left alone.
"""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(url: str) -> str | None:
    """Give the proxy that the environment names for a URL, or None for a direct connection.

    `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` count, in upper or lower case, and the system's settings where
    the platform has them.
    """
    proxies = getproxies()
    if not proxies:
        return None
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return proxies.get(parts.scheme) or proxies.get("all")
