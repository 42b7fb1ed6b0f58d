"""`Names`: how names of agents, tools and conversations, and ids that may hold one, leave the process: as they are, or hashed."""

from __future__ import annotations

import secrets
from functools import lru_cache
from hashlib import blake2b

from token_otel.flow.store import SHORTEST_GLOBAL_ID

NAME_BYTES = 6
ID_BYTES = 12  # of an id that is unique in the world: as long as such ids are, so that it still joins other processes


class Names:
    """Shows names plainly, or as keyed hashes that are the same wherever the key is the same.

    Args:
        hashed: Whether names are hashed.
        key: The key; without one a random one is drawn, and hashes differ from process to process.
    """

    def __init__(self, *, hashed: bool = False, key: str = "") -> None:
        secret = blake2b((key or secrets.token_hex(32)).encode("utf-8", "surrogateescape"), digest_size=32).digest()

        @lru_cache(maxsize=4096)
        def digest(name: str, size: int = NAME_BYTES) -> str:
            return blake2b(name.encode("utf-8", "replace"), key=secret, digest_size=size).hexdigest()

        self._digest = digest if hashed else None

    def show(self, name: str) -> str:
        """Return the name as it may leave."""
        return name if self._digest is None else self._digest(name)

    def id(self, label: str) -> str:
        """Return the id of a message or a tool call as it may leave.

        Some servers make it of the tool's name (`functions.search:0`), some programs of a user's.
        """
        if self._digest is None:
            return label
        return self._digest(label, ID_BYTES) if len(label) >= SHORTEST_GLOBAL_ID else self._digest(label)

    def origin(self, origin: str) -> str:
        """Return an origin as it may leave: the name behind `agent:` or `tool:` is shown, roles stay."""
        kind, colon, name = origin.partition(":")
        return f"{kind}:{self.show(name)}" if colon else origin
