# make run      serve on PORT (default 8080), with ARGS
# make test     check everything on the newest Python found: the linters, all tests on goto as it is installed, and those of
#               the modules that are compiled on the same uncompiled
# make test-all what make test leaves out: what takes long, and on the other Pythons, the default one and 3.11, all that may
#               differ on them
# make test-plugin the plug-in of pytest on the oldest one that it supports
# make check    the linters alone
# make dev      a virtual environment to work in: goto from the checkout, and what the tests need
# make soak     everything at once for ten minutes, and whether every count adds up
# make soak-journal  a million exchanges in the journal, and a thousand calls that wait for them
# make fuzz     what make test does with random input, at length
# make flow-docs write docs/flow.md anew, from the docstrings
# make client   write goto/testing/calls.py anew, from the table of routes, and what else is made of it
# make docs     the site made of docs/, in build/docs
# make links    whether the links of the docs to other sites lead somewhere
# make reference write the tables of the docs that are made of declarations, and their examples, anew
# make viewer   get anew what the pages have from others, in the versions below
# make picture  take the picture of the page in the README anew
# make image    the container image, with the labels of this commit; ENGINE=podman for another engine than docker
# make dockerfile-test  the instructions of the Dockerfile, carried out in a folder without an engine
# make image-test  the image built and run, without an engine's service and without pulling: as root on Debian, in minutes
# make dist     the sources and the wheel, in dist; the same commit makes the same files
# make dist-test  whether they do, and whether both install with a compiler and without one
# make sbom     what goto ships, with licences, as CycloneDX in build
# make bench    measure goto beside nginx, hey and mitmdump: ROWS="serve proxy" for some, ROUNDS, SECONDS, SAVE=1 for the docs
# make profile  show where the time goes: ROWS="serve proxy client", SECONDS
# make clean    remove what the others made

PORT ?= 8080
ARGS ?=
PYTHON ?= python3
VENV ?= .venv
# goto as its users have it, built from the checkout; in VENV it runs from the checkout itself
BUILT ?= .venv-built
# by files, since what a file needs is started once for it, and in their order, since the longest ones are not the last
PYTEST ?= -n 4 --dist loadfile --no-loadscope-reorder

# the tests build the site; mitmproxy is installed for them as soon as there is something to test with it
comma := ,
EXTRAS := dev$(comma)docs$(if $(wildcard goto/hosts/mitm/host.py),$(comma)mitmproxy)
# installed again only when what says what to install has changed
DEV_STAMP := $(VENV)/.installed-$(subst $(comma),-,$(EXTRAS))
# built again when anything in it has changed
BUILT_STAMP := $(BUILT)/.installed
BUILT_DEV_STAMP := $(BUILT_STAMP)-$(subst $(comma),-,$(EXTRAS))
# installed or not, as PYTHONPATH says: the checkout comes before what is installed
CHECKOUT := PYTHONPATH=$(CURDIR):$(CURDIR)/tests
SOURCES := pyproject.toml hatch_build.py README.md LICENSE $(shell find goto addons -type f -not -name '*.pyc')
# Python looks for goto among what is installed, not in this folder
INSTALLED := PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/tests

# Tests start goto some hundred times; without the cache of Python each start from the checkout would compile it anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-all test-newest test-other test-length test-plugin dockerfile-test check fuzz soak soak-journal flow-docs docs links reference client clean dev built compiler image image-test image-tools dist dist-test sbom nginx chromium test-tools viewer picture bench bench-tools profile
.NOTPARALLEL:

run: $(BUILT_STAMP)
	@exec $(BUILT)/bin/goto --port $(PORT) $(ARGS)

# The whole suite comes last, so that the output ends with its summary.
test: test-tools
	@$(pythons); set -- $$(echo "$$pythons" | tail -n 1); \
	$(MAKE) --no-print-directory test-newest BUILT=.venv-3.$$1-built PYTHON="$$2"

test-newest: built
	$(call lint,$(BUILT))
	$(call pytest,$(CHECKOUT),--quiet $(PYTEST) $(COMPILED_TESTS))
	$(call pytest,$(INSTALLED),$(PYTEST) $(AT_LENGTH:%=--ignore=%))

# What fails beside other tests is run once more, alone: it is then no matter of a busy machine. Both runs are printed.
define pytest
	$(1) $(BUILT)/bin/python -m pytest --cache-clear $(2) \
	  || $(1) $(BUILT)/bin/python -m pytest --last-failed --last-failed-no-failures none
endef

