# Lightbox: `make help` lists the verbs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
PACKAGES := portal_wire ui_service app_service ml_service launcher benchmarks

.PHONY: help setup setup-dev run test lint types train bench lock clean

help:  ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install what running needs
	@PYTHON=$(PYTHON) bash launcher/setup.sh requirements.lock

setup-dev:  ## install what running, tests, training and benchmarks need
	@PYTHON=$(PYTHON) bash launcher/setup.sh requirements-dev.lock

run: setup  ## start the portal; Ctrl-C stops it
	@exec $(VENV)/bin/python -m launcher

test: setup-dev  ## run every test
	@$(VENV)/bin/python -m pytest

lint: setup-dev  ## check style
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

types: setup-dev  ## check types
	@$(VENV)/bin/mypy --strict $(PACKAGES)

train: setup-dev  ## train a model: make train MODEL=pneumonia DATA=folder
	@test -n "$(MODEL)" -a -n "$(DATA)" || { echo "usage: make train MODEL=pneumonia DATA=folder" >&2; exit 2; }
	@exec $(VENV)/bin/python -m ml_service.training.train --model "$(MODEL)" --data "$(DATA)" $(ARGS)

bench: setup-dev  ## measure this machine (about 6 minutes)
	@exec $(VENV)/bin/python -m benchmarks.run

lock:  ## renew the locked versions (needs uv)
	@command -v uv >/dev/null || { echo "uv is missing: see https://docs.astral.sh/uv/" >&2; exit 1; }
	@uv pip compile $(LOCKING) --extra servers --extra train --extra test pyproject.toml -o requirements-dev.lock >/dev/null
	@uv pip compile $(LOCKING) --extra servers -c requirements-dev.lock pyproject.toml -o requirements.lock >/dev/null
LOCKING := --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header

clean:  ## remove what was installed and built; the data in var/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
