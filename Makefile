# Lightbox: `make help` lists the verbs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
ANSIBLE := .venv/ansible
VERIFY := .venv/verify
CHECKS := .venv/checks
PACKAGES := portal_wire ui_service app_service ml_service launcher command_line benchmarks verify

.PHONY: help setup setup-dev run test verify chaos rehearse rehearse-static lint types pretrain train index evaluate calibrate learning-curve cross-validate site-calibration release bench bench-ml bench-volumes load lock clean

help:  ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install what running needs
	@PYTHON=$(PYTHON) bash launcher/setup.sh requirements.lock

setup-dev:  ## install what running, tests, training and benchmarks need
	@PYTHON=$(PYTHON) bash launcher/setup.sh requirements-dev.lock

run: setup  ## start the portal; Ctrl-C stops it
	@exec $(VENV)/bin/python -m launcher

test: setup-dev  ## run every test
	@$(MAKE) $(CHECKS)/complete || echo "Without $(CHECKS) the tests that need its tools are skipped." >&2
	@env PATH="$$PATH:$(abspath $(CHECKS))/bin" $(VENV)/bin/python -m pytest

verify: setup-dev $(VERIFY)/complete  ## check locked packages, secrets, licences, advisories (about 3 minutes; see verify/README.md)
	@$(VENV)/bin/python -m verify

chaos: setup-dev  ## break a running portal in every way, and count what is lost (about 2 hours; ARGS="--only F04,F08 --repeats 1")
	@LIGHTBOX_CHAOS_STEPS=50000 $(VENV)/bin/python -m pytest -q tests/chaos/test_job_life.py tests/chaos/test_every_step*.py
	@exec $(VENV)/bin/python -m tests.chaos.run $(ARGS)

lint: setup-dev  ## check style
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

types: setup-dev  ## check types
	@$(VENV)/bin/mypy --strict $(PACKAGES)

pretrain: setup-dev  ## learn without labels, to train from: make pretrain MODEL=pneumonia DATA=folder [ARGS='--more FOLDER --epochs 40']
	@test -n "$(MODEL)" -a -n "$(DATA)" || { echo "usage: make pretrain MODEL=pneumonia DATA=folder" >&2; exit 2; }
	@exec $(TRAINING).pretrain --model "$(MODEL)" --data "$(DATA)" $(ARGS)

train: setup-dev  ## train a model: make train MODEL=pneumonia DATA=folder [ARCH=resnet50 ARGS=...]
	@test -n "$(MODEL)" -a -n "$(DATA)" || { echo "usage: make train MODEL=pneumonia DATA=folder" >&2; exit 2; }
	@exec $(TRAINING).train --model "$(MODEL)" --data "$(DATA)" $(if $(ARCH),--arch "$(ARCH)") $(ARGS)
APP_ENV := $(abspath $(or $(LIGHTBOX_DATA_DIR),var))/run/app.env
TRAINING := $(VENV)/bin/python -m ml_service.training

index: setup-dev  ## write labels.csv for folders of images: make index DATA=folder PATIENT='^(person[0-9]+)_'
	@test -n "$(DATA)" -a -n '$(PATIENT)' || { echo "usage: make index DATA=folder PATIENT=pattern" >&2; exit 2; }
	@exec $(TRAINING).index "$(DATA)" --patient '$(PATIENT)'

evaluate: setup-dev  ## score a version on any labelled folder: make evaluate VERSION=folder DATA=folder
	@test -n "$(VERSION)" -a -n "$(DATA)" || { echo "usage: make evaluate VERSION=folder DATA=folder" >&2; exit 2; }
	@exec $(TRAINING).evaluate --version "$(VERSION)" --data "$(DATA)" $(ARGS)

calibrate: setup-dev  ## fit a version to one site: make calibrate VERSION=folder DATA=folder OUT=folder
	@test -n "$(VERSION)" -a -n "$(DATA)" -a -n "$(OUT)" || { echo "usage: make calibrate VERSION= DATA= OUT=" >&2; exit 2; }
	@exec $(TRAINING).calibrate --version "$(VERSION)" --data "$(DATA)" --out "$(OUT)" $(ARGS)

learning-curve: setup-dev  ## would more patients help: make learning-curve VERSION=folder DATA=folder
	@test -n "$(VERSION)" -a -n "$(DATA)" || { echo "usage: make learning-curve VERSION=folder DATA=folder" >&2; exit 2; }
	@exec $(TRAINING).learning_curve --version "$(VERSION)" --data "$(DATA)"

