#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# tools/tidy.sh [FILE...]: runs clang-tidy over the library's sources, or over
# these alone. Minutes long, and a report rather than a gate.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/packages.sh

need_packages "${library_packages[@]}" "${program_packages[@]}" "${test_packages[@]}" \
  "${tidy_packages[@]}"
cmake --preset dev-clang >/dev/null
files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(find src -name "*.cpp" | sort)
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 -p build/dev-clang --quiet
