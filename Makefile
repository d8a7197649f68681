# Everything runs in .venv, which the first target that needs it makes: a fresh machine needs Python 3.11+ only.
PYTHON ?= python3
VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' pyproject.toml)
# Test processes, each with a cluster of its own. Tests wait more than they work: one more than small machines have.
WORKERS ?= 3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.synced
CRD := crds/modelmonitors.selfheal.dev.yaml
REFERENCE := docs/reference.md
# Packages come through whatever the system trusts: company proxies bring their own certificates.
export UV_SYSTEM_CERTS ?= true

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml uv.lock uv-requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "selfheal needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ...")'
	@test -x $(PY) || { echo "Making the environment in $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r uv-requirements.txt
	@echo "Installing the locked packages (about 260 MB to download the first time)"
	@$(VENV)/bin/uv sync --quiet --frozen --all-extras --inexact --compile-bytecode --python $(PY)
	@touch $@

.PHONY: setup
setup: $(READY) ## Make the environment

# Before the tests, not in them: a build takes minutes, and a test may take three.
.PHONY: programs
programs: $(READY)
	@$(PY) -m localcluster programs
	@$(PY) -m objectstore

# Installs Go where there is none.
.PHONY: robfig
robfig: $(READY)
	@$(PY) -m crondiff --build

##@ Try it
.PHONY: demo
demo: $(READY) ## Run the whole loop on three data sets (EXIT=1: stop at the end; KUBECONFIG=...: your own cluster)
	@$(PY) -m demo $(if $(EXIT),--exit) $(if $(filter command,$(origin KUBECONFIG)),--kubeconfig "$(KUBECONFIG)")

.PHONY: retraining-stories
retraining-stories: $(READY) ## Run the stories of docs/retraining.md: what three retrainings decide (two minutes; ARGS=promotion: one)
	@$(PY) -m stories $(ARGS)

.PHONY: cluster
cluster: $(READY) ## Start a local cluster (an API server whose node runs Jobs as local processes)
	@$(PY) -m localcluster up

.PHONY: cluster-down
cluster-down: $(READY) ## Stop the local cluster and leave nothing behind
	@$(PY) -m localcluster down

.PHONY: logs
logs: $(READY) ## Show the log of a Job of the local cluster: make logs JOB=name [NAMESPACE=default]
	@$(PY) -m localcluster logs $(JOB) -n $(or $(NAMESPACE),default)

##@ Measure
.PHONY: bench-check
bench-check: $(READY) ## A whole check beside those of Evidently, NannyML and others (45 minutes; ARGS=--help)
	@$(PY) -m selfheal_bench.check $(ARGS)

.PHONY: bench-schedule
bench-schedule: programs ## Thousands of monitors and CronJobs due in one minute: how late is each? (half an hour; ARGS=--help)
	@$(PY) -m selfheal_bench.schedule $(ARGS)

.PHONY: bench-scale
bench-scale: programs ## The operator's memory, CPU, start and lag with 1,000 and 10,000 monitors (50 minutes; ARGS=--help)
	@$(PY) -m selfheal_bench.scale $(ARGS)

.PHONY: bench-failover
bench-failover: programs ## Two operators: how soon does the other work when the leader ends? (about 4 minutes; ARGS=--help)
	@$(PY) -m selfheal_bench.failover $(ARGS)

.PHONY: bench-scrape
bench-scrape: $(READY) ## What a scrape of the metrics of 10,000 monitors costs the operator (ten seconds; ARGS=--help)
	@$(PY) -m selfheal_bench.scrape $(ARGS)

.PHONY: bench-false-alarms
bench-false-alarms: $(READY) ## How often a check alarms without drift, and with it, by either rule (long; ARGS=--help)
	@$(PY) -m selfheal_bench.false_alarms $(ARGS)

.PHONY: bench-retrain
bench-retrain: $(READY) ## How often a retraining decides rightly, in worlds whose truth is known (a quarter of an hour; ARGS=--help)
	@$(PY) -m selfheal_bench.retrain $(ARGS)

.PHONY: chaos
chaos: programs ## Strike three operators with faults, then audit the API server's record (FAULTS=1000 SEED=...)
	@$(PY) -m chaos $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS)) $(ARGS)

.PHONY: siege
siege: programs ## Attack the API server, the operator and runs as each identity; all must be held (15 minutes; ARGS=--mutations: without a guard)
	@$(PY) -m siege $(ARGS)

.PHONY: bench-cron
bench-cron: $(READY) ## Measure how long our cron takes to find the next slot
	@$(PY) -m selfheal_bench.cron

