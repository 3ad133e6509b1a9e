# SPDX-License-Identifier: MIT
# GCC ships libbacktrace in a folder of its own. Every compiler driver that uses
# GCC's runtime searches that folder for libraries, Clang too, so the name alone
# links on any machine; only GCC searches it for headers.
#
# Gives Libbacktrace_FOUND and Libbacktrace_INCLUDE_DIR.
include(FindPackageHandleStandardArgs)

execute_process(
  COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libbacktrace.a
  OUTPUT_VARIABLE libbacktrace_archive
  OUTPUT_STRIP_TRAILING_WHITESPACE
)
get_filename_component(libbacktrace_dir "${libbacktrace_archive}" DIRECTORY)

find_library(Libbacktrace_LIBRARY backtrace HINTS ${libbacktrace_dir})
find_path(Libbacktrace_INCLUDE_DIR backtrace.h HINTS ${libbacktrace_dir}/include)
mark_as_advanced(Libbacktrace_LIBRARY Libbacktrace_INCLUDE_DIR)

find_package_handle_standard_args(Libbacktrace
  REQUIRED_VARS Libbacktrace_LIBRARY Libbacktrace_INCLUDE_DIR)
