# SPDX-License-Identifier: MIT
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(cereal)
include(${CMAKE_CURRENT_LIST_DIR}/brood-targets.cmake)
