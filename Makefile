# Two commands do all the set-up: `make demo` and `make test`. They need Python 3.11 or later and nothing else.
PYTHON ?= python3
OPEN ?= 1
VENV := .venv
BIN := $(VENV)/bin
# The production build of the JupyterLab extension is committed: installing needs no node.
# Two at a time, a file is one's: its fixtures are made once. In the order of their names, the longest (the browser's) come early.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
INSTALL := HATCH_BUILD_NO_HOOKS=true $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python

.PHONY: demo test check mutants labextension clean

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.installed: pyproject.toml labextension/package.json | $(BIN)/uv
	$(INSTALL) --editable .
	@$(BIN)/python -m compileall -q src/nbml
	@touch $@

$(VENV)/.installed-test: pyproject.toml labextension/package.json | $(BIN)/uv
	$(INSTALL) --editable '.[test]'
	@$(BIN)/python -m compileall -q src/nbml
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed
	@mkdir -p .demo && cp example-notebooks/01-quickstart.ipynb .demo/
	cd .demo && ../$(BIN)/python ../tests/notebooks/execute.py 01-quickstart.ipynb
ifeq ($(OPEN),0)
	@cd .demo && ../$(BIN)/python -m nbml stop breast-cancer
else
	cd .demo && ../$(BIN)/jupyter lab 01-quickstart.ipynb
endif

test: $(VENV)/.installed-test
	@tests/browser/chromium.sh
	$(BIN)/python -m pytest $(TWO)

check: $(VENV)/.installed-test
	$(BIN)/ruff check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(TWO) -m 'not slow and not browser'

mutants: $(VENV)/.installed-test
	$(BIN)/python tests/mutants/kill.py

labextension: $(VENV)/.installed-test
	cd labextension && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm install --immutable && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm build:prod
	$(BIN)/python tests/browser/built.py --write

clean:
	rm -rf $(VENV) .demo dist build labextension/lib labextension/node_modules
