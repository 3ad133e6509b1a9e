#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# ./run.sh [DIR] [--hostile] [OPTION...]: builds brood and answers, with the real
# files below DIR, how many workers it takes. All arguments go to the program
# `how_many_snakes`; --help lists them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/tools/packages.sh"

need_packages "${library_packages[@]}" "${program_packages[@]}"

build=$here/build/run
log=$build/build.log
mkdir -p "$build"
[ -x "$build/programs/how_many_snakes" ] || echo "building brood and how_many_snakes, once" >&2
if ! {
  cmake -S "$here" -B "$build" --preset release -DBROOD_WERROR=OFF -DBROOD_BUILD_TESTS=OFF \
    -DBROOD_BUILD_EXAMPLES=OFF -DBROOD_BUILD_BENCHMARKS=OFF &&
    cmake --build "$build" --target how_many_snakes -j "$(nproc)"
} >"$log" 2>&1 </dev/null; then
  tail -n 50 "$log" >&2
  echo "cannot build how_many_snakes: see $log" >&2
  exit 1
fi
exec "$build/programs/how_many_snakes" "$@"
