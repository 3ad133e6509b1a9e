# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# The Debian packages that brood needs, and how to get those that are missing.
# To be sourced by bash. docs/dependencies.md says what each is for.

library_packages=(g++ libc6-dev cmake ninja-build libcereal-dev)
program_packages=(libcli11-dev libssl-dev zlib1g-dev)
test_packages=(
  libgtest-dev libgmock-dev librapidcheck-dev libhwloc-dev python3 git pkg-config ccache
  clang clang-19 libclang-rt-19-dev clang-format-19 lld valgrind
)
bench_packages=(python3 libtbb-dev python3-joblib python3-pebble gnuplot-nox)
tidy_packages=(clang-tidy-19)

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "cannot install packages: neither root nor sudo is here; install by hand: ${missing[*]}" >&2
    return 1
  fi
}

# need_packages NAME...: installs those that are missing, and says so; says
# nothing, and asks no server, when all are there.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "this is no Debian: brood's packages are taken for granted: $*" >&2
    return 0
  fi
  local missing=() name
  for name in "$@"; do
    is_installed "$name" || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0

  echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    echo "cannot install packages: apt-get failed, see above" >&2
    return 1
  fi
  rm -f "$log"
}
