# Sourced by scripts/test and scripts/test-python: makes sure that the tools they need are there.
# shellcheck shell=bash

memu_tools=${MEMU_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/memu-tools}
PATH=$memu_tools/bin:$PATH

# require_component NAME: a part of the Rust toolchain.
require_component() {
    local command=cargo-$1
    [[ $1 == rustfmt ]] && command=cargo-fmt
    if ! "$command" --version >/dev/null 2>&1; then
        rustup component add "$1"
    fi
    "$command" --version
}

# require_tool NAME VERSION OLDEST: installs VERSION unless OLDEST or newer is there.
require_tool() {
    local name=$1 version=$2 oldest=$3 found
    found=$(tool_version "$name")
    if [[ -z $found ]] || ! at_least "$found" "$oldest"; then
        echo "Building $name $version (found: ${found:-none}); needed once per machine."
        build_tool "$name" "$version"
        found=$(tool_version "$name")
    fi
    echo "$name $found"
}

tool_version() {
    { cargo "${1#cargo-}" --version 2>/dev/null || true; } |
        sed -nE '1s/^[^0-9]*([0-9]+\.[0-9]+\.[0-9]+).*/\1/p'
}

at_least() {
    [[ $(printf '%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]
}

# The tools' own release profiles take several times as long to build (fat LTO,
# one codegen unit) and save nothing that a test run would notice.
build_tool() {
    local name=$1 version=$2 features=()
    # Without self-update, which would bring a TLS stack along.
    [[ $name == cargo-nextest ]] && features=(--no-default-features --features default-no-update)
    env -u RUSTFLAGS -u RUSTC_WRAPPER \
        CARGO_NET_OFFLINE=false \
        CARGO_TARGET_DIR="$memu_tools/build" \
        CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
        CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        CARGO_PROFILE_RELEASE_DEBUG=0 \
        cargo install "$name" --version "$version" --locked --force --quiet \
        --root "$memu_tools" "${features[@]}"
    rm -rf "$memu_tools/build"
}

# find_postgres: a PostgreSQL for the tests, fetched when none was named. Afterwards
# "$beside_postgres" COMMAND runs a command beside a server, or without one where there is none and
# REQUIRE_POSTGRES does not ask for it.
find_postgres() {
    if [[ -z ${MEMU_POSTGRES_BIN:-} ]]; then
        MEMU_POSTGRES_BIN=$(scripts/fetch-postgres) || {
            echo 'PostgreSQL cannot be fetched from here.'
            case ${REQUIRE_POSTGRES:-0} in
                0) echo 'Its tests are skipped.' ;;
                *) return 1 ;;
            esac
            MEMU_POSTGRES_BIN=
        }
    fi
    if [[ -n $MEMU_POSTGRES_BIN ]]; then
        export MEMU_POSTGRES_BIN
        # Its server ends with the command, even when the script is killed.
        beside_postgres=scripts/with-postgres
    else
        unset MEMU_POSTGRES_BIN
        # shellcheck disable=SC2034  # Read by those who source this.
        beside_postgres='env'
    fi
}
