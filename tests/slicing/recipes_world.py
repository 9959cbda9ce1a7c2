"""Notebooks that read what lies outside them: files, modules, the environment, clocks, chance."""

# ruff: noqa: E501 - whole notebooks, a line each

from __future__ import annotations

from slicing.recipes_state import BAD, GOOD, HIDDEN, Page, Write

HELPER = "RATE = 2\n\ndef scale(x):\n    return x * RATE\n"
SCRIPT = "import math\nbase = math.floor(7.9)\n\ndef grow(x):\n    return x + base\n"

FILES = (
    Page("csv", ("import pandas as pd\nwine = pd.read_csv('wine.csv')\ndistractor = pd.read_parquet('iris.parquet')", "m = wine['alcohol'].mean()"), "m", has=("wine.csv",), inputs=("wine.csv",)),
    Page("parquet", ("import pandas as pd\niris = pd.read_parquet('iris.parquet')", "distractor = iris.describe()", "m = iris.groupby('target').mean()"), "m", inputs=("iris.parquet",)),
    Page("parquet-by-arrow", ("import pyarrow.parquet as pq\ntable = pq.read_table('iris.parquet', columns=['target'])", "n = table.num_rows"), "n", inputs=("iris.parquet",)),
    Page("json-by-path", ("import json\nfrom pathlib import Path\nsettings = json.loads(Path('settings.json').read_text())", "out = settings['k'] * 2"), "out", inputs=("settings.json",), has=("read_text()",)),
    Page("open-in-a-with", ("with open('settings.json') as file:\n    text = file.read()", "import json\ndistractor = 1", "out = json.loads(text)['k']"), "out", inputs=("settings.json",)),
    Page("read-in-a-function", ("import pandas as pd\nPATH = 'wine.csv'\ndef load(n):\n    return pd.read_csv(PATH).head(n)", "distractor = load(2)", "out = load(5)['hue'].sum()"), "out", inputs=("wine.csv",), has=("PATH = 'wine.csv'",)),
    Page("csv-changed-later", ("import pandas as pd\nwine = pd.read_csv('wine.csv')", "m = wine['alcohol'].mean()"), "m", then=(Write("wine.csv", "alcohol\n1\n"),), inputs=("wine.csv",), replay=True),
    Page("csv-gone-later", ("import pandas as pd\nwine = pd.read_csv('wine.csv')", "m = wine['alcohol'].mean()"), "m", then=(Write("wine.csv", None),), inputs=("wine.csv",), replay=True),
    Page("csv-changed-between", ("import pandas as pd\nold = pd.read_csv('wine.csv')['alcohol'].sum()", Write("wine.csv", "alcohol\n1\n2\n"), "new = pd.read_csv('wine.csv')['alcohol'].sum()", "out = (old, new)"), "out", (GOOD, HIDDEN, BAD), why=(r"wine\.csv",), replay=True),
    Page("written-then-read", ("import pandas as pd\nfrom sklearn.datasets import load_iris\niris = load_iris(as_frame=True).frame", "iris.head(30).to_csv('part.csv', index=False)\ndistractor = len(iris)", "back = pd.read_csv('part.csv')"), "back"),
    Page("written-twice", ("from pathlib import Path\nPath('n.txt').write_text('1')", "a = Path('n.txt').read_text()", "Path('n.txt').write_text('2')", "b = Path('n.txt').read_text()", "out = a + b"), "out", replay=True),
    Page("big-file", ("with open('big.bin', 'rb') as file:\n    head = file.read(4)", "out = list(head)"), "out", inputs=("big.bin",)),
    Page("big-file-changed", ("with open('big.bin', 'rb') as file:\n    head = file.read(4)", "out = list(head)"), "out", (BAD,), (r"big\.bin",), then=(Write("big.bin", "else"),)),
    Page("helper-module", ("import helper", "distractor = helper.RATE", "out = helper.scale(4)"), "out", has=("import helper",), inputs=("helper.py",)),
    Page("helper-changed-later", ("from helper import scale", "out = scale(4)"), "out", then=(Write("helper.py", "def scale(x):\n    return 'changed'\n"),), inputs=("helper.py",), replay=True),
    Page("helper-reloaded", ("import importlib, helper", "a = helper.scale(1)", Write("helper.py", HELPER.replace("* RATE", "* RATE + 100")), "importlib.reload(helper)", "out = helper.scale(4)"), "out", (GOOD, BAD), inputs=("helper.py",)),
    Page("helper-edited-not-reloaded", ("import helper", "a = helper.scale(1)", Write("helper.py", HELPER.replace("* RATE", "* RATE + 100")), "import helper", "out = helper.scale(4) + a"), "out", inputs=("helper.py",), replay=True),
    Page("helper-global-set", ("import helper", "helper.RATE = 30", "distractor = 1", "out = helper.scale(2)"), "out", has=("helper.RATE = 30",)),
    Page("helper-of-a-folder", ("import sys\nsys.path.insert(0, 'lib')", "import deep", "out = deep.low(3)"), "out", inputs=("deep.py",)),
    Page("run-a-script", ("%run script.py", "distractor = base", "out = grow(1)"), "out", inputs=("script.py",)),
    Page("script-changed-later", ("%run script.py", "out = grow(1)"), "out", then=(Write("script.py", "def grow(x):\n    return -x\n"),), inputs=("script.py",), replay=True),
    Page("snapshot", ("import pandas as pd\nwine = pd.read_csv('wine.csv').head(100)", "%nbml snapshot wine --name wine", "distractor = wine.corr()", "m = wine['alcohol'].mean()"), "m", has=('nbml.dataset("wine@1").load()',), lacks=("read_csv", "distractor"), inputs=("wine@1",), then=(Write("wine.csv", None),)),
    Page("snapshot-then-changed", ("import pandas as pd\nimport nbml\nwine = pd.read_csv('wine.csv')", "v = nbml.snapshot(wine, name='wine')", "wine = wine[wine['hue'] > 1]\nwine['alcohol'] += 1", "m = wine['alcohol'].mean()"), "m", has=('nbml.dataset("wine@1").load()', "wine['alcohol'] += 1"), lacks=("read_csv",)),
    Page("dataset-loaded", ("import nbml\nimport pandas as pd\nnbml.snapshot(pd.read_csv('wine.csv'), name='wine')", "df = nbml.dataset('wine').load()", "m = len(df)"), "m", lacks=("read_csv",)),
    Page("folder-changed", ("import os\nos.chdir('sub')", "text = open('inner.txt').read()", "os.chdir('..')", "out = text.strip()"), "out", (GOOD, BAD)),
)

