# llama.cpp as imported targets: built once a machine in the cache folder, from the locked source.
#
# The build folder's name holds the lock entry, the compiler, the processor and the flags: clones, presets
# and CI runs on one machine share it, and a changed input makes a new one.
# Sanitizer presets link this same uninstrumented build: its code is not under test here.
#
# CRATON_GPU names a backend beside the CPU's: cuda (needs NVIDIA's toolkit) or vulkan (any vendor's
# GPU). RPC, by which other machines compute layers, is always in.

include(processor)
find_package(Threads REQUIRED)
craton_fetch(llama.cpp CRATON_LLAMA_SOURCE ${CRATON_LLAMA_UNPATCHED})

set(CRATON_LLAMA_CXX "g++" CACHE STRING "C++ compiler of the cached llama.cpp build")
set(CRATON_LLAMA_CC "gcc" CACHE STRING "C compiler of the cached llama.cpp build")
craton_processor(_llama ${CRATON_LLAMA_CXX})
set(_llama_flags
    -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON
    -DCMAKE_C_COMPILER=${CRATON_LLAMA_CC}
    -DCMAKE_CXX_COMPILER=${CRATON_LLAMA_CXX}
    -DBUILD_SHARED_LIBS=OFF
    ${_llama_PROCESSOR_FLAGS}
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
  # CMake 3.25 sets a property of it, also where the toolkit has none any more (from 13 on).
  add_library(CUDA::nvToolsExt INTERFACE IMPORTED)
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

craton_build_once(_llama_build
  KEY "${CRATON_LLAMA_SOURCE}|${_llama_PROCESSOR}|${_llama_flags}"
  NAME llama.cpp TITLE llama.cpp COST "10 CPU minutes" SOURCE ${CRATON_LLAMA_SOURCE} TARGETS llama-common
  FLAGS ${_llama_flags} LAUNCH C CXX FORCED_INCLUDE ${_llama_PROCESSOR_INCLUDE})

add_library(craton_llama_cpp INTERFACE)
target_include_directories(craton_llama_cpp SYSTEM INTERFACE
  ${CRATON_LLAMA_SOURCE}/include ${CRATON_LLAMA_SOURCE}/ggml/include
  ${CRATON_LLAMA_SOURCE}/common ${CRATON_LLAMA_SOURCE}/vendor)
file(GLOB_RECURSE _llama_archives "${_llama_build}/*.a")
target_link_libraries(craton_llama_cpp INTERFACE
  -Wl,--start-group ${_llama_archives} -Wl,--end-group ${_llama_gpu_libraries} Threads::Threads
  ${CMAKE_DL_LIBS})
