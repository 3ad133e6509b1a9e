# SPDX-License-Identifier: MIT
# Run as a script: PROGRAM writes its first inputs into the folder CORPUS, anew, and
# then reads RUNS inputs made of them.
file(REMOVE_RECURSE ${CORPUS})
file(MAKE_DIRECTORY ${CORPUS})
set(ENV{BROOD_FUZZ_SEEDS} ${CORPUS})
execute_process(COMMAND ${PROGRAM} -runs=0 COMMAND_ERROR_IS_FATAL ANY ERROR_QUIET)
unset(ENV{BROOD_FUZZ_SEEDS})
file(GLOB seeds ${CORPUS}/*)
if(NOT seeds)
  message(FATAL_ERROR "${PROGRAM} has written no first inputs into ${CORPUS}")
endif()
execute_process(
  COMMAND ${PROGRAM} -runs=${RUNS} -seed=1 -max_len=8192 -timeout=20 -rss_limit_mb=2048
    -print_final_stats=0 -verbosity=0 -artifact_prefix=${CORPUS}/../ ${CORPUS}
  COMMAND_ERROR_IS_FATAL ANY)
