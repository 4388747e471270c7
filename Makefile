# Every target makes or mends .venv by itself. Paths stay relative: the checkout's own may have a space.
PYTHON ?= python3
ARGS ?=
# A database a worker. One more than there are cores: many tests wait for a worker or a server.
WORKERS ?= -n $(shell $(RUN) -c "import os; print(min(os.cpu_count() + 1, 4))")
RUN := .venv/bin/python
# Tests and demo start hundreds of processes: without bytecode each compiles all modules anew.
export PYTHONDONTWRITEBYTECODE :=
# The address that the metadata of `make dist` name. GitHub's own runners say theirs.
export REPOSITORY_URL ?= $(if $(GITHUB_REPOSITORY),$(GITHUB_SERVER_URL)/$(GITHUB_REPOSITORY))

.DEFAULT_GOAL := help
.PHONY: help venv lock demo test slow check coverage migrations messages bench soak packs matrix dist bom docs docs-versions links recording pictures

help:
	@echo "make demo    run the story, then site and worker until Ctrl-C   (ARGS=--exit: end after it)"
	@echo "make test    the tests                                          (ARGS='-k name -n 0': pytest's)"
	@echo "make slow    the other tests of the same files, that take longer"
	@echo "make check   lint, types, migrations, known vulnerabilities, tests"
	@echo "make coverage  the tests, and which lines and branches they do not reach"
	@echo "make matrix  the tests on each Python, Django, PostgreSQL here   (ARGS='tests/capture')"
	@echo "make bench   the measurements, to the terminal and build/bench.json"
	@echo "make soak    what takes longer: whole products, all guides, faults   (ARGS='-k name')"
	@echo "make packs   every scaffold in a site with all their packages   (ARGS='-k wagtail')"
	@echo "make dist    sdist and wheel into dist/, built twice alike; bill of materials into build/bom"
	@echo "make docs    the documentation as pages, into build/docs        (make links: also others' pages)"
	@echo "make docs-versions  those of each released version too, with a switch, into build/docs-versions"
	@echo "make pictures  of the admin, light and dark, by Chromium: make docs has a page of them"
	@echo "make recording  docs/pictures/demo.svg, from a run of the demonstration"
	@echo "make messages  what is said to people, into the catalogues of languages  (gettext tools)"
	@echo "make lock    write the locks again                              (ARGS=--upgrade: newer releases)"
	@echo "DATABASE_URL replaces the embedded PostgreSQL; PYTHON=python3.12 makes .venv with that one."

venv:
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer (Debian: apt-get install python3 python3-venv)" >&2; exit 1; }
	@"$(PYTHON)" .ci/venv.py

lock: venv
	@$(RUN) .ci/lock.py $(ARGS)

demo: venv
	@$(RUN) manage.py demo $(ARGS)

test: venv
	@$(RUN) -m pytest $(WORKERS) $(ARGS)

migrations: venv
	@$(RUN) manage.py makemigrations --check --dry-run

messages: venv
	@$(RUN) .ci/messages.py

check: venv
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(RUN) manage.py check
	$(RUN) manage.py makemigrations --check --dry-run
	$(RUN) .ci/audit.py
	$(RUN) -m pytest $(WORKERS) $(ARGS)

coverage: venv
	@$(RUN) -m pytest $(WORKERS) --cov $(ARGS)

matrix:
	@"$(PYTHON)" .ci/matrix.py $(ARGS)

dist: venv bom
	@$(RUN) .ci/packaged.py

bom: venv
	@$(RUN) .ci/bom.py

docs: venv
	@$(RUN) .ci/pages.py

docs-versions: venv
	@$(RUN) .ci/versions.py

links: venv
	@$(RUN) .ci/pages.py linkcheck

recording: venv
	@$(RUN) .ci/recording.py

pictures: venv
	@PICTURES=build/pictures $(RUN) -m pytest -n 0 -m slow tests/lifecycle/admin/test_pictures.py $(ARGS)

bench: venv
	@$(RUN) -m tests.bench $(ARGS)

slow: venv
	@$(RUN) -m pytest $(WORKERS) -m slow $(ARGS)

soak: venv
	@$(RUN) -m pytest -o addopts= -m slow --ignore=tests/host/sample --ignore=tests/peers/sample \
	  --timeout=0 $(ARGS)

packs: venv
	@$(RUN) .ci/packs.py $(ARGS)
