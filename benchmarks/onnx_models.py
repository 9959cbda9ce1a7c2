"""Which models of scikit-learn ONNX Runtime computes as the contract asks: all classifiers and regressors on the data sets it brings.

    python benchmarks/onnx_models.py [NAME ...] > models.jsonl
    python benchmarks/onnx_models.py --table models.jsonl

One JSON line a model and data set, by the code that packages: converted in doubles behind our StandardScaler, compared on rows of the
proof, between and beyond them, timed with one thread against the library as the service would ask it. ``apart`` is the largest relative
difference of values or probabilities on rows of the data and on such with noise, ``labels`` how many labels differ there.
"""

from __future__ import annotations

import json
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SECONDS = 90
#: they take several answers, or texts, or one column
NOT = {"ClassifierChain", "RegressorChain", "MultiOutputClassifier", "MultiOutputRegressor", "IsotonicRegression", "MultiTaskElasticNet",
       "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV", "CCA", "PLSCanonical"}  # fmt: skip


class TooLong(Exception):
    pass


def models(kind: str) -> Iterator[tuple[str, Any]]:
    """Every class of a kind with its defaults, seeded, smaller where it is large; those that take a model get a linear one."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.utils import all_estimators

    inner = LogisticRegression(max_iter=300) if kind == "classifier" else Ridge()
    for name, kinds in all_estimators(type_filter=kind):
        if name in NOT:
            continue
        if name.startswith(("Voting", "Stacking")):
            yield name, kinds([("one", inner), ("two", LogisticRegression(C=0.1) if kind == "classifier" else Ridge(9.0))])
            continue
        try:
            found = kinds()
        except TypeError:
            yield name, kinds(inner)
            continue
        if name in ("SelfTrainingClassifier", "FixedThresholdClassifier"):
            found = kinds(inner)
        wanted = {"random_state": 0, "n_estimators": 30, "max_iter": 100 if "Hist" not in name else 30}
        known = found.get_params()
        small = {key: value for key, value in wanted.items() if key in known and (key == "random_state" or (known[key] or 0) in (100, 200))}
        yield name, found.set_params(**small)


def data(kind: str) -> Iterator[tuple[str, Any, Any]]:
    from sklearn import datasets

    for name in ("breast_cancer", "wine", "digits") if kind == "classifier" else ("diabetes",):
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        yield name, x[:700], y[:700]


def measured(model: Any, x: Any, y: Any) -> dict[str, Any]:
    """What there is to tell of one fitted model."""
    import threadpoolctl

    from nbml.packaging import bridge, inputs, proof, translating
    from nbml.packaging.translating import boundaries, converting, probing, schema

    with threadpoolctl.threadpool_limits(1):
        model.fit(x, y)
        rows = inputs._other(x, None, "rows")
        want = proof.expected(proof.Model(model, "model", "model"), rows)
        manifest = {"entry": "model", "input": "array", "inputs": rows.inputs, "output": want.form}
        try:
            translating._exact(model, manifest, want.sent)
            said: dict[str, Any] = {"own": True}
        except schema.Untranslatable:
            said = {"own": False}
        try:
            plan, _ = converting.plan(model, manifest)
            _, executor = translating._made(plan)
        except Exception as error:
            return said | {"state": "not convertible", "why": str(error).partition("\n")[0][:200]}
        asked = (model, manifest, executor.answer, want.sent)
        unequal = probing.difference(*asked) or boundaries.difference(*asked)
        noisy = np.concatenate([x, x + np.random.default_rng(0).normal(size=x.shape) * x.std(0) / 2])
        columns = {spec["name"]: noisy[:, i].tolist() for i, spec in enumerate(rows.inputs)}
        said |= {"state": "differs" if unequal else "holds", "why": unequal}
        try:
            labels, shares = executor.answer(columns)
        except Exception as error:
            return said | {"why": str(error).partition("\n")[0][:200]}
        theirs = model.predict(noisy)
        one = np.array(labels if shares is None else shares["values"], dtype=float)
        two = np.array(theirs if shares is None else model.predict_proba(noisy), dtype=float)
        gap = np.abs(one - two)
        if shares is not None or theirs.dtype.kind == "f":
            far = np.where(gap <= proof.ROUNDING, 0.0, gap / np.maximum(np.maximum(np.abs(one), np.abs(two)), 1e-300))
            said["apart"] = float(far.max())
        if theirs.dtype.kind != "f":
            said["labels"] = int((np.array(labels) != theirs).sum())
        library = bridge.Bridge(manifest, model).answer
        for count in (1, 1000):
            part = {name: (values * 9)[:count] for name, values in columns.items()}
            times = converting._best((library, executor.answer), part, 15 if count == 1 else 3)
            said[f"times{count}"] = times[0] / times[1]
    return said


def table(path: Path) -> None:
    """The lines as Markdown: a model a line, over its data sets the worst of each."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for name in dict.fromkeys(line["name"] for line in lines):
        some = [line for line in lines if line["name"] == name and "state" in line]
        if not some:
            continue
        states = ", ".join(f"{line['data']} {line['state']}" for line in some)
        states = some[0]["state"] if len({line["state"] for line in some}) == 1 else states
        apart = max((line["apart"] for line in some if "apart" in line), default=None)
        wrong = max((line["labels"] for line in some if "labels" in line), default=None)
        figures = [f"{apart:.0e}" if apart is not None else "", "" if wrong is None else str(wrong)]
        for count in (1, 1000):
            ratios = [line[f"times{count}"] for line in some if f"times{count}" in line]
            figures.append(f"{min(ratios):.1f}" + (f" to {max(ratios):.1f}" if len(ratios) > 1 else "") if ratios else "")
        why = next((line["why"] for line in some if line["why"]), "")
        print(f"| {name} | {'ours' if all(line['own'] for line in some) else ''} | {states} | {' | '.join(figures)} | {why} |")


def stop(*_: Any) -> None:
    raise TooLong


def main(names: list[str]) -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, stop)
    for kind in ("classifier", "regressor"):
        for set_name, x, y in data(kind):
            for name, model in models(kind):
                if names and name not in names:
                    continue
                scale = MinMaxScaler() if name.endswith("NB") else StandardScaler()
                answers = y / y.mean() if name in ("GammaRegressor", "PoissonRegressor", "TweedieRegressor") else y
                signal.alarm(SECONDS)
                try:
                    said = measured(make_pipeline(scale, model), x, answers)
                except TooLong:
                    said = {"failed": f"took more than {SECONDS} s"}
                except Exception as error:
                    said = {"failed": f"{type(error).__name__}: {str(error).partition(chr(10))[0][:120]}"}
                finally:
                    signal.alarm(0)
                print(json.dumps({"name": name, "data": set_name, **said}), flush=True)


if __name__ == "__main__":
    table(Path(sys.argv[2])) if sys.argv[1:2] == ["--table"] else main(sys.argv[1:])
