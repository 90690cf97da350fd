# One command each: demo, test. Both set up everything they need (see `make install`).
#
#   make demo      the five-step warehouse on the tutorial's data; options in ARGS, e.g. ARGS="--keep"
#   make test      all tests          make quick    the everyday loop
#   make soak      long crash, thread and query tests; the same with SEED=7 POINTS=5000 SECONDS=60 CASES=100
#   make check     style and types    make bench    figures, appended to bench.jsonl
#   make install   .venv, jars, compiled kernels

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
MVN    := mvn -q -B -f connector/java/pom.xml
ARGS   ?=
SEED    ?= 1
POINTS  ?= 100000
SECONDS ?= 3600
CASES   ?= 5000
export PYTHONHASHSEED := 0

.PHONY: demo test quick soak check bench install clean

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

soak: install
	@SLUICEWAY_CRASH_SEED=$(SEED) SLUICEWAY_CRASH_POINTS=$(POINTS) SLUICEWAY_KILLS=20 \
	SLUICEWAY_SOAK_SECONDS=$(SECONDS) $(BIN)/python -m pytest -q -x --timeout=0 \
	-o faulthandler_timeout=0 tests/crash tests/unit/test_shard_threads.py
	@SLUICEWAY_KIT_SEED=$$(($(SEED) * 100000)) SLUICEWAY_KIT_CASES=$(CASES) \
	$(BIN)/python -m pytest -q -s --timeout=0 -o faulthandler_timeout=0 tests/flink/test_random_queries.py

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/unit/test_tidy.py
	@$(MVN) spotless:check

bench: install
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[flink,bench]"
	@for bench in tests/bench/bench_*.py; do echo "== $$bench"; PYTHONPATH=tests $(BIN)/python $$bench || exit 1; done

clean:
	@rm -rf $(VENV) build dist connector/java/*/target connector/sluiceway/connector/jars
