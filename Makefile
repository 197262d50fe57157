# Every target sets up what it needs, once; a second run starts at once.

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint install-c clean

help: ## what there is
	@echo "Steadis: one Redis connection that stays up through failover"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

test: ## every test, in every language, ending with one count
	@xtask/setup test
	@cargo xtask test

demo: ## three failovers live, in about a minute
	@xtask/setup demo
	@cargo run --quiet --locked --package steadis-scenarios -- demo

bench: ## side by side with the peers, in one interleaved run
	@xtask/setup bench
	@cargo xtask bench

lint: ## formats, lints, licences, generated files, sizes
	@xtask/setup lint
	@cargo xtask lint

install-c: ## the C library and its header, to PREFIX (/usr/local), below DESTDIR
	@PREFIX="$(or $(PREFIX),/usr/local)" DESTDIR="$(DESTDIR)" bindings/c/install

clean: ## removes everything that was built or installed in this tree
	@cargo clean --quiet
	@rm -rf .setup .venv node_modules bench/nodejs/node_modules