test-all: test-tools
	@set -e; $(pythons); newest=$$(echo "$$pythons" | tail -n 1); \
	$(MAKE) --no-print-directory test-length dockerfile-test BUILT=.venv-3.$${newest%% *}-built PYTHON="$$(echo "$$newest" | cut -d' ' -f2)"; \
	others=$$(echo "$$pythons" | awk -v newest="$${newest%% *}" '($$1 == 11 || $$3 == "default") && $$1 != newest'); \
	if [ -z "$$others" ]; then echo "No other Python was found than 3.$${newest%% *}, which make test takes."; fi; \
	echo "$$others" | while read -r minor python _; do \
	  [ -z "$$minor" ] || $(MAKE) --no-print-directory test-other BUILT=.venv-3.$$minor-built PYTHON="$$python" </dev/null; \
	done

# random calls for each operation of the API, and clients that are generated from its document; and the shared cases, where they
# are beside the repository, the slow ones too: most of their time they wait
AT_LENGTH := tests/fuzz/test_api.py tests/api/test_clients.py
test-length: built
	$(call pytest,$(INSTALLED),-n 2 --dist loadfile $(AT_LENGTH))
	$(call pytest,ALL_CASES=1 $(INSTALLED),-n 6 --dist worksteal tests/cases)

# what the Dockerfile says is carried out in a folder, without a container engine
dockerfile-test: built
	$(INSTALLED) $(BUILT)/bin/python -m pytest -v tests/deploy/checks.py

# the plug-in of pytest, on the oldest one that it supports
OLDEST_PYTEST := 7.4
PLUGIN := .venv-pytest-$(OLDEST_PYTEST)
test-plugin: $(BUILT_STAMP)
	[ -x $(PLUGIN)/bin/python ] || $(PYTHON) -m venv $(PLUGIN)
	$(PLUGIN)/bin/python -m pip install -qq --force-reinstall --no-deps $(BUILT)/wheel/*.whl
	$(PLUGIN)/bin/python -m pip install -qq "$$(echo $(BUILT)/wheel/*.whl)[tls]" "pytest==$(OLDEST_PYTEST).*" pytest-xdist hypothesis
	$(INSTALLED) $(PLUGIN)/bin/python -m pytest --quiet tests/testing/test_plugin.py

# what a browser, a generated client, a page of the docs and a shared case show is the same on each Python
SAME_ON_EACH := tests/cases tests/deploy tests/docs tests/fuzz tests/image tests/release tests/api/test_clients.py \
  $(wildcard tests/api/test_*browser.py tests/api/test_ui_*.py)

test-other: built
	$(call pytest,$(CHECKOUT),--quiet $(PYTEST) $(COMPILED_TESTS))
	$(call pytest,$(INSTALLED),$(PYTEST) $(SAME_ON_EACH:%=--ignore=%))

# the tests of the modules that are compiled, as pyproject.toml lists them, and of whether they are
COMPILED := $(shell sed -n 's|^    "goto/\(.*\)\.py",$$|\1|p' pyproject.toml)
COMPILED_TESTS := $(foreach module,$(COMPILED),tests/$(dir $(module))test_$(notdir $(module)).py) tests/instance/test_build.py

check: $(DEV_STAMP)
	$(call lint,$(VENV))

define lint
	$(1)/bin/ruff check .
	$(1)/bin/ruff format --check .
	$(1)/bin/mypy
	$(1)/bin/mypy docs/examples
endef

# random calls for each operation of the API, and
# inputs over sockets
FUZZ_INPUTS ?= 200000
FUZZ_EXAMPLES ?= 300

# ten minutes of clients that hang up, upstreams that die, and changes all the while
SOAK_SECONDS ?= 600

fuzz: built
	GOTO_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) GOTO_FUZZ_INPUTS=$(FUZZ_INPUTS) \
	  $(INSTALLED) $(BUILT)/bin/python -m pytest $(PYTEST) tests/fuzz

soak: built
	$(INSTALLED) $(BUILT)/bin/python -m soak --seconds $(SOAK_SECONDS)

soak-journal: built
	$(INSTALLED) $(BUILT)/bin/python -m soak.journal
	$(INSTALLED) $(BUILT)/bin/python -m soak.waiting

flow-docs: $(DEV_STAMP)
	PYTHONPATH=tests $(VENV)/bin/python -m support.flow_page

client: $(DEV_STAMP)
	PYTHONPATH=tests $(VENV)/bin/python -m support.client_code

# an environment of its own, since nothing else needs what makes the site
DOCS_VENV := .venv-docs
SPHINX = $(DOCS_VENV)/bin/python -m sphinx -q -W -n --keep-going

$(DOCS_VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(DOCS_VENV)
	GOTO_COMPILE=no $(DOCS_VENV)/bin/python -m pip install -qq '.[docs]'
	@touch $@

docs: $(DOCS_VENV)/.installed
	$(SPHINX) -b html docs build/docs

links: $(DOCS_VENV)/.installed
	$(SPHINX) -b linkcheck docs build/links

reference: $(DEV_STAMP)
	PYTHONPATH=tests $(VENV)/bin/python -m support.reference

clean:
	rm -rf .venv .venv-* build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- virtual environments
$(VENV)/bin/python $(BUILT)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "goto needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) --version 2>&1). Choose another: make PYTHON=python3.12" >&2; \
	  exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment: install its venv module" >&2; \
	  $(PYTHON) -c 'import sys; print("(Debian, Ubuntu: apt-get install python%d.%d-venv)" % sys.version_info[:2])' >&2; \
	  exit 1; }
	$(PYTHON) -m venv $(@:/bin/python=)

$(DEV_STAMP): pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install -qq --editable '.[$(EXTRAS)]'
	@touch $@

dev: $(DEV_STAMP)

$(BUILT_STAMP): $(SOURCES) | $(BUILT)/bin/python
	@echo "Building goto, compiled where there is a C compiler. It takes a minute."
	@rm -rf $(BUILT)/wheel
	$(BUILT)/bin/python -m pip wheel -qq --no-deps --wheel-dir $(BUILT)/wheel .
	$(BUILT)/bin/python -m pip install -qq --no-deps --force-reinstall $(BUILT)/wheel/*.whl
	$(BUILT)/bin/python -m pip install -qq $(BUILT)/wheel/*.whl
	@touch $@

$(BUILT_DEV_STAMP): $(BUILT_STAMP)
	$(BUILT)/bin/python -m pip install -qq "$$(echo $(BUILT)/wheel/*.whl)[$(EXTRAS)]"
	@touch $@

# Where it can be compiled it has to be, or tests and measurements would be of something else than they say.
HEADERS = $$($(BUILT)/bin/python -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h

built: compiler $(BUILT_DEV_STAMP)
	@if command -v cc >/dev/null && test -f "$(HEADERS)" && ! $(BUILT)/bin/goto --version | grep -q compiled; then \
	  echo "goto was not compiled, though there is a C compiler: GOTO_COMPILE=yes pip wheel --no-deps . says why" >&2; exit 1; \
	fi

# ---------------------------------------------------------------- the Pythons that are here
# Sets `pythons` to lines of a minor version, a path and whether it is the default one, the newest last and each minor version
# once. A candidate must run: a shim without a version behind it does not.
define pythons
pythons=$$({ echo "$(PYTHON)"; seq -f 'python3.%g' 40 -1 11; ls -dr "$$HOME"/.pyenv/versions/3.*/bin/python3; } 2>/dev/null | \
  while read -r python; do "$$python" -c 'import ensurepip, sys, venv; \
    sys.version_info.releaselevel == "final" and sys.version_info >= (3, 11) and \
    print(sys.version_info.minor, sys.executable, sys.argv[1])' "$$([ "$$python" = "$(PYTHON)" ] && echo default)" 2>/dev/null || :; \
  done | awk '!seen[$$1]++' | sort -n)
