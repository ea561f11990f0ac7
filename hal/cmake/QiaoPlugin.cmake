# How a plugin is built: a module that exports qiao_plugin_query and nothing else, and its manifest beside it.
#
#   qiao_add_plugin(NAME <id> SOURCES ... MANIFEST <file> [LIBRARIES ...])
# makes the target qiao_plugin_<id>, placed in <libdir>/qiao, and configures the manifest into <libdir>/qiao/plugins.d/<id>.json
# with @QIAO_PLUGIN_LIBRARY@ (the library, relative to the manifest) and @PROJECT_VERSION@ replaced. QIAO_PLUGIN_OUTPUT_DIRECTORY
# is where that folder stands in the build tree, QIAO_PLUGIN_INSTALL_DIRECTORY where it is installed.

include_guard(GLOBAL)

set(QIAO_PLUGIN_EXPORTS "${CMAKE_CURRENT_LIST_DIR}/plugin.map")

function(qiao_add_plugin)
  cmake_parse_arguments(PARSE_ARGV 0 P "" "NAME;MANIFEST" "SOURCES;LIBRARIES")
  if(P_UNPARSED_ARGUMENTS OR NOT P_NAME OR NOT P_SOURCES OR NOT P_MANIFEST)
    message(FATAL_ERROR "qiao_add_plugin: NAME, SOURCES and MANIFEST are needed; not understood: '${P_UNPARSED_ARGUMENTS}'")
  endif()
  set(target qiao_plugin_${P_NAME})
  add_library(${target} MODULE ${P_SOURCES})
  target_link_libraries(${target} PRIVATE qiao::headers ${P_LIBRARIES})
  target_link_options(${target} PRIVATE "LINKER:--version-script=${QIAO_PLUGIN_EXPORTS}")
  set_target_properties(${target} PROPERTIES
    PREFIX "" INSTALL_RPATH "" LIBRARY_OUTPUT_DIRECTORY "${QIAO_PLUGIN_OUTPUT_DIRECTORY}" LINK_DEPENDS "${QIAO_PLUGIN_EXPORTS}")
  set_property(GLOBAL APPEND PROPERTY QIAO_PLUGIN_TARGETS ${target})

  set(QIAO_PLUGIN_LIBRARY "../${target}.so")
  set(manifest "${QIAO_PLUGIN_OUTPUT_DIRECTORY}/plugins.d/${P_NAME}.json")
  configure_file("${P_MANIFEST}" "${manifest}" @ONLY)
  install(TARGETS ${target} LIBRARY DESTINATION "${QIAO_PLUGIN_INSTALL_DIRECTORY}")
  install(FILES "${manifest}" DESTINATION "${QIAO_PLUGIN_INSTALL_DIRECTORY}/plugins.d")
endfunction()
