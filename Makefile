# `make` alone lists what there is. Every target sets itself up.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
PORT ?= 8000
PYTEST_ARGS ?= -n auto --dist worksteal
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install -qq --no-input --disable-pip-version-check --require-hashes --no-deps
AUDIT := $(VENV)/audit
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
# What runs on and on ends with make, also when make is killed.
BOUND := $(PY) -I bluegreen/die_with_parent.py $$PPID 15
export PYTHONUNBUFFERED := 1
# Where compiled modules are not kept, each process compiles all of them again: a second and a half.
unexport PYTHONDONTWRITEBYTECODE

# Checks look at code, not at this machine's settings: nothing of them is ever called.
CHECK_ENV := DATABASE_URL=sqlite://:memory: REDIS_URL=redis://127.0.0.1:1/0 VAR_DIR=var/check \
	SECRET_KEY=a-key-for-checks-that-is-long-enough-and-signs-nothing-at-all-0123456789 \
	OB_SERVICE_URL=http://127.0.0.1:1 GATEWAY_URL=http://127.0.0.1:1 \
	ALLOWED_ENDPOINT_NETWORKS=127.0.0.0/8

.PHONY: help setup demo run test test-postgres check fuzz chaos chaos-machines audit bench messages clean lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV) ## Make the environment in .venv, with all locked dependencies

demo: $(RUNTIME) ## Show everything at work on 60 tenants of a sandbox; Ctrl-C ends it
	@PORT=$(PORT) exec $(BOUND) $(PY) -m scripts.demo

run: $(RUNTIME) ## Run the system; it says what must be configured
	@$(PY) manage.py check --deploy --tag configuration > /dev/null
	@$(PY) manage.py migrate --noinput --verbosity 0
	@echo "Dashboard: http://127.0.0.1:$(PORT)   (the first user: $(PY) manage.py createsuperuser)"
	@PORT=$(PORT) PATH="$(CURDIR)/$(VENV)/bin:$$PATH" exec $(BOUND) honcho start -c worker=2

test: $(DEV) ## Run the tests on SQLite
	@env -u DATABASE_URL -u DJANGO_SETTINGS_MODULE $(PY) -m pytest $(PYTEST_ARGS)

test-postgres: $(DEV) ## Run the tests on a private PostgreSQL cluster (needs initdb)
	@env -u DJANGO_SETTINGS_MODULE $(PY) scripts/private_postgres.py $(PY) -m pytest $(PYTEST_ARGS)

check: $(DEV) ## Lint, format, types, import layers, migrations, deployment settings
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(CHECK_ENV) $(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(CHECK_ENV) $(PY) manage.py makemigrations --check --dry-run
	$(CHECK_ENV) INSECURE_COOKIES=false $(PY) manage.py check --deploy --fail-level WARNING

fuzz: $(DEV) ## Call API and sockets with what nobody should send, for minutes (FUZZ_EXAMPLES=300)
	@env -u DATABASE_URL -u DJANGO_SETTINGS_MODULE FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-300} \
		$(PY) -m pytest -s -n 0 tests/api/test_fuzz.py tests/live/test_fuzz.py

chaos: $(DEV) ## Break everything while plans run, and check that nothing is lost (CHAOS_SECONDS=80, CHAOS_SEED)
	@for database in $${CHAOS_DATABASE:-sqlite postgresql}; do \
		env -u DJANGO_SETTINGS_MODULE CHAOS_DATABASE=$$database $(PY) -m tests.chaos || exit 1; \
	done

chaos-machines: $(DEV) ## Cut off one of several machines while plans run (as root: network namespaces)
	@env -u DJANGO_SETTINGS_MODULE CHAOS_MACHINES="everything redis database" \
		$(PY) -m pytest -s -n 0 tests/chaos/test_machines.py

audit: $(AUDIT)/.installed ## Ask whether locked dependencies have known vulnerabilities (needs the network)
	@$(AUDIT)/bin/pip-audit --disable-pip --progress-spinner off $(AUDIT_ARGS) \
		-r requirements/dev.txt -r requirements/audit.txt

bench: $(DEV) ## Measure throughput, latency and memory, as a table
	@$(PY) -m bench

messages: $(DEV) ## Collect the texts for people into locale/, say what waits for translation, compile
	@$(PY) -m scripts.messages

lock: $(DEV) ## Lock the newest allowed versions of all dependencies
	@scripts/lock.sh $(VENV)/bin/uv

clean: ## Remove what was made, except the data in var/
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf var/demo var/check *.egg-info
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

$(RUNTIME): requirements/runtime.txt
	@scripts/make_venv.sh $(VENV) $(PYTHON)
	@echo "Installing what Bluegreen needs into $(VENV)/ (once, about half a minute)"
	@$(PIP) -r requirements/runtime.txt
	@touch $@

$(DEV): requirements/dev.txt
	@scripts/make_venv.sh $(VENV) $(PYTHON)
	@echo "Installing what Bluegreen and its tests need into $(VENV)/ (once, about a minute)"
	@$(PIP) -r requirements/dev.txt
	@touch $@ $(RUNTIME)

# Of its own: what only an audit needs shall not be there when tests run.
$(AUDIT)/.installed: requirements/audit.txt
	@scripts/make_venv.sh $(AUDIT) $(PYTHON)
	@$(AUDIT)/bin/python -m pip install -qq --no-input --disable-pip-version-check \
		--require-hashes --no-deps -r requirements/audit.txt
	@touch $@
