# SPDX-License-Identifier: MIT
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(brood_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/brood)

install(TARGETS brood EXPORT brood-targets FILE_SET HEADERS)
install(EXPORT brood-targets NAMESPACE brood:: DESTINATION ${brood_cmake_dir})

write_basic_package_version_file(${PROJECT_BINARY_DIR}/brood-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(
  FILES
    ${PROJECT_SOURCE_DIR}/cmake/brood-config.cmake
    ${PROJECT_BINARY_DIR}/brood-config-version.cmake
  DESTINATION ${brood_cmake_dir}
)

# A static library brings what it was linked with; a shared one has it inside.
set(brood_pc_libs "")
if(NOT BUILD_SHARED_LIBS AND Libbacktrace_FOUND)
  set(brood_pc_libs " -lbacktrace")
endif()
# Relative to the file itself, so that the whole tree can be moved.
file(RELATIVE_PATH brood_pc_prefix
  /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/brood.pc.in ${PROJECT_BINARY_DIR}/brood.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/brood.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
