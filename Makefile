# Everything runs in .venv, from pinned, hash-checked requirements.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo chat serve test lint bench eval fit readme clean

setup: $(STAMP)

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q bot
	touch $(STAMP)

demo: setup
	@SIGNPOST_DATA_DIR=.demo SIGNPOST_SAMPLE_ORGANIZATION=1 $(BIN)/python -m bot demo

chat: setup
	@SIGNPOST_DATA_DIR=.demo SIGNPOST_SAMPLE_ORGANIZATION=1 $(BIN)/python -m bot chat

serve: setup
	@SIGNPOST_DATA_DIR=.demo SIGNPOST_SAMPLE_ORGANIZATION=1 SIGNPOST_ORGANIZATION=pinecrest $(BIN)/python -m bot serve

test: setup
	$(BIN)/python -m pytest tests -m "not e2e" -n 4

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

eval: setup
	$(BIN)/python -m bot eval tests/evals/questions/held*.jsonl

fit: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fit.txt
	$(BIN)/python -m tests.evals.fit

readme: setup
	$(BIN)/python -m tests.evals.ship_vectors
	$(BIN)/python -m tests.readme
	$(BIN)/python -m tests.privacy_page

bench: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .demo
