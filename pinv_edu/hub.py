"""Whether the Hugging Face hub can be reached: asked once, answered soon."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

SECONDS = 3.0


def hub_answers() -> bool:
    """Whether a connection to the hub opens within seconds.

    The hub's own client tries six times and takes half a minute to give
    up. Behind a proxy, which alone can tell, the answer is yes.
    """
    if os.environ.get("HF_HUB_OFFLINE", "0").upper() in {"1", "TRUE", "YES"}:
        return False
    if getproxies():
        return True
    hub = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    try:
        place = hub.hostname or "", hub.port or 443
        socket.create_connection(place, timeout=SECONDS).close()
    except OSError:
        return False
    return True
