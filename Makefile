# Every target makes what it needs first: `.venv` from requirements.lock, then its own work.
#
#   make demo                      from nothing to the figures
#   make test PYTHON=python3.12    with another interpreter (3.11, 3.12 or 3.13)
#   make demo CORES=4 GPUS=0       with fewer cores, without GPUs
#   make own DATA=measurements.csv your own data (DROP=time,station LABEL=species MISSING=median OPTIONS='key=value')
#   make paper CODE=../older       show again what an older checkout trained and evaluated into results/paper
#   make slurm SITE=my-cluster     the paper's grid on a SLURM cluster

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
CORES ?= all
CONFIG ?= config/config.yaml
SITE ?=
DATA ?=
FLAGS ?=
JPEGS ?=
DROP ?=
LABEL ?=
MISSING ?=
OPTIONS ?=
export DROP LABEL MISSING OPTIONS
UV_VERSION := 0.13.9

venv := .venv
python := $(venv)/bin/python
uv := $(venv)/bin/uv
stamp := $(venv)/.installed
slurm_stamp := $(venv)/.installed-slurm
bench_stamp := $(venv)/.installed-bench
site_stamp := $(venv)/.installed-site
code := src scripts tests benchmarks workflow/quiet docs/*.py

# Snakemake starts its jobs with the `python` of the path.
export PATH := $(CURDIR)/$(venv)/bin:$(PATH)

# Snakemake must be told how many GPUs there are: CUDA_VISIBLE_DEVICES if set, otherwise all of this machine.
ifdef CUDA_VISIBLE_DEVICES
GPUS ?= $(shell tr ',' '\n' <<<"$(CUDA_VISIBLE_DEVICES)" | grep -c '[^[:space:]]')
else
GPUS ?= $(shell nvidia-smi -L 2>/dev/null | grep -c '^GPU')
endif
run_snakemake = snakemake --cores $(CORES) --resources gpu=$(GPUS)
ifeq ($(GPUS),0)
run_snakemake = snakemake --cores $(CORES)
endif
run_snakemake += $(if $(CODE),--rerun-triggers mtime)

# The same in one line that says what is going on; all that Snakemake says goes to the log.
folder := .
run_quietly = $(python) workflow/quiet/run.py --log $(folder)/results/logs/snakemake.log $(run_snakemake)

.PHONY: ablations why_it_fails count_families witnesses untidy claims paper paper_n16 n32 fair_wae dimensions stale pages
.PHONY: real real_pair cifar_jpeg
.PHONY: links redraw count help setup lock demo table1 models own slurm report docs docs-table1 test test-all test-slurm
.PHONY: data_named data_or_config_named
.PHONY: container site diagrams slurm-plugin slurm-table chaos verify
.PHONY: lint bench bench-smoke device-wheels format clean-caches clean

help: ## Show this list
	@grep -E '^[a-z0-9_-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "  make %-14s %s\n", $$1, $$2}'

# ---------------------------------------------------------------------------------------- environment

setup: $(stamp) ## Make .venv with the locked packages (about 6 GB, 2 minutes)

$(uv):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "maskaae needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(venv)
	$(python) -m pip install --quiet uv==$(UV_VERSION)
	@touch $(uv)

# A source distribution is built with the setuptools of the lock (--build-constraints): nothing unpinned is fetched.
$(stamp): requirements.lock pyproject.toml | $(uv)
	$(uv) pip sync --quiet --compile-bytecode --python $(python) --require-hashes --build-constraints requirements.lock requirements.lock
	$(uv) pip install --quiet --python $(python) --no-deps --no-build-isolation --editable .
	@touch $(stamp)

extras := pipeline images formats onnx dev
lock: | $(uv) ## Write requirements.lock again from pyproject.toml (keeps versions that still fit)
	$(uv) pip compile pyproject.toml $(extras:%=--extra %) --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --quiet --output-file requirements.lock
	echo "snakemake-executor-plugin-slurm>=2.7.1" | $(uv) pip compile - --universal --python-version 3.11 --generate-hashes \
	  --constraints requirements.lock --no-header --no-emit-index-url --quiet --output-file requirements-slurm.lock
	echo "pythae>=0.1.2" | $(uv) pip compile - --no-deps --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --quiet --output-file requirements-bench.lock
	printf '%s\n' $(site_packages) | $(uv) pip compile - --universal --python-version 3.11 --generate-hashes \
	  --constraints requirements.lock --no-header --no-emit-index-url --quiet --output-file requirements-site.lock

# Snakemake imports every plugin that is installed, and this one takes seconds: only those who use it have it.
$(slurm_stamp): requirements-slurm.lock $(stamp)
	$(uv) pip install --quiet --compile-bytecode --python $(python) --require-hashes -r requirements-slurm.lock
	@touch $(slurm_stamp)

slurm-plugin: $(slurm_stamp)

# ------------------------------------------------------------------------------------------- pipeline

demo: setup ## From nothing to the figures, on data that comes with the packages
	@started=$$SECONDS; $(run_quietly) --configfile config/demo.yaml; took=$$((SECONDS - started)); \
	if grep -q '^Nothing to be done' results/logs/snakemake.log; then said='nothing was left to do'; else \
	  said="$$(printf '%d min %d s on %s cores, %s, GPUs: %s' $$((took / 60)) $$((took % 60)) "$$(nproc)" \
	    "$$(python -c 'import platform as p; print(p.system(), p.machine())')" "$(GPUS)")"; \
	  printf '%s\n' "$$said" >results/demo_time.txt; fi; \
	printf '\nDone: %s\nFigures: results/figures  Tables: results/tables  Report: make report\n' "$$said"

table1: setup ## Table 1: all models on the demo's digits, beside cited rows
	@$(run_quietly) table1 model_samples --configfile config/demo.yaml
	@printf '\nDone: results/tables/table1.md  results/figures/model_samples.png\n'

models: setup ## All models over capacities, on the demo's synthetic data with n = 8
	@$(run_quietly) models_over_capacity --configfile config/demo.yaml
	@printf '\nDone: results/figures/models_over_capacity.png\n'

# What made a folder of docs/results: $(call provenance,folder,configuration,results folder,names of what it shows).
# Runs of another checkout are kept, and only shown anew, with CODE=its folder.
provenance = $(python) docs/make_provenance.py docs/results/$1 --command "make $@" --config $2 --results $3 \
  $(if $(CODE),--code $(CODE)) --names $4 && \
  $(python) docs/make_pages.py

pair_pictures := fig1 fig4 fig5 fig6 fig8 fig10 fig11 cuts
real: CONFIG = config/real_cpu.yaml
real: pictures = $(pair_pictures) model_samples
real: tables = table1 table1_each table2 claims
real_pair: CONFIG = docs/results/real/experiment.yaml
real_pair: pictures = $(pair_pictures)
real_pair: tables = table2 claims
real: ## Both MNISTs, published splits, about three hours on 2 cores, resumable, into docs/results/real
real_pair: ## The part of it that compares WAE and MAAE (robust), three quarters of an hour; `make real` goes on from it
real real_pair: setup
	mkdir -p results/data/raw results/real/results/data docs/results/real
	ln -sfn "$(CURDIR)/results/data/raw" results/real/results/data/raw
	$(run_snakemake) --configfile $(CONFIG) --directory results/real
	$(python) docs/make_pictures.py results/real/results/figures docs/results/real $(pictures)
	cd results/real/results && cp $(foreach table,$(tables),tables/$(table).csv tables/$(table).md) figures/fig4.csv $(CURDIR)/docs/results/real/
	cd results/real/results/reference && for set in mnist fashion; do cp $$set/classifier.json "$(CURDIR)/docs/results/real/classifier_$$set.json"; done
	$(call provenance,real,$(CONFIG),results/real/results,$(pictures) $(tables))

jpeg_pictures := fig6 fig10 cuts model_samples
cifar_jpeg: setup ## CIFAR-10 as JPEG: JPEGS=archive.zip of train/CLASS/*.jpg and test/CLASS/*.jpg, into docs/results/cifar_jpeg
	mkdir -p results/$@ docs/results/$@
	[ -d results/$@/jpeg ] || { $(python) -m zipfile -e "$(JPEGS)" results/$@/jpeg.part && mv results/$@/jpeg.part results/$@/jpeg; }
	$(run_snakemake) --configfile config/cifar_jpeg.yaml --directory results/$@
	$(python) docs/make_pictures.py results/$@/results/figures docs/results/$@ $(jpeg_pictures)
	cd results/$@/results && cp tables/table1.csv tables/table1.md tables/table2.md reference/cifar_jpeg/classifier.json $(CURDIR)/docs/results/$@/
	$(call provenance,$@,config/cifar_jpeg.yaml,results/$@/results,$(jpeg_pictures) table1 table2)

# Runs of their own folder: its data sets have names that other experiments use too.
ablations why_it_fails dimensions count_families: setup
	$(run_snakemake) $@ --configfile config/$@.yaml --directory results/$@
	mkdir -p docs/results/$@
	cd results/$@/results && cp tables/$@.csv tables/$@.md $(CURDIR)/docs/results/$@/
	$(python) docs/make_pictures.py results/$@/results/figures docs/results/$@ $@
	$(call provenance,$@,config/$@.yaml,results/$@/results,$@)
	$(python) docs/redraw.py docs/results/$@ && $(python) docs/make_pages.py
claims: experiment = config/claims.yaml
claims: pictures = fig4 cuts
paper: experiment = config/paper_cpu.yaml
paper: pictures = fig4 fig5 fig8 mask_starts
paper paper_n16: starts = figures/mask_starts.csv
paper_n16: experiment = config/paper_cpu_n16.yaml
paper_n16: pictures = fig4 fig5 fig8 mask_starts
n32: experiment = docs/results/n32/experiment.yaml
n32: pictures = fig4
fair_wae: experiment = docs/results/fair_wae/experiment.yaml
fair_wae: pictures = fig4
claims paper paper_n16 n32 fair_wae: setup
	$(run_snakemake) --configfile $(experiment) --directory results/$@
	mkdir -p docs/results/$@
	$(python) docs/make_pictures.py results/$@/results/figures docs/results/$@ $(pictures)
	cd results/$@/results && cp tables/claims.csv tables/claims.md tables/table2.md figures/fig4.csv $(starts) $(CURDIR)/docs/results/$@/
	$(call provenance,$@,$(experiment),results/$@/results,$(pictures) claims table2)
claims: ## The paper's claims on data of known dimension, with verdicts, into docs/results/claims
paper: ## The released method at its own length, with verdicts, into docs/results/paper (hours on a CPU, resumable)
paper_n16: ## The same on data with n = 16, into docs/results/paper_n16
fair_wae: ## What MAAE's schedule gives and what its mask gives, at m = n = 4, into docs/results/fair_wae
n32: ## Claims on n = 32 alone, on another generator, into docs/results/n32
dimensions: ## Ways of finding the dimension, side by side, into docs/results/dimensions
count_families: ## Does the count hold on data that it was not chosen on? Into docs/results/count_families (90 minutes)
ablations: ## What each change of a setting does to count and FID, into docs/results/ablations
why_it_fails: ## What breaks MAAE in ARD-VAE's setting (MNIST's test split alone), into docs/results/why_it_fails

# Asked before the environment is set up, which takes minutes where there is none.
data_named:
	@[ -n "$${DATA:-}" ] || { echo 'make count: which data? make count DATA=path' >&2; exit 2; }
data_or_config_named:
	@[ -n "$${DATA:-}" ] || [ '$(CONFIG)' != config/own_data.yaml ] || grep -qsE '^ *(data|path):' '$(CONFIG)' || { \
	  echo 'make own: which data? make own DATA=path, or make own CONFIG=my_data.yaml, a copy of config/own_data.yaml that names them' >&2; exit 2; }

count: data_named setup ## Count the dimensions of DATA=path alone (DROP= LABEL= MISSING= OPTIONS= as for own; FLAGS="--widest 256")
	@$(python) -m maskaae.cli count "$$DATA" --for-make $(FLAGS) $${DROP:+--drop "$$DROP"} \
	  $${LABEL:+--label "$$LABEL"} $${MISSING:+--missing "$$MISSING"} $${OPTIONS:+--options "$$OPTIONS"}

own: CONFIG = config/own_data.yaml
own: folder = results/own
own: data_or_config_named setup ## Your own data: DATA=path (DROP= LABEL= MISSING= OPTIONS=) to images, a table or array, or CONFIG=edited template
	@options="$$($(python) -m maskaae.data.own.notes)"; given=(); \
	if [ -n "$${DATA:-}" ]; then given+=("data=$$($(python) -c 'import os, sys; print(os.path.abspath(sys.argv[1]))' "$$DATA")"); fi; \
	if [ -n "$$options" ]; then given+=("options=$$options"); fi; \
	$(run_quietly) own --configfile $(CONFIG) --directory $(folder) $${given:+--config "$${given[@]}"}
	@printf '\n'; sed '/^## /,$$d' $(folder)/results/own/summary.md
	@printf 'More, with pictures: $(folder)/results/own/summary.html (the same as text: summary.md)\n'

CONTAINER_TOOL ?= $(firstword $(shell command -v podman docker 2>/dev/null))
container: ## An image with the locked environment and the package: maskaae:VERSION, and maskaae.sif where apptainer is
	$(CONTAINER_TOOL) build --build-arg UV_VERSION=$(UV_VERSION) $(if $(BASE),--build-arg BASE=$(BASE)) \
	  --tag maskaae:$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) $(BUILD_OPTIONS) .
	if command -v apptainer >/dev/null; then \
	  $(CONTAINER_TOOL) save --output maskaae.tar maskaae:$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml); \
	  apptainer build --force maskaae.sif docker-archive:maskaae.tar; rm maskaae.tar; fi

slurm: $(slurm_stamp) ## CONFIG on a SLURM cluster, with the names of SITE (docs/slurm.md)
	PATH="$(CURDIR)/workflow/profiles/slurm/bin:$$PATH" \
	  snakemake --profile workflow/profiles/slurm $(if $(SITE),--profile $(SITE)) --configfile $(CONFIG)

report: setup ## The demo as one html page with captions: results/report.html
	$(run_snakemake) --configfile config/demo.yaml
	snakemake --configfile config/demo.yaml --report results/report.html

docs: setup ## Write the parts of the docs that are made: key table, and what the last demo gave
	$(python) -m maskaae.config.schema workflow/schemas/config.schema.json config/README.md
	$(python) docs/make_pictures.py results/figures docs/results/demo "fig*" cuts
	cp results/demo_time.txt results/metrics.csv results/tables/table2.md docs/results/demo/
	$(call provenance,demo,config/demo.yaml,results)

pages: setup ## Fill every number that pages quote from the csv under docs/results
	$(python) docs/make_pages.py

redraw: setup ## Draw the figures again whose csv lies under docs/results; no number is made anew
	$(python) docs/redraw.py
	$(python) docs/make_pages.py

docs-table1: setup ## Put what the last `make table1` and `make models` gave into the docs
	$(python) docs/make_pictures.py results/figures docs/results/table1 model_samples models_over_capacity
	cp results/tables/table1.md results/tables/table1.csv results/tables/table1.tex docs/results/table1/
	cp results/figures/models_over_capacity.csv docs/results/table1/
	for table in results/tuning/*/*.csv; do cp "$$table" "docs/results/table1/tuning_$$(basename "$$(dirname "$$table")")_$$(basename "$$table")"; done
	$(call provenance,table1,config/demo.yaml,results,table1 model_samples models_over_capacity)

