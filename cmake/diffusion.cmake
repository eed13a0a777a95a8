# stable-diffusion.cpp as the imported target craton_stable_diffusion_cpp: built once a machine in the
# cache folder, from the locked source, by the CPU alone.
#
# The build folder's name holds the lock entry, the compiler, the processor and the flags.
# It brings another version of ggml than llama.cpp's: nothing may link both.

include(processor)
find_package(Threads REQUIRED)
craton_fetch(stable-diffusion.cpp CRATON_DIFFUSION_SOURCE)

set(CRATON_DIFFUSION_CXX "g++" CACHE STRING "C++ compiler of the cached stable-diffusion.cpp build")
set(CRATON_DIFFUSION_CC "gcc" CACHE STRING "C compiler of the cached stable-diffusion.cpp build")
craton_processor(_diffusion ${CRATON_DIFFUSION_CXX})
set(_diffusion_flags
    -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON
    -DCMAKE_C_COMPILER=${CRATON_DIFFUSION_CC}
    -DCMAKE_CXX_COMPILER=${CRATON_DIFFUSION_CXX}
    -DBUILD_SHARED_LIBS=OFF
    ${_diffusion_PROCESSOR_FLAGS}
    -DGGML_OPENMP=OFF
    -DGGML_CCACHE=OFF
    -DGGML_ALL_WARNINGS=OFF
    -DGGML_BUILD_TESTS=OFF
    -DGGML_BUILD_EXAMPLES=OFF
    -DSD_BUILD_EXAMPLES=OFF
    -DSD_WEBP=OFF  # pictures cross the pipe as pixels
    -DSD_WEBM=OFF)

craton_build_once(_diffusion_build
  KEY "${CRATON_DIFFUSION_SOURCE}|${_diffusion_PROCESSOR}|${_diffusion_flags}"
  NAME stable-diffusion.cpp TITLE stable-diffusion.cpp COST "5 CPU minutes" SOURCE ${CRATON_DIFFUSION_SOURCE}
  TARGETS stable-diffusion FLAGS ${_diffusion_flags} LAUNCH C CXX
  FORCED_INCLUDE ${_diffusion_PROCESSOR_INCLUDE})

add_library(craton_stable_diffusion_cpp INTERFACE)
target_include_directories(craton_stable_diffusion_cpp SYSTEM INTERFACE ${CRATON_DIFFUSION_SOURCE}/include)
file(GLOB_RECURSE _diffusion_archives "${_diffusion_build}/*.a")
target_link_libraries(craton_stable_diffusion_cpp INTERFACE
  -Wl,--start-group ${_diffusion_archives} -Wl,--end-group
  Threads::Threads ${CMAKE_DL_LIBS})
