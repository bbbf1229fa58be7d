# `make` alone lists what there is. A fresh machine needs make and python3 (3.11 or newer, with venv).

PYTHON ?= python3
ARGS ?=

# The databases and the broker of the tests that need them; each can be named in the environment.
export TEST_POSTGRES_URL ?= postgres://postgres@127.0.0.1:5432/postgres
TEST_REDIS ?= $(or $(TEST_REDIS_URL),redis://127.0.0.1:6379/0)

STAMP := .venv/installed
RUN := .venv/bin/python
MANAGE := $(RUN) manage.py

# What the tests read is set by the targets alone, so that a shell's leftovers change nothing.
PYTEST := env -u TEST_DATABASE_URL -u TEST_REDIS_URL $(RUN) -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo run setup test test-postgres test-slow test-redis test-browser screenshots crash bench real-mail clients package check format lock clean
.DELETE_ON_ERROR:

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# --clear: what is no longer locked goes, too, and so does a half-made one.
$(STAMP): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name it with: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --clear .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements-dev.txt
	@touch $@

.venv: $(STAMP)

demo: $(STAMP) ## Watch completed tasks arrive in a stand-in for Salesforce (ARGS=--once: end afterwards)
	@exec $(RUN) -m playbooks.demo $(ARGS)

run: $(STAMP) ## The web site and the workers on .env, which is made when there is none (ARGS=--bind=HOST:PORT)
	@exec $(RUN) -m playbooks.run $(ARGS)

setup: $(STAMP) ## Make .env when there is none, the database's tables, the schedules and the static files
	$(RUN) -m playbooks.env_file
	$(MANAGE) setup

test: $(STAMP) ## The tests on SQLite: no network, no browser, no server of any kind
	$(PYTEST) -n 2 --cov --cov-report=term $(ARGS)

test-postgres: $(STAMP) ## The same tests on PostgreSQL (TEST_POSTGRES_URL)
	TEST_DATABASE_URL="$$TEST_POSTGRES_URL" $(RUN) -m pytest -n 2 -m "not slow and not redis and not browser" $(ARGS)

test-slow: $(STAMP) ## The tests that take longer: workers that hang, real clusters
	$(PYTEST) -m "slow and not postgres and not redis" $(ARGS)

test-redis: $(STAMP) ## The tests through django-q2's Redis broker (TEST_REDIS_URL)
	env -u TEST_DATABASE_URL TEST_REDIS_URL="$(TEST_REDIS)" $(RUN) -m pytest -m redis $(ARGS)

test-browser: $(STAMP) ## The tests in a real browser (Chromium on the PATH, or named in CHROMIUM)
	$(PYTEST) -n 2 -m browser $(ARGS)

screenshots: $(STAMP) ## Take the guides' pictures anew from a running demo, in Chromium (ARGS="NAME …": only these)
	@exec $(RUN) docs/screenshots.py $(ARGS)

crash: $(STAMP) ## Kill workers at random while tasks go out, and count what stands in the CRM (ARGS=--short)
	@exec $(RUN) -m benchmarks.crash $(ARGS)

bench: $(STAMP) ## Measure beside the naive way (ARGS=lists, csv, workspace, api or all); writes var/bench*.json
	@exec $(RUN) -m benchmarks.run $(ARGS)

real-mail: $(STAMP) ## Fetch 6,046 real messages for the benchmark into var/, and read each of them (needs npm)
	@exec $(RUN) -m benchmarks.real_mail

clients: $(STAMP) ## Show that simple-salesforce and jsforce work against the sandbox (needs node and npm)
	@exec $(RUN) -m clients.run $(ARGS)

package: $(STAMP) ## Have Salesforce's own command line read the package of custom fields, offline (needs node and npm)
	@exec $(RUN) -m clients.package_check $(ARGS)

# The production check gets an environment as a server would have it; nothing of it is used anywhere else.
CHECK_ENV := ENV_FILE= ENVIRONMENT=production DATABASE_URL=sqlite:///:memory: ALLOWED_HOSTS=playbooks.example.com \
	SITE_URL=https://playbooks.example.com EMAIL_URL=smtp+tls://user:password@mail.example.com:587 \
	DJANGO_SETTINGS_MODULE=playbooks.settings

check: $(STAMP) ## Lint, format, types, import rules, migrations, settings for production
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	DJANGO_SETTINGS_MODULE=tests.settings $(MANAGE) makemigrations --check --dry-run
	env $(CHECK_ENV) $$($(RUN) -m playbooks.env_file --print-secrets) $(MANAGE) check --deploy --fail-level WARNING

format: $(STAMP) ## Format the code and mend what the linter can
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

COMPILE := .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml

lock: $(STAMP) ## Lock the requirements of pyproject.toml anew (ARGS=--upgrade: to the newest)
	$(COMPILE) -o requirements.txt $(ARGS)
	$(COMPILE) --extra dev -c requirements.txt -o requirements-dev.txt $(ARGS)

clean: ## Remove what the tools made, but neither .env nor var/
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
