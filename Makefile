# Everything to do with this repository. `make run` and `make test` are all you need: each first
# installs what it needs and is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNNABLE := $(VENV)/.runnable
INSTALLED := $(VENV)/.installed
TOOLS := build/tools
SITE := build/site-tools
MKDOCS := PYTHONPATH=. NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs
FETCHED := $(VENV)/.models-fetched
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet

# Every target that is written in small letters is a command, and no file.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help:  ## list the targets; those that say "long" take much longer than some minutes
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

install-run: $(FETCHED)  ## set up what running needs: packages, model weights

install: $(INSTALLED) $(FETCHED)  ## set up everything, also what tests and benchmarks need

run: install-run  ## start the server on http://127.0.0.1:8080
	$(BIN)/streamer --config config.json

demo: install-run  ## start the server, play a recording through the client, stop
	$(BIN)/python -m tools.demo

test: install  ## run all tests [TESTS=folder]
	$(BIN)/pytest $(TESTS)

accuracy: install  ## errors of whole files, in noise and through the socket (long) [AUDIO=folder] [MODEL=name] [ROUNDS=20]
	$(BIN)/python -m tools.bench.accuracy $(if $(AUDIO),--audio $(AUDIO)) $(if $(MODEL),--model $(MODEL)) $(if $(ROUNDS),--rounds $(ROUNDS))

accuracy-curve: install  ## accuracy for each setting of the segmenter [AUDIO=folder]
	$(BIN)/python -m tools.bench.curve $(if $(AUDIO),--audio $(AUDIO))

accuracy-rounds: install  ## two settings of the segmenter in twenty rounds, for the book
	$(BIN)/python -m tools.bench.paired_rounds

accuracy-silence: install  ## word errors by the silence that ends a segment (long) [AUDIO=folder] [ROUNDS=20]
	$(BIN)/python -m tools.bench.silence $(if $(AUDIO),--audio $(AUDIO)) $(if $(ROUNDS),--rounds $(ROUNDS))

accuracy-words: install  ## times and certainty of words, and their cost [AUDIO=folder]
	$(BIN)/python -m tools.bench.word_times $(if $(AUDIO),--audio $(AUDIO))

accuracy-levels: install  ## how well speech is found when it is quiet AUDIO=folder
	$(BIN)/python -m tools.bench.levels --audio $(AUDIO)

accuracy-key-terms: install  ## rare words with and without key terms (long) AUDIO=folder [MODEL=name]
	$(BIN)/python -m tools.bench.key_terms --audio $(AUDIO) $(if $(MODEL),--model $(MODEL))

accuracy-short-words: install  ## short, quiet words that the gate drops [AUDIO=folder]
	$(BIN)/python -m tools.bench.short_words $(if $(AUDIO),--audio $(AUDIO))

bench: install  ## latency, number of streams, cost, memory [AUDIO=folder] [ONLY=part]
	$(BIN)/python -m tools.bench.bench $(if $(AUDIO),--audio $(AUDIO)) $(if $(ONLY),--only $(ONLY))

bench-long: install  ## memory, descriptors and tasks with 50 streams (long) [MINUTES=30]
	$(BIN)/python -m tools.bench.long $(if $(MINUTES),--minutes $(MINUTES))

bench-alternatives: install  ## compare the chosen sockets, loops, queues, detectors with others
	$(BIN)/python -m tools.bench.alternatives

bench-batches: install  ## several segments in a pass of the decoder, which was not taken
	$(BIN)/python -m tools.bench.alternatives --only shared_passes

bench-loop: install  ## processor time of the event loop by stages [STREAMS=200]
	$(BIN)/python -m tools.bench.loop_profile $(if $(STREAMS),--streams $(STREAMS))

bench-telemetry: install  ## cost of metrics and traces
	$(BIN)/python -m tools.bench.telemetry

compare: install  ## compare with another checkout: answers, cost, memory, start [WITH=folder] [AUDIO=folder]
	@test -n "$(WITH)" || { echo "usage: make compare WITH=folder"; exit 1; }
	$(BIN)/python -m tools.bench.compare --with $(WITH) $(if $(AUDIO),--audio $(AUDIO))

bench-publish: install  ## write the results of the benchmarks into the documentation
	$(BIN)/python -m tools.bench.publish

bench-pairs: install  ## start, memory and cost of a worker with one model and with two [AUDIO=folder]
	$(BIN)/python -m tools.bench.pairs $(if $(AUDIO),--audio $(AUDIO))

bench-dialects: install  ## what other vendors' protocols cost beside our own
	$(BIN)/python -m tools.bench.dialects

bench-grpc: install  ## what gRPC costs beside the WebSocket
	$(BIN)/python -m tools.bench.rpc

bench-networks: install  ## CPU of the transcribers' networks alone
	$(BIN)/python -m tools.bench.networks

bench-early: install  ## new work of early finals in vain [AUDIO=folder]
	$(BIN)/python -m tools.bench.early_finals $(if $(AUDIO),--audio $(AUDIO))