endef

# ---------------------------------------------------------------- what tests and measurements use besides Python
# $(call debian,COMMAND,PACKAGE) installs a Debian package where its command is missing
define debian
	@PATH="$$PATH:/usr/sbin:/usr/local/sbin"; \
	if command -v $(1) >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  { apt-get update -qq && timeout 600 apt-get install -qq -y --no-install-recommends $(2) >/dev/null; } \
	    || echo "$(2) could not be installed: what needs $(1) is skipped."; \
	else echo "$(1) is not installed (Debian, Ubuntu: $(2)): what needs it is skipped."; fi
endef

nginx:
	$(call debian,nginx,nginx-light)

chromium:
	$(call debian,chromium,chromium)

# shells that complete words, what the tests ask with, as users do, and what makes certificates as the docs say
test-tools: nginx chromium
	$(call debian,zsh,zsh)
	$(call debian,fish,fish)
	$(call debian,curl,curl)
	$(call debian,openssl,openssl)

compiler:
	$(call debian,cc,gcc libc6-dev python3-dev)

bench-tools: nginx
	$(call debian,wrk,wrk)
	$(call debian,hey,hey)

# ---------------------------------------------------------------- what the pages have from others, as its makers pack it for npm
# $(call npm,PACKAGE) unpacks a package into $$folder/package
npm = rm -rf "$$folder"/*; npm pack --silent --pack-destination "$$folder" $(1) >/dev/null; tar -xzf "$$folder"/*.tgz -C "$$folder"

# /goto/docs: Swagger UI
VIEWER := 5.35.0
VIEWER_FILES := LICENSE NOTICE swagger-ui.css swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt
# Apache-2.0, 4(b): a changed file says so
VIEWER_CHANGE := Changed for goto: swagger-ui-bundle.js lacks one entry in its list of top-level domains.
# /goto/ui: htm with preact in it, one file; the licence of preact comes with preact
HTM := 3.1.1
PREACT := 10.27.2
# the tests of /goto/ui
AXE := 4.14.1
AXE_FILES := LICENSE LICENSE-3RD-PARTY.txt axe.min.js

viewer:
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(call npm,swagger-ui-dist@$(VIEWER)); \
	for file in $(VIEWER_FILES); do install -m 644 "$$folder/package/$$file" goto/api/swagger-ui/; done; \
	sed -i 's/|cbs|[a-z]*|cfa|/|cbs|cfa|/' goto/api/swagger-ui/swagger-ui-bundle.js; \
	printf '\n%s\n' "$(VIEWER_CHANGE)" >> goto/api/swagger-ui/NOTICE; \
	$(call npm,htm@$(HTM)); \
	install -m 644 "$$folder/package/preact/standalone.module.js" goto/api/ui/preact.js; \
	install -m 644 "$$folder/package/LICENSE" goto/api/ui/LICENSE-htm; \
	$(call npm,preact@$(PREACT)); \
	install -m 644 "$$folder/package/LICENSE" goto/api/ui/LICENSE-preact; \
	$(call npm,axe-core@$(AXE)); \
	for file in $(AXE_FILES); do install -m 644 "$$folder/package/$$file" tests/support/axe/; done

picture: $(DEV_STAMP) chromium
	PYTHONPATH=tests $(VENV)/bin/python -m support.picture

# ---------------------------------------------------------------- what is released
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' goto/__init__.py)
# the time of what is built is that of the commit
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
ENGINE ?= $(if $(shell command -v docker),docker,podman)

image:
	$(ENGINE) build $(if $(findstring podman,$(ENGINE)),--format docker) -t goto -t goto:$(VERSION) \
	  --build-arg REVISION="$$(git rev-parse HEAD)" --build-arg CREATED="$$(date -u -d @$(SOURCE_DATE_EPOCH) +%FT%TZ)" .

image-tools:
	$(call debian,podman,podman netavark aardvark-dns)
	$(call debian,iptables,iptables)
	$(call debian,buildah,buildah)
	$(call debian,runc,runc)
	$(call debian,debootstrap,debootstrap)

# SAVE=1 puts the figures into docs/container.md
image-test: $(DEV_STAMP) image-tools
	$(CHECKOUT) SAVE=$(SAVE) $(VENV)/bin/python -m pytest -v -s tests/image/checks.py

DIST_VENV := .venv-dist

$(DIST_VENV)/.installed:
	$(PYTHON) -m venv $(DIST_VENV)
	$(DIST_VENV)/bin/python -m pip install -qq build cyclonedx-bom
	@touch $@

dist: $(DIST_VENV)/.installed
	rm -rf dist
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(DIST_VENV)/bin/python -m build .

dist-test: $(DEV_STAMP)
	$(CHECKOUT) $(VENV)/bin/python -m pytest -v tests/release/checks.py

# of an environment that has nothing else; WITH=tls or WITH=mitmproxy,tls for extras
WITH ?=
SBOM := build/goto-$(VERSION).cdx.json

sbom: $(DIST_VENV)/.installed $(DEV_STAMP)
	@mkdir -p build && rm -rf build/sbom
	$(PYTHON) -m venv build/sbom
	GOTO_COMPILE=no build/sbom/bin/python -m pip install -qq '.$(if $(WITH),[$(WITH)])'
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(DIST_VENV)/bin/cyclonedx-py environment --pyproject pyproject.toml \
	  --output-reproducible --output-format JSON --output-file $(SBOM) build/sbom/bin/python
	$(CHECKOUT) $(VENV)/bin/python -m support.sbom $(SBOM)

# ---------------------------------------------------------------- measurements, see docs/performance.md
ROWS ?=

bench: built bench-tools
	$(INSTALLED) $(BUILT)/bin/python -m bench $(ROWS) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) \
	  $(if $(MARKDOWN),--markdown) $(if $(SAVE),--save docs/performance.md)

# not compiled, since only then each function can be seen
profile: dev bench-tools
	$(VENV)/bin/python -m pip install -qq --editable '.[bench]'
	PYTHONPATH=tests $(VENV)/bin/python -m bench.profile $(ROWS) $(if $(SECONDS),--seconds $(SECONDS))
