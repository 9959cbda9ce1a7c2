"""The table of commands: data only. Parser, help, completion, ``python -m nbml``, reference page and palette read it.

A test compares each row with the signature of its function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()
#: a command or option of the contract that this version does not have
LATER: Final = "later"
#: parameters that take a dataframe and no array
FRAMES = ("df", "a", "b", "current", "against")


@dataclass(frozen=True)
class Param:
    """One parameter of a function, and how it is typed.

    ``kind`` says how its text is read: name (of what is made), ref (of a stored ``of``), frame (a dataframe), data (an array
    too), model, served (a service, else a model), suite, python, text, where, duration, int, flag, list, path. ``form`` is the
    kind of parameter in Python: plain, leading (positional only), many (``*``), keyword or extra (``**``). ``pair`` is the
    parameter that a second word after the option fills. A parameter that is not ``typed`` belongs to the Python form only.
    """

    name: str
    kind: str = "text"
    default: Any = REQUIRED
    help: str = ""
    option: str = ""
    of: str = ""
    choices: tuple[str, ...] = ()
    adapters: str = ""
    form: str = "plain"
    pair: str = ""
    typed: bool = True
    since: str = ""

    @property
    def flag(self) -> str:
        """The option as typed."""
        return self.option or "--" + self.name.replace("_", "-")


@dataclass(frozen=True)
class Command:
    """One command: ``%nbml NAME`` and ``nbml.VERB``.

    ``line`` names the parameters that stand without an option in the line form, None where there is no line form; ``made`` is
    the same for the cell form. ``cell`` says what a body is: "" (none), "text" (the parameter ``text``), "code" (handed on as
    source) or "run" (run as the cell itself). ``coming`` are options of a later version, ``forms``
    options that make a line of it and open a form.
    """

    name: str
    summary: str
    params: tuple[Param, ...] = ()
    line: tuple[str, ...] | None = ()
    cell: str = ""
    verb: str = ""
    example: str = ""
    since: str = ""
    magic: bool = True
    made: tuple[str, ...] = ("name",)
    coming: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()

    @property
    def function(self) -> str:
        """The name of the Python form below ``nbml``."""
        return self.verb or self.name

    def param(self, name: str) -> Param:
        return next(param for param in self.params if param.name == name)


def _name(help: str = "name of what is made", default: Any = REQUIRED, form: str = "plain") -> Param:
    return Param("name", "name", default, help, form=form)


def _data(name: str = "df", help: str = "a dataframe, name@n, or a Parquet or CSV file", default: Any = REQUIRED, **more: Any) -> Param:
    return Param(name, "frame" if name in FRAMES else "data", default, help, **more)


def _key(name: str, kind: str, default: Any, help: str, **more: Any) -> Param:
    return Param(name, kind, default, help, form="keyword", **more)


def _ref(of: str, name: str = "ref") -> Param:
    return Param(name, "ref", help=f"name or name@n of a {of}", of=of)


def _lookup(of: str, name: str = "ref") -> Command:
    return Command(of, f"Show a {of}.", (_ref(of, name),), line=(name,), example=f"%nbml {of} NAME")


DATA = (
    Command("snapshot", "Keep a dataframe as a version.",
            (_data(), _name("name of the dataset"), Param("note", default="", help="a remark")),
            line=("df",), example="%nbml snapshot df --name NAME"),
    _lookup("dataset"),
    Command("data", "List the datasets.", example="%nbml data"),
    Command("diff", "Compare two versions of data.",
            (_data("a", "the earlier: a dataframe, name@n, or a Parquet or CSV file"), _data("b", "the later one"),
             Param("key", "list", None, "columns that identify a row", of="column")),
            line=("a", "b"), example="%nbml diff NAME@1 NAME@2"),
    Command("profile", "Describe a dataframe.",
            (_data(), _name("what the data are called", default=None),
             Param("target", default=None, help="the column to predict", of="column")),
            line=("df",), example="%nbml profile df"),
    Command("drift", "Compare a dataframe with an earlier version, feature by feature.",
            (_data("current"), _data("against", "the version that is compared with")),
            line=("current",), example="%nbml drift df --against NAME@1"),
    Command("gc", "Remove what nothing refers to.", (Param("yes", "flag", False, "do not ask"),), example="%nbml gc"),
)  # fmt: skip

VALIDATION = (
    Command("validate", "Check a dataframe against a suite.", (
        _data(), Param("suite", "suite", help="name of the suite, or a variable that holds one", of="suite"),
        Param("name", "name", None, "name that the data have in the record"),
        _data("against", "the version that drift is measured against", None),
        Param("strict", "flag", False, "raise where an expectation fails"),
        Param("result_format", default="SUMMARY", help="how much Great Expectations keeps",
              choices=("BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE")),
        Param("engine", default="nbml", help="what checks", adapters="nbml.engines"),
    ), line=("df",), example="%nbml validate df --suite NAME"),
    Command("expect", "Write down what is expected of data.", (
        _name("name of the suite"), Param("text", typed=False), _data("on", "check at once, and keep as the reference", None),
    ), line=None, cell="text", forms=("--edit",), example="%%nbml expect NAME --on df\nrows > 0\n"),
    _lookup("suite"),
)  # fmt: skip

TRACKING = (
    Command("track", "Record the cell as a run.", (
        _name("name of the run"), Param("to", "list", None, "trackers that hear of it", adapters="nbml.trackers"),
        Param("tags", "list", (), "tags, with commas between"), Param("note", default="", help="a remark"),
        Param("resume", "flag", False, "go on with the latest run of that name"),
    ), line=None, cell="run", example="%%nbml track NAME\n"),
    Command("log", "Write down a metric of the run.", (
        Param("values", default=None, form="leading"), Param("step", "int", None), Param("metrics", form="extra"),
    ), magic=False),
    Command("runs", "List the runs.", (Param("where", "where", None, "a condition, as in expect: auc > 0.8"),), example="%nbml runs"),
    _lookup("run"),
    Command("compare", "Compare runs.", (Param("runs", "ref", help="runs", of="run", form="many"),), line=("runs",),
            example="%nbml compare RUN RUN"),
    Command("reproduce", "Run a run's recipe again and compare its metrics.", (_ref("run", "run"),), line=("run",),
            example="%nbml reproduce RUN"),
    Command("recipe", "Show the statements that computed a name or a run.",
            (Param("name_or_run", help="a name in the notebook, or a run"),), line=("name_or_run",), example="%nbml recipe NAME"),
    Command("judge", "Look for what silently ruins a model.", tuple(
        Param(name, "model" if name == "model" else "data", help=said) for name, said in (
            ("model", "a fitted model"), ("X_train", "what it was fitted on"), ("y_train", "the target of these"),
            ("X_test", "what it is measured on"), ("y_test", "the target of these"))
    ), line=("model", "X_train", "y_train", "X_test", "y_test"), example="%nbml judge MODEL X_train y_train X_test y_test"),
    Command("import", "Read the runs of another tracker.",
            (Param("path", "path", help="a run, file or folder of W&B, MLflow or Comet"),), line=("path",),
            verb="import_runs", example="%nbml import PATH"),
    Command("stale", "List the cells to run again.", since=LATER),
)  # fmt: skip

TUNING = (
    Command("tune", "Search for the best configuration.", (
        Param("estimator_or_function", "model", typed=False),
        _data("X", "the features, then the target", None, option="--on", pair="y"), Param("y", "python", None, typed=False),
        _name("name of the study", form="keyword"),
        _key("metric", "list", None, "what is measured"),
        _key("direction", "text", None, "which way is better", choices=("minimize", "maximize")),
        _key("cv", "python", 5, "number of folds, or a splitter"),
        _key("groups", "python", None, "groups that a fold keeps together"),
        _key("trials", "int", 100, "configurations in all"),
        _key("timeout", "duration", None, "when to stop, as in 60s"),
        _key("trial_timeout", "duration", None, "when to give up one configuration"),
        _key("sampler", "text", "optuna", "who proposes", adapters="nbml.samplers"),
        _key("workers", "int", None, "processes at once"),
        _key("cluster", "text", None, "dask://... or ray://..."),
        _key("seed", "int", None, "makes the proposals repeatable"),
        _key("fresh", "flag", False, "begin a new study of that name"),
        _key("background", "flag", False, "do not wait"),
    ), line=None, cell="code", example="%%nbml tune NAME --on X y --metric METRIC\n"),
    _lookup("study", "name"),
)  # fmt: skip

PACKAGING = (
    Command("slice", "Show the program that recreates a name.", (Param("name", "variable", help="a name in the notebook"),), line=("name",),
            example="%nbml slice NAME"),
    Command("package", "Make a proven service of a model.", (
        Param("model_or_function", "model", help="a fitted model, or a function of a dataframe"), _name("name of the service"),
        _data("on", "rows to prove it on, then the target", None, pair="y"), Param("y", "python", None, typed=False),
        Param("suite", "suite", None, "expectations that travel along", of="suite"),
        Param("key", "list", None, "columns that identify a row", of="column"),
        Param("proof", default="local", help="where it is proven", choices=("local", "index")),
        Param("policy", default="reject", help="what happens to rows that break the suite", choices=("reject", "flag", "off")),
        Param("allow_secret", "list", (), "environment variables that the service may need"),
        Param("preview", "flag", False, "build nothing: show the code, and serve the model of this notebook"),
    ), line=("model_or_function",), cell="run", example="%nbml package MODEL --name NAME"),
    _lookup("service"),
    Command("services", "List the services.", example="%nbml services"),
    Command("predict", "Score data with a service.",
            (_ref("service", "service"), _data("data", "rows: a dataframe, name@n, or a Parquet or CSV file of any size"),
             Param("output", "path", None, "Parquet or CSV file to write", option="-o")),
            line=("service", "data"), example="%nbml predict SERVICE df"),
    Command("export", "Write a service for another server.", (
        _ref("service", "service"),
        Param("kind", help="what is written", option="--as", choices=("folder", "oci", "mlflow", "onnx", "savedmodel", "torchserve")),
        Param("output", "path", help="folder to write to", option="-o"),
    ), line=("service",), since=LATER),
)  # fmt: skip

DEPLOYING = (
    Command("deploy", "Run a service, or package a model and run it.", (
        Param("service_or_model", "served", help="a service, or a model to be packaged"),
        Param("to", default="local", help="where it runs", adapters="nbml.targets"),
        Param("name", "name", None, "name of the deployment; of the service too where a model is given"),
        Param("canary", "int", None, "per cent of the requests that it gets at first", since=LATER),
    ), line=("service_or_model",), example="%nbml deploy SERVICE"),
    Command("deployments", "List the deployments.", example="%nbml deployments"),
    _lookup("deployment", "name"),
    Command("stop", "Stop a deployment.", (_ref("deployment", "name"),), line=("name",), example="%nbml stop NAME"),
    Command("rollback", "Return to the version that ran before.", (_ref("deployment", "name"),), line=("name",),
            example="%nbml rollback NAME"),
    Command("promote", "Give a canary all requests.", (_ref("deployment", "name"),), line=("name",), since=LATER),
    Command("try", "Open a form that asks a deployment, a preview or a packaged service.", (_ref("deployment", "name"),), line=("name",),
            verb="try_form", example="%nbml try NAME"),
)  # fmt: skip

MONITORING = (
    Command("monitor", "Show the traffic of a service.", (
        Param("service", "ref", help="name of a service that runs", of="deployment"),
        Param("last", "duration", "24h", "how far back, as in 24h"),
    ), line=("service",), example="%nbml monitor NAME"),
    Command("label", "Tell a service what was true.", (
        _ref("service", "service"), _data(), Param("key", default="id", help="column of the answers' ids"),
        Param("label", default=None, help="column of what was true"),
    ), line=("service", "df"), since=LATER),
    Command("alert", "Write down what is expected of a running service.", (_ref("service", "service"), Param("text", typed=False)),
            line=None, cell="text", made=("service",), since=LATER),
    Command("alerts", "List the alerts.", since=LATER),
    Command("explain", "Say which features moved a prediction.", (
        Param("model_or_service", "served"), _data("X", "rows to explain", None, option="--on"),
        Param("row", "int", None, "label of one row"), Param("request", default=None, help="id of a request"),
        Param("made_by", default=None, help="function that made the features"),
    ), line=("model_or_service",), since=LATER),
    Command("retrain", "Run a model's recipe on new data.", (_ref("service", "service"), _data("on")), line=("service",), since=LATER),
    Command("card", "Write the model card.",
            (_ref("service", "service"), Param("check", "flag", False, "say what is not backed by the record")),
            line=("service",), since=LATER),
    Command("lineage", "Show where something comes from.", (_ref("thing"),), line=("ref",), since=LATER),
    Command("report", "Write a page about something.", (_ref("thing"), Param("output", "path", help="file to write", option="-o")),
            line=("ref",), since=LATER),
)  # fmt: skip

PROJECT = (
    Command("status", "Show the state of the project and one next step.", example="%nbml"),
    Command("config", "Show each setting and where it came from.", example="%nbml config"),
    Command("doctor", "Check the installation.", example="%nbml doctor"),
)

#: section of the reference -> its commands
SECTIONS = {
    "data": DATA, "validate": VALIDATION, "track": TRACKING, "tune": TUNING, "package": PACKAGING, "deploy": DEPLOYING,
    "monitor, explain, document": MONITORING, "project": PROJECT,
}  # fmt: skip
TABLE: tuple[Command, ...] = tuple(command for section in SECTIONS.values() for command in section)