.PHONY: bench-memory
bench-memory: $(READY) ## A check of ten times more data than its memory, under a cgroup (as root; two minutes)
	@$(PY) -m selfheal_bench.memory $(ARGS)

.PHONY: bench-reference-profile
bench-reference-profile: $(READY) ## What a profile of the reference saves a check (two minutes; ARGS=--help)
	@$(PY) -m selfheal_bench.reference_profile $(ARGS)

##@ Ship
# Of what `make images` builds. PYTHON_IMAGE=python:3.13-slim@sha256:... names the base by its digest.
REGISTRY ?= localhost
ENGINE ?= docker
PYTHON_IMAGE ?= python:3.13-slim
DESCRIBED := dist/selfheal

.PHONY: images
images: sbom ## Build both images with their SBOMs (REGISTRY=... PYTHON_IMAGE=...@sha256:... ENGINE=podman BOOSTING=1 SOURCE=url)
	@for image in operator jobs; do \
	  $(ENGINE) build --target $$image -t $(REGISTRY)/selfheal-$$image:$(VERSION) \
	    --build-arg PYTHON_IMAGE=$(PYTHON_IMAGE) --build-arg VERSION=$(VERSION) \
	    --build-arg REVISION=$$(git describe --always --dirty --abbrev=40 --exclude '*') \
	    $(if $(BOOSTING),--build-arg BOOSTING=1) $(if $(SOURCE),--label org.opencontainers.image.source=$(SOURCE)) . || exit 1; \
	done

.PHONY: sbom
sbom: $(READY) ## Write what is in each image into dist/, as CycloneDX (BOOSTING=1: LightGBM too)
	@mkdir -p dist
	@$(PY) -m sbom operator --output $(DESCRIBED)-operator-$(VERSION).cdx.json
	@$(PY) -m sbom jobs $(if $(BOOSTING),--boosting) --output $(DESCRIBED)-jobs-$(VERSION).cdx.json
	@ls $(DESCRIBED)-*-$(VERSION).cdx.json

# Strict: a package that the database does not answer about is a failure, and not a package without findings.
.PHONY: audit
audit: $(READY) ## Ask a database of vulnerabilities about the packages of both images (ARGS="-s osv": another one)
	@mkdir -p dist
	@$(PY) -m sbom operator --pins --output dist/audited-operator.txt
	@$(PY) -m sbom jobs --boosting --pins --output dist/audited-jobs.txt
	@$(VENV)/bin/uv tool run --quiet --from pip-audit==2.10.1 pip-audit --strict --no-deps --disable-pip --progress-spinner off \
	  -r dist/audited-operator.txt -r dist/audited-jobs.txt $(ARGS)

##@ Develop
.PHONY: test
test: programs robfig ## Run the unit and integration tests
	$(PY) -m pytest -m "not e2e" -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: e2e
e2e: $(READY) ## Run the end-to-end test on a cluster with the images: make e2e KUBECONFIG=...
	$(PY) -m pytest -m e2e tests/e2e $(ARGS)

.PHONY: cron-diff
cron-diff: $(READY) ## Compare our cron with the library of Kubernetes' CronJob, and print a table (ARGS=--help)
	@$(PY) -m crondiff $(ARGS)

.PHONY: fuzz-data
fuzz-data: $(READY) ## Give checks 3,000 malformed, hostile or misleading inputs, and hold each report against what is promised (ARGS=--help)
	@$(PY) -m fuzzdata $(ARGS)

.PHONY: fuzz-retrain
fuzz-retrain: $(READY) ## Give retrainings more than 600 hostile tables, specs and champions, and ask each registered model as a server would (ARGS=--help)
	@$(PY) -m fuzzretrain $(ARGS)

.PHONY: permissions
permissions: programs ## Ask a real API server who may do what with the manifests, and compare it with the expected table
	@$(PY) -m testbed.permissions

.PHONY: manifests
manifests: $(READY) ## Generate what is generated
	@$(PY) -m selfheal_operator.crd > $(CRD).new && mv $(CRD).new $(CRD)
	@$(PY) -m selfheal_operator.reference > $(REFERENCE).new && mv $(REFERENCE).new $(REFERENCE)
	@$(PY) -m testbed.permissions.documented

.PHONY: format
format: $(READY) ## Format the code
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix-only .

.PHONY: verify
verify: manifests ## Check format, lint, types, import contracts, and that generated files are fresh
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	git diff --exit-code -- crds $(REFERENCE) docs/security.md operator/selfheal_operator/api/estimators.py
