"""Whether a notebook is there, and which of its cells runs; asked without loading IPython."""

from __future__ import annotations

import sys
from typing import Any


def shell() -> Any:
    """The running IPython shell; None in a plain program."""
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()


def cell() -> int | None:
    """The number of the cell that runs; None outside IPython."""
    found = shell()
    return None if found is None else int(found.execution_count)
