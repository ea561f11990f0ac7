# How every target of this tree is compiled, where its output goes, and how libraries are installed. The build tree mirrors the install tree
# (bin/, lib/, lib/qiao/plugins.d/), so that a library finds its plugins relative to itself in both.

include(GNUInstallDirs)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(QIAO_PLUGIN_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/qiao")
set(QIAO_PLUGIN_INSTALL_DIRECTORY "${CMAKE_INSTALL_LIBDIR}/qiao")

# Installed programs find libqiao.so from where they stand, wherever the tree is copied to.
file(RELATIVE_PATH qiao_bin_to_lib "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
set(CMAKE_INSTALL_RPATH "$ORIGIN/${qiao_bin_to_lib}")

set(QIAO_SANITIZE "" CACHE STRING "Sanitizers for everything, as -fsanitize= takes them (see the presets)")
if(QIAO_SANITIZE)
  add_compile_options(-fsanitize=${QIAO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${QIAO_SANITIZE})
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Wundef)
add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict) # g++ 12 sees overlaps inside std::string at -O3 (its bug 105329)
endif()
add_link_options(LINKER:--no-undefined-version)
if(NOT QIAO_SANITIZE)
  add_link_options(LINKER:-z,defs) # a sanitizer's own symbols stay undefined in shared libraries
endif()

# Installs a shared library under its SONAME, with links for its full version and for those who link to it. A wheel cannot hold links,
# only copies: there it is the one file that the SONAME names.
#   qiao_install_library(<target> [EXPORT <set>])
function(qiao_install_library target)
  set_target_properties(${target} PROPERTIES SOVERSION 0)
  if(SKBUILD)
    set(namelink NAMELINK_SKIP)
  else()
    set_target_properties(${target} PROPERTIES VERSION "${PROJECT_VERSION}")
    set(namelink "")
  endif()
  install(TARGETS ${target} ${ARGN} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ${namelink})
endfunction()
