# `make run` and `make test` need Python 3.11 or newer and nothing else; both set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS ?= test
STAMP := $(VENV)/.installed-$(EXTRAS)

.DEFAULT_GOAL := help
.PHONY: help run test test-browser test-torch lint types unit nightly setup clean

help:
	@echo "make run    install, run the default benchmark, print the leaderboard"
	@echo "make test   install, then ruff, mypy --strict, import rules, tests and doctests"
	@echo "make test-torch  the embeddings of checkpoints, in .venv-torch (about 1 GB)"
	@echo "make test-browser  whole listening tests in headless Chromium"
	@echo "make nightly  the slow tests: long fuzzing, interval coverage, timings"

$(STAMP): pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Concours needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[$(EXTRAS)]'; \
	else \
	  { $(PYTHON) -m venv $(VENV) || { echo "On Debian: apt-get install python3-venv"; exit 1; }; } && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'; \
	fi
	@touch $@

setup: $(STAMP)

run: $(STAMP)
	@$(BIN)/concours run

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy

unit: $(STAMP)
	@$(BIN)/python -m pytest -n auto --dist loadfile -m 'not slow and not torch and not browser'

test: lint types unit

# pip and no uv: it finds a CPU build of torch where there is one. The peers' packages pin numpy < 2
# and want a torch for CUDA, so they come with no more than they import. torchaudio's libraries are
# linked with CUDA; the peers use its Python alone, which runs without them.
TORCH := .venv-torch
$(TORCH)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -m venv $(TORCH)
	@$(TORCH)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	  'torch==2.13.0' 'transformers==5.24.0' 'onnx==1.23.2' 'onnxruntime==1.32.0' \
	  'onnxscript==0.7.2' h5py -e '.[test]'
	@$(TORCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  'laion-clap==1.1.7' 'torchlibrosa==0.1.0' 'torchvggish==0.2' 'resampy==0.4.3' \
	  'frechet-audio-distance==0.3.4' 'encodec==0.1.1' 'torchaudio==2.11.0' \
	  'webdataset==1.0.2' 'braceexpand==0.1.7' 'wget==3.2' 'ftfy==6.3.1' 'einops==0.8.2' wcwidth tqdm
	@rm -rf $(TORCH)/lib/python*/site-packages/torchaudio/lib
	@touch $@

test-torch: $(TORCH)/.installed
	@$(TORCH)/bin/python -m pytest -m torch tests/torch

test-browser: $(STAMP)
	@$(MAKE) --no-print-directory EXTRAS=test,browser setup
	@$(BIN)/python -m pytest -m browser

nightly: $(STAMP)
	@$(BIN)/python -m pytest -m slow

clean:
	rm -rf $(VENV) $(TORCH) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
