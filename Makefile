# `make demo` and `make test` are all a newcomer needs: both set up .venv themselves (see scripts/venv).
# Arguments go through ARGS: make test ARGS="tests/cli -x"
VENV ?= .venv
export VENV
unexport PYTHONDONTWRITEBYTECODE # hundreds of tests start a process: each would compile all that it imports
BIN := $(VENV)/bin

.PHONY: demo test pages check bench setup format screenshots clean

demo: $(VENV)/.demo
	$(BIN)/tracetui demo $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n logical --dist loadfile $(ARGS)

# Every page of docs/clients, followed in an environment of its own (from PyPI and npm, kept in build/pages).
pages: $(VENV)/.dev
	$(BIN)/python -m pytest -n logical --dist load --pages tests/pages $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	$(BIN)/python -m bench $(ARGS)

# The pictures of README and docs, from a fresh run of the demo.
screenshots: $(VENV)/.dev
	@mkdir -p build && rm -f build/traces.db*
	$(BIN)/tracetui demo --headless --db build/traces.db
	$(BIN)/python screenshots/make.py build/traces.db screenshots $(ARGS)

setup: $(VENV)/.dev

$(VENV)/.demo: pyproject.toml scripts/venv
	@sh scripts/venv demo
	@touch $@

# The tests run the demo too, so that the one includes the other.
$(VENV)/.dev: pyproject.toml scripts/venv
	@sh scripts/venv demo,dev
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) .venv-* build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
