# SPDX-License-Identifier: MIT
# The settings that every target of this repository shares. Nothing here reaches
# a consumer: warnings are PRIVATE and the standard is a compile feature.
option(BROOD_WERROR "Treat warnings as errors" OFF)
set(BROOD_SANITIZE "" CACHE STRING "Sanitizers: 'address,undefined' or 'thread'")

set(BROOD_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion)
if(BROOD_WERROR)
  list(APPEND BROOD_WARNINGS -Werror)
endif()

# Directory wide, as a sanitizer in only some of a program's files misleads it.
set(BROOD_SANITIZE_FLAGS "")
if(BROOD_SANITIZE)
  set(BROOD_SANITIZE_FLAGS -fsanitize=${BROOD_SANITIZE})
  add_compile_options(${BROOD_SANITIZE_FLAGS} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  # A handler for abi::__forced_unwind is given a null reference: there's no object.
  add_compile_options(-fno-sanitize=null)
  add_link_options(${BROOD_SANITIZE_FLAGS})
endif()

# The library too is to tell libFuzzer where an input has led.
option(BROOD_BUILD_FUZZERS "Build the fuzzers (with Clang)" OFF)
if(BROOD_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "BROOD_BUILD_FUZZERS needs Clang, which has libFuzzer")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(BROOD_CCACHE ccache)
if(PROJECT_IS_TOP_LEVEL AND BROOD_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BROOD_CCACHE})
endif()

# Two hundred programs with debugging information are linked for the tests.
find_program(BROOD_LLD ld.lld)
if(PROJECT_IS_TOP_LEVEL AND BROOD_BUILD_TESTS AND BROOD_LLD)
  add_link_options(-fuse-ld=lld)
endif()

function(brood_target target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${BROOD_WARNINGS})
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF
    POSITION_INDEPENDENT_CODE ON
  )
endfunction()
