"""Notebooks that fit and track: loops over models, searches, runs in a block and in a cell, several runs in one page."""

# ruff: noqa: E501 - whole notebooks, a line each

from __future__ import annotations

from slicing.recipes_state import BAD, HIDDEN, Page, Write

DATA = "import nbml\nimport numpy as np\nimport pandas as pd\nfrom sklearn.datasets import load_breast_cancer\nfrom sklearn.linear_model import LogisticRegression\nfrom sklearn.model_selection import train_test_split\nX, y = load_breast_cancer(return_X_y=True, as_frame=True)"
WINE = "import nbml\nimport numpy as np\nimport pandas as pd\nX = pd.read_csv('wine.csv')"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)"
FIT = "model = LogisticRegression(C={c}, max_iter=20).fit(X_train / X_train.max(), y_train)\nnbml.log(accuracy=model.score(X_test / X_train.max(), y_test))"

LINE = "w = np.polyfit(X['alcohol'], X['hue'], {c})\nnbml.log(error=float(np.abs(np.polyval(w, X['alcohol']) - X['hue']).mean()))"


def block(name: str, body: str) -> str:
    """A body as the block of a run."""
    return f"with nbml.track({name!r}):\n" + "\n".join(f"    {line}" for line in body.split("\n"))


PLOT = "distractor = X['mean area'].hist if False else X.describe()\nprint(distractor)"
TUNED = "from sklearn.model_selection import GridSearchCV\nfrom sklearn.tree import DecisionTreeClassifier"

MODELS = (
    Page("loop-over-models", (DATA, SPLIT, PLOT, "from sklearn.tree import DecisionTreeClassifier\nscores = {}\nfor depth in (1, 2, 3):\n    tree = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X_train, y_train)\n    scores[depth] = tree.score(X_test, y_test)", "distractor = LogisticRegression().fit([[0], [1]], [0, 1])", "best = max(scores.values())"),
         "best", has=("for depth in (1, 2, 3)",), lacks=("describe", "distractor")),
    Page("unused-fit", (DATA, SPLIT, "distractor = LogisticRegression(max_iter=5).fit(X_train / 1000, y_train)", "model = LogisticRegression(max_iter=9).fit(X_train / 500, y_train)", "p = model.predict_proba(X_test / 500)[:4]"), "p", has=("max_iter=9",)),
    Page("model-fitted-again", (DATA, SPLIT, "model = LogisticRegression(max_iter=5)", "model.fit(X_train / 1000, y_train)", "model.fit(X_train / 500, y_train)", "p = model.coef_"), "p", has=("/ 500",)),
    Page("warm-start", (DATA, "from sklearn.linear_model import SGDClassifier\nsgd = SGDClassifier(random_state=0)\nZ = (X - X.mean()) / X.std()", "sgd.partial_fit(Z[:200], y[:200], classes=[0, 1])", "sgd.partial_fit(Z[200:], y[200:])", "distractor = sgd.score(Z, y)", "w = sgd.coef_"), "w", has=("Z[:200]", "Z[200:]")),
    Page("pipeline", (DATA, SPLIT, "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\nscaler = StandardScaler()\npipe = make_pipeline(scaler, LogisticRegression(max_iter=50))", "distractor = StandardScaler().fit(X_test)", "pipe.fit(X_train, y_train)", "s = scaler.mean_"), "s", has=("pipe.fit(X_train, y_train)",)),
    Page("cross-validated", (DATA, "from sklearn.model_selection import cross_val_score\nscores = cross_val_score(LogisticRegression(max_iter=20), X / X.max(), y, cv=3)", "distractor = scores.std()", "s = scores.mean()"), "s"),
    Page("grid-search", (DATA, TUNED, "search = GridSearchCV(DecisionTreeClassifier(random_state=0), {'max_depth': [1, 2]}, cv=3)", "search.fit(X, y)", "distractor = search.cv_results_", "best = (search.best_params_['max_depth'], search.best_score_)"), "best", has=("search.fit(X, y)",)),
    Page("transformed-and-fitted", (DATA, "from sklearn.preprocessing import StandardScaler\nscaler = StandardScaler()\nZ = scaler.fit_transform(X)", "m = LogisticRegression(max_iter=20).fit(Z, y)", "Z = Z * 0  # distractor", "out = m.score(scaler.transform(X), y)"), "out"),
)

