# Every target is complete on a machine with Python 3.11 to 3.13, make and git.
PYTHON ?= python3
PARAMS ?= params/2026Q2.yml
BENCH ?=
BIN := .venv/bin
READY := .venv/.ready

.PHONY: plan test slow lab bench lint clean

plan: $(READY)            ## read the orders, run the chapters, leave reports/2026Q2/index.html
	@$(BIN)/planlib run $(PARAMS)

test: $(READY) lint       ## style, types, walls and the tests (under ten minutes on two cores)
	@$(BIN)/python -m pytest tests -m "not slow" -n 2 --dist loadfile

slow: $(READY)            ## the heavy suites: browser, JupyterLab, kill and replay, Contoso end to end
	@$(BIN)/python -m pytest tests -m slow -n 2 --dist loadfile

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy planlib
	@$(BIN)/lint-imports
	@$(BIN)/nbstripout --verify notebooks/*.ipynb

lab: plan                 ## JupyterLab on the notebooks, with the latest run behind them
	@$(BIN)/jupyter lab --notebook-dir=. notebooks/01-strategy.ipynb

bench: $(READY)           ## wall-time ratios against peers, in one run (about 25 minutes; BENCH=quick: six)
	@$(BIN)/python -m tests.benchmarks $(BENCH)

$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

clean:                    ## the environment and the caches, never the reports
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