# Sphinx stands beside the environment too: nobody needs it to run anything.
site_packages := sphinx myst-nb numpydoc pydata-sphinx-theme sphinx-copybutton sphinx-design sphinx-mathjax-offline ipykernel
$(site_stamp): requirements-site.lock $(stamp)
	$(uv) pip install --quiet --python $(python) --target $(venv)/site --no-deps --require-hashes -r requirements-site.lock
	@touch $(site_stamp)

NOTEBOOKS ?=
site: $(site_stamp) ## The documentation as a site: results/site/index.html (NOTEBOOKS=1 runs the tutorials)
	PYTHONPATH="$(CURDIR)/$(venv)/site" $(python) -m sphinx -W --keep-going -q -b html \
	  $(if $(NOTEBOOKS),-D nb_execution_mode=force) docs results/site
	@printf 'Open results/site/index.html\n'

links: $(site_stamp) ## Ask every address elsewhere that the pages link to (needs a network; links inside are in make lint)
	PYTHONPATH="$(CURDIR)/$(venv)/site" $(python) -m sphinx -q -b linkcheck docs results/links

diagrams: setup ## Draw the model, the rules and the rooms of the package again: docs/pictures
	$(python) docs/make_diagrams.py

untidy: setup ## What `maskaae count` answers of an untidy table, word for word, into docs/results/untidy (2 minutes)
	$(python) benchmarks/untidy_table.py --output results/$@
	mkdir -p docs/results/$@
	$(python) docs/make_provenance.py docs/results/$@ --command "make $@" --programs benchmarks/untidy_table.py src/maskaae/cli.py
	cp results/$@/answer.txt docs/results/$@/  # after the record: what is written into the checkout makes it one with changes
	$(python) docs/make_pages.py