RUNS = (
    Page("run-block", (DATA, SPLIT, PLOT, "distractor = X.describe()", block("one", FIT.format(c=1))), "one", has=("nbml.track", "LogisticRegression(C=1", "random_state=0"), lacks=("describe", "distractor"), run=True),
    Page("run-cell", (WINE, "%%nbml track one\ndistractor = X.shape\n" + LINE.format(c=2)), "one", has=("nbml.track", "X['hue'], 2)"), lacks=("distractor",), run=True),
    Page("two-runs-in-a-page", (WINE, block("one", LINE.format(c=1)), block("two", LINE.format(c=3))), "two", has=("X['hue'], 3)",), lacks=("X['hue'], 1)",), run=True),
    Page("first-of-two-runs", (WINE, "%%nbml track one\n" + LINE.format(c=1), "%%nbml track two\n" + LINE.format(c=3)), "one", has=("X['hue'], 1)",), lacks=("X['hue'], 3)",), run=True),
    Page("run-in-a-function", (DATA, SPLIT, "def evaluate(m):\n    nbml.log(accuracy=m.score(X_test, y_test))", "model = LogisticRegression(max_iter=5).fit(X_train, y_train)\ndistractor = 1", "with nbml.track('one'):\n    evaluate(model)"), "one", has=("def evaluate", "LogisticRegression"), run=True),
    Page("run-with-steps", ("import nbml\nimport numpy as np", "%%nbml track one\nw = 1.0\nfor step in range(20):\n    w -= 0.1 * w\n    nbml.log(loss=w ** 2, step=step)\nnbml.log({'final/w': w, 'not a number': float('nan'), 'too much': float('inf')})"), "one", has=("for step in range(20)",), run=True),
    Page("runs-of-a-loop", (DATA, SPLIT, "for c in (0.1, 1.0):\n    with nbml.track(f'c{c}'):\n        nbml.log(accuracy=LogisticRegression(C=c, max_iter=10).fit(X_train / 1000, y_train).score(X_test / 1000, y_test))"), "c1.0", has=("for c in (0.1, 1.0)",), run=True),
    Page("run-with-a-clock", (WINE, "%%nbml track one\nimport time\nstarted = time.perf_counter()\nnbml.log(area=X['alcohol'].mean())\nnbml.log(took=time.perf_counter() - started)"), "one", (BAD,), (r"cell 2\b.*(clock|time|perf_counter)",), run=True),
    Page("run-unseeded", (WINE, "%%nbml track one\nB = X.sample(20)\nnbml.log(area=B['alcohol'].mean())"), "one", (BAD,), (r"cell 2\b.*(seed|random)",), run=True),
    Page("run-out-of-order", (("a", WINE), ("c", "X = X[X['alcohol'] < 13]"), ("b", "%%nbml track one\nnbml.log(area=X['alcohol'].mean())")), "one", (HIDDEN,), (r"cell 2\b.*(order|below)",), has=("< 13",), run=True,
         page=(("a", WINE), ("b", "%%nbml track one\nnbml.log(area=X['alcohol'].mean())"), ("c", "X = X[X['alcohol'] < 13]"))),
    Page("run-of-a-deleted-cell", (("a", WINE), ("b", "limit = 13"), ("c", "%%nbml track one\nnbml.log(n=int((X['alcohol'] < limit).sum()))")), "one", (HIDDEN,), (r"cell 2\b.*deleted",), run=True,
         page=(("a", WINE), ("c", "%%nbml track one\nnbml.log(n=int((X['alcohol'] < limit).sum()))"))),
    Page("file-read-in-the-block", ("from nbml import log, track\nimport pandas as pd", "with track('one'):\n    log(n=len(pd.read_csv('wine.csv')))"), "one", has=("track",), inputs=("wine.csv",), run=True),
    Page("run-of-a-csv-that-changed", ("import nbml\nimport pandas as pd\nwine = pd.read_csv('wine.csv')", "%%nbml track one\nnbml.log(m=wine['alcohol'].mean())"), "one", then=(Write("wine.csv", "alcohol\n1\n"),), inputs=("wine.csv",), run=True),
    Page("run-on-a-snapshot", ("import nbml\nimport pandas as pd\nwine = pd.read_csv('wine.csv')", "%nbml snapshot wine --name wine", "%%nbml track one\nnbml.log(m=wine['alcohol'].mean())"), "one", then=(Write("wine.csv", None),), inputs=("wine@1",), has=('nbml.dataset("wine@1").load()',), run=True),
)

PAGES = MODELS
