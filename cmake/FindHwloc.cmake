# SPDX-License-Identifier: MIT
# hwloc's header alone: brood opens its library at run time, and only if it must.
#
# Gives Hwloc_FOUND and Hwloc_INCLUDE_DIR.
include(FindPackageHandleStandardArgs)

find_path(Hwloc_INCLUDE_DIR hwloc.h)
mark_as_advanced(Hwloc_INCLUDE_DIR)

find_package_handle_standard_args(Hwloc REQUIRED_VARS Hwloc_INCLUDE_DIR)
