# The AWS common runtime's C libraries as one imported target, craton_aws_crt: built once a machine in
# the cache folder, from the locked source, in the manner of llama.cmake.
#
# The source's own CMakeLists.txt builds all of them together; only the targets named here are built,
# with what they depend on. OpenSSL is the system's. Sanitizer presets link this same uninstrumented
# build: its code is not under test here.

find_package(OpenSSL 3 REQUIRED)
find_package(Threads REQUIRED)
craton_fetch(aws-crt CRATON_AWS_CRT_SOURCE)

# Each library that Craton uses, after those that it depends on. A new one is a line here.
set(_aws_crt_libraries
    aws-c-common
    aws-checksums
    aws-c-cal
    aws-c-io
    aws-c-compression
    aws-c-http
    aws-c-sdkutils
    aws-c-event-stream
    aws-c-auth)

set(CRATON_AWS_CRT_CC "gcc" CACHE STRING "C compiler of the cached build of the AWS libraries")
set(_aws_crt_flags
    -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_C_COMPILER=${CRATON_AWS_CRT_CC}
    "-DCMAKE_C_FLAGS=-ffunction-sections -fdata-sections"  # see --gc-sections
    -DBUILD_SHARED_LIBS=OFF
    -DBUILD_TESTING=OFF
    -DUSE_OPENSSL=ON)

execute_process(COMMAND ${CRATON_AWS_CRT_CC} --version OUTPUT_VARIABLE _aws_crt_compiler)
craton_build_once(_aws_crt_build
  KEY "${CRATON_AWS_CRT_SOURCE}|${_aws_crt_compiler}|${_aws_crt_flags}|${_aws_crt_libraries}"
  NAME aws-crt TITLE "the AWS libraries" COST "a CPU minute" SOURCE ${CRATON_AWS_CRT_SOURCE}
  TARGETS ${_aws_crt_libraries} FLAGS ${_aws_crt_flags} LAUNCH C)

add_library(craton_aws_crt INTERFACE)
set(_aws_crt_archives "")
foreach(_library IN LISTS _aws_crt_libraries)
  target_include_directories(craton_aws_crt SYSTEM INTERFACE
    ${CRATON_AWS_CRT_SOURCE}/${_library}/include)
  list(PREPEND _aws_crt_archives ${_aws_crt_build}/${_library}/lib${_library}.a)
endforeach()
target_include_directories(craton_aws_crt SYSTEM INTERFACE
  ${_aws_crt_build}/aws-c-common/generated/include)
# Framing needs no TLS, but every aws-c-event-stream object refers to aws-c-io and so to s2n: what
# nothing calls is left out of the program again, section by section (1.6 MB).
target_link_options(craton_aws_crt INTERFACE -Wl,--gc-sections)
target_link_libraries(craton_aws_crt INTERFACE
  ${_aws_crt_archives} ${_aws_crt_build}/deps/S2N/lib/libs2n.a
  OpenSSL::Crypto Threads::Threads ${CMAKE_DL_LIBS})
