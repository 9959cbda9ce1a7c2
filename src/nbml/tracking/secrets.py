"""Secrets are taken out before anything of a run is stored; what does it is the store's, for all that is written down."""

from __future__ import annotations

from nbml.store.secrets import LAST, MARK, Redaction, secretive

__all__ = ["LAST", "MARK", "Redaction", "secretive"]
