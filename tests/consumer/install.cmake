# SPDX-License-Identifier: MIT
# Installs `build` below an empty `prefix`, then looks whether each public header
# of the source folder `headers` is there: one that its room forgot to list
# builds here, and fails at every user's.
file(REMOVE_RECURSE ${prefix})
execute_process(
  COMMAND ${CMAKE_COMMAND} --install ${build} --prefix ${prefix}
  OUTPUT_QUIET
  COMMAND_ERROR_IS_FATAL ANY
)

file(GLOB_RECURSE public RELATIVE ${headers} ${headers}/*.hpp)
foreach(header IN LISTS public)
  if(NOT EXISTS ${prefix}/include/${header})
    message(SEND_ERROR "not installed: include/${header}; list it in its room's FILE_SET HEADERS")
  endif()
endforeach()
