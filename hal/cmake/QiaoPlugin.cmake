# How a plugin is built: a module that exports qiao_plugin_query and nothing else, and its manifest beside it. Used by this
# tree and, installed, by the projects of vendors.
#
#   qiao_add_plugin(NAME <id> SOURCES ... [MANIFEST <file>] [LIBRARIES ...])
# makes the target qiao_plugin_<id>, placed in <libdir>/qiao, and configures the manifest into <libdir>/qiao/plugins.d/<id>.json
# with @QIAO_PLUGIN_LIBRARY@ (the library, relative to the manifest) and @PROJECT_VERSION@ replaced. The sources see the macros
# QIAO_PLUGIN_ID and QIAO_PLUGIN_VERSION. A library that serves several ids has a manifest for each:
#   qiao_add_plugin_manifest(NAME <id of qiao_add_plugin> ID <id> MANIFEST <file>)
# QIAO_PLUGIN_OUTPUT_DIRECTORY is where that folder stands in the build tree,
# QIAO_PLUGIN_INSTALL_DIRECTORY where it is installed; empty = not installed.

include_guard() # once a directory scope: the variables below are read there
include(GNUInstallDirs)

set(QIAO_PLUGIN_EXPORTS "${CMAKE_CURRENT_LIST_DIR}/plugin.map")
if(NOT DEFINED QIAO_PLUGIN_OUTPUT_DIRECTORY)
  set(QIAO_PLUGIN_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/qiao")
endif()
if(NOT DEFINED QIAO_PLUGIN_INSTALL_DIRECTORY)
  set(QIAO_PLUGIN_INSTALL_DIRECTORY "${CMAKE_INSTALL_LIBDIR}/qiao")
endif()

function(qiao_add_plugin)
  cmake_parse_arguments(PARSE_ARGV 0 P "" "NAME;MANIFEST" "SOURCES;LIBRARIES")
  if(P_UNPARSED_ARGUMENTS OR NOT P_NAME OR NOT P_SOURCES)
    message(FATAL_ERROR "qiao_add_plugin: NAME and SOURCES are needed; not understood: '${P_UNPARSED_ARGUMENTS}'")
  endif()
  set(target qiao_plugin_${P_NAME})
  add_library(${target} MODULE ${P_SOURCES})
  target_link_libraries(${target} PRIVATE qiao::headers ${P_LIBRARIES})
  target_compile_definitions(${target} PRIVATE "QIAO_PLUGIN_ID=\"${P_NAME}\"" "QIAO_PLUGIN_VERSION=\"${PROJECT_VERSION}\"")
  target_link_options(${target} PRIVATE "LINKER:--version-script=${QIAO_PLUGIN_EXPORTS}")
  if(NOT QIAO_SANITIZE AND NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize")
    target_link_options(${target} PRIVATE LINKER:-z,defs) # a sanitizer's own symbols would stay undefined
  endif()
  set_target_properties(${target} PROPERTIES
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    PREFIX "" INSTALL_RPATH "" LIBRARY_OUTPUT_DIRECTORY "${QIAO_PLUGIN_OUTPUT_DIRECTORY}" LINK_DEPENDS "${QIAO_PLUGIN_EXPORTS}")
  set_property(GLOBAL APPEND PROPERTY QIAO_PLUGIN_TARGETS ${target})
  if(QIAO_PLUGIN_INSTALL_DIRECTORY)
    install(TARGETS ${target} LIBRARY DESTINATION "${QIAO_PLUGIN_INSTALL_DIRECTORY}")
  endif()
  if(P_MANIFEST)
    qiao_add_plugin_manifest(NAME ${P_NAME} ID ${P_NAME} MANIFEST "${P_MANIFEST}")
  endif()
endfunction()

function(qiao_add_plugin_manifest)
  cmake_parse_arguments(PARSE_ARGV 0 P "" "NAME;ID;MANIFEST" "")
  if(P_UNPARSED_ARGUMENTS OR NOT P_NAME OR NOT P_ID OR NOT P_MANIFEST)
    message(FATAL_ERROR "qiao_add_plugin_manifest: NAME, ID and MANIFEST are needed; not understood: '${P_UNPARSED_ARGUMENTS}'")
  endif()
  set(QIAO_PLUGIN_LIBRARY "../qiao_plugin_${P_NAME}.so")
  set(manifest "${QIAO_PLUGIN_OUTPUT_DIRECTORY}/plugins.d/${P_ID}.json")
  configure_file("${P_MANIFEST}" "${manifest}" @ONLY)
  if(QIAO_PLUGIN_INSTALL_DIRECTORY)
    install(FILES "${manifest}" DESTINATION "${QIAO_PLUGIN_INSTALL_DIRECTORY}/plugins.d")
  endif()
endfunction()
