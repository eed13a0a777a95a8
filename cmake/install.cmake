# What `cmake --install` puts where: the program, and the client library for programs in C++.
#
#   lib/libcraton.so                one shared library: what it is made of shows to nobody
#   include/craton/                 include/craton/ of the sources, and the headers that they include
#   lib/cmake/craton/               find_package(craton) gives craton::craton
#   lib/pkgconfig/craton.pc
#
# Components: `client` for the library, `program` for the program.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS craton RUNTIME COMPONENT program)

add_library(craton_library SHARED $<TARGET_OBJECTS:craton_client> $<TARGET_OBJECTS:craton_conversation>)
set_target_properties(craton_library PROPERTIES OUTPUT_NAME craton EXPORT_NAME craton LINKER_LANGUAGE CXX
                      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_link_libraries(craton_library PRIVATE craton_api craton_http craton_event_stream craton_sigv4 craton_base
                                             craton_aws_crt
                                     INTERFACE tl::expected)
# Of the archives nothing is seen: a program may bring its own curl, JSON or AWS libraries.
target_link_options(craton_library PRIVATE -Wl,--exclude-libs,ALL)
target_compile_features(craton_library INTERFACE cxx_std_20)
target_include_directories(craton_library INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# A header of a floor is included by others as "floor/header.h", which is too common a name for a
# machine's include folder: they are installed below craton/, and say so to each other.
set(_floor_headers base/error.h base/result.h conversation/conversation.h conversation/event.h)
install(CODE "
  set(destination \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}/craton\")
  file(GLOB public RELATIVE ${CMAKE_SOURCE_DIR}/include/craton ${CMAKE_SOURCE_DIR}/include/craton/*.h)
  foreach(header IN LISTS public ITEMS ${_floor_headers})
    set(from ${CMAKE_SOURCE_DIR}/src/\${header})
    if(NOT EXISTS \${from})
      set(from ${CMAKE_SOURCE_DIR}/include/craton/\${header})
    endif()
    file(READ \${from} text)
    foreach(floor base conversation)
      string(REPLACE \"#include \\\"\${floor}/\" \"#include \\\"craton/\${floor}/\" text \"\${text}\")
    endforeach()
    message(STATUS \"Installing: \${destination}/\${header}\")
    file(WRITE \"\${destination}/\${header}\" \"\${text}\")
  endforeach()" COMPONENT client)

install(TARGETS craton_library EXPORT craton_targets LIBRARY COMPONENT client NAMELINK_COMPONENT client)
set(_package ${CMAKE_INSTALL_LIBDIR}/cmake/craton)
install(EXPORT craton_targets NAMESPACE craton:: FILE craton-targets.cmake DESTINATION ${_package}
        COMPONENT client)
file(WRITE ${CMAKE_BINARY_DIR}/craton-config.cmake
     "include(CMakeFindDependencyMacro)\nfind_dependency(tl-expected)\n"
     "include(\"\${CMAKE_CURRENT_LIST_DIR}/craton-targets.cmake\")\n")
write_basic_package_version_file(${CMAKE_BINARY_DIR}/craton-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/craton-config.cmake ${CMAKE_BINARY_DIR}/craton-config-version.cmake
        DESTINATION ${_package} COMPONENT client)

file(WRITE ${CMAKE_BINARY_DIR}/craton.pc
"prefix=\${pcfiledir}/../..
Name: craton
Description: Amazon Bedrock's API from C++
Version: ${PROJECT_VERSION}
Cflags: -I\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}
Libs: -L\${prefix}/${CMAKE_INSTALL_LIBDIR} -lcraton
")
install(FILES ${CMAKE_BINARY_DIR}/craton.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT client)
