# The front door. `make help` lists what stands behind it.
PYTHON = .venv/bin/python
PIP = $(PYTHON) -m pip install --quiet --disable-pip-version-check
PRODUCTION = ATHENA_DASH_ENV=production ALLOWED_HOSTS=check.invalid SECRET_KEY=$$(head -c 48 /dev/urandom | base64 -w0) \
	ATHENA_DASH_ENCRYPTION_KEY=$$(head -c 32 /dev/urandom | base64 -w0 | tr +/ -_)
.DEFAULT_GOAL = help
.PHONY: help demo test check bench lock

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# Stopped by a signal, the demo itself ends with 0; make then reports the signal, as it always does (130, 143).
demo: .venv/run.installed ## Run everything against the sandbox; PORT, ATHENA_DASH_STATE; Ctrl-C stops it
	@exec $(PYTHON) manage.py demo

test: .venv/dev.installed ## Every test, on real PostgreSQL, Valkey and Chromium; ONLY=tests/core narrows it
	@.ci/chromium
	@$(PYTHON) -m pytest -n $${WORKERS:-2} --dist loadfile $(ONLY)

check: .venv/dev.installed ## Format, lint, types, import rules, migrations, templates, production settings
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run # needs no database to compare with
	git ls-files -z 'templates/*.html' | xargs -0r .venv/bin/djade --check --target-version 5.2
	@echo manage.py check --deploy; $(PRODUCTION) $(PYTHON) manage.py check --deploy --fail-level WARNING

bench: .venv/dev.installed .venv/bench.installed ## Measure; ONLY=startup for one; also appended to var/bench.jsonl
	@$(PYTHON) -m bench $(ONLY)

lock: .venv/dev.installed ## Resolve requirements/*.in into hash-pinned locks that name no index
	cd requirements && for set in run dev bench; do ../.venv/bin/uv pip compile --quiet --universal --upgrade \
		--generate-hashes --no-emit-index-url --no-header --python-version 3.11 $$set.in -o $$set.lock; done

.venv/made:
	@.ci/venv
	@touch $@

.venv/run.installed: requirements/run.lock .venv/made
	@echo "installing what runs (requirements/run.lock)"
	@$(PIP) --require-hashes -r $<
	@touch $@

.venv/dev.installed: requirements/dev.lock .venv/made
	@echo "installing what runs and what tests (requirements/dev.lock)"
	@$(PIP) --require-hashes -r $<
	@touch $@ .venv/run.installed

# What is measured beside us never meets what we run on.
.venv/bench.installed: requirements/bench.lock .venv/made
	@echo "installing what the benchmarks compare with (requirements/bench.lock)"
	@$(PYTHON) -m venv --clear .venv/bench
	@.venv/bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
