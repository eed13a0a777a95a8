# craton_fetch(NAME VARIABLE [--unpatched]): the folder of a source locked in dependencies.lock, fetched if
# needed.

if(DEFINED ENV{CRATON_CACHE_DIR})
  set(CRATON_CACHE_DIR "$ENV{CRATON_CACHE_DIR}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(CRATON_CACHE_DIR "$ENV{XDG_CACHE_HOME}/craton")
else()
  set(CRATON_CACHE_DIR "$ENV{HOME}/.cache/craton")
endif()

find_package(Python3 3.10 REQUIRED COMPONENTS Interpreter)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH _fetch_root)  # also when bench/ includes this
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_fetch_root}/dependencies.lock)

function(craton_fetch name variable)
  execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../scripts/fetch ${ARGN} ${name}
                  OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_VARIABLE problem ERROR_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${problem}")
  endif()
  set(${variable} "${folder}" PARENT_SCOPE)
endfunction()
