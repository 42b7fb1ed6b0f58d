"""`MissingExtraError`: what to install."""


class MissingExtraError(ImportError):
    """An extra that is not installed, in one sentence."""