witnesses: setup ## What witnesses say on families of known n, into docs/results/witnesses (5 minutes)
	$(python) benchmarks/witnesses.py --output docs/results/$@/$@.csv
	$(python) docs/make_provenance.py docs/results/$@ --command "make $@" --programs benchmarks/witnesses.py

# --------------------------------------------------------------------------------------------- checks

test: setup ## The test suite (about 7 minutes on 2 cores)
	$(python) -m pytest -m "not long and not slurm" --numprocesses auto --maxprocesses 4 --dist loadfile

test-all: test ## The long tests too
	$(python) -m pytest -m "long and not slurm"

chaos: setup ## Kill trainings 100 times and more, fill their disk, set their clock: docs/reliability.md
	OMP_NUM_THREADS=1 $(python) tests/reliability/chaos.py --kills 100 --output docs/results/reliability
	$(python) docs/make_provenance.py docs/results/reliability --command "make $@" --programs tests/reliability/chaos.py
	$(python) docs/make_pages.py

stale: setup ## List the results under docs/results that today's code or configuration would make otherwise
	@$(python) docs/make_provenance.py --stale

verify: setup ## Compare two results folders file by file: A=results B=other (REPORT=all names equal files too)
	@$(python) -m maskaae.verify $${A:+"$$A"} $${B:+"$$B"} $(if $(REPORT),--all)

