"""What calls do by their names, where no digest can tell: tables that the Recipe's reading of text goes by."""

from __future__ import annotations

#: methods that leave what they are called on, and what they are given, as it was
_PURE_METHODS = """
head tail describe info sum mean std var min max median mode count value_counts nunique unique copy corr cov groupby agg aggregate
apply map filter transform merge join assign query pipe pivot pivot_table melt stack unstack reset_index set_index sort_values
sort_index rename drop dropna fillna astype round abs clip where mask isin isna notna duplicated drop_duplicates nlargest nsmallest
sample shift diff cumsum rank rolling expanding resample plot hist to_numpy to_dict to_list tolist to_csv to_parquet to_sql items
keys values get index split strip lower upper replace format startswith endswith encode decode reshape ravel flatten transpose dot
argsort argmax argmin predict predict_proba decision_function score inverse_transform get_params any all eq ne explode first last
size load read_csv select_dtypes idxmax idxmin quantile total_seconds hex as_integer_ratio issubset union intersection
"""
#: functions of which the same is true
_PURE_CALLS = """
print len sum min max sorted list tuple dict set frozenset range enumerate zip map filter any all abs round int float str bool repr
type isinstance hasattr getattr id hash divmod pow display bytes slice train_test_split cross_val_score cross_validate make_pipeline
cross_val_predict accuracy_score roc_auc_score f1_score clone
"""
PURE_METHODS, PURE_CALLS = frozenset(_PURE_METHODS.split()), frozenset(_PURE_CALLS.split())
MUTATING_CALLS = frozenset({
    "setattr", "delattr", "next", "shuffle", "put", "copyto", "fill_diagonal", "place", "putmask", "insort", "heappush", "heappop", "exec",
})  # fmt: skip
#: (owner, attribute) of calls that tell the time
CLOCK = frozenset({
    ("time", "time"), ("time", "perf_counter"), ("time", "time_ns"), ("time", "monotonic"), ("time", "localtime"), ("time", "gmtime"),
    ("time", "strftime"), ("time", "ctime"), ("time", "perf_counter_ns"), ("time", "process_time"),
    ("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("date", "today"), ("Timestamp", "now"), ("Timestamp", "today"),
    ("Timestamp", "utcnow"), ("Timestamp", "utc"),
})  # fmt: skip
CHANCE = frozenset({
    "uuid4", "uuid1", "urandom", "getrandom", "token_hex", "token_bytes", "token_urlsafe", "SystemRandom", "randbits", "randbelow",
})  # fmt: skip
#: calls that give something of this process only
FLEETING = frozenset({"id", "getpid", "getppid", "get_ident", "mktemp", "mkdtemp", "mkstemp", "NamedTemporaryFile", "TemporaryDirectory"})
UNSEEDED = frozenset({"default_rng", "RandomState", "Random", "SeedSequence", "Generator", "PCG64", "MT19937", "Philox", "SFC64"})
SHELL = frozenset({"system", "getoutput", "getoutput_", "check_output", "Popen", "popen", "check_call"})
#: magics whose lines are a shell's
SHELL_MAGICS = frozenset({"sx", "sc", "bash", "sh", "script", "system", "!"})
SEEDS = frozenset({"seed", "set_state", "setstate", "manual_seed", "set_rng_state"})
#: names that IPython put there
HIDDEN = frozenset({
    "In", "Out", "get_ipython", "exit", "quit", "open", "_ih", "_oh", "_dh", "__", "___", "__builtins__", "__builtin__", "__name__",
    "__doc__", "__loader__", "__spec__", "__package__", "_exit_code",
})  # fmt: skip
