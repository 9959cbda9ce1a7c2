"""Notebooks as text: ``=== id | name that is cut | kind of input | what is asked``, then its cells, set apart by ``---``.

``## has: text`` stands in the module, ``distractor`` never does; a cell with ``MUSTFAIL`` in it fails.
"""

# ruff: noqa: E501 - whole files, a line each

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from slicing import corpus_changes, corpus_language, corpus_made, corpus_models


@dataclass(frozen=True)
class Page:
    """``call`` is asked of ``value``, what the name stands for, with 50 inputs ``x`` of a kind."""

    id: str
    cells: tuple[str, ...]
    name: str
    kind: str
    call: str
    has: tuple[str, ...]


def _pages(text: str) -> Iterator[Page]:
    for block in re.split(r"(?m)^=== ", text)[1:]:
        head, _, body = block.partition("\n")
        id, name, kind, call = (part.strip() for part in head.split("|", 3))
        has = tuple(re.findall(r"(?m)^## has: (.*)\n", body))
        cells = re.split(r"(?m)^---\n", re.sub(r"(?m)^## .*\n", "", body))
        yield Page(id, tuple(cell.strip("\n") for cell in cells), name, kind, call, has)


PAGES = tuple(page for module in (corpus_language, corpus_models, corpus_changes, corpus_made) for page in _pages(module.PAGES))

#: files beside the notebooks
FILES = {
    'myhelpers.py': '"""Helpers."""\nimport functools\nimport logging\nfrom dataclasses import dataclass, field\nlog = logging.getLogger(__name__)\nRATE = 2\n_CACHE = {}\ndef scale(x): return x * RATE\nclass Thing:\n    def __init__(self, k): self.k = k\n    def go(self, x): return x * self.k\nclass Base:\n    def __init__(self, n): self.n = n\n    def step(self, x): return x + self.n\n    def predict(self, x): return self.step(x)\n@dataclass\nclass Config:\n    rate: int = 1\n    tags: list = field(default_factory=list)\ndef logged(f):\n    @functools.wraps(f)\n    def inner(*a, **k):\n        log.debug("call %s", f.__name__)\n        return f(*a, **k)\n    return inner\ndef retry(times=1, errors=(Exception,)):\n    def deco(f):\n        @functools.wraps(f)\n        def inner(*a, **k):\n            for n in range(times):\n                try: return f(*a, **k)\n                except errors:\n                    if n + 1 == times: raise\n        return inner\n    return deco\n',
    'mypkg/__init__.py': "from .tops import top\nfrom . import inner\n__version__ = '1'\n",
    'mypkg/tops.py': 'from .inner.deep import K\n\ndef top(x):\n    return x + K\n',
    'mypkg/inner/__init__.py': '',
    'mypkg/inner/deep.py': 'from ..consts import K\n\ndef deepest(x):\n    from .. import tops\n    return tops.top(x) + K\n',
    'mypkg/consts.py': 'K = 5\n',
    'mypkg/unused.py': 'import not_there\n',
    'starred.py': "__all__ = ['shown', 'CONST']\nCONST = 3\nhidden = 1\ndef shown(x): return x + hidden\ndef tan(x): return x\n",
    'src/proj/__init__.py': '',
    'src/proj/features.py': 'from proj.config import FACTOR\nfrom .config import SHIFT\n\ndef build(x):\n    return x + SHIFT\n',
    'src/proj/config.py': 'FACTOR = 10\nSHIFT = 1\n',
    'checked_only.py': 'import re\nimport typing as t\nif t.TYPE_CHECKING:\n    import not_installed_anywhere\ndef clean(x: "not_installed_anywhere.T"): return re.sub(r"\\W", "", x)\n',
    'nsfolder/part.py': 'def f(x):\n    return x - 1\n',
}
