#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# ./test.sh          everything: GCC 12; Clang 19 with the address and undefined
#                    behaviour sanitizers; the thread sanitizer; the shared library,
#                    with Clang 19; short fuzz runs; the long kill storm
# ./test.sh quick    the everyday suite with GCC 12
# ./test.sh PRESET.. these presets of CMakePresets.json
#
# Installs what is missing with apt-get, and says so. Its last line is the sum of
# all runs: `N passed, N failed`.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
. tools/packages.sh

everything=(dev asan-clang tsan shared-clang fuzz storm)
case "${1-}" in
  -h | --help) sed -n '3,12s/^# \{0,1\}//p' "$0" && exit 0 ;;
  '') presets=("${everything[@]}") ;;
  quick) presets=(dev) ;;
  *) presets=("$@") ;;
esac

passed=0
failed=0
logs=build/logs

# quietly WHAT LOG COMMAND...: the log is shown only where the command fails.
quietly() {
  local what=$1 log=$2 start=$SECONDS
  shift 2
  if "$@" >"$log" 2>&1 </dev/null; then
    echo "   $what: $((SECONDS - start)) s"
  else
    echo "   $what: FAILED after $((SECONDS - start)) s, see $log"
    tail -n 100 "$log"
    return 1
  fi
}

# Adds what CTest counted; a run that counted nothing is a failure.
count() {
  local log=$1 status=$2 line bad all
  line=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests? failed out of [0-9]+' "$log" | tail -n 1)
  read -r bad all < <(sed -E 's/.*passed, ([0-9]+) tests? failed out of ([0-9]+).*/\1 \2/' <<<"$line")
  bad=${bad:-0} all=${all:-0}
  if [ "$all" -eq 0 ] || { [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
    bad=$((bad + 1)) all=$((all + 1))
  fi
  passed=$((passed + all - bad))
  failed=$((failed + bad))
}

run_tests() {
  local preset=$1 log=$logs/$1.test.log start=$SECONDS status=0
  # One more than there are CPUs: a test waits for its processes for a third of its time.
  ctest --preset "$preset" -j "$((jobs + 1))" >"$log" 2>&1 </dev/null || status=$?
  count "$log" "$status"
  if [ "$status" -eq 0 ]; then
    echo "   test: $((SECONDS - start)) s, $(grep -E 'tests passed' "$log" | tail -n 1)"
  else
    echo "   test: FAILED after $((SECONDS - start)) s, see $log"
    grep -vE '^ *Start +[0-9]+:| Passed +[0-9.]+ sec$' "$log" | tail -n 400
  fi
}

run_preset() {
  local preset=$1 how=()
  # Where nobody debugs, lines are enough: a tenth of the time that a build takes.
  if [ "$preset" = dev ] && [ -n "${CI-}" ]; then how=(-DCMAKE_CXX_FLAGS_DEBUG=-g1); fi
  echo "== $preset"
  if quietly configure "$logs/$preset.configure.log" cmake --preset "$preset" "${how[@]}" &&
    quietly build "$logs/$preset.build.log" cmake --build --preset "$preset" -j "$jobs"; then
    run_tests "$preset"
  else
    failed=$((failed + 1))
  fi
}

if need_packages "${library_packages[@]}" "${program_packages[@]}" "${test_packages[@]}"; then
  mkdir -p "$logs"
  jobs=$(nproc)
  for preset in "${presets[@]}"; do run_preset "$preset"; done
else
  failed=1
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
