# llama.cpp's mtmd, images for language models, as the imported target craton_mtmd: built once a
# machine in the cache folder, beside the build of llama.cpp and from the same locked source.
#
# A build of its own, so that llama.cpp's is neither touched nor repeated. Its name holds the lock
# entry, the compiler, the processor and the recipe.

file(READ ${CMAKE_CURRENT_LIST_DIR}/mtmd/CMakeLists.txt _mtmd_recipe)
craton_build_once(_mtmd_build
  KEY "${CRATON_LLAMA_SOURCE}|${_llama_PROCESSOR}|${_mtmd_recipe}"
  NAME mtmd TITLE "llama.cpp's mtmd" COST "3 CPU minutes" SOURCE ${CMAKE_CURRENT_LIST_DIR}/mtmd TARGETS mtmd
  FLAGS -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON
        -DCMAKE_CXX_COMPILER=${CRATON_LLAMA_CXX} -DLLAMA_SOURCE=${CRATON_LLAMA_SOURCE}
  LAUNCH CXX)

add_library(craton_mtmd INTERFACE)
target_include_directories(craton_mtmd SYSTEM INTERFACE ${CRATON_LLAMA_SOURCE}/tools/mtmd)
target_link_libraries(craton_mtmd INTERFACE ${_mtmd_build}/libmtmd.a craton_llama_cpp)
