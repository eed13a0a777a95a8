# Every test and fuzz target, without the program itself.
add_custom_target(craton_checks)

# Tests are most of what sanitizer builds compile, and nothing waits for their own code: half of the
# compiler's time goes into optimizing it.
function(craton_compile_quickly target)
  if(CRATON_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# craton_floor(NAME [DIRECTORY dir] [DEPENDS targets...] [TEST_DEPENDS targets...]
#              [TESTS_ALONE [THREADED_TESTS filter]])
#
# One folder of src/ as the library craton_NAME, made of its *.cc, and its tests as NAME_test, made
# of its *_test.cc. A floor sees only what it names in DEPENDS: the direction of the arrows in
# docs/architecture.md is held by the linker and by tests/floors_test.py.
# Its tests are one test each of ctest; under a sanitizer, one for the whole floor.
# TESTS_ALONE: its tests compute on every core, so they are one test that runs while no other does.
# THREADED_TESTS: all of them that have threads; the thread sanitizer, which makes everything ten times
# slower, runs no others.
function(craton_floor name)
  cmake_parse_arguments(floor "TESTS_ALONE" "DIRECTORY;THREADED_TESTS" "DEPENDS;TEST_DEPENDS" ${ARGN})
  if(NOT floor_DIRECTORY)
    set(floor_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${floor_DIRECTORY}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${floor_DIRECTORY}/*_test.cc)
  if(tests)
    list(REMOVE_ITEM sources ${tests})
  endif()
  if(sources)
    add_library(craton_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(craton_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(craton_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(craton_${name} ${scope} ${floor_DEPENDS})
  if(tests AND CRATON_TESTS)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE craton_${name} ${floor_TEST_DEPENDS}
                          GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE CRATON_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_dependencies(craton_checks ${name}_test)
    craton_compile_quickly(${name}_test)
    # Suppressions name functions, which the sanitizer learns from its compiler's own symbolizer: an older
    # one that may stand first in the path does not read what clang writes.
    find_program(CRATON_SYMBOLIZER NAMES llvm-symbolizer-19 llvm-symbolizer)
    set(environment "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp")
    if(CRATON_SYMBOLIZER)
      string(APPEND environment ":external_symbolizer_path=${CRATON_SYMBOLIZER}")
    endif()
    if(CRATON_SANITIZE OR floor_TESTS_ALONE)
      # One process for all: a sanitizer's start-up costs more than most tests.
      set(filter "*")
      if(CRATON_SANITIZE STREQUAL "thread" AND floor_THREADED_TESTS)
        set(filter "${floor_THREADED_TESTS}")
      endif()
      add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1 --gtest_filter=${filter})
      set_tests_properties(${name} PROPERTIES TIMEOUT 1200 RUN_SERIAL ${floor_TESTS_ALONE}
                                               ENVIRONMENT "${environment}")
    else()
      gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
                           PROPERTIES TIMEOUT 300 ENVIRONMENT "${environment}")
    endif()
  endif()
endfunction()

# craton_fuzz(NAME DEPENDS targets...): fuzz/NAME_fuzz.cc, which defines LLVMFuzzerTestOneInput.
# Under clang with CRATON_FUZZ it is a libFuzzer program; otherwise a plain one that runs over its
# corpus, fuzz/corpus/NAME/, and is one of the tests.
function(craton_fuzz name)
  cmake_parse_arguments(fuzz "" "" "DEPENDS" ${ARGN})
  if(CRATON_FUZZ)
    add_executable(${name}_fuzz ${CMAKE_SOURCE_DIR}/fuzz/${name}_fuzz.cc)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name}_fuzz ${CMAKE_SOURCE_DIR}/fuzz/${name}_fuzz.cc
                                ${CMAKE_SOURCE_DIR}/fuzz/run_corpus.cc)
  endif()
  target_link_libraries(${name}_fuzz PRIVATE ${fuzz_DEPENDS})
  add_dependencies(craton_checks ${name}_fuzz)
  craton_compile_quickly(${name}_fuzz)
  set(corpus ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
  if(CRATON_FUZZ)
    add_test(NAME fuzz_corpus.${name} COMMAND ${name}_fuzz -runs=0 ${corpus})
  else()
    add_test(NAME fuzz_corpus.${name} COMMAND ${name}_fuzz ${corpus})
  endif()
endfunction()