# WHICH='slurm and not long' leaves out the smoke pipeline, which takes as long again as all the others.
WHICH ?= slurm
test-slurm: $(slurm_stamp) ## The pipeline through a real one-node SLURM (Debian or Ubuntu, root)
	$(python) -m pytest -m "$(WHICH)" tests/slurm

slurm-table: $(slurm_stamp) ## Run the SLURM tests three times over, and put their outcomes into docs/reliability.md
	for run in 1 2 3; do $(python) -m pytest -m slurm tests/slurm --junit-xml=results/slurm/$$run.xml || true; done
	$(python) tests/slurm/outcomes.py results/slurm/*.xml --output docs/results/reliability/slurm.csv
	$(python) docs/make_pages.py

lint: setup ## Style, formatting, types, workflow
	ruff check $(code)
	ruff format --check $(code)
	snakefmt --check workflow
	mypy
	snakemake --lint
	$(python) docs/make_pages.py --check
	$(python) docs/check_links.py

# pythae, the rival, stands beside the environment, not in it: its requirements are not ours.
$(bench_stamp): requirements-bench.lock $(stamp)
	$(uv) pip install --quiet --python $(python) --target $(venv)/bench --no-deps --require-hashes -r requirements-bench.lock
	@touch $(bench_stamp)

bench: $(bench_stamp) ## Time everything against its rivals: docs/performance.md (45 minutes on 2 cores, alone on the machine)
	mkdir -p results/bench
	for name in training limit frechet scaling planning demo_time; do \
	  PYTHONPATH="$(CURDIR)/$(venv)/bench" $(python) benchmarks/$$name.py --output results/bench/$$name.csv; done
	for name in model_cost grid_cost; do $(python) benchmarks/$$name.py --output docs/results/$$name.csv; done
	$(python) benchmarks/prepare_images.py --photographs 200000 --output docs/results/preparation.csv
	if [ "$(GPUS)" != 0 ]; then PYTHONPATH="$(CURDIR)/$(venv)/bench" $(python) benchmarks/gpu.py --output results/bench; fi
	$(python) docs/parts_performance.py results/bench
	$(python) docs/make_provenance.py docs/results/performance --command "make $@" \
	  --programs benchmarks/{cases,training,limit,frechet,scaling,planning,demo_time,gpu,model_cost,grid_cost,prepare_images}.py
	$(python) docs/make_pages.py

# Pure Python packages that come as sources only are built here.
device-wheels: setup ## Wheels that benchmarks/device.sh needs on a GPU machine without network, into .whl/
	rm -rf .whl && mkdir .whl
	grep -o '^[^#]*' benchmarks/device_wheels.txt | while read -r pin; do \
	  $(python) -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
	    $(foreach tag,_2_28 _2_27 _2_24 _2_17 2014 1,--platform manylinux$(tag)_x86_64) \
	    --dest .whl "$$pin" 2>/dev/null || \
	  $(python) -m pip wheel --quiet --no-deps --wheel-dir .whl "$$pin"; done
	$(python) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir .whl . && rm -rf build

bench-smoke: setup ## Fail if training has become slower than recorded, relative to a plain loop (under a minute)
	$(python) benchmarks/training.py --guard benchmarks/guard.json

format: setup ## Bring code and workflow into the project's format
	ruff check --fix $(code)
	ruff format $(code)
	snakefmt workflow

# -------------------------------------------------------------------------------------------- tidying

clean-caches: ## Remove caches of the tools (environment and results stay)
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find $(code) -name __pycache__ -type d -prune -exec rm -rf {} +

clean: clean-caches ## Remove the environment too (results stay)
	rm -rf $(venv) src/*.egg-info
