# stable-diffusion.cpp as the imported target craton_stable_diffusion_cpp: built once a machine in the
# cache folder, from the locked source, by the CPU alone.
#
# The build folder's name holds the lock entry, the compiler, its answer to -march=native and the flags.
# It brings another version of ggml than llama.cpp's: nothing may link both.

find_package(Threads REQUIRED)
craton_fetch(stable-diffusion.cpp CRATON_DIFFUSION_SOURCE)

set(CRATON_DIFFUSION_CXX "g++" CACHE STRING "C++ compiler of the cached stable-diffusion.cpp build")
set(CRATON_DIFFUSION_CC "gcc" CACHE STRING "C compiler of the cached stable-diffusion.cpp build")
set(_diffusion_flags
    -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON
    -DCMAKE_C_COMPILER=${CRATON_DIFFUSION_CC}
    -DCMAKE_CXX_COMPILER=${CRATON_DIFFUSION_CXX}
    -DBUILD_SHARED_LIBS=OFF
    -DGGML_NATIVE=ON
    -DGGML_OPENMP=OFF
    -DGGML_CCACHE=OFF
    -DGGML_ALL_WARNINGS=OFF
    -DGGML_BUILD_TESTS=OFF
    -DGGML_BUILD_EXAMPLES=OFF
    -DSD_BUILD_EXAMPLES=OFF
    -DSD_WEBP=OFF  # pictures cross the pipe as pixels
    -DSD_WEBM=OFF)

execute_process(COMMAND ${CRATON_DIFFUSION_CXX} -march=native -Q --help=target
                OUTPUT_VARIABLE _diffusion_target ERROR_QUIET)
execute_process(COMMAND ${CRATON_DIFFUSION_CXX} --version OUTPUT_VARIABLE _diffusion_compiler)
set(_diffusion_forced "")  # what is forced into every C++ source
if(_diffusion_target MATCHES "-mamx-tile[ \t]+\\[enabled\\]")
  file(READ ${CMAKE_CURRENT_LIST_DIR}/amx_tile_config.h _diffusion_forced)
endif()
string(SHA256 _diffusion_key "${CRATON_DIFFUSION_SOURCE}|${_diffusion_compiler}|${_diffusion_target}|\
${_diffusion_flags}${_diffusion_forced}")
string(SUBSTRING ${_diffusion_key} 0 16 _diffusion_key)
set(_diffusion_build "${CRATON_CACHE_DIR}/builds/stable-diffusion.cpp-${_diffusion_key}")
if(_diffusion_forced)
  list(APPEND _diffusion_flags "-DCMAKE_CXX_FLAGS=-include ${_diffusion_build}/amx_tile_config.h")
endif()

if(NOT EXISTS "${_diffusion_build}/craton-complete")
  message(STATUS "Building stable-diffusion.cpp in ${_diffusion_build}: about 5 CPU minutes, once on this machine")
  if(CMAKE_CXX_COMPILER_LAUNCHER)
    list(APPEND _diffusion_flags -DCMAKE_C_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}
                                 -DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
  file(MAKE_DIRECTORY "${_diffusion_build}")
  file(LOCK "${_diffusion_build}" DIRECTORY GUARD FILE)  # two configures at once: the second waits
  if(NOT EXISTS "${_diffusion_build}/craton-complete")
    file(COPY ${CMAKE_CURRENT_LIST_DIR}/amx_tile_config.h DESTINATION ${_diffusion_build})
    execute_process(COMMAND ${CMAKE_COMMAND} -G Ninja -S ${CRATON_DIFFUSION_SOURCE} -B ${_diffusion_build}
                            ${_diffusion_flags}
                    OUTPUT_FILE ${_diffusion_build}/configure.log ERROR_FILE ${_diffusion_build}/configure.log
                    RESULT_VARIABLE _result)
    if(_result EQUAL 0)
      execute_process(COMMAND ${CMAKE_COMMAND} --build ${_diffusion_build} --target stable-diffusion
                      RESULT_VARIABLE _result)
    endif()
    if(NOT _result EQUAL 0)
      message(FATAL_ERROR "stable-diffusion.cpp did not build; see ${_diffusion_build}/configure.log and the "
                          "lines above.")
    endif()
    file(TOUCH "${_diffusion_build}/craton-complete")
  endif()
endif()

add_library(craton_stable_diffusion_cpp INTERFACE)
target_include_directories(craton_stable_diffusion_cpp SYSTEM INTERFACE ${CRATON_DIFFUSION_SOURCE}/include)
file(GLOB_RECURSE _diffusion_archives "${_diffusion_build}/*.a")
target_link_libraries(craton_stable_diffusion_cpp INTERFACE
  -Wl,--start-group ${_diffusion_archives} -Wl,--end-group
  Threads::Threads ${CMAKE_DL_LIBS})
