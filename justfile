# Every local check, one line each. `just` alone lists them; CI runs `scripts/test`.

# Arguments reach a command whole, spaces included.
set positional-arguments

_list:
    @just --list

# Everything that CI checks
test *options:
    ./scripts/test "$@"

# Tree check, fmt, clippy and the tests
quick:
    ./scripts/test --quick

# The tests whose names match, with their output
only filter:
    cargo nextest run --workspace --features "$(scripts/features)" --no-capture {{ filter }}

# A command beside a PostgreSQL server that goes with it: `just postgres cargo nextest run …`
postgres *command:
    scripts/with-postgres "$@"

# The Python package: built, type-checked, tested; `just python -k docs` for some of the tests
python *arguments:
    scripts/test-python "$@"

# The crash suite in full: kills, power cuts and failing disks
crash rounds="500":
    MEMU_CRASH_ROUNDS="{{ rounds }}" cargo nextest run --profile crash -p memu-rs -p memu-cli --features "$(scripts/features)" -E 'binary(faults) or binary(crash)'

# The tests of encrypted files, with SQLCipher in place of SQLite
encryption:
    cargo nextest run --workspace --features "$(scripts/features),memu-rs/sqlcipher,memu-cli/sqlcipher" --test encryption --test sqlite_conformance -E 'binary(encryption) + test(/^encrypted::/)'

# Clippy on everything, and the tree check
lint:
    cargo clippy --workspace --all-targets --features "$(scripts/features)" -- -D warnings
    python3 scripts/check-tree

# Format the code
fmt:
    cargo fmt --all

# Build the documentation and open it
doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --features "$(scripts/features)" --no-deps --lib --open

# Licences, banned crates and sources of the dependencies
deny:
    cargo deny --all-features check licenses bans sources

# Known vulnerabilities in the dependencies (needs the network)
advisories:
    cargo deny --all-features check advisories

# Run the `memu` command from the checkout
memu *arguments:
    cargo run --quiet --package memu-cli -- "$@"

# Memorize a small conversation and ask about it
demo:
    cargo run --release -- demo

# All benchmarks
bench *options:
    cargo bench --workspace --features "$(scripts/features)" "$@"

# Coverage by line, as a page (needs cargo-llvm-cov)
cover:
    cargo llvm-cov nextest --workspace --features "$(scripts/features)" --open

# Look at changed snapshots and accept or refuse them (needs cargo-insta)
snapshots:
    cargo insta review
