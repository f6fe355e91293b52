# What a newcomer types; README.md says more. Needs Python 3.11 or newer, make and git.

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
IN_VENV = .venv/bin/python
# Where this is set, as in many containers, each of the processes that Farthing, and its tests, start
# would compile all that it imports: half of its start.
export PYTHONDONTWRITEBYTECODE =
# All tests are shared by workers, whole files each: one more than there are cores, as some tests
# wait for programs that they started. A few tests (TESTS=…) need none.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
WORKERS = $(if $(TESTS),,-n $(shell expr $(CORES) + 1) --maxprocesses 4 --dist loadgroup \
	--no-loadscope-reorder)

# uv installs in seconds what takes pip most of a minute. Where it is not there, pip brings it into
# .venv, and does the work itself if that fails (pip alone may know of a proxy or a mirror). Both
# refuse what differs from the lock's hashes.
define install
@echo "Installing $(1)"
@if uv --version >/dev/null 2>&1; \
then uv pip install --quiet --python $(IN_VENV) --require-hashes -r $(1); \
else pip=".venv/bin/pip --quiet --disable-pip-version-check install"; \
	{ test -x .venv/bin/uv || $$pip uv; } 2>/dev/null \
	&& .venv/bin/uv pip install --quiet --python $(IN_VENV) --require-hashes -r $(1) 2>/dev/null \
	|| $$pip --require-hashes -r $(1); fi
endef

.PHONY: up demo test bench check audit

up: .venv/runtime
	@exec $(IN_VENV) manage.py up

demo: .venv/runtime
	@exec $(IN_VENV) manage.py up --demo

test: .venv/development
	$(IN_VENV) -m pytest $(WORKERS) $(TESTS)

# BENCH="--quick", "--only queries --keep DIR": bench/run.py --help says more.
bench: .venv/development
	@$(MAKE) --no-print-directory .venv/bench || echo "chDB is not to be had: left out."
	$(IN_VENV) bench/run.py $(BENCH)
	@git diff --quiet -- bench/results.json || $(IN_VENV) bench/figures.py

check: .venv/development
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(IN_VENV) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	FARTHING_HTTPS=true $(IN_VENV) manage.py check --deploy --fail-level WARNING
	$(IN_VENV) -m pytest --quiet tests/test_import_directions.py tests/test_readme.py

audit: .venv/made
	$(IN_VENV) .ci/audit.py

.venv/runtime: .venv/made requirements.lock
	$(call install,requirements.lock)
	@touch $@

.venv/development: .venv/made requirements-dev.lock
	$(call install,requirements-dev.lock)
	@touch $@ .venv/runtime

.venv/bench: .venv/development requirements-bench.lock
	$(call install,requirements-bench.lock)
	@touch $@

.venv/made:
	@test -n "$(PYTHON)" \
	|| { echo "Farthing needs Python 3.11 or newer; name it: make PYTHON=/path/to/python"; exit 1; }
	@if uv --version >/dev/null 2>&1; then $(PYTHON) -m venv --without-pip .venv; \
	else $(PYTHON) -m venv .venv; fi
	@touch $@