cross-validate: setup-dev  ## does a setting help, by patient: make cross-validate VERSION=folder DATA=folder CHANGE=mixup=0
	@test -n "$(VERSION)" -a -n "$(DATA)" -a -n "$(CHANGE)" || { echo "usage: make cross-validate VERSION=folder DATA=folder CHANGE=mixup=0" >&2; exit 2; }
	@exec $(TRAINING).cross_validate --version "$(VERSION)" --data "$(DATA)" --change "$(CHANGE)"

site-calibration:  ## fit a served version to this site: make site-calibration MODEL=pneumonia FOLDER=folder [ARGS=--use]
	@test -n "$(MODEL)" -a -n "$(FOLDER)" || { echo "usage: make site-calibration MODEL=pneumonia FOLDER=folder" >&2; exit 2; }
	@test -f "$(APP_ENV)" || { echo "$(APP_ENV) is missing: the portal must be running (make run)" >&2; exit 2; }
	@. "$(APP_ENV)" && exec $(VENV)/bin/python -m app_service.site_calibration --model "$(MODEL)" --folder "$(FOLDER)" $(ARGS)

release: setup-dev  ## make a version of a run: make release RUN=folder DATA=folder VERSION=2 REASON="why test is read"
	@test -n "$(RUN)" -a -n "$(DATA)" -a -n "$(VERSION)" -a -n '$(REASON)' || { echo "usage: make release RUN= DATA= VERSION= REASON=" >&2; exit 2; }
	@exec $(TRAINING).release --run "$(RUN)" --data "$(DATA)" --version "$(VERSION)" --reason '$(REASON)' $(ARGS)

rehearse: setup-dev $(ANSIBLE)/complete $(CHECKS)/complete  ## boot five hosts on this machine and deploy to them (root; a quarter of an hour once its cache is there)
	@exec env PATH="$(abspath $(ANSIBLE))/bin:$(abspath $(CHECKS))/bin:$$PATH" $(VENV)/bin/python -m pytest -c tests/rehearsal/pytest.ini tests/rehearsal $(ARGS)

rehearse-static: setup-dev $(ANSIBLE)/complete  ## what of it needs no host: playbooks, and when it refuses (half a minute)
	@exec env PATH="$(abspath $(ANSIBLE))/bin:$$PATH" $(VENV)/bin/python -m pytest -c tests/rehearsal/pytest.ini tests/rehearsal/step_0_static.py -k "not sound"

$(ANSIBLE)/complete: requirements-ansible.lock
$(VERIFY)/complete: requirements-verify.lock
$(CHECKS)/complete: requirements-checks.lock
%/complete:
	@echo "Installing $< into $(@D)…"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@touch $@

bench: setup-dev  ## measure this machine (about 6 minutes)
	@exec $(VENV)/bin/python -m benchmarks.run

bench-ml: setup-dev  ## measure the ML tier beside other servers and its limits (about 14 minutes; installs them into .venv-peers; BENCH_VERSION=4: with that version of pneumonia)
	@bash benchmarks/peers/setup.sh && for what in ml_cold_start ml_limits ml_peers ml_flat; do .venv-peers/bin/python -m benchmarks.$$what; done

bench-volumes: setup-dev  ## measure volumes, beside MONAI and LiteMedSAM (about 20 minutes; installs them into .venv-torch)
	@bash benchmarks/volume_networks/setup.sh || echo "Without PyTorch and LiteMedSAM the networks are left out." >&2
	@exec $(VENV)/bin/python -m benchmarks.volumes

load: setup-dev  ## the load that the portal was planned for, twice and five times that (about 20 minutes; MINUTES=4: about 12)
	@exec $(VENV)/bin/python -m benchmarks.load.run $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

lock:  ## renew the locked versions (needs uv)
	@command -v uv >/dev/null || { echo "uv is missing: see https://docs.astral.sh/uv/" >&2; exit 1; }
	@uv pip compile $(LOCKING) --upgrade $(RUNNING) --extra train --extra test pyproject.toml -o requirements-dev.lock >/dev/null
	@uv pip compile $(LOCKING) $(RUNNING) -c requirements-dev.lock pyproject.toml -o requirements.lock >/dev/null
	@for tier in ui app ml ansible; do \
	  uv pip compile $(LOCKING) --extra $$tier -c requirements.lock pyproject.toml -o requirements-$$tier.lock >/dev/null; done
	@for tools in verify checks; do \
	  uv pip compile $(LOCKING) --upgrade --extra $$tools pyproject.toml -o requirements-$$tools.lock >/dev/null; done
LOCKING := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
RUNNING := $(foreach extra,ui app ml tensorflow launcher servers,--extra $(extra))

clean:  ## remove what was installed and built; the data in var/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
