# What `cmake --install` gives besides the targets that install themselves: the CMake package, the pkg-config files, and in
# share/qiao the documents, the samples and the plugin sources to start from, laid out as in this tree so that links hold.
# Nothing installed names the prefix: the whole folder may be moved.

include(CMakePackageConfigHelpers)

set(qiao_cmake_directory "${CMAKE_INSTALL_LIBDIR}/cmake/qiao")
set(qiao_pkgconfig_directory "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
set(qiao_share_directory "${CMAKE_INSTALL_DATADIR}/qiao")

set(qiao_generated "${PROJECT_BINARY_DIR}/package")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/qiao-config.cmake.in" "${qiao_generated}/qiao-config.cmake"
  INSTALL_DESTINATION "${qiao_cmake_directory}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${qiao_generated}/qiao-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(EXPORT qiao NAMESPACE qiao:: FILE qiao-targets.cmake DESTINATION "${qiao_cmake_directory}")
install(FILES "${qiao_generated}/qiao-config.cmake" "${qiao_generated}/qiao-config-version.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/QiaoKernels.cmake" "${CMAKE_CURRENT_LIST_DIR}/QiaoPlugin.cmake" "${CMAKE_CURRENT_LIST_DIR}/plugin.map"
  DESTINATION "${qiao_cmake_directory}")

# In a .pc file the prefix is found from where the file lies.
file(RELATIVE_PATH qiao_pkgconfig_to_prefix "/${qiao_pkgconfig_directory}" "/")
string(REGEX REPLACE "/$" "" qiao_pkgconfig_to_prefix "${qiao_pkgconfig_to_prefix}")
foreach(name IN ITEMS qiao qiao-plugin)
  configure_file("${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in" "${qiao_generated}/${name}.pc" @ONLY)
  install(FILES "${qiao_generated}/${name}.pc" DESTINATION "${qiao_pkgconfig_directory}")
endforeach()

install(FILES LICENSE README.md README.zh-CN.md CHANGELOG.md DESTINATION "${qiao_share_directory}")
install(FILES hal/README.md DESTINATION "${qiao_share_directory}/hal")
install(DIRECTORY hal/docs DESTINATION "${qiao_share_directory}/hal" FILES_MATCHING PATTERN "*.md")
install(DIRECTORY plugins DESTINATION "${qiao_share_directory}" FILES_MATCHING PATTERN "README.md")
install(DIRECTORY samples DESTINATION "${qiao_share_directory}" PATTERN "demo*" EXCLUDE)
install(DIRECTORY plugins/skeleton plugins/tutorial DESTINATION "${qiao_share_directory}/plugins" USE_SOURCE_PERMISSIONS)

# The build tree has what the command looks for there too.
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/${qiao_share_directory}")
file(CREATE_LINK "${PROJECT_SOURCE_DIR}/plugins" "${PROJECT_BINARY_DIR}/${qiao_share_directory}/plugins" SYMBOLIC)
