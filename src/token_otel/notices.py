"""`Notices`: what a recorder logs, each thing once."""

from __future__ import annotations

import logging

from token_otel.door import Misfit
from token_otel.prices.price_file import unpriced

logger = logging.getLogger("token_otel")

MET_PROVIDERS = WARNED_MODELS = 1_000  # a program that makes up names gets no warning for each


class Notices:
    """Remembers what was said."""

    def __init__(self) -> None:
        self._failures: set[tuple[type, str]] = set()
        self._unpriced: set[tuple[str | None, str]] = set()
        self._providers: set[str | None] = set()

    def failed(self, error: Exception) -> None:
        """Say that something of ours failed, once for each cause."""
        if isinstance(error, Misfit):
            place = what = str(error)
        else:
            # The error's own text may quote a prompt: its type and place are enough to mend it.
            place = _place(error)
            what = f"{type(error).__name__} at {place}"
        cause = (type(error), place)
        if cause not in self._failures:
            self._failures.add(cause)
            logger.error("token-otel failed (%s); your program is unaffected", what)

    def meets(self, provider: str | None) -> bool:
        """Tell whether this is the first call to a provider."""
        if provider in self._providers or len(self._providers) >= MET_PROVIDERS:
            return False
        self._providers.add(provider)
        return True

    def unpriced(self, provider: str | None, model: str | None) -> None:
        """Say, once for each model, that its calls have no cost: left alone, it would look like a call that was free."""
        key = (provider, model or "a model without a name")
        if key not in self._unpriced and len(self._unpriced) < WARNED_MODELS:
            self._unpriced.add(key)
            logger.warning(unpriced(*key))


def _place(error: Exception) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{traceback.tb_frame.f_code.co_qualname}:{traceback.tb_lineno}" if traceback is not None else "an unknown place"
