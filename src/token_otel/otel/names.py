"""`Names`: how names of agents, tools and conversations leave the process: as they are, or hashed."""

from __future__ import annotations

import secrets
from functools import lru_cache
from hashlib import blake2b


class Names:
    """Shows names plainly, or as keyed hashes that are the same wherever the key is the same.

    Args:
        hashed: Whether names are hashed.
        key: The key; without one a random one is drawn, and hashes differ from process to process.
    """

    def __init__(self, *, hashed: bool = False, key: str = "") -> None:
        secret = blake2b((key or secrets.token_hex(32)).encode("utf-8", "surrogateescape"), digest_size=32).digest()

        @lru_cache(maxsize=4096)
        def digest(name: str) -> str:
            return blake2b(name.encode("utf-8", "replace"), key=secret, digest_size=6).hexdigest()

        self._digest = digest if hashed else None

    def show(self, name: str) -> str:
        """Return the name as it may leave."""
        return name if self._digest is None else self._digest(name)

    def origin(self, origin: str) -> str:
        """Return an origin as it may leave: the name behind `agent:` or `tool:` is shown, roles stay."""
        kind, colon, name = origin.partition(":")
        return f"{kind}:{self.show(name)}" if colon else origin