bench-inference: install  ## latency and cost of inference for 1 to 64 sessions
	$(BIN)/python -m tools.bench.inference

bench-remote: install ray  ## what remote workers cost: round trips, CPU of the server, two servers
	$(BIN)/python -m tools.bench.remote

bench-remote-failures: install ray  ## how soon lost remote workers are noticed and replaced
	$(BIN)/python -m tools.bench.remote_failures

bench-http: install  ## requests a second, latency and real-time factor by length of clip
	$(BIN)/python -m tools.bench.http_requests

bench-peers: install  ## other servers beside this one, those of `make peers` (long) [AUDIO=folder] [SECONDS=6 for less] [STREAMS=8] [SEARCH=no] [ONLY=sherpa-onnx]
	$(BIN)/python -m tools.bench.peers $(if $(AUDIO),--audio $(AUDIO)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(STREAMS),--streams $(STREAMS)) $(if $(filter no,$(SEARCH)),--no-search) $(if $(ONLY),--only $(ONLY))

# Other servers, each in an environment of its own. Without the packages of the dependencies that a
# lock leaves out (`*.overrides`), so pip must not look for them. One that cannot be installed here
# is a line, and the others go on; `make bench-peers` names it again.
PEERS := $(patsubst requirements/peers/%.lock,build/peers/%/.installed,$(wildcard requirements/peers/*.lock))

peers: $(PEERS)  ## install the servers for `make bench-peers` (much; most of it for WhisperLive)

build/peers/%/.installed: requirements/peers/%.lock
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --require-hashes \
		--only-binary :all: -r $< && touch $@ || echo "not installed: $*"

bench-balancer: install  ## what HAProxy before the servers costs; needs haproxy
	$(BIN)/python -m tools.bench.balancer

# The packages of tests and benchmarks have those of the simulation; without them, only these few.
SIMULATES := $(if $(STREAMS)$(wildcard $(INSTALLED)),,$(VENV)/.simulates)

simulate: $(RUNNABLE) $(if $(STREAMS),,$(SIMULATES) $(FETCHED))  ## simulate many machines with the published costs, or say what STREAMS=3000 need [MODEL=name] [FACTOR=0.03] [SPEECH=0.4] [RESULTS=folder]
	$(BIN)/python -m tools.simulate $(if $(RESULTS),--results '$(RESULTS)') $(if $(STREAMS),--streams '$(STREAMS)') $(if $(MODEL),--model '$(MODEL)') $(if $(FACTOR),--factor '$(FACTOR)') $(if $(SPEECH),--speech '$(SPEECH)')

$(VENV)/.simulates: $(RUNNABLE) requirements/simulation.lock
	$(PIP_INSTALL) --quiet --require-hashes -r requirements/simulation.lock
	touch $@

soak: install  ## abuse a server in every way (long) [SECONDS=60 for less]
	$(BIN)/python -m tools.soak $(if $(SECONDS),--seconds $(SECONDS))

# Older versions of other vendors' packages, each in an environment of its own.
CLIENTS := $(patsubst requirements/clients/%.txt,build/clients/%/.installed,$(wildcard requirements/clients/*.txt))

clients: $(CLIENTS)  ## install older versions of other vendors' packages, for the tests with them

build/clients/%/.installed: requirements/clients/%.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --disable-pip-version-check --quiet -r $<
	touch $@

test-clients: install clients web-tools  ## run the tests with other vendors' packages
	$(BIN)/pytest tests/end_to_end/clients tests/end_to_end/rpc tests/end_to_end/wyoming

# Frameworks for voice agents: of the size of all the rest together, so only for whoever asks.
AGENTS := $(patsubst requirements/agents/%.txt,build/agents/%/.installed,$(wildcard requirements/agents/*.txt))

agents: $(AGENTS)  ## install LiveKit Agents and Pipecat, for the tests with them

build/agents/%/.installed: requirements/agents/%.txt
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps -r $<
	touch $@

test-agents: install agents  ## run the tests with LiveKit Agents and Pipecat
	$(BIN)/pytest tests/end_to_end/clients/test_agents.py

ray: build/ray/.installed  ## install Ray, for the tests with remote workers

build/ray/.installed: requirements/ray.lock
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r $<
	touch $@

test-ray: install ray  ## run the tests with remote workers on a Ray cluster of this machine
	$(BIN)/pytest tests/remote tests/end_to_end/remote

web-tools:  ## install the Node packages for the tests of the page, exactly as locked
	npm ci --prefix tests/web --ignore-scripts --no-audit --no-fund

web-types: web-tools  ## write the TypeScript declarations of the browser client
	cd tests/web && npm run types

tools: $(TOOLS)/.installed  ## install the programs that check distributions, dependencies and deploy/

audit: $(INSTALLED) tools  ## ask the registries for known vulnerabilities of the locked packages
	$(BIN)/python -m tools.audit

release: $(INSTALLED) tools  ## make wheels, source distributions and the image's context, in build/release
	$(BIN)/python -m tools.release

api: $(INSTALLED)  ## write docs/public-api.txt, and list what breaks since the last release
	$(BIN)/python -m tools.release.public_api
	$(BIN)/python -m tools.release.api_changes

release-demo: $(INSTALLED)  ## install a release as docs/installing.md says, by the clock
	$(BIN)/python -m tools.release.stranger

test-pythons: tools  ## run tests with every Python that this machine has [TESTS=folder]
	$(BIN)/python -m tools.release.pythons $(TESTS)

resolve: tools  ## resolve the locked packages for every Python and platform, as wheels
	$(BIN)/python -m tools.release.platforms

installation-size: $(INSTALLED)  ## measure what an installation takes on disk, for the pages
	$(BIN)/python -m tools.release.installation

image-size: $(INSTALLED)  ## list what the image contains, layer by layer
	$(BIN)/python -m tools.release.image_size

moving-picture: install  ## draw the moving picture of the README
	$(BIN)/python -m tools.docs.moving_picture

screenshots: install  ## take the pictures of the page for the documentation
	$(BIN)/python -m tools.docs.screenshots

dashboards: install  ## draw the dashboards from a load run; needs prometheus
	$(BIN)/python -m tools.docs.dashboards

docs: $(SITE)/.installed $(INSTALLED)  ## build the documentation as a site, in build/site
	$(BIN)/python -m tools.docs.pages
	$(MKDOCS) build --strict -f tools/docs/site/mkdocs.yml

docs-serve: $(SITE)/.installed  ## show the site on http://127.0.0.1:8000, and build it again after each change
	$(MKDOCS) serve --strict -f tools/docs/site/mkdocs.yml -w streamer -w tools/docs -w README.md

book-pictures: install  ## draw the pictures of the book
	$(BIN)/python -m tools.docs.book_pictures

exercise: $(INSTALLED)  ## check your answer to an exercise of the book NAME=exercise
	@test -e tests/book/exercises/$(NAME).py || { echo "usage: make exercise NAME=exercise"; exit 1; }
	@mkdir -p build/book
	@test -e build/book/$(NAME).py || cp tests/book/exercises/$(NAME).py build/book/
	@echo "Your answer is build/book/$(NAME).py"
	@EXERCISES=build/book $(BIN)/pytest -q tests/book/test_$(NAME).py

check: $(INSTALLED) format lint imports types  ## check format, lint, import rules and types

format:
	$(BIN)/ruff format --check .

lint:
	$(BIN)/ruff check .

imports:
	PYTHONPATH=.:client $(BIN)/lint-imports --no-cache

types:
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 client/streamer_client

rpc-schema: $(INSTALLED)  ## make the descriptor set of the gRPC services from their .proto files
	$(BIN)/python -m tools.rpc_schema

lock: $(INSTALLED)  ## resolve the dependencies again, also those of the container image
	$(BIN)/pip install --quiet uv
	$(LOCK) --group dev --extra mic --extra grpc --upgrade -o requirements/development.lock
	$(LOCK) --group build --extra grpc --constraint requirements/development.lock --no-annotate \
		-o requirements/image.lock
	$(LOCK) --extra ray --constraint requirements/development.lock --no-annotate \
		-o requirements/ray.lock
	$(BIN)/uv pip compile requirements/simulation.in --constraint requirements/development.lock --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet \
		-o requirements/simulation.lock
	$(BIN)/uv pip compile --group site --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --quiet --upgrade -o requirements/site.lock
	for peer in $(basename $(wildcard requirements/peers/*.in)); do \
		$(BIN)/uv pip compile $$peer.in $$(test ! -e $$peer.overrides || echo --override $$peer.overrides) \
			--python-version 3.11 --python-platform x86_64-manylinux_2_35 --generate-hashes \
			--no-emit-index-url --no-header --quiet --upgrade -o $$peer.lock || exit 1; \
	done

clean:  ## remove what `make` has made, except the weights
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(RUNNABLE): requirements/image.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV): installing packages (pip prints little at first) ..."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --require-hashes -r requirements/image.lock
	@# Once, this distribution was called streamer.
	@test ! -e $(BIN)/streamer || $(BIN)/python -m pip uninstall --quiet --quiet --yes streamer
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	touch $@

$(INSTALLED): $(RUNNABLE) requirements/development.lock
	@echo "Installing the packages of tests and benchmarks (this takes longer) ..."
	$(PIP_INSTALL) --require-hashes -r requirements/development.lock
	touch $@

$(TOOLS)/.installed: requirements/tools.txt
	test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --disable-pip-version-check --quiet -r requirements/tools.txt
	touch $@

$(SITE)/.installed: requirements/site.lock
	test -x $(SITE)/bin/python || $(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r $<
	touch $@

$(FETCHED): $(RUNNABLE) $(wildcard models/*/model.json)
	@echo "Downloading the weights of the models ..."
	$(BIN)/streamer models fetch
	touch $@
