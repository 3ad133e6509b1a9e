#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# ./bench.sh [--rounds N] [--only NAME,...]: builds brood and its benchmarks, runs them,
# prints tables, draws docs/plots and writes docs/benchmarks.md. Takes some minutes;
# wants an idle machine.
# ./bench.sh faults: what brood and Python's pools do about the same faults, in
# docs/faults.md.
set -euo pipefail
case "${1-}" in -h | --help) sed -n '4,8s/^# \{0,1\}//p' "$0" && exit 0 ;; esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/tools/packages.sh"

need_packages "${library_packages[@]}" "${bench_packages[@]}"

target=''
[ "${1-}" != faults ] || target=bench.faults
build=$here/build/bench
log=$build/build.log
mkdir -p "$build"
echo "building ${target:-the benchmarks}" >&2
if ! {
  cmake -S "$here" -B "$build" --preset release -DBROOD_WERROR=OFF -DBROOD_BUILD_TESTS=OFF \
    -DBROOD_BUILD_EXAMPLES=OFF -DBROOD_BUILD_PROGRAMS=OFF &&
    cmake --build "$build" --target "${target:-benchmarks}" -j "$(nproc)"
} >"$log" 2>&1 </dev/null; then
  tail -n 50 "$log" >&2
  echo "cannot build the benchmarks: see $log" >&2
  exit 1
fi
if [ -n "$target" ]; then
  shift
  exec python3 "$here/bench/faults.py" "$build/bench/faults" --output "$here/docs/faults.md" "$@"
fi
exec python3 "$here/bench/report.py" "$build/bench" --output "$here/docs/benchmarks.md" "$@"
