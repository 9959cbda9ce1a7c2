"""The table, the functions, the help, the reference page and the palette's file say the same."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import nbml
from nbml import errors
from nbml.commands import LATER, REQUIRED, TABLE, Command
from nbml.commands.__main__ import table
from nbml.commands.help import Help, reference

ROOT = Path(__file__).resolve().parents[2]
HERE = [command for command in TABLE if command.since != LATER]
COMING = [command for command in TABLE if command.since == LATER]
FORMS = {
    "plain": inspect.Parameter.POSITIONAL_OR_KEYWORD,
    "leading": inspect.Parameter.POSITIONAL_ONLY,
    "many": inspect.Parameter.VAR_POSITIONAL,
    "keyword": inspect.Parameter.KEYWORD_ONLY,
    "extra": inspect.Parameter.VAR_KEYWORD,
}


@pytest.mark.parametrize("command", HERE, ids=lambda command: command.name)
def test_a_row_is_the_signature_of_its_function(command: Command) -> None:
    signature = inspect.signature(getattr(nbml, command.function))
    real = [(p.name, p.kind, REQUIRED if p.default is p.empty else p.default) for p in signature.parameters.values()]
    assert [(p.name, FORMS[p.form], p.default) for p in command.params] == real


@pytest.mark.parametrize("command", COMING, ids=lambda command: command.name)
def test_a_verb_of_a_later_version_says_so_by_name(command: Command) -> None:
    with pytest.raises(errors.NotYet) as caught:
        getattr(nbml, command.function)("anything", of="any form")
    assert str(caught.value) == f"nbml {nbml.__version__} does not have nbml.{command.function} yet\nTry: %nbml --help"


def test_every_verb_of_the_root_is_in_the_table() -> None:
    functions = {name for name, home in nbml._HOMES.items() if home.partition(":")[2] and not home.startswith("nbml.errors")}
    verbs = functions - {"ExecutionEngine"}  # a class, for checkpoints of Great Expectations
    assert verbs == {command.function for command in TABLE}


def test_places_and_pairs_are_parameters() -> None:
    for command in TABLE:
        names = [param.name for param in command.params]
        pairs = [param.pair for param in command.params if param.pair]
        assert set(command.line or ()) <= set(names), command.name
        assert set(pairs) <= set(names), command.name
        assert not command.cell or set(command.made) <= set(names), command.name
        assert command.since or not command.magic or command.example, command.name


def test_help_names_every_option_and_the_python_form() -> None:
    for command in TABLE:
        text = repr(Help(command))
        assert f"nbml.{command.function}(" in text
        for param in command.params:
            assert not param.typed or not command.magic or param.flag in text or param.name.upper() in text, (command.name, param.name)


def test_the_palette_reads_the_same_table() -> None:
    assert json.loads((ROOT / "labextension" / "src" / "commands.json").read_text()) == table(), (
        "write it again: python -m nbml.commands --json > labextension/src/commands.json"
    )


def test_the_reference_page_is_generated() -> None:
    assert (ROOT / "docs" / "reference" / "commands.md").read_text() == reference(), (
        "write it again: python -m nbml.commands --reference > docs/reference/commands.md"
    )


def test_the_table_is_printed_without_importing_a_stage() -> None:
    code = (
        "import runpy, sys\n"
        "sys.argv = ['commands', '--json']\n"
        "try: runpy.run_module('nbml.commands', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'pandas', 'numpy', 'sklearn', 'IPython', 'bentoml'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    printed, _, heavy = done.stdout.strip().rpartition("\n")
    assert json.loads(printed) == table()
    assert heavy == "[]"
