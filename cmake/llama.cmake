# llama.cpp as imported targets: built once a machine in the cache folder, from the locked source.
#
# The build folder's name holds the lock entry, the compiler, its answer to -march=native and the
# flags: clones, presets and CI runs on one machine share it, and a changed input makes a new one.
# Sanitizer presets link this same uninstrumented build: its code is not under test here.
#
# CRATON_GPU names a backend beside the CPU's: cuda (needs NVIDIA's toolkit) or vulkan (any vendor's
# GPU). RPC, by which other machines compute layers, is always in.

find_package(Threads REQUIRED)
craton_fetch(llama.cpp CRATON_LLAMA_SOURCE ${CRATON_LLAMA_UNPATCHED})

set(CRATON_LLAMA_CXX "g++" CACHE STRING "C++ compiler of the cached llama.cpp build")
set(CRATON_LLAMA_CC "gcc" CACHE STRING "C compiler of the cached llama.cpp build")
set(_llama_flags
    -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON
    -DCMAKE_C_COMPILER=${CRATON_LLAMA_CC}
    -DCMAKE_CXX_COMPILER=${CRATON_LLAMA_CXX}
    -DBUILD_SHARED_LIBS=OFF
    -DGGML_NATIVE=ON
    -DGGML_OPENMP=OFF     # ggml's own thread pool: one less run-time, and its threads can be pinned
    -DGGML_CCACHE=OFF     # build_once.cmake decides
    -DGGML_RPC=ON
    -DGGML_RPC_RDMA=OFF   # one less library that may or may not be there
    -DLLAMA_BUILD_COMMON=ON
    -DLLAMA_BUILD_TESTS=OFF
    -DLLAMA_BUILD_TOOLS=OFF
    -DLLAMA_BUILD_EXAMPLES=OFF
    -DLLAMA_BUILD_SERVER=OFF
    -DLLAMA_BUILD_APP=OFF
    -DLLAMA_BUILD_UI=OFF
    -DLLAMA_USE_PREBUILT_UI=OFF
    -DLLAMA_OPENSSL=OFF
    -DLLAMA_CURL=OFF)

set(CRATON_GPU "" CACHE STRING "GPU backend: cuda, vulkan, or nothing")
set_property(CACHE CRATON_GPU PROPERTY STRINGS "" cuda vulkan)
set(_llama_gpu_libraries "")
if(CRATON_GPU STREQUAL "cuda")
  find_package(CUDAToolkit REQUIRED)
  list(APPEND _llama_flags -DGGML_CUDA=ON -DGGML_CUDA_NCCL=OFF -DCMAKE_CUDA_COMPILER=${CUDAToolkit_NVCC_EXECUTABLE})
  if(CMAKE_CUDA_ARCHITECTURES)  # for machines other than the one that builds
    string(REPLACE ";" "\\;" _architectures "${CMAKE_CUDA_ARCHITECTURES}")
    list(APPEND _llama_flags "-DCMAKE_CUDA_ARCHITECTURES=${_architectures}")
  endif()
  set(_llama_gpu_libraries CUDA::cudart CUDA::cublas CUDA::cuda_driver)
elseif(CRATON_GPU STREQUAL "vulkan")
  find_package(Vulkan REQUIRED COMPONENTS glslc)
  list(APPEND _llama_flags -DGGML_VULKAN=ON)
  set(_llama_gpu_libraries Vulkan::Vulkan)
elseif(CRATON_GPU)
  message(FATAL_ERROR "CRATON_GPU is '${CRATON_GPU}': there are cuda and vulkan.")
endif()

execute_process(COMMAND ${CRATON_LLAMA_CXX} -march=native -Q --help=target
                OUTPUT_VARIABLE _llama_target ERROR_QUIET)
execute_process(COMMAND ${CRATON_LLAMA_CXX} --version OUTPUT_VARIABLE _llama_compiler)
set(_llama_forced "")
set(_llama_forced_include "")
if(_llama_target MATCHES "-mamx-tile[ \t]+\\[enabled\\]")
  set(_llama_forced_include ${CMAKE_CURRENT_LIST_DIR}/amx_tile_config.h)
  file(READ ${_llama_forced_include} _llama_forced)
endif()
craton_build_once(_llama_build
  KEY "${CRATON_LLAMA_SOURCE}|${_llama_compiler}|${_llama_target}|${_llama_flags}${_llama_forced}"
  NAME llama.cpp TITLE llama.cpp COST "10 CPU minutes" SOURCE ${CRATON_LLAMA_SOURCE} TARGETS llama-common
  FLAGS ${_llama_flags} LAUNCH C CXX FORCED_INCLUDE ${_llama_forced_include})

add_library(craton_llama_cpp INTERFACE)
target_include_directories(craton_llama_cpp SYSTEM INTERFACE
  ${CRATON_LLAMA_SOURCE}/include ${CRATON_LLAMA_SOURCE}/ggml/include
  ${CRATON_LLAMA_SOURCE}/common ${CRATON_LLAMA_SOURCE}/vendor)
file(GLOB_RECURSE _llama_archives "${_llama_build}/*.a")
target_link_libraries(craton_llama_cpp INTERFACE
  -Wl,--start-group ${_llama_archives} -Wl,--end-group ${_llama_gpu_libraries} Threads::Threads
  ${CMAKE_DL_LIBS})
