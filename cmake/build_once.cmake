# craton_build_once(VARIABLE KEY key NAME name TITLE title COST cost SOURCE folder TARGETS target...
#                   FLAGS flag... LAUNCH language... [FORCED_INCLUDE file])
#
# VARIABLE becomes the folder in the cache in which `targets` of the CMake project at `folder` are built:
# once a machine, for all clones, presets and CI runs. The folder's name holds a digest of `key`, which must
# say everything that the result depends on; a changed key makes a new folder.
#
# title and cost stand in messages. The languages in LAUNCH are compiled through the compiler launcher of this
# build, if it has one. FORCED_INCLUDE is included before every C++ source.
function(craton_build_once variable)
  cmake_parse_arguments(PARSE_ARGV 1 once "" "KEY;NAME;TITLE;COST;SOURCE;FORCED_INCLUDE" "TARGETS;FLAGS;LAUNCH")
  string(SHA256 key "${once_KEY}")
  string(SUBSTRING ${key} 0 16 key)
  set(build "${CRATON_CACHE_DIR}/builds/${once_NAME}-${key}")
  set(${variable} "${build}" PARENT_SCOPE)
  if(EXISTS "${build}/craton-complete")
    return()
  endif()

  message(STATUS "Building ${once_TITLE} in ${build}: about ${once_COST}, once on this machine")
  file(MAKE_DIRECTORY "${build}")
  file(LOCK "${build}" DIRECTORY GUARD FUNCTION)  # two configures at once: the second waits
  if(EXISTS "${build}/craton-complete")
    return()
  endif()
  foreach(language IN LISTS once_LAUNCH)
    if(CMAKE_${language}_COMPILER_LAUNCHER)
      string(REPLACE ";" "\\;" launcher "${CMAKE_${language}_COMPILER_LAUNCHER}")
      list(APPEND once_FLAGS "-DCMAKE_${language}_COMPILER_LAUNCHER=${launcher}")
    endif()
  endforeach()
  if(once_FORCED_INCLUDE)
    file(COPY ${once_FORCED_INCLUDE} DESTINATION ${build})
    cmake_path(GET once_FORCED_INCLUDE FILENAME name)
    list(APPEND once_FLAGS "-DCMAKE_CXX_FLAGS=-include ${build}/${name}")
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -G Ninja -S ${once_SOURCE} -B ${build} ${once_FLAGS}
                  OUTPUT_FILE ${build}/configure.log ERROR_FILE ${build}/configure.log RESULT_VARIABLE result)
  if(result EQUAL 0)
    execute_process(COMMAND ${CMAKE_COMMAND} --build ${build} --target ${once_TARGETS} RESULT_VARIABLE result)
  endif()
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${once_TITLE} did not build; see ${build}/configure.log and the lines above.")
  endif()
  file(TOUCH "${build}/craton-complete")
endfunction()
