# One command each: demo, test. Both set up everything they need (see `make install`).
#
#   make demo      the five-step warehouse on the tutorial's data; options in ARGS, e.g. ARGS="--keep"
#   make test      all tests          make quick    the everyday loop
#   make check     style and types    make bench    figures, appended to bench.jsonl
#   make install   .venv, jars, compiled kernels

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
MVN    := mvn -q -B -f connector/java/pom.xml
ARGS   ?=
export PYTHONHASHSEED := 0

.PHONY: demo test quick check bench install clean

install: $(VENV)/.installed
	@$(BIN)/python -m sluiceway.connector.build
	@$(BIN)/python -m sluiceway.warehouse.warm

$(VENV)/.installed: pyproject.toml constraints.txt tools/preflight.sh
	@sh tools/preflight.sh "$(PYTHON)"
	@echo "== Python packages into $(VENV) (a minute or two)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[flink,dev]"
	@touch $@

demo: install
	@$(BIN)/sluiceway demo $(ARGS)

test: install
	@$(MVN) test
	@$(BIN)/python -m pytest -q

quick: install
	@$(BIN)/python -m pytest -q -m "not slow"

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/unit/test_tidy.py
	@$(MVN) spotless:check

bench: install
	@for bench in tests/bench/bench_*.py; do echo "== $$bench"; PYTHONPATH=tests $(BIN)/python $$bench || exit 1; done

clean:
	@rm -rf $(VENV) build dist connector/java/*/target connector/sluiceway/connector/jars
