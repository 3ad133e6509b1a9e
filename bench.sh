#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# ./bench.sh [--rounds N]: builds brood and its benchmarks, runs them all, prints
# tables and writes docs/benchmarks.md. Takes some minutes; wants an idle machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/tools/packages.sh"

need_packages "${library_packages[@]}" "${bench_packages[@]}"

build=$here/build/bench
log=$build/build.log
mkdir -p "$build"
if ! {
  cmake -S "$here" -B "$build" --preset release -DBROOD_WERROR=OFF -DBROOD_BUILD_TESTS=OFF \
    -DBROOD_BUILD_EXAMPLES=OFF -DBROOD_BUILD_PROGRAMS=OFF &&
    cmake --build "$build" --target benchmarks -j "$(nproc)"
} >"$log" 2>&1 </dev/null; then
  tail -n 50 "$log" >&2
  echo "cannot build the benchmarks: see $log" >&2
  exit 1
fi
exec python3 "$here/bench/report.py" "$build/bench" --output "$here/docs/benchmarks.md" "$@"