SURROUNDINGS = (
    Page("environment", ("import os\nmode = os.environ.get('NBML_TEST_MODE', 'slow')", "distractor = os.environ['HOME']", "out = mode + '!'"), "out", env=(("NBML_TEST_MODE", "quick-and-private"),), inputs=("NBML_TEST_MODE",), lacks=("quick-and-private", "distractor")),
    Page("environment-changed-later", ("import os\nmode = os.environ['NBML_TEST_MODE']", "out = mode.upper()", "os.environ['NBML_TEST_MODE'] = 'other'"), "out", (BAD, GOOD), why=("NBML_TEST_MODE",), env=(("NBML_TEST_MODE", "quick"),)),
    Page("environment-set-by-the-page", ("import os\nos.environ['NBML_TEST_MODE'] = 'mine'", "out = os.getenv('NBML_TEST_MODE')"), "out", has=("os.environ['NBML_TEST_MODE'] = 'mine'",)),
    Page("clock", ("from datetime import datetime\nnow = datetime.now()", "out = now.isoformat()"), "out", (BAD,), (r"cell 1\b.*(clock|now|time)",)),
    Page("clock-in-a-function", ("import time\ndef stamp():\n    return time.time()", "t = stamp()", "out = int(t)"), "out", (BAD,), (r"cell 2\b.*(clock|time)",)),
    Page("today-by-pandas", ("import pandas as pd\ntoday = pd.Timestamp.now()", "out = (today - pd.Timestamp('2020-01-01')).days"), "out", (BAD,), (r"cell 1\b.*(clock|now|time)",)),
    Page("clock-beside", ("import time\nstarted = time.time()\nx = sum(range(1000))\nelapsed = time.time() - started", "out = x + 1"), "out", lacks=("time.time()",)),
    Page("uuid", ("import uuid\nrun_id = uuid.uuid4().hex", "out = run_id[:8]"), "out", (BAD,), (r"cell 1\b.*(uuid|random)",)),
    Page("urandom", ("import os\nkey = os.urandom(4)", "out = key.hex()"), "out", (BAD,), (r"cell 1\b.*(urandom|random)",)),
    Page("shell-output", ("lines = !printf '3\\n4\\n'", "out = len(lines)"), "out", (BAD,), (r"cell 1\b.*(shell|command)",)),
    Page("set-of-strings", ("words = {'alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'}", "out = list(words)"), "out", (BAD,), (r"(order|hash)",)),
    Page("sorted-set-of-strings", ("words = {'alpha', 'beta', 'gamma', 'delta'}", "out = sorted(words)"), "out"),
    Page("hash-of-a-string", ("bucket = hash('alpha') % 1000", "out = bucket"), "out", (BAD,), (r"hash",)),
    Page("printing-options", ("import numpy as np\nnp.set_printoptions(precision=2)", "x = np.array([1.23456])", "out = str(x)"), "out", (GOOD, BAD)),
    Page("pandas-option", ("import pandas as pd\npd.set_option('display.max_rows', 4)", "out = repr(pd.Series(range(100)))"), "out", (GOOD, BAD)),
    Page("warnings-and-logging-stay-out", ("import warnings, logging\nwarnings.filterwarnings('ignore')\nlogging.getLogger().setLevel(30)", "out = 3 * 4"), "out", lacks=("warnings", "logging")),
)

