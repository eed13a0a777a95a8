# llama.cpp's mtmd, images for language models, as the imported target craton_mtmd: built once a
# machine in the cache folder, beside the build of llama.cpp and from the same locked source.
#
# A build of its own, so that llama.cpp's is neither touched nor repeated. Its name holds the lock
# entry, the compiler and the recipe.

file(READ ${CMAKE_CURRENT_LIST_DIR}/mtmd/CMakeLists.txt _mtmd_recipe)
string(SHA256 _mtmd_key "${CRATON_LLAMA_SOURCE}|${_llama_compiler}|${_mtmd_recipe}")
string(SUBSTRING ${_mtmd_key} 0 16 _mtmd_key)
set(_mtmd_build "${CRATON_CACHE_DIR}/builds/mtmd-${_mtmd_key}")

if(NOT EXISTS "${_mtmd_build}/craton-complete")
  message(STATUS "Building llama.cpp's mtmd in ${_mtmd_build}: about 3 CPU minutes, once on this machine")
  set(_mtmd_flags -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON
                  -DCMAKE_CXX_COMPILER=${CRATON_LLAMA_CXX} -DLLAMA_SOURCE=${CRATON_LLAMA_SOURCE})
  if(CMAKE_CXX_COMPILER_LAUNCHER)
    list(APPEND _mtmd_flags -DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
  file(MAKE_DIRECTORY "${_mtmd_build}")
  file(LOCK "${_mtmd_build}" DIRECTORY GUARD FILE)  # two configures at once: the second waits
  if(NOT EXISTS "${_mtmd_build}/craton-complete")
    execute_process(COMMAND ${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_LIST_DIR}/mtmd -B ${_mtmd_build}
                            ${_mtmd_flags}
                    OUTPUT_FILE ${_mtmd_build}/configure.log ERROR_FILE ${_mtmd_build}/configure.log
                    RESULT_VARIABLE _result)
    if(_result EQUAL 0)
      execute_process(COMMAND ${CMAKE_COMMAND} --build ${_mtmd_build} --target mtmd
                      RESULT_VARIABLE _result)
    endif()
    if(NOT _result EQUAL 0)
      message(FATAL_ERROR "mtmd did not build; see ${_mtmd_build}/configure.log and the lines above.")
    endif()
    file(TOUCH "${_mtmd_build}/craton-complete")
  endif()
endif()

add_library(craton_mtmd INTERFACE)
target_include_directories(craton_mtmd SYSTEM INTERFACE ${CRATON_LLAMA_SOURCE}/tools/mtmd)
target_link_libraries(craton_mtmd INTERFACE ${_mtmd_build}/libmtmd.a craton_llama_cpp)
