"""Tunings that cannot work: stopped early, refused before they begin, and each proposed line works as it stands."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.datasets import load_wine
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import nbml
from nbml import errors
from nbml.store import current

tune = nbml.tune
X, target = load_wine(return_X_y=True, as_frame=True)
TREE = "DecisionTreeClassifier(max_depth=tune.int(1, 3))"

pytestmark = pytest.mark.usefixtures("project")


def test_one_error_in_the_first_three_trials_ends_the_study() -> None:
    with pytest.raises(errors.TrialFailed) as caught:
        nbml.tune(DecisionTreeClassifier(max_depth=tune.int(1, 9)), X.assign(word="a"), target, name="doomed", cv=2, trials=50)
    why = "ValueError: could not convert string to float: 'a'"
    said = f"the first 3 trials of study doomed@1 failed with one error, so it was stopped: {why}"
    assert str(caught.value) == f'{said}\nTry: nbml.study("doomed@1").trials'
    assert eval(caught.value.next or "")["state"].tolist() == ["failed"] * 3
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_objective_that_fails_before_it_asks_for_a_value_ends_and_one_whose_values_may_fail_has_more_patience() -> None:
    calls: list[float] = []

    def early(tune: Any) -> float:
        calls.append(0)
        raise OSError("no disk")

    def late(tune: Any) -> float:
        x = tune.float(0, 1)
        calls.append(x)
        raise OSError("no disk")

    for objective, most in ((early, 3), (late, 10)):
        calls.clear()
        with pytest.raises(errors.TrialFailed) as caught:
            nbml.tune(objective, name=objective.__name__, direction="minimize", trials=40)
        ref = f"{objective.__name__}@1"
        said = f"the first {most} trials of study {ref} failed with one error, so it was stopped: OSError: no disk"
        assert str(caught.value) == f'{said}\nTry: nbml.study("{ref}").trials'
        assert len(calls) == most == len(eval(caught.value.next or ""))


def test_different_errors_and_a_success_go_on() -> None:
    calls: list[float] = []

    def flaky(tune: Any) -> float:
        calls.append(0)
        if len(calls) < 15:
            raise ValueError(f"attempt {len(calls)}")
        x = tune.float(0, 1)
        return float(x)

    def later(tune: Any) -> float:
        x = tune.float(0, 1)
        calls.append(x)
        if len(calls) > 1:
            raise ValueError("always the same")
        return float(x)

    assert len(nbml.tune(flaky, name="flaky", direction="minimize", trials=20).trials) == 20
    calls.clear()
    assert len(nbml.tune(later, name="later", direction="minimize", trials=20).trials) == 20


def test_a_forgotten_y_is_said_before_the_first_trial_and_the_proposed_call_works() -> None:
    with pytest.raises(errors.BadArgument) as caught:
        nbml.tune(DecisionTreeClassifier(max_depth=tune.int(1, 3)), X, name="nope", trials=2, cv=2)
    line = "nbml.tune(DecisionTreeClassifier(max_depth=tune.int(1, 3)), X, target, name='nope', trials=2, cv=2)"
    assert str(caught.value) == f"DecisionTreeClassifier learns from X and y; only X is given\nTry: {line}"
    assert current().find("study", "nope") is None
    assert len(eval(line).trials) == 2


def test_a_missing_y_that_only_the_trials_know_of_proposes_it_too(shell: Any) -> None:
    class Quiet(SVC):
        def __sklearn_tags__(self) -> Any:
            tags = super().__sklearn_tags__()
            tags.estimator_type = None
            return tags

    shell.user_ns.update(Quiet=Quiet, X=X, target=target)
    first = "%%nbml tune quiet --on X --cv 2 --trials 9"
    error = failing(shell, first, "Quiet(C=tune.float(1, 2))")
    assert isinstance(error, errors.TrialFailed)
    assert error.message.startswith("the first 3 trials of study quiet@1 failed with one error, so it was stopped: ")
    assert error.next == "%%nbml tune quiet --on X target --cv 2 --trials 9"
    works(shell, error.next, "Quiet(C=tune.float(1, 2))")


def failing(shell: Any, first: str, body: str) -> errors.NbmlError:
    result = shell.run_cell(f"{first}\n{body}")
    assert isinstance(result.error_in_exec, errors.NbmlError), result.error_in_exec
    return result.error_in_exec


def works(shell: Any, first: str, body: str) -> None:
    result = shell.run_cell(f"{first}\n{body}")
    assert result.success, result.error_in_exec


DIRECTION = (
    "an objective needs a direction, minimize or maximize; nothing tells it; "
    "if the cell's last expression is an estimator, it needs data: --on X y"
)


@pytest.mark.parametrize(
    ("first", "body", "message", "line"),
    [
        ("--on X --timeout 1s", TREE, "DecisionTreeClassifier learns from X and y; only X is given",
         "%%nbml tune it --on X target --timeout 1s"),
        ("--on=X --trials 3", TREE, "DecisionTreeClassifier learns from X and y; only X is given",
         "%%nbml tune it --on X target --trials 3"),
        ("--trials 3", TREE, DIRECTION, "%%nbml tune it --trials 3 --on X target"),
        ("--trials 3 --direction minimize", TREE,
         "without --on the cell's last expression is a score, a number, not DecisionTreeClassifier; an estimator needs data: --on X y",
         "%%nbml tune it --trials 3 --direction minimize --on X target"),
        ("--trials 3", "x = tune.float(0, 1)\nx", DIRECTION, "%%nbml tune it --trials 3 --direction minimize"),
        ("--on X target --metric acuracy --trials 2", TREE, "no metric 'acuracy'; nearest: accuracy",
         "%%nbml tune it --on X target --metric accuracy --trials 2"),
        ("--on X target --metric=accuracy,f1 --trials 2", TREE, "several metrics (['accuracy', 'f1']) are not there yet: name one",
         "%%nbml tune it --on X target --metric=accuracy --trials 2"),
        ("--on X target --cv 1 --trials 2", TREE, "cv is a number of folds from 2 on, or a splitter of scikit-learn, not 1",
         "%%nbml tune it --on X target --cv 5 --trials 2"),
        ("--on X target --trials 0 --timeout 1s", TREE, "trials is a whole number from 1 on, not 0",
         "%%nbml tune it --on X target --trials 100 --timeout 1s"),
    ],
)  # fmt: skip
def test_the_first_line_that_is_proposed_works(shell: Any, first: str, body: str, message: str, line: str) -> None:
    shell.user_ns.update(X=X, target=target, DecisionTreeClassifier=DecisionTreeClassifier)
    error = failing(shell, f"%%nbml tune it {first}", body)
    assert str(error) == f"{message}\nTry: {line}"
    if "--direction minimize --on" in line:
        assert isinstance(failing(shell, line, body), errors.BadArgument)  # the direction is told next
    else:
        works(shell, line, body)


def test_a_call_with_a_wrong_word_is_proposed_with_the_right_one() -> None:
    with pytest.raises(errors.BadArgument) as caught:
        nbml.tune(
            DecisionTreeClassifier(max_depth=tune.int(1, 3)), X, target,
            name="word", metric="acuracy", cv=2, trials=1,
        )  # fmt: skip
    line = "nbml.tune(DecisionTreeClassifier(max_depth=tune.int(1, 3)), X, target, name='word', metric='accuracy', cv=2, trials=1)"
    assert str(caught.value) == f"no metric 'acuracy'; nearest: accuracy\nTry: {line}"
    assert eval(line).metric == "accuracy"
    with pytest.raises(errors.BadArgument) as caught:
        nbml.tune(DecisionTreeClassifier(max_depth=tune.int(1, 3)), X, target, name="word", metric="zzz")
    listing = "from sklearn.metrics import get_scorer_names; get_scorer_names()"
    assert str(caught.value) == f"no metric 'zzz'; for instance accuracy, roc_auc, r2\nTry: {listing}"
    exec(listing, {})
    with pytest.raises(errors.BadInput) as missing:
        nbml.tune(DecisionTreeClassifier(max_depth=tune.int(1, 3)), X.assign(kind=target), "kinds", name="word", cv=2, trials=2)
    line = "nbml.tune(DecisionTreeClassifier(max_depth=tune.int(1, 3)), X.assign(kind=target), 'kind', name='word', cv=2, trials=2)"
    assert str(missing.value) == f"X has no column 'kinds'; nearest: kind\nTry: {line}"
    assert eval(line).best_score > 0


def test_an_unknown_study_names_some_and_proposes_the_newest() -> None:
    for n in range(7):
        nbml.tune(lambda tune: tune.float(0, 1, name="x"), name=f"study{n}", direction="minimize", trials=1)
    with pytest.raises(errors.UnknownStudy) as caught:
        nbml.study("xyz")
    said = "no study 'xyz'; there are study6, study5, study4, study3, study2 and 2 more"
    assert str(caught.value) == f'{said}\nTry: nbml.study("study6@1")'
    assert str(eval(caught.value.next or "")) == "study6@1"
    with pytest.raises(errors.UnknownStudy) as caught:
        nbml.study("Study6")
    assert str(caught.value) == "no study 'Study6'; nearest: study6@1\nTry: nbml.study(\"study6@1\")"
