"""What code does to data before it is split, read from its statements: which names hold what was fitted on all rows.

Nothing is run. Names are followed through assignments, loops, and functions of the notebook; a value carries the marks of the steps
that it went through, and whether it is a part (train or test) already. What is fitted on a part marks nothing.

Longer than most: one reader of one language, a method for each of its forms.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

#: classes by parts of their names -> what they do
SUPERVISED = re.compile(
    r"^(Select(KBest|Percentile|Fpr|Fdr|Fwe|FromModel)|GenericUnivariateSelect|RFE|RFECV|SequentialFeatureSelector|Boruta\w*)$"
)
ENCODING = re.compile(
    r"(Target|LeaveOneOut|CatBoost|WOE|JamesStein|MEstimate|GLMM)Encoder$|^(LinearDiscriminantAnalysis|PLS\w*|NeighborhoodComponentsAnalysis)$"
)
LEARNING = re.compile(
    r"Scaler$|Imputer$|PCA$|SVD$|KBinsDiscretizer$|TfidfVectorizer$|TfidfTransformer$"
    r"|^(NMF|FastICA|FactorAnalysis|TSNE|UMAP|Isomap|VarianceThreshold|PowerTransformer|QuantileTransformer)$"
)
FUNCTIONS = dict.fromkeys(
    ("scale", "minmax_scale", "robust_scale", "maxabs_scale", "quantile_transform", "power_transform", "zscore"), "scaling"
)
SELECTING = frozenset({"f_classif", "f_regression", "mutual_info_classif", "mutual_info_regression", "chi2", "r_regression"})
LEARNED = frozenset({"feature_importances_", "coef_", "scores_", "pvalues_", "ranking_", "support_", "importances_mean"})
STATISTICS = frozenset({"mean", "std", "min", "max", "median", "var", "quantile", "mode", "nanmean", "nanstd"})
ASKING = frozenset({"predict", "predict_proba", "decision_function", "score", "predict_log_proba"})
FOLDED = frozenset(
    {"cross_val_score", "cross_validate", "cross_val_predict", "learning_curve", "validation_curve", "permutation_test_score"}
)
SIDES = re.compile(r"train|test|valid|(^|_)(tr|te|val|hold|fit|dev|oos|cal|new|future|past)($|_|\d)", re.I)


@dataclass(frozen=True)
class Mark:
    """A step that saw all rows: ``kind`` is selection, encoding, scaling or resampling; ``what`` names it."""

    kind: str
    what: str
    cell: str
    line: int


@dataclass(frozen=True)
class Value:
    """What is known of a value."""

    marks: frozenset[Mark] = frozenset()
    #: 0 all rows, 1 some rows (a filter, or a side of a split), 2 one side of a split
    part: int = 0
    #: name of the class of an estimator, with those in it
    made: tuple[str, ...] = ()
    #: what it was fitted on marked it so
    fitted: frozenset[Mark] = frozenset()
    learned: bool = False
    statistic: bool = False
    again: bool = False
    items: tuple[Value, ...] = ()
    columns: Mapping[str, frozenset[Mark]] = field(default_factory=dict)

    def all(self) -> frozenset[Mark]:
        return self.marks.union(*self.columns.values()) if self.columns else self.marks


NOTHING = Value()


def joined(values: Iterable[Value]) -> Value:
    """A value made of several."""
    some = list(values)
    if not some:
        return NOTHING
    columns = {name: marks for value in some for name, marks in value.columns.items()}
    marks = frozenset[Mark]().union(*(value.marks for value in some), *(v.all() for value in some for v in value.items))
    return Value(
        marks, max([*(v.part for v in some), *(i.part for v in some for i in v.items)]), again=any(v.again for v in some), columns=columns
    )


@dataclass
class Reader:
    """Follows statements in the order of their running. ``asked`` are the marks of what models were asked about, by cell."""

    target: str = ""
    lists: Mapping[str, Any] = field(default_factory=dict)
    names: dict[str, Value] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    asked: dict[int, set[Mark]] = field(default_factory=dict)
    seq: int = 0
    cell: str = ""
    depth: int = 0
    _returned: list[Value] = field(default_factory=list)

    def run(self, seq: int, cell: str, statements: Iterable[ast.stmt]) -> None:
        """Follow the statements of a cell."""
        self.seq, self.cell = seq, cell
        for statement in statements:
            self.step(statement)

    # -- statements

    def step(self, node: ast.stmt) -> None:
        if isinstance(node, ast.FunctionDef):
            self.functions[node.name] = node
        elif isinstance(node, ast.Assign):
            value = self.value(node.value)
            for goal in node.targets:
                self.bind(goal, value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.bind(node.target, self.value(node.value))
        elif isinstance(node, ast.AugAssign):
            self.bind(node.target, self._operation(node.op, self.value(_loaded(node.target)), self.value(node.value), node))
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            value = self.value(node.iter)
            splits = (isinstance(node.iter, ast.Call) and _called(node.iter)[1] == "split") or "split" in ast.unparse(node.iter)
            self.bind(node.target, replace(joined([value, *value.items]), part=2 if splits else value.part))
            for statement in [*node.body, *node.orelse]:
                self.step(statement)
        elif isinstance(node, ast.Return):
            self._returned.append(self.value(node.value) if node.value is not None else NOTHING)
        else:
            self._others(node)

    def _others(self, node: ast.stmt) -> None:
        for name, part in ast.iter_fields(node):
            if isinstance(part, ast.expr):
                self.value(part)
            elif isinstance(part, list) and name in ("body", "orelse", "finalbody", "handlers", "items"):
                for one in part:
                    if isinstance(one, ast.stmt):
                        self.step(one)
                    elif isinstance(one, ast.ExceptHandler):
                        for statement in one.body:
                            self.step(statement)
                    elif isinstance(one, ast.withitem):
                        self.value(one.context_expr)

    def bind(self, goal: ast.expr, value: Value) -> None:
        if isinstance(goal, ast.Name):
            part = value.part if value.part != 1 else 2 if SIDES.search(goal.id) else 0
            self.names[goal.id] = replace(value, part=part)
        elif isinstance(goal, (ast.Tuple, ast.List)):
            for place, one in enumerate(goal.elts):
                self.bind(one, value.items[place] if len(value.items) == len(goal.elts) else replace(value, items=()))
        elif isinstance(goal, ast.Subscript):
            root = _root(goal)
            if root in self.names or root:
                known = self.names.get(root, NOTHING)
                columns = _texts(goal.slice, self.lists)
                if columns and isinstance(goal.value, ast.Name):
                    self.names[root] = replace(known, columns={**known.columns, **dict.fromkeys(columns, value.all())})
                else:
                    self.names[root] = replace(known, marks=known.marks | value.all())
        elif isinstance(goal, ast.Starred):
            self.bind(goal.value, value)

    # -- expressions

    def value(self, node: ast.AST | None) -> Value:
        if node is None:
            return NOTHING
        if isinstance(node, ast.Name):
            return self.names.get(node.id, NOTHING)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Subscript):
            return self._subscript(node)
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            if node.attr in LEARNED and owner.fitted:
                return Value(frozenset(replace(mark, kind="selection") for mark in owner.fitted))
            return owner if not owner.made else NOTHING
        if isinstance(node, ast.BinOp):
            return self._operation(node.op, self.value(node.left), self.value(node.right), node)
        if isinstance(node, (ast.Tuple, ast.List)):
            items = tuple(self.value(one) for one in node.elts)
            return replace(joined(items), items=items, made=tuple(name for item in items for name in item.made))
        if isinstance(node, ast.Compare):
            self._children(node)
            return NOTHING
        if isinstance(node, ast.NamedExpr):
            value = self.value(node.value)
            self.bind(node.target, value)
            return value
        if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)):
            for one in node.generators:
                self.bind(one.target, self.value(one.iter))
        return joined(self._children(node))

    def _children(self, node: ast.AST) -> list[Value]:
        return [self.value(child) for child in ast.iter_child_nodes(node) if isinstance(child, (ast.expr, ast.keyword, ast.slice))]

    def _operation(self, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
        found = joined([left, right])
        if isinstance(op, (ast.Sub, ast.Div)) and right.statistic and not left.statistic:
            return replace(found, marks=found.marks | {self._mark("scaling", "scaling by hand", node)})
        return replace(found, statistic=left.statistic and right.statistic)

    def _subscript(self, node: ast.Subscript) -> Value:
        owner, index = self.value(node.value), self.value(node.slice)
        columns = _texts(node.slice, self.lists)
        if columns is not None:
            kept = {name: owner.columns[name] for name in columns if name in owner.columns}
            return replace(owner, columns=kept, marks=owner.marks | index.marks, items=())
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int) and owner.items:
            return owner.items[node.slice.value] if -len(owner.items) <= node.slice.value < len(owner.items) else owner
        if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2 and _whole(node.slice.elts[0]):
            return replace(owner, marks=owner.marks | index.marks, columns=owner.columns)
        if index.marks and any(mark.kind == "selection" for mark in index.marks):
            return replace(owner, marks=owner.marks | index.marks)
        return replace(owner, part=max(owner.part, 1 if self._is_mask(node.slice) else 2), marks=owner.marks | index.marks)

    def _is_mask(self, node: ast.expr) -> bool:
        """Whether an index is a condition: then it may be a filter as well as a side."""
        if isinstance(node, ast.Name):
            return getattr(getattr(self.lists.get(node.id), "dtype", None), "kind", "") == "b"
        return any(isinstance(one, (ast.Compare, ast.Invert, ast.BitAnd, ast.BitOr)) for one in ast.walk(node)) or (
            isinstance(node, ast.Call) and _called(node)[1] in ("notna", "isin", "between", "notnull", "isna", "duplicated")
        )

    def _call(self, node: ast.Call) -> Value:
        owner, name = _called(node)
        args = [self.value(arg) for arg in node.args]
        words = {word.arg or "": self.value(word.value) for word in node.keywords}
        if owner is None or _is_module(owner):
            return self._function(name, args, words, node)
        return self._method(owner, name, args, words, node)

    def _function(self, name: str, args: list[Value], words: dict[str, Value], node: ast.Call) -> Value:
        given = [*args, *words.values()]
        first = args[0] if args else words.get("X", NOTHING)
        if name == "train_test_split":
            return Value(items=tuple(replace(arg, part=2) for arg in args for _ in range(2)))
        if name in self.functions and self.depth < 3:
            return self._own(self.functions[name], args, words)
        if name in FOLDED:
            self.asked.setdefault(self.seq, set()).update((args[1] if len(args) > 1 else words.get("X", NOTHING)).all())
            return NOTHING
        if name == "judge":
            for place in (1, 3):
                self.asked.setdefault(self.seq, set()).update(args[place].all() if len(args) > place else ())
            return NOTHING
        if name in FUNCTIONS and not first.part:
            return replace(first, marks=first.marks | {self._mark(FUNCTIONS[name], f"{name}()", node)})
        if name in SELECTING and len(given) > 1 and not first.part:
            return Value(frozenset({self._mark("selection", f"{name}()", node)}))
        if name == "resample" and not first.part:
            items = tuple(replace(arg, marks=arg.marks | {self._mark("resampling", "resample()", node)}, again=True) for arg in args)
            return items[0] if len(items) == 1 else Value(items=items)
        if name in STATISTICS and len(args) >= 1:
            return replace(first, statistic=not first.part)
        if name[:1].isupper() and name not in ("DataFrame", "Series"):
            return Value(made=(name, *(part for value in given for part in value.made)))
        if name in ("make_pipeline", "make_column_transformer", "make_union"):
            return Value(made=tuple(part for value in given for part in value.made))
        found = joined(given)
        if name == "concat" and found.again and not found.part:
            return replace(found, marks=found.marks | {self._mark("resampling", "rows drawn again", node)})
        return found

    def _method(self, owner: ast.expr, name: str, args: list[Value], words: dict[str, Value], node: ast.Call) -> Value:
        who = self.value(owner)
        first = args[0] if args else words.get("X", NOTHING)
        if name in ("fit", "fit_transform", "fit_resample", "fit_sample"):
            return self._fit(owner, who, name, first, len(args) + len(words) > 1, node)
        if name in ("transform", "get_support", "get_feature_names_out") and (who.made or who.fitted):
            return replace(first, marks=first.marks | who.fitted) if args else Value(who.fitted)
        if name in ASKING:
            self.asked.setdefault(self.seq, set()).update(first.all())
            return NOTHING
        if name in ("corr", "corrwith") and not who.part:
            return Value(frozenset({self._mark("selection", f"{name}()", node)}))
        if name in STATISTICS:
            coded = self._target_of(owner)
            if coded and not who.part:
                return Value(frozenset({self._mark("encoding", f"the mean of {self.target!r} of each group", node)}))
            return replace(who, statistic=not who.part)
        if name in ("transform", "agg", "apply") and self._target_of(owner) and not who.part:
            return Value(frozenset({self._mark("encoding", f"{name}() of {self.target!r} in each group", node)}))
        if name == "fillna" and first.statistic and not who.part:
            return replace(who, marks=who.marks | {self._mark("scaling", "filling by hand", node)})
        if name in ("drop", "pop"):
            if any(arg.part for arg in args):
                return replace(who, part=2)
            gone = (
                _texts(node.args[0], self.lists)
                if node.args
                else next((_texts(k.value, self.lists) for k in node.keywords if k.arg == "columns"), None)
            )
            return replace(who, columns={column: marks for column, marks in who.columns.items() if column not in (gone or ())})
        if name == "sample":
            again = any(word.arg == "replace" and isinstance(word.value, ast.Constant) and word.value.value for word in node.keywords)
            return replace(who, again=again or who.again, part=who.part if again or _all_rows(node) else 2)
        if name in ("head", "tail", "nlargest"):
            return replace(who, part=2)
        if name in ("query", "dropna", "drop_duplicates"):
            return replace(who, part=max(who.part, 1))
        if name == "assign":
            return replace(who, columns={**who.columns, **{column: value.all() for column, value in words.items()}})
        found = joined([who, *args, *words.values()])
        return replace(found, part=who.part, statistic=False)

    def _fit(self, owner: ast.expr, who: Value, name: str, data: Value, labelled: bool, node: ast.Call) -> Value:
        """What a fit marks, where it saw all rows."""
        kind, what = _doing(who.made, name, labelled)
        mark = frozenset({self._mark(kind, what, node)}) if kind and not data.part else frozenset[Mark]()
        if any(part.endswith("SearchCV") for part in who.made):
            self.asked.setdefault(self.seq, set()).update(data.all())
        if name == "fit":
            learned = mark or (
                frozenset({self._mark("selection", f"what {who.made[0]} learned", node)})
                if who.made and labelled and not data.part
                else mark
            )
            found = replace(who, fitted=learned if mark or not kind else mark, learned=True)
            root = _root(owner)
            if isinstance(owner, ast.Name) and root:
                self.names[root] = found
            return found
        if isinstance(owner, ast.Name):
            self.names[owner.id] = replace(who, fitted=mark)
        out = replace(data, marks=data.marks | mark, items=())
        return Value(items=(out, out)) if name in ("fit_resample", "fit_sample") else out

    def _own(self, function: ast.FunctionDef, args: list[Value], words: dict[str, Value]) -> Value:
        """A function of the notebook, with what it is given."""
        inner = Reader(self.target, self.lists, dict(self.names), self.functions, self.asked, self.seq, self.cell, self.depth + 1)
        names = [arg.arg for arg in [*function.args.posonlyargs, *function.args.args]]
        inner.names |= dict(zip(names, args, strict=False)) | {word: value for word, value in words.items() if word}
        for statement in function.body:
            inner.step(statement)
        if not inner._returned:
            return NOTHING
        return inner._returned[-1] if len(inner._returned) == 1 or inner._returned[-1].items else joined(inner._returned)

    def _target_of(self, node: ast.AST) -> bool:
        """Whether an expression is the target of the groups of a frame."""
        grouped = any(isinstance(one, ast.Attribute) and one.attr == "groupby" for one in ast.walk(node))
        return (
            (bool(self.target)
            and grouped
            and any(isinstance(one, ast.Constant) and one.value == self.target for one in ast.walk(node)))
            or (bool(self.target) and grouped and any(isinstance(one, ast.Attribute) and one.attr == self.target for one in ast.walk(node)))
        )

    def _mark(self, kind: str, what: str, node: ast.AST) -> Mark:
        return Mark(kind, what, self.cell, getattr(node, "lineno", 0))


def _doing(made: tuple[str, ...], name: str, labelled: bool) -> tuple[str, str]:
    """What a fit of these classes does to the data, and by what."""
    if name in ("fit_resample", "fit_sample"):
        return "resampling", made[0] if made else "resampling"
    for part in made:
        if SUPERVISED.search(part) and labelled:
            return "selection", part
        if ENCODING.search(part) and labelled:
            return "encoding", part
    predicts = made and re.search(r"(Classifier|Regressor|Regression|SVC|SVR|NB|Ridge|Lasso|ElasticNet|CV)$", made[-1])
    if predicts and name == "fit":
        return "", ""
    return next((("scaling", part) for part in made if LEARNING.search(part)), ("", ""))


def _called(node: ast.Call) -> tuple[ast.expr | None, str]:
    if isinstance(node.func, ast.Attribute):
        return node.func.value, node.func.attr
    return None, node.func.id if isinstance(node.func, ast.Name) else ""


def _is_module(node: ast.expr) -> bool:
    """Whether an owner is a module by its usual name."""
    return _root(node) in {
        "np",
        "numpy",
        "pd",
        "pandas",
        "sklearn",
        "nbml",
        "preprocessing",
        "model_selection",
        "feature_selection",
        "metrics",
        "stats",
        "scipy",
        "pl",
    }


def _root(node: ast.AST) -> str:
    while isinstance(node, (ast.Subscript, ast.Attribute, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _loaded(node: ast.expr) -> ast.expr:
    return ast.Name(node.id, ast.Load()) if isinstance(node, ast.Name) else node


def _all_rows(node: ast.Call) -> bool:
    """Whether a sample is a shuffle."""
    return any(word.arg == "frac" and isinstance(word.value, ast.Constant) and word.value.value == 1 for word in node.keywords)


def _whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and node.lower is None and node.upper is None


def _texts(node: ast.expr, lists: Mapping[str, Any]) -> list[str] | None:
    """The column names that an index says; None where it says rows, or what is not known."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else None
    if (
        isinstance(node, (ast.List, ast.Tuple))
        and node.elts
        and all(isinstance(e, ast.Constant) and isinstance(e.value, str) for e in node.elts)
    ):
        return [e.value for e in node.elts]  # type: ignore[attr-defined]
    if isinstance(node, ast.Name):
        known = lists.get(node.id)
        if isinstance(known, str):
            return [known]
        if isinstance(known, (list, tuple)) and known and all(isinstance(e, str) for e in known):
            return list(known)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_texts(side, lists) for side in (node.left, node.right)]
        return [*sides[0], *sides[1]] if sides[0] and sides[1] else None
    return None
