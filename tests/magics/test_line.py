"""``%nbml``: what words mean, and what is said where they mean nothing. Every proposed line is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nbml
from magics.asked import FRAME, refused, run
from nbml import store
from nbml.datasets import DatasetVersion


@pytest.fixture
def book(shell: Any) -> Any:
    """A notebook that holds a dataframe."""
    shell.user_ns["df"] = FRAME.copy()
    return shell


def test_a_magic_is_the_function(book: Any) -> None:
    made = run(book, 'result = %nbml snapshot df --name churn --note "two words"\nresult')
    assert isinstance(made, DatasetVersion)
    assert (str(made), made.note) == ("churn@1", "two words")
    assert made.hash == nbml.snapshot(FRAME, name="churn").hash
    assert str(run(book, "%nbml snapshot df --name=churn")) == "churn@1"


def test_a_default_name_is_made_to_fit_and_said_first(book: Any, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book.user_ns["My_Data"] = FRAME
    assert str(run(book, "%nbml snapshot My_Data")) == "project-my_data@1"
    assert capsys.readouterr().out.splitlines()[0] == "name: project-my_data (--name gives another)"
    assert str(run(book, 'made = %nbml snapshot My_Data.drop(columns="plan")\nmade')) == "project-my_data.drop-columns-plan@1"


def test_the_notebook_gives_its_name(book: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(project / "01 Quick Start.ipynb"))
    run(book, "%reload_ext nbml")
    assert str(run(book, "%nbml snapshot df")) == "01-quick-start-df@1"


def test_data_are_a_name_a_reference_a_path_an_expression_in_this_order(book: Any, project: Path) -> None:
    FRAME.head(2).to_csv(project / "two.csv", index=False)
    run(book, "%nbml snapshot df.head(3) --name three")
    run(book, "%nbml snapshot df.head(4) --name three")
    book.user_ns["four"] = FRAME.head(4)

    def rows(word: str) -> int:
        return len(run(book, f"made = %nbml snapshot {word} --name copy\nmade").load())

    assert rows("df") == 60
    assert rows("three") == 4
    assert rows("three@1") == 3
    assert rows("two.csv") == 2
    assert rows("df[df.age > 20]") == 40
    book.user_ns["three"] = FRAME.head(1)
    assert rows("three") == 1


def test_names_expand_in_names_and_option_values_never_in_single_quotes(book: Any) -> None:
    run(book, "n = 7")
    assert str(run(book, "%nbml snapshot df --name week-{n}")) == "week-7@1"
    assert str(run(book, "%nbml snapshot df --name day-$n")) == "day-7@1"
    assert run(book, "%nbml snapshot df.head(1) --name a --note 'week {n} $n'").note == "week {n} $n"
    assert run(book, '%nbml snapshot df.head(2) --name a --note "week {n} $$n"').note == "week 7 $n"
    assert run(book, "%nbml snapshot df[{n:7}[7]:] --name a").name == "a"


def test_lines_in_loops_and_functions_see_the_names_there(book: Any) -> None:
    run(book, "for n in (1, 2):\n    part = df.head(n)\n    %nbml snapshot part --name part-$n")
    run(book, "def keep(inner, name):\n    made = %nbml snapshot inner --name {name}\n    return made")
    assert str(run(book, 'keep(df.head(3), "inside")')) == "inside@1"
    assert list(nbml.data()["name"]) == ["inside", "part-2", "part-1"]


def test_a_variable_named_like_a_command_is_only_a_variable(book: Any) -> None:
    run(book, "data = snapshot = nbml = df")
    assert str(run(book, "%nbml snapshot snapshot --name a")) == "a@1"
    assert list(run(book, "%nbml data")["name"]) == ["a"]


REFUSALS = {
    "%nbml snapshott df": "UnknownCommand: no command 'snapshott'; nearest: snapshot\nTry: %nbml snapshot df",
    "%nbml zzz": "UnknownCommand: no command 'zzz'\nTry: %nbml --help",
    "%nbml log auc=1": "UnknownCommand: 'log' is no command, it is a function: nbml.log\nTry: import nbml; help(nbml.log)",
    "%nbml explain df": f"NotYet: nbml {nbml.__version__} does not have the command explain yet\nTry: %nbml --help",
    "%nbml deploy": f"NotYet: nbml {nbml.__version__} does not have the form that %nbml deploy opens yet; "
    "the notebook's Deploy button has one\nTry: %nbml services",
    "%nbml snapshot df --nam x": "UnknownOption: snapshot has no option --nam; nearest: --name\nTry: %nbml snapshot df --name x",
    "%nbml snapshot df --nam=x": "UnknownOption: snapshot has no option --nam; nearest: --name\nTry: %nbml snapshot df --name=x",
    "%nbml data --zzz": "UnknownOption: data has no option --zzz\nTry: %nbml data --help",
    "%nbml snapshot dff": "UnknownName: no dataframe, dataset or file 'dff'; nearest: df\nTry: %nbml snapshot df",
    "%nbml snapshot dff.head(2)": "UnknownName: no dataframe, dataset or file 'dff'; nearest: df\nTry: %nbml snapshot df.head(2)",
    "%nbml snapshot zzz": "UnknownName: no dataframe, dataset or file 'zzz'\nTry: %whos DataFrame",
    "%nbml snapshot lost.csv": "BadInput: no file 'lost.csv' in {cwd}\nTry: %ls",
    "%nbml snapshot smal.csv --name a": "BadInput: no file 'smal.csv' in {cwd}; nearest: small.csv\nTry: %nbml snapshot small.csv --name a",
    "%nbml snapshot churn@x --name q": "UnknownDataset: no dataset 'churn@x'; nearest: churn@1\nTry: %nbml snapshot churn@1 --name q",
    "%nbml snapshot dff.merge(gone)": "UnknownName: no dataframe, dataset or file 'dff'; nearest: df\nTry: %whos DataFrame",
    "%nbml snapshot df df df": "BadArgument: snapshot takes one thing without an option; 'df' is too much\nTry: %nbml snapshot df",
    "%nbml snapshot chrun@1": "UnknownDataset: no dataset 'chrun@1'; nearest: churn@1\nTry: %nbml snapshot churn@1",
    "%nbml snapshot churn@9": "UnknownDataset: no dataset 'churn@9'; nearest: churn@1\nTry: %nbml snapshot churn@1",
    "%nbml snapshot [1,2]": "NotADataFrame: '[1,2]' is list, not a dataframe\nTry: %nbml snapshot churn",
    "%nbml snapshot df.x": "BadArgument: 'df.x' cannot be evaluated: AttributeError: 'DataFrame' object has no attribute 'x'"
    "\nTry: %whos DataFrame",
    "%nbml snapshot": "BadArgument: snapshot needs a dataframe, name@n, or a Parquet or CSV file after it\nTry: %nbml snapshot --help",
    "%nbml snapshot df df": "BadArgument: snapshot takes one thing without an option; 'df' is too much\nTry: %nbml snapshot df",
    "%nbml snapshot df --note two words": "BadArgument: a text with spaces stands in quotes: --note two words"
    '\nTry: %nbml snapshot df --note "two words"',
    "%nbml snapshot df --note": "BadArgument: --note needs a value: a remark\nTry: %nbml snapshot df",
    "%nbml snapshot df --name a --name b": "BadArgument: --name is given twice\nTry: %nbml snapshot df --name a",
    "%nbml validate df --strict=yes": "BadArgument: --strict takes no value, found 'yes'\nTry: %nbml validate df --strict",
    "%nbml validate df --result-format BASICS": "BadArgument: --result-format is one of BOOLEAN_ONLY, BASIC, SUMMARY, COMPLETE, found "
    "'BASICS'; nearest: BASIC\nTry: %nbml validate df --result-format BASIC",
    "%nbml snapshot df --name {what}": "UnknownName: no name 'what' in this notebook for {what} of '{what}'; "
    "single quotes keep it as typed\nTry: %whos",
    "%nbml snapshot df --name=": "BadArgument: --name needs a value: name of the dataset\nTry: %nbml snapshot df",
    '%nbml snapshot df --note "two words': "BadArgument: column 20: the quote \" is never closed: \"two words"
    '\nTry: %nbml snapshot df --note "two words"',
    "%nbml snapshot df) --name a": "BadArgument: column 12: ')' closes nothing: ) --name a\nTry: %nbml snapshot df --name a",
    "%nbml snapshot df --name Churn": "BadName: the name 'Churn' does not fit: lower-case letters, digits, '.', '_' and '-', at most 63; "
    "'churn' would\nTry: %nbml snapshot df --name churn",
    "%nbml snapshot (df": "BadArgument: column 10: '(' is never closed: (df\nTry: %nbml snapshot (df)",
    "%nbml data --where x": "UnknownOption: data has no option --where\nTry: %nbml data --help",
    "%nbml data --hlep": "UnknownOption: data has no option --hlep; nearest: --help\nTry: %nbml data --help",
    "%nbml validate df --stric=yes": "UnknownOption: validate has no option --stric; nearest: --strict\nTry: %nbml validate df --strict",
    "%nbml labels": "UnknownCommand: no command 'labels'; nearest: label, which comes with a later version\nTry: %nbml --help",
    "%nbml studies": "UnknownCommand: no command 'studies'; nearest: study\nTry: %nbml study --help",
    "%nbml datasets churn": "UnknownCommand: no command 'datasets'; nearest: dataset\nTry: %nbml dataset churn",
    "%nbml trakc base": "UnknownCommand: no command 'trakc'; nearest: track\nTry: %nbml track --help",
    "%%nbml track Bad Name\n1": "BadArgument: a name is one word: Bad Name\nTry: %%nbml track bad-name",
    "%%nbml track Bad --tags a\n1": "BadName: the name 'Bad' does not fit: lower-case letters, digits, '.', '_' and '-', at most 63; "
    "'bad' would\nTry: %%nbml track bad --tags a",
    "%%nbml track base --to wandb,neptune\n1": "UnknownAdapter: no tracker 'neptune'; known: comet, mlflow, wandb"
    "\nTry: %%nbml track base --to wandb",
    "%nbml suite Plan@x": "BadName: the name 'Plan' does not fit: lower-case letters, digits, '.', '_' and '-', at most 63; 'plan' would"
    "\nTry: %nbml suite plan@1",
    "%nbml validate df --suite a/b": "BadName: the name 'a/b' does not fit: lower-case letters, digits, '.', '_' and '-', at most 63; "
    "'a-b' would\nTry: %nbml validate df --suite a-b",
    "%nbml suite plam": "UnknownSuite: no suite 'plam'; nearest: plan@1\nTry: %nbml suite plan@1",
    "%nbml monitor livee": "UnknownDeployment: nothing of the name 'livee' is deployed; nearest: live\nTry: %nbml monitor live",
    "%nbml stop livee": "UnknownDeployment: nothing of the name 'livee' is deployed; nearest: live\nTry: %nbml stop live",
    "%nbml deploy mdel --to kubernetes --name zz": "UnknownName: no service and no name 'mdel' in this notebook; nearest: model"
    "\nTry: %nbml deploy model --to kubernetes --name zz",
    "%nbml deploy model --to kubernetes --name zz": "NotYet: the target 'kubernetes' is not there yet; local is"
    "\nTry: %nbml deploy model --name zz",
    "%nbml deploy model --to locl --name zz": "UnknownAdapter: no target 'locl'; nearest: local"
    "\nTry: %nbml deploy model --to local --name zz",
    "%nbml deploy model --canary 10 --name zz": f"NotYet: nbml {nbml.__version__} does not have --canary of deploy yet"
    "\nTry: %nbml deploy model --name zz",
    "%nbml deploy nope": "UnknownName: no service and no name 'nope' in this notebook\nTry: %nbml services",
    "%nbml package nope --name x": "UnknownName: no name 'nope' in this notebook\nTry: %whos",
    "%nbml package mod --name x": "UnknownName: no name 'mod' in this notebook; nearest: model\nTry: %nbml package model --name x",
    "%%nbml tune spl --on df df --metric accuracy --cv KF\nmodel": "UnknownName: no name 'KF' in this notebook\nTry: %whos",
    "%nbml track base": "BadArgument: track needs a body: it stands on the first line of a cell, as %%nbml track NAME"
    "\nTry: %nbml track --help",
    "%%nbml snapshot df\nbody": "BadArgument: snapshot is one line and takes no body\nTry: %nbml snapshot df",
    "%%nbml expect\nrows > 0": "BadArgument: expect needs the name of the suite after it\nTry: %%nbml expect project",
    "%%nbml expect churn --edit\nrows > 0":
        "BadArgument: --edit of expect opens a form: it is one line and takes no body\nTry: %%nbml expect churn",
    "%nbml monitor churn --last yesterday": "BadArgument: --last: 'yesterday' is no duration: a number and s, m, h or d, as in "
    "60s, 10m, 24h, 7d\nTry: %nbml monitor churn --last 60s",
    "%nbml slice zzz": "UnknownName: no name 'zzz' in this notebook\nTry: %whos",
    "%nbml deploy zzz": "UnknownName: no service and no name 'zzz' in this notebook\nTry: %nbml services",
    "%nbml deploy zzz@3": "UnknownService: no service 'zzz@3'; none is stored yet\nTry: %nbml services",
}
#: what they propose needs a suite or a service, which this project has not
NOT_TYPED = {
    "%nbml monitor churn --last yesterday", "%nbml validate df --strict=yes", "%nbml validate df --stric=yes",
    *(line for line in REFUSALS if line.startswith(("%nbml deploy m", "%nbml package m", "%nbml monitor l"))),
    "%%nbml track base --to wandb,neptune\n1",
}  # fmt: skip


def test_a_refusal_names_what_is_wrong_and_the_line_that_works(book: Any) -> None:
    from sklearn.linear_model import Ridge

    run(book, "%nbml snapshot df.head(9) --name churn")
    FRAME.to_csv("small.csv", index=False)
    book.user_ns["model"] = Ridge().fit(FRAME[["age"]], FRAME["age"])
    run(book, "import numpy as np\ndef mood(text):\n    return text\ndef KFF(x):\n    return x")
    store.current().add("deployment", "live", {"name": "live", "service": "live@1"}, state="stopped")
    nbml.expect("plan", "rows > 0")
    expected = {line: text.replace("{cwd}", str(Path.cwd())) for line, text in REFUSALS.items()}
    assert {line: refused(book, line, typed=line not in NOT_TYPED) for line in REFUSALS} == expected


def test_nothing_is_stored_by_what_is_refused(book: Any, project: Path) -> None:
    for line in ("%nbml snapshot dff", "%nbml snapshot df --nam x", "%nbml validate", "%nbml deploy x"):
        book.run_cell(line)
    run(book, "%nbml")
    run(book, "%nbml snapshot df --as-python")
    assert list(project.iterdir()) == []


def test_the_python_form_is_put_into_the_next_cell_and_gives_the_same(book: Any) -> None:
    said: list[str] = []
    book.set_next_input = lambda text, replace=False: said.append(text)
    assert run(book, '%nbml snapshot df.head(5) --name five --note "first five" --as-python') is None
    assert said == ["import nbml\n\nnbml.snapshot(df.head(5), name='five', note='first five')"]
    assert str(run(book, said.pop())) == "five@1"
    assert str(run(book, '%nbml snapshot df.head(5) --name five --note "first five"')) == "five@1"
    run(book, "%nbml snapshot df --as-python")
    assert said == ["nbml.snapshot(df, name='project-df')"]


def test_help_of_one_and_of_all(book: Any) -> None:
    assert repr(run(book, "%nbml snapshot --help")).startswith("snapshot: Keep a dataframe as a version.\n  %nbml snapshot DF")
    every = repr(run(book, "%nbml --help"))
    assert "snapshot     Keep a dataframe as a version." in every
    assert "(later)" in every


def test_a_python_line_that_is_proposed_works_without_import(book: Any) -> None:
    run(book, "%nbml snapshot df --name churn")
    run(book, "nbml = None")
    book.user_ns["live"] = "live"
    message = "UnknownDataset: no dataset 'chrun'; nearest: churn@1\nTry: %nbml dataset churn@1"
    assert refused(book, "%nbml dataset chrun") == message
    message = "BadExpectation: a suite needs at least one expectation\nTry: import nbml; nbml.expect('a', 'rows >= 1')"
    assert refused(book, "%%nbml expect a\n# nothing") == message


def test_a_readonly_project_reads_and_says_why_it_does_not_write(book: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project.parent))
    run(book, "%nbml snapshot df --name churn")
    store.current().readonly = True
    assert list(run(book, "%nbml data")["name"]) == ["churn"]
    message = refused(book, "%nbml snapshot df.head(2) --name churn").partition("\n")[0]
    assert message == f"ReadOnlyStore: the store of {project} can be read, not written"
    assert str(run(book, "%nbml snapshot df --name churn")) == "churn@1"  # in the project that was proposed
    assert store.current().root == project.parent / "nbml-project"


def test_a_service_wins_over_a_variable_of_its_name_and_it_is_said(book: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    book.set_next_input = lambda text, replace=False: said.append(text)
    book.user_ns["churn"] = object()
    run(book, "%nbml deploy churn --as-python")
    assert said.pop() == "import nbml\n\nnbml.deploy(churn, name='project-churn')"
    store.current().add("service", "churn")
    capsys.readouterr()
    run(book, "%nbml deploy churn --as-python")
    assert capsys.readouterr().out.splitlines()[0] == "churn: the service, not the variable of that name"
    assert said.pop() == "import nbml\n\nnbml.deploy('churn')"
    run(book, "%nbml slice churn --as-python")
    assert said.pop() == "import nbml\n\nnbml.slice('churn')"


def test_a_comment_ends_a_line(book: Any) -> None:
    assert str(run(book, "%nbml snapshot df --name a # don't (count")) == "a@1"
    assert run(book, "%nbml snapshot df.head(2) --name a --note '# kept'").note == "# kept"


def test_which_one_a_name_means_is_said_wherever_both_are_there(book: Any, capsys: pytest.CaptureFixture[str]) -> None:
    nbml.expect("plan", "rows > 0")
    store.current().add("deployment", "live", {"name": "live", "service": "live@1"}, state="stopped")
    book.user_ns |= {"plan": 3, "live": 5}
    for line, said in {
        "%nbml monitor live --as-python": "live: the deployment, not the variable of that name",
        "%nbml validate df --suite plan --as-python": "plan: the suite, not the variable of that name",
    }.items():
        capsys.readouterr()
        run(book, line)
        assert capsys.readouterr().out.splitlines()[0] == said
    run(book, "import nbml\nplan = nbml.suite('plan')")
    capsys.readouterr()
    run(book, "%nbml validate df --suite plan --as-python")
    assert capsys.readouterr().out.splitlines()[0] == "plan: the variable, not the suite of that name"


def test_as_python_alone_is_the_project(book: Any) -> None:
    said: list[str] = []
    book.set_next_input = lambda text, replace=False: said.append(text)
    assert run(book, "%nbml --as-python") is None
    assert said == ["import nbml\n\nnbml.status()"]


def test_settings_that_cannot_be_read_are_said_by_every_command(book: Any, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "nbml.toml").write_text('[data]\nprivat = ["plan"]\n')
    fault = "nbml.toml: no setting 'data.privat'; nearest: data.private"
    run(book, "%nbml data")
    assert capsys.readouterr().out.splitlines()[0] == f"not in force: {fault} (%nbml config shows the settings)"
    assert refused(book, "%nbml snapshot df --name a") == f"BadArgument: {fault}\nTry: %nbml config"
    assert list(nbml.data()["name"]) == []


def test_a_validation_that_is_not_kept_says_so_once(book: Any, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nbml.expect("plan", "rows > 0")
    store.current().readonly = True
    capsys.readouterr()
    assert run(book, "%nbml validate df --suite plan").success
    assert capsys.readouterr().out.count("not kept") == 1


def test_a_deploy_that_cannot_work_packages_nothing(project: Path) -> None:
    from sklearn.linear_model import Ridge

    model = Ridge().fit(FRAME[["age"]], FRAME["age"])
    for options, kind in (({"to": "kubernetes"}, "NotYet"), ({"to": "nowhere"}, "UnknownAdapter"), ({"canary": 10}, "NotYet")):
        with pytest.raises(nbml.errors.NbmlError) as caught:
            nbml.deploy(model, name="zz", **options)
        assert type(caught.value).__name__ == kind
    assert list(nbml.services()["name"]) == []
