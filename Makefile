# Each target sets up what it needs in .venv; the second time that takes no time.
PYTHON ?= python3
HOST   ?= 127.0.0.1
PORT   ?= 8501
DATA   ?= ../shared/data
SGLANG ?= ../shared/sglang
SGLANG_HOME ?= $(HOME)/.cache/triage-desk/sglang
SGLANG_ROUTER := $(shell cat requirements/router.in)

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# $(call apt,package): installed when this is root; otherwise one line says what is missing, and make stops.
apt = { if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then echo "Installing $(1)…"; \
          export DEBIAN_FRONTEND=noninteractive; apt-get update -qq </dev/null && \
          apt-get install -y -qq --no-install-recommends $(1) </dev/null >/dev/null; \
        else echo "$(1) is missing: run 'sudo apt-get install $(1)', then this command again." >&2; exit 1; fi; }
# The tests start servers of their own; Debian's services are stopped where they are installed here.
redis = command -v redis-server >/dev/null || $(call apt,redis-server)
postgresql = ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || $(call apt,postgresql)
prometheus = command -v prometheus >/dev/null || \
             { $(call apt,prometheus) && { service prometheus stop >/dev/null 2>&1 || true; }; }
nginx = command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || \
        { $(call apt,nginx) && { service nginx stop >/dev/null 2>&1 || true; }; }
# Before a command: names the real SGLang to it, where that is set up.
with_sglang = if [ -e $(SGLANG_HOME)/model ]; then export TRIAGE_TEST_SGLANG_PYTHON=$(SGLANG_HOME)/venv/bin/python \
                TRIAGE_TEST_SGLANG_MODEL=$(SGLANG_HOME)/model; fi
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-annotate --no-header

.DEFAULT_GOAL := help
.PHONY: help run test test-servers test-browser test-kills lint sbom licences bench browser screenshots locale red-flags test-sglang model lock clean
.DELETE_ON_ERROR:

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: .venv/.desk  ## the desk on http://127.0.0.1:8501 (PORT=… for another port, HOST=… for another address of this machine)
	@exec $(BIN)/triage serve --host $(HOST) --port $(PORT)

test: .venv/.dev  ## the tests of the desk itself
	@$(redis)
	@$(BIN)/python -m pytest -m "not slow and not sglang and not browser and not kills" --cov --cov-report=term:skip-covered

test-servers: .venv/.dev .venv/.azurite  ## tests with PostgreSQL, nginx, Prometheus, buckets, Ray and whole desks as processes
	@$(redis)
	@$(postgresql)
	@$(prometheus)
	@$(nginx)
	@command -v envsubst >/dev/null || $(call apt,gettext-base)
	@$(BIN)/python -m pytest -m "slow and not sglang and not browser and not kills"

test-kills: .venv/.dev  ## runs on 50,000 rows that are killed again and again, and a database that restarts under a crowd
	@$(redis)
	@$(postgresql)
	@$(BIN)/python -m pytest -m kills tests/kills

test-browser: .venv/.dev .venv/.axe browser  ## every page in Debian's Chromium
	@$(nginx)
	@$(BIN)/python -m pytest -m browser tests/browser

lint: .venv/.dev  ## format, lint, types, direction of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python deploy/known_weaknesses.py

sbom: .venv/.dev  ## what the desk installs, as a CycloneDX bill of materials: sbom.json
	@PYTHONWARNINGS=ignore::UserWarning $(BIN)/cyclonedx-py requirements requirements/desk.txt --pyproject pyproject.toml \
	  --mc-type application --spec-version 1.6 --output-format JSON --output-reproducible --validate --output-file sbom.json
	@echo "sbom.json"

licences: .venv/.dev  ## write the table of licences again
	@$(BIN)/python deploy/licences.py

bench: .venv/.dev browser  ## measure speed and memory: one JSON object a line
	@$(with_sglang); $(BIN)/python -m tests.bench

screenshots: .venv/.dev browser  ## a picture of each page in each language, into screenshots/
	@$(BIN)/python -m tests.browser.screenshots

locale: .venv/.dev  ## write the English catalogue again from the sentences in app/
	@$(BIN)/python -m app.locale.extract

red-flags: .venv/.desk  ## write the page of the red-flag rules again from their files
	@$(BIN)/python -m core.safety.table

test-sglang: .venv/.dev  ## the contract against real SGLang servers and router, set up outside the checkout when SGLANG has its scripts
	@if [ ! -e $(SGLANG_HOME)/model ] && [ -e $(SGLANG)/install.sh ]; then mkdir -p $(SGLANG_HOME) && \
	  bash $(SGLANG)/install.sh $(SGLANG_HOME)/venv && \
	  $(SGLANG_HOME)/venv/bin/python $(SGLANG)/make_tiny_model.py $(SGLANG_HOME)/model 1024 1; fi
	@if [ -e $(SGLANG_HOME)/model ] && [ ! -e $(SGLANG_HOME)/venv/bin/sglang-router ]; then \
	  $(SGLANG_HOME)/venv/bin/python -m pip install --quiet --disable-pip-version-check $(SGLANG_ROUTER); fi
	@$(with_sglang); $(BIN)/python -m pytest -m sglang tests/contract

model: .venv/.desk  ## train the default bundle again from the tables in DATA (most of an hour the first time)
	@$(BIN)/triage train $(foreach table,zh_toyhom.csv zh_cmtmedqa.csv zh_dialmed.csv en_mtsamples.csv en_nhamcs.parquet,\
	  $(DATA)/$(table)) models/starter/notes_zh.csv models/starter/notes_en.csv \
	  models/vignettes/cases_zh.csv models/vignettes/cases_en.csv \
	  --recipe models/recipes/default.toml --out models/default

lock: .venv/.dev  ## pin and hash the newest versions that fit pyproject.toml
	@$(LOCK) --upgrade pyproject.toml requirements/build.in -o requirements/desk.txt
	@$(LOCK) --upgrade requirements/router.in -o requirements/router.txt
	@$(LOCK) --upgrade pyproject.toml requirements/build.in --extra dev -c requirements/desk.txt -o requirements/dev.txt

clean:  ## remove .venv and every cache
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(call apt,python3-venv)
	@echo "Setting up .venv (a few minutes, the first time only)…"
	@$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/.desk: .venv/.made requirements/desk.txt pyproject.toml
	@$(PIP) --no-deps --require-hashes -r requirements/desk.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.desk requirements/dev.txt
	@$(PIP) --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

# The browser of the tests, with Chinese letters.
browser:
	@command -v chromium >/dev/null || $(call apt,chromium)
	@[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || $(call apt,fonts-noto-cjk)

# What the tests take from npm, each with its lock file.
NPM = mkdir -p .venv/share/$(1) && cp $(2)/package.json $(2)/package-lock.json .venv/share/$(1)/ && \
      npm ci --prefix .venv/share/$(1) --ignore-scripts --no-audit --no-fund --silent

.venv/.axe: .venv/.made tests/browser/package.json tests/browser/package-lock.json
	@command -v npm >/dev/null || $(call apt,npm)
	@$(call NPM,axe,tests/browser)
	@touch $@

# A server of buckets.
.venv/.azurite: .venv/.made tests/core/bulk/azurite/package.json tests/core/bulk/azurite/package-lock.json
	@command -v npm >/dev/null || $(call apt,npm)
	@$(call NPM,azurite,tests/core/bulk/azurite)
	@touch $@