CHANCE = (
    Page("numpy-seeded", ("import numpy as np\nnp.random.seed(0)", "x = np.random.rand(5)", "distractor = x * 2", "out = x.sum()"), "out", has=("np.random.seed(0)",)),
    Page("numpy-second-draw", ("import numpy as np\nnp.random.seed(0)", "a = np.random.rand(3)", "b = np.random.rand(3)"), "b", has=("np.random.rand(3)", "np.random.seed(0)")),
    Page("numpy-unseeded", ("import numpy as np\nx = np.random.rand(5)", "out = x.sum()"), "out", (BAD,), (r"cell 1\b.*(seed|random)",)),
    Page("numpy-seeded-too-late", ("import numpy as np\nx = np.random.rand(5)", "np.random.seed(0)", "out = x.sum()"), "out", (BAD,), (r"cell 1\b.*(seed|random)",)),
    Page("random-seeded", ("import random\nrandom.seed(4)\ndeck = list(range(20))", "random.shuffle(deck)", "distractor = 5", "out = deck[:3]"), "out", has=("random.seed(4)", "random.shuffle(deck)")),
    Page("random-unseeded", ("import random\ndeck = list(range(20))", "random.shuffle(deck)", "out = deck[:3]"), "out", (BAD,), (r"cell 2\b.*(seed|random)",)),
    Page("generator-carried-on", ("import numpy as np\nrng = np.random.default_rng(3)", "noise = rng.normal(size=3)", "distractor = noise.sum()", "x = rng.normal(size=3)", "out = x.max()"), "out", has=("noise = rng.normal(size=3)",)),
    Page("generator-unseeded", ("import numpy as np\nrng = np.random.default_rng()", "out = rng.normal(size=3)"), "out", (BAD,), (r"cell [12]\b.*(seed|random)",)),
    Page("random-state-carried-on", ("import numpy as np\nfrom sklearn.model_selection import train_test_split\nrs = np.random.RandomState(1)\nX = np.arange(40).reshape(20, 2)", "a, b = train_test_split(X, random_state=rs)", "distractor = a.sum()", "c, d = train_test_split(X, random_state=rs)"), "d", has=("a, b = train_test_split",)),
    Page("split-unseeded", ("import numpy as np\nfrom sklearn.model_selection import train_test_split\nX = np.arange(200).reshape(100, 2)", "a, b = train_test_split(X)", "out = b.sum(axis=0)"), "out", (BAD,), (r"cell 2\b.*(seed|random)",)),
    Page("forest-unseeded", ("from sklearn.datasets import load_iris\nfrom sklearn.ensemble import RandomForestClassifier\nX, y = load_iris(return_X_y=True)", "m = RandomForestClassifier(5).fit(X, y)", "out = m.predict_proba(X[:5])"), "out", (BAD,), (r"cell 2\b.*(seed|random)",)),
    Page("forest-seeded", ("from sklearn.datasets import load_iris\nfrom sklearn.ensemble import RandomForestClassifier\nX, y = load_iris(return_X_y=True)", "m = RandomForestClassifier(5, random_state=0).fit(X, y)\ndistractor = RandomForestClassifier(3, random_state=1).fit(X, y)", "out = m.predict_proba(X[:5])"), "out", has=("random_state=0",)),
    Page("sample-unseeded", ("import pandas as pd\nwine = pd.read_csv('wine.csv')", "part = wine.sample(20)", "out = part['hue'].mean()"), "out", (BAD,), (r"cell 2\b.*(seed|random)",)),
    Page("sample-seeded", ("import pandas as pd\nwine = pd.read_csv('wine.csv')", "part = wine.sample(20, random_state=5)", "out = part['hue'].mean()"), "out"),
    Page("chance-beside", ("import numpy as np\ndistractor = np.random.rand(5)", "x = np.arange(5.0)", "out = x.sum()"), "out"),
    Page("seeded-and-run-twice", (("a", "import numpy as np\nnp.random.seed(0)"), ("b", "x = np.random.rand(2)"), ("b", "x = np.random.rand(2)"), ("c", "out = x.sum()")), "out", (HIDDEN,), (r"cell [23]\b.*(twice|2 times|again)",)),
)

PAGES = (*FILES, *SURROUNDINGS, *CHANCE)
