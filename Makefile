# The two commands of the README. Each makes its own environment: `run` with spaCy's
# transformers lane, `test` with the one that LANE names.
LANE ?= trf
VENV ?= .venv-$(LANE)
PYTHON ?= python3
BIN = $(VENV)/bin
DEFAULT = spacy_ramie/default

.PHONY: run test lint bench bench-memory env base clean

run: $(VENV)/.ready
	$(BIN)/python -m spacy project run all

test: $(VENV)/.ready
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -q
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report --skip-covered --fail-under=85

# The base model, its adapter and its exemplars, from the corpora: see MODEL_CARD.md.
base: $(VENV)/.ready
	rm -f $(DEFAULT)/base/*.*
	rm -rf training/adapter training/model-best
	$(BIN)/python -m spacy project assets
	$(BIN)/python -m spacy project run default
	cp $(addprefix training/adapter/,adapter_config.json adapter_model.safetensors ramie.json) $(DEFAULT)/adapter
	cp $(addprefix training/model-best/ramie_extractor/,ingredients.json temperatures.json floors.json) $(DEFAULT)
	cp -r training/exact/ramie_extractor/retriever $(DEFAULT)

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Ratios of speed, beside the peers that they are measured against. BENCH: options, as
# --sentences 16.
bench: $(VENV)/.ready
	$(BIN)/python -m pip install -q -c constraints/$(LANE).txt spacy-llm==0.7.4
	OMP_NUM_THREADS=2 $(BIN)/python -m benchmarks $(BENCH)

# The memory that a stream of 10,000 notes takes: a quarter of an hour.
bench-memory: $(VENV)/.ready
	$(BIN)/python -m benchmarks.memory

env: $(VENV)/.ready

# torch first and by itself: a range would pull gigabytes of GPU packages.
$(VENV)/.ready: setup.cfg constraints/$(LANE).txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip setuptools wheel
	$(BIN)/python -m pip install -q -c constraints/$(LANE).txt torch
	$(BIN)/python -m pip install -q -c constraints/$(LANE).txt -e ".[$(EXTRAS)]"
	touch $@

ifeq ($(LANE),trf)
EXTRAS = dev,trf
else
EXTRAS = dev
endif

clean:
	rm -rf .venv-* training metrics packages corpus/*.spacy corpus/ade corpus/phee corpus/healthsea corpus/paper project.lock
