# `make` alone says what there is. Everything is installed into .venv and nowhere else.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(or $(firstword $(foreach name,python3.11 python3,$(shell command -v $(name)))),python3)
PY := .venv/bin/python
# The version of pip that comes with Python is good enough: no nagging about a newer one.
PIP := $(PY) -m pip --disable-pip-version-check install --quiet
BABEL := $(PY) -m babel.messages.frontend --quiet

# What is a message besides `_("...")`. A plain number is the argument that is one; Babel takes
# one argument of a call, and a further one only where it is told how many the call has.
MESSAGES := ImageError StemUnavailable ResultsError NetworkFileError UnfitNetworkError stem_title channel_name ChannelName StemInfo:2 Picture:2 \
	$(foreach name,StemInfo Picture,$(foreach count,3 4 5 6 7 8 9 10,$(name):3,$(count)t))
CATALOGUE := --width=96

.PHONY: help run site test lint format bench load messages

help:
	@echo "make run        start the page; installs what it needs first (.venv)"
	@echo "make site       Explore as a folder of files that need no server (build/site)"
	@echo "make test       lint, types and every test"
	@echo "make lint       lint and types only"
	@echo "make format     put the code into its usual form"
	@echo "make bench      measure the poolings and the page on this machine"
	@echo "make load       many people at once, on this machine; options in ARGS"
	@echo "make messages   collect the words of the page into assets/locale"
	@echo
	@echo "Options go into ARGS: make run ARGS=\"--server.port 8600\", make test ARGS=\"-k gallery\"."
	@echo "Another Python: make run PYTHON=python3.12 (before .venv is made)."

run: .venv/run.stamp
	@$(PY) -m streamlit run serve.py $(ARGS)

site: .venv/run.stamp
	@$(PY) make_site.py $(ARGS)

test: lint
	@echo "Tests ..."
	@$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

lint: .venv/test.stamp
	@echo "Lint ..."
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@echo "Types ..."
	@$(PY) -m mypy

format: .venv/test.stamp
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: .venv/bench.stamp
	@$(PY) -m benchmarks.pooling
	@$(PY) -m benchmarks.occlusion
	@$(PY) -m benchmarks.page
	@$(PY) -m benchmarks.learning
	@$(PY) -m benchmarks.noise_page
	@$(PY) -m benchmarks.answer_page
	@$(PY) -m benchmarks.camera

load: .venv/test.stamp
	@$(PY) -m benchmarks.load $(ARGS)

messages: .venv/run.stamp
	@mkdir -p build
	@$(BABEL) extract $(MESSAGES:%=-k %) $(CATALOGUE) --sort-output --no-location --omit-header \
		-o build/messages.pot app.py $(wildcard pages) hybridpool
	@for file in assets/locale/*.po; do \
		$(BABEL) update $(CATALOGUE) --no-fuzzy-matching --ignore-obsolete \
			--ignore-pot-creation-date -l "$$(basename "$$file" .po)" \
			-i build/messages.pot -o "$$file" || exit 1; \
	done

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, but $(PYTHON) is missing or older: install it, or" \
			"name another one, such as make $(MAKECMDGOALS) PYTHON=python3.12." >&2; exit 1; }
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | $(PY)
	@echo "Installing the environment (about 3 minutes, 6 GB) ..."
	@$(PIP) -r requirements.txt
	@touch $@

.venv/test.stamp: requirements-dev.txt .venv/run.stamp
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

.venv/bench.stamp: requirements-bench.txt .venv/test.stamp
	@echo "Installing what is measured beside ..."
	@$(PIP) -r requirements-bench.txt
	@touch $@
