# SPDX-License-Identifier: MIT
include(GoogleTest)
find_package(GTest REQUIRED)
find_package(Hwloc REQUIRED)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

set(BROOD_TEST_ENV
  ASAN_OPTIONS=detect_stack_use_after_return=0
  UBSAN_OPTIONS=print_stacktrace=1
  TSAN_OPTIONS=die_after_fork=0:atexit_sleep_ms=0:halt_on_error=1:second_deadlock_stack=1:suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp
)

# For the ENV of tests whose programs can't make the process that looks for leaks.
set(BROOD_NO_LEAKS_ENV ASAN_OPTIONS=detect_stack_use_after_return=0:detect_leaks=0)

# brood_test(<name> [PUBLIC] [SERIAL] [TIMEOUT <seconds>] [LABELS ...] [NO_ASAN <regex>]
#   [LIBS ...] [ENV VAR=value ...])
#
# Builds <name>_test.cpp of the calling room. Each TEST in it becomes one CTest
# entry, `<room>/<suite>.<test>`, run in a process of its own.
#
# PUBLIC  uses the installed face only: no private header is within reach, and
#         it is part of the shared build, where hidden symbols cannot be linked.
# SERIAL  runs while no other test does.
# LABELS  `stress` and `long` are left out of everyday runs. What is `no_asan` or
#         `no_tsan` is not built with that sanitizer.
# NO_ASAN labels those tests `no_asan` whose names match.
#
# What nearly every test includes is compiled once: a fifth of the time of all.
function(brood_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PUBLIC;SERIAL" "TIMEOUT;NO_ASAN" "LABELS;LIBS;ENV")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "brood_test(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if((BUILD_SHARED_LIBS AND NOT arg_PUBLIC)
      OR (BROOD_SANITIZE MATCHES "address" AND "no_asan" IN_LIST arg_LABELS)
      OR (BROOD_SANITIZE MATCHES "thread" AND "no_tsan" IN_LIST arg_LABELS))
    return()
  endif()

  get_filename_component(room ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  set(target test.${room}.${name})
  add_executable(${target} ${name}_test.cpp)
  brood_target(${target})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  if(NOT arg_PUBLIC)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  endif()
  target_link_libraries(${target} PRIVATE
    brood::brood ${arg_LIBS} GTest::gmock GTest::gtest GTest::gtest_main)
  target_precompile_headers(${target} REUSE_FROM test.common)

  set(timeout 60)
  if(arg_TIMEOUT)
    set(timeout ${arg_TIMEOUT})
  endif()
  if(BROOD_SANITIZE)
    math(EXPR timeout "${timeout} * 4")
  endif()
  if(NOT arg_NO_ASAN)
    set(arg_NO_ASAN "^$")
  endif()
  set(labels ${room} ${arg_LABELS})
  if(arg_PUBLIC)
    list(APPEND labels public)
  endif()

  gtest_discover_tests(${target}
    TEST_PREFIX ${room}/
    TEST_LIST ${target}.tests
    DISCOVERY_MODE PRE_TEST
    NO_PRETTY_VALUES
    DISCOVERY_TIMEOUT 60
  )
  # Properties that are lists do not survive the call above, so a second file,
  # which CTest reads after the list of tests, sets them.
  set(properties ${CMAKE_CURRENT_BINARY_DIR}/${target}.properties.cmake)
  file(CONFIGURE OUTPUT ${properties} @ONLY CONTENT [[
foreach(test IN LISTS @target@.tests)
  set(labels "@labels@")
  if(test MATCHES "@arg_NO_ASAN@")
    list(APPEND labels no_asan)
  endif()
  set_tests_properties("${test}" PROPERTIES
    LABELS "${labels}"
    ENVIRONMENT "@BROOD_TEST_ENV@;@arg_ENV@"
    TIMEOUT @timeout@
    RUN_SERIAL @arg_SERIAL@
  )
endforeach()
]])
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${properties})
endfunction()

# The command line that compiles one file of a user.
function(brood_user_compile variable)
  set(${variable}
    ${CMAKE_CXX_COMPILER} -std=c++20 ${BROOD_WARNINGS} -DCEREAL_THREAD_SAFE=1
    -I${PROJECT_SOURCE_DIR}/include -c -o /dev/null
    PARENT_SCOPE)
endfunction()

function(brood_compile_case name file)
  get_filename_component(room ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  get_filename_component(file ${file} ABSOLUTE)
  if(NOT EXISTS ${file})
    get_filename_component(base ${file} NAME)
    set(file ${PROJECT_SOURCE_DIR}/tests/compile_fail/${room}/${base})
  endif()
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "compile case '${name}': no such file: ${file}")
  endif()
  brood_user_compile(compile)
  add_test(NAME ${room}/${name}
    COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/compile_case.py
      ${ARGN} -- ${compile} ${file})
  set_tests_properties(${room}/${name} PROPERTIES
    LABELS "${room};compile_fail"
    TIMEOUT 120
    ENVIRONMENT LC_ALL=C
  )
endfunction()

# brood_compile_fail(<name> FILE <file.cpp> EXPECT <regex> [ERRORS <n>])
#
# The file must not compile, and what the compiler says must match the regular
# expression (Python's); with ERRORS, it must say `error:` just that often.
# FILE is looked for in the calling folder, then in tests/compile_fail/<room>.
function(brood_compile_fail name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FILE;EXPECT;ERRORS" "")
  if(NOT arg_FILE OR NOT arg_EXPECT OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "brood_compile_fail(${name}) needs FILE and EXPECT, and no more than ERRORS")
  endif()
  set(options --expect=${arg_EXPECT})
  if(arg_ERRORS)
    list(APPEND options --errors=${arg_ERRORS})
  endif()
  brood_compile_case(${name} ${arg_FILE} ${options})
endfunction()

# brood_compile_pass(<name> FILE <file.cpp>): it must compile, without a warning.
function(brood_compile_pass name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FILE" "")
  if(NOT arg_FILE OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "brood_compile_pass(${name}) needs FILE alone")
  endif()
  brood_compile_case(${name} ${arg_FILE})
endfunction()
