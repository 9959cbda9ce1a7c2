"""A prediction that asks the clock is refused by name and place; what only fits, logs or ran once may ask it."""

# ruff: noqa: E501 - whole notebooks, a line each

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nbml import errors
from nbml.slicing import Slice, cut, recorder

Cut = Callable[..., Slice]
CLOCK = "which asks the clock, so that the same row gets another answer at another time; give it as a column of the data, or read it in a cell and use the value"
RANDOM = "which is drawn anew at each call; make a generator with a seed inside the function, or draw it in a cell and use the value"
DRAWN = "which is drawn anew at each call; give it as a column of the data, or read it in a cell and use the value"


@pytest.fixture
def cut_after(notebook: Any) -> Cut:
    """Runs cells and cuts ``predict``."""
    recorder.attach(notebook)

    def run(*cells: str) -> Slice:
        for cell in cells:
            notebook.run_cell(cell, store_history=True).raise_error()
        return cut({"predict": notebook.user_ns["predict"]}, module="made")

    return run


REFUSED = [
    ("time", ["import time", "k = 2\n\ndef predict(d):\n    return d + time.time()"], f"predict calls time.time() (cell 2, line 4), {CLOCK}"),
    ("renamed", ["from time import time as now\ndef predict(d):\n    return d + now()"], f"predict calls time.time() (cell 1, line 3), {CLOCK}"),
    ("by-another-name", ["import time\nclock = time.perf_counter\ndef predict(d):\n    return d + clock()"], f"predict calls time.perf_counter() (cell 1, line 4), {CLOCK}"),
    ("imported-within", ["def predict(d):\n    import time as t\n    return d + t.monotonic()"], f"predict calls time.monotonic() (cell 1, line 3), {CLOCK}"),
    ("datetime", ["import datetime as dt\ndef predict(d):\n    return dt.datetime.now().hour"], f"predict calls datetime.datetime.now() (cell 1, line 3), {CLOCK}"),
    ("utcnow", ["from datetime import datetime\ndef predict(d):\n    return datetime.utcnow().hour"], f"predict calls datetime.datetime.utcnow() (cell 1, line 3), {CLOCK}"),
    ("date", ["from datetime import date\ndef predict(d):\n    return date.today().year - d"], f"predict calls datetime.date.today() (cell 1, line 3), {CLOCK}"),
    ("pandas", ["import pandas as pd\ndef predict(d):\n    return pd.Timestamp.now().year - d"], f"predict calls pandas.Timestamp.now() (cell 1, line 3), {CLOCK}"),
    ("pandas-today", ["import pandas as pd\ndef predict(d):\n    return pd.Timestamp.today().year - d"], f"predict calls pandas.Timestamp.today() (cell 1, line 3), {CLOCK}"),
    ("uuid", ["import uuid\ndef predict(d):\n    return [str(uuid.uuid4()) for _ in d]"], f"predict calls uuid.uuid4() (cell 1, line 3), {DRAWN}"),
    ("urandom", ["import os\ndef predict(d):\n    return os.urandom(4)"], f"predict calls os.urandom() (cell 1, line 3), {DRAWN}"),
    ("secrets", ["import secrets\ndef predict(d):\n    return secrets.token_hex()"], f"predict calls secrets.token_hex() (cell 1, line 3), {DRAWN}"),
    ("a-helper", ["import time\ndef age():\n    return time.time_ns()\ndef predict(d):\n    return d + age()"], f"age calls time.time_ns() (cell 1, line 3), {CLOCK}"),
    ("a-lambda", ["import time\npredict = lambda d: d + time.time()"], f"predict calls time.time() (cell 1, line 2), {CLOCK}"),
    ("decorated", ["import functools, time\n@functools.lru_cache\ndef age(x):\n    return time.time()\ndef predict(d):\n    return d + age(1)"], f"age calls time.time() (cell 1, line 4), {CLOCK}"),
    ("a-model", ["import time\nclass Model:\n    def predict(self, d):\n        return self._add(d)\n    def _add(self, d):\n        return d + time.time()\nmodel = Model()\ndef predict(d):\n    return model.predict(d)"],
     f"Model._add calls time.time() (cell 1, line 6), {CLOCK}"),
    ("kept", ["import time\nseen = []\ndef predict(d):\n    seen.append(time.time())\n    return d + len(seen)"], f"predict calls time.time() (cell 1, line 4), {CLOCK}"),
    ("kept-in-a-global", ["import time\nlast = 0\ndef predict(d):\n    global last\n    last = time.time()\n    return d"], f"predict calls time.time() (cell 1, line 5), {CLOCK}"),
    ("random", ["import random\ndef predict(d):\n    return d + random.random()"], f"predict calls random.random() (cell 1, line 3), {RANDOM}"),
    ("random-by-name", ["from random import gauss as g\ndef predict(d):\n    return d + g(0, 1)"], f"predict calls random.gauss() (cell 1, line 3), {RANDOM}"),
    ("random-in-place", ["import random\ndef predict(d):\n    random.shuffle(d)\n    return d"], f"predict calls random.shuffle() (cell 1, line 3), {RANDOM}"),
    ("numpy-random", ["import numpy as np\ndef predict(d):\n    return d + np.random.normal(size=len(d))"], f"predict calls numpy.random.normal() (cell 1, line 3), {RANDOM}"),
    ("numpy-random-within", ["def predict(d):\n    from numpy import random as r\n    return d + r.rand()"], f"predict calls numpy.random.rand() (cell 1, line 3), {RANDOM}"),
    ("no-seed", ["import numpy as np\ndef predict(d):\n    rng = np.random.default_rng(None)\n    return d + rng.normal()"], f"predict calls numpy.random.default_rng() (cell 1, line 3), {RANDOM}"),
    ("no-seed-either", ["import random\ndef predict(d):\n    return d + random.Random().random()"], f"predict calls random.Random() (cell 1, line 3), {RANDOM}"),
    ("a-generator-of-the-notebook", ["import numpy as np\nrng = np.random.default_rng(0)\ndef predict(d):\n    return d + rng.normal()"], f"predict calls rng.normal() (cell 1, line 4), {RANDOM}"),
    ("seeded-after", ["import random\ndef predict(d):\n    x = random.random()\n    random.seed(1)\n    return d + x"], f"predict calls random.random() (cell 1, line 3), {RANDOM}"),
    ("a-sample-of-rows", ["def predict(d):\n    return d.sample(frac=1)"], f"predict calls d.sample() (cell 1, line 2), {RANDOM}"),
    ("of-a-distribution", ["from scipy import stats\ndef predict(d):\n    return stats.norm.rvs(size=len(d))"], f"predict calls stats.norm.rvs() (cell 1, line 3), {RANDOM}"),
    ("shuffled-by-sklearn", ["from sklearn.utils import shuffle\ndef predict(d):\n    return shuffle(d)"], f"predict calls sklearn.utils.shuffle() (cell 1, line 3), {RANDOM}"),
    ("used-after-the-log", ["import time\ndef predict(d):\n    began = time.time()\n    print(began)\n    return d + began"], f"predict calls time.time() (cell 1, line 3), {CLOCK}"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
@pytest.mark.filterwarnings("ignore:.*utcnow:DeprecationWarning")
def test_a_prediction_that_asks_the_clock_is_refused_by_name_and_place(cells: list[str], message: str, cut_after: Cut) -> None:
    with pytest.raises(errors.SliceRefused) as refused:
        cut_after(*cells)
    assert refused.value.message == message


ALLOWED = [
    ("read-once", "import time\nbegan = time.time()\ndef predict(d):\n    return d + began"),
    ("thrown-away", "import time\ndef predict(d):\n    time.time()\n    return d"),
    ("logged", "import logging, time\nlog = logging.getLogger('x')\ndef predict(d):\n    t0 = time.perf_counter()\n    found = d + 1\n    log.info('%s s', time.perf_counter() - t0)\n    return found"),
    ("printed", "import time\ndef predict(d):\n    took = time.time() - time.time()\n    print(f'{took}')\n    return d"),
    ("fitting-only", "import time\ndef stamp():\n    return time.time()\nclass Model:\n    def fit(self, d):\n        self.t = stamp()\n        return self._finish()\n    def _finish(self):\n        self.u = time.time()\n        return self\n    def predict(self, d):\n        return d\nmodel = Model().fit(1)\ndef predict(d):\n    return model.predict(d)"),
    ("a-local-of-the-name", "import time\ndef predict(d, time=None):\n    return d if time is None else time.time()"),
    ("another-time", "import datetime as dt\ndef predict(d):\n    return dt.datetime(2024, 1, 1).hour + d"),
    ("a-time-that-is-given", "import time\ndef predict(d):\n    return time.strftime('%Y', time.gmtime(d))"),
    ("seeds-itself", "import numpy as np\ndef predict(d):\n    rng = np.random.default_rng(7)\n    return d + rng.normal()"),
    ("seeds-the-global-one", "import random\ndef predict(d):\n    random.seed(len(d))\n    return random.random()"),
    ("a-seed-that-is-given", "import random\ndef predict(d, seed=1):\n    return random.Random(seed).random()"),
    ("rows-by-a-seed", "def predict(d):\n    return d.sample(frac=1, random_state=0)"),
    ("drawn-in-a-cell", "import random\nnoise = random.random()\ndef predict(d):\n    return d + noise"),
    ("fitted-at-random", "import numpy as np\nclass Model:\n    def fit(self, d):\n        self.w = np.random.rand()\n        return self\n    def predict(self, d):\n        return d * self.w\nmodel = Model().fit(1)\ndef predict(d):\n    return model.predict(d)"),
    ("slept", "import time\ndef predict(d):\n    time.sleep(0)\n    return d"),
    ("unused", "import time\ndef other():\n    return time.time()\ndef predict(d):\n    return d"),
]  # fmt: skip


@pytest.mark.parametrize("cell", [case[1] for case in ALLOWED], ids=[case[0] for case in ALLOWED])
def test_what_no_answer_hangs_on_may_ask_it(cell: str, cut_after: Cut) -> None:
    assert "def predict" in cut_after(cell).source
