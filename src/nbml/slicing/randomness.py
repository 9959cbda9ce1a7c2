"""The state of the global generators of random numbers, in a few bytes."""

from __future__ import annotations

import random
import sys

from nbml.slicing.digests import short


def states() -> dict[str, bytes]:
    """Generator -> digest of its state. One that is not loaded has none; its loading is no draw."""
    found = {"random": hash(random.getstate()).to_bytes(8, "big", signed=True)}
    numpy = sys.modules.get("numpy")
    if numpy is not None and "numpy.random" in sys.modules:
        state = numpy.random.get_state(legacy=False)
        told = (state["state"]["key"].tobytes(), state["state"]["pos"], state["has_gauss"])
        found["numpy"] = hash(told).to_bytes(8, "big", signed=True)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        found["torch"] = short(torch.get_rng_state().numpy().tobytes())
    return found
