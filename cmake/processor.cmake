# The processor that compiled kernels (ggml's, in llama.cpp and in stable-diffusion.cpp) are for.
#
# CRATON_NATIVE, as it comes, is the one that builds, with all it has; without it, any processor of its kind
# that a server is likely to have (x86-64: AVX2, FMA, F16C, BMI2), for programs that are carried elsewhere.
#
# craton_processor(PREFIX compiler) sets
#   PREFIX_PROCESSOR_FLAGS    for ggml's CMake project
#   PREFIX_PROCESSOR          all that a build with them depends on, for its key
#   PREFIX_PROCESSOR_INCLUDE  a header to include before every C++ source, or nothing
option(CRATON_NATIVE "kernels for the processor that builds; OFF: for others of its kind too" ON)

function(craton_processor prefix compiler)
  set(${prefix}_PROCESSOR_FLAGS -DGGML_NATIVE=${CRATON_NATIVE} PARENT_SCOPE)
  set(${prefix}_PROCESSOR_INCLUDE "" PARENT_SCOPE)
  execute_process(COMMAND ${compiler} --version OUTPUT_VARIABLE version)
  set(target "")
  set(forced "")
  if(CRATON_NATIVE)
    execute_process(COMMAND ${compiler} -march=native -Q --help=target OUTPUT_VARIABLE target ERROR_QUIET)
    if(target MATCHES "-mamx-tile[ \t]+\\[enabled\\]")
      set(header ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/amx_tile_config.h)
      set(${prefix}_PROCESSOR_INCLUDE ${header} PARENT_SCOPE)
      file(READ ${header} forced)
    endif()
  endif()
  set(${prefix}_PROCESSOR "${version}|${target}|${forced}" PARENT_SCOPE)
endfunction()
