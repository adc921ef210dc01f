# Everything that is done with this repository. `make check` is the one door: people and CI go through it.

GO       ?= go
ARGS     ?=
FUZZTIME ?= 30s
SOAK     ?= 30m
LINT     := bin/golangci-lint
NFPM     := bin/nfpm

# SQLite is C made into Go: its data lies outside of what the race detector looks at, and calling the detector for it took most of the time;
# the driver in front of it (modernc.org/sqlite) and everything of ours stay watched.
RACE     := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false

.PHONY: help build demo test lint fmt vet fuzz cover crash soak golden check dist twice wine clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 9

build: ## build bin/gondola, with its version stamped in by the Go tool
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/gondola ./cmd/gondola

demo: build ## see it work: a simulated platform, sample exports, the shelves afterwards (ARGS=--once ends by itself)
	@bin/gondola demo $(ARGS)

check: fmt vet lint test ## what must pass before anything is merged

fmt: ## name the files that gofmt would change
	@test -z "$$(gofmt -l cmd internal templates testdata | tee /dev/stderr)"

vet: ## ask the compiler's friend
	$(GO) vet ./...

lint: $(LINT) ## ask the linters of .golangci.yml
	$(LINT) run

test: ## run all tests with the race detector
	$(GO) test $(RACE) -timeout 30m ./...

fuzz: ## run every fuzz target for FUZZTIME
	@set -e; for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$package; \
		done; \
	done

cover: ## write coverage.out and say how much of the code the tests reach
	$(GO) test -coverpkg=./... -coverprofile=coverage.out ./...
	@$(GO) tool cover -func=coverage.out | tail -1

crash: ## kill the program at every seam of a full cycle, then 200 times at random (takes most of an hour)
	$(GO) test -count=1 -timeout 3h -v -run '^Test(Orders)?Crash$$' ./cmd/gondola -crash.all
	$(GO) test -count=1 -timeout 1h -v -run '^Test(Orders)?Kill$$' ./cmd/gondola -kills 200

soak: ## 30 minutes of drops, pushes, orders and faults: nothing grows, nothing is lost, nothing private is said (SOAK=2h for longer)
	$(GO) test -count=1 -timeout 24h -v -run '^TestSoak$$' ./cmd/gondola -soak $(SOAK)

golden: ## write the golden files anew; read the difference before keeping it
	$(GO) test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' cmd internal | xargs -n1 dirname | sort -u | sed 's|^|./|') -update

dist: $(NFPM) ## make what is handed out, of the last commit: tar.gz, deb, rpm, zip and their checksums, in dist/
	.ci/dist/run dist
	@cat dist/SHA256SUMS

twice: $(NFPM) ## make what is handed out twice, of linux/amd64 and windows/amd64, and compare every byte (takes some minutes)
	commit=$$(git rev-parse HEAD) && for n in a b; do \
		COMMIT=$$commit .ci/dist/run bin/twice/$$n linux/amd64 windows/amd64 || exit; \
	done
	diff -r bin/twice/a bin/twice/b && cat bin/twice/a/SHA256SUMS

wine: ## run tests of Windows under wine, which has to be installed (PACKAGES="./internal/store" for others than the usual)
	.ci/wine/run $(PACKAGES)

clean: ## remove what the other targets made
	rm -rf bin dist coverage.out

# The linter has a module of its own, so that its hundred dependencies are none of ours. Its build takes a minute, so it is kept.
$(LINT): .ci/tools/go.mod .ci/tools/go.sum
	$(GO) build -modfile=.ci/tools/go.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

# So has the one that makes packages.
$(NFPM): .ci/nfpm/go.mod .ci/nfpm/go.sum
	$(GO) build -modfile=.ci/nfpm/go.mod -o $@ github.com/goreleaser/nfpm/v2/cmd/nfpm
	@touch $@
