# Everything runs from a clean checkout: the first target that needs it makes .venv. `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
JOBS ?= 2
# The programs that check our DICOM files (dciodvfy, dcmdump, a PACS) and the page (a browser). Tests skip what is missing.
PEERS := dicom3tools dcmtk orthanc orthanc-dicomweb poppler-utils chromium

.DEFAULT_GOAL := help
.PHONY: help setup peers demo test test-slow fuzz test-real lint types format docs dist benchmark clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "make %-12s %s\n", $$1, $$2}'

setup: $(READY) ## create .venv with everything in it

$(READY): pyproject.toml constraints.txt tools/install.sh
	@PYTHON="$(PYTHON)" bash tools/install.sh
	@touch $@

peers: ## install the programs that check our files, where that is possible
	@bash tools/peers.sh $(PEERS)

demo: $(READY) ## simulate a low-dose scan, denoise it, compare with the truth
	@bash tools/demo.sh

test: $(READY) peers lint types ## style, types and the quick tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(JOBS)

test-slow: $(READY) peers ## the tests that take longer
	$(BIN)/pytest -m slow

fuzz: $(READY) ## 500 broken files through the program (minutes)
	$(BIN)/pytest -m slow tests/fuzz

test-real: $(READY) peers ## the tests on real scans: DEMOTTLE_REAL_DATA=FOLDER make test-real
	@test -n "$$DEMOTTLE_REAL_DATA" || { echo "Set DEMOTTLE_REAL_DATA to the folder with the public scans."; exit 2; }
	$(BIN)/pytest -m real_data

lint: $(READY) ## ruff, check and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy, strict
	$(BIN)/mypy

format: $(READY) ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## the documentation as a site, in site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

dist: $(READY) ## wheel and source archive, in dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation

benchmark: $(READY) ## methods on the public scans: DEMOTTLE_REAL_DATA=FOLDER make benchmark (installs bm3d, free for non-commercial use only)
	@test -n "$$DEMOTTLE_REAL_DATA" || { echo "Set DEMOTTLE_REAL_DATA to the folder with the public scans."; exit 2; }
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[benchmark]"
	$(BIN)/demottle benchmark --suite ct-real

clean: ## remove what the targets made, .venv included
	rm -rf .venv demo build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
