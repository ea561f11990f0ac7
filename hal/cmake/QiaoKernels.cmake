# qiao_add_kernels: OpenCL C compiled while a project is built, and part of its binary.
#
#   qiao_add_kernels(<target> <file.cl>...
#     [FORMATS <format>...]           variants besides the source; default: all that can be made
#     [REQUIRE <format>...]           these must be there: else the build fails
#     [OPTIONS <option>...]           -D..., -cl-...
#     [INCLUDE_DIRECTORIES <dir>...])
#
# For each file NAME.cl the target may say
#
#   #include "NAME_qpk.h"             const unsigned char NAME_qpk[]; const size_t NAME_qpk_size;
#   desc.data = NAME_qpk; desc.size_bytes = NAME_qpk_size;   of a qiao_program_desc
#   qiao_program_create_from_package(device, &desc, &program);
#
# Compiled again when the file, what it includes, or the compiler changes. Needs the target qiao::cli: from an installed Qiao, or of
# the tree that Qiao itself is built in.

include_guard(GLOBAL)

function(qiao_add_kernels target)
  cmake_parse_arguments(PARSE_ARGV 1 K "" "" "FORMATS;REQUIRE;OPTIONS;INCLUDE_DIRECTORIES")
  if(NOT TARGET ${target} OR NOT K_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "qiao_add_kernels: '${target}' is no target, or no file is given")
  endif()
  set(words ${K_OPTIONS})
  if(K_FORMATS)
    string(REPLACE ";" "\\;" formats "${K_FORMATS}")
    list(APPEND words "--formats" "${formats}")
  endif()
  foreach(format IN LISTS K_REQUIRE)
    list(APPEND words "--require" "${format}")
  endforeach()
  foreach(directory IN LISTS K_INCLUDE_DIRECTORIES)
    cmake_path(ABSOLUTE_PATH directory NORMALIZE)
    cmake_path(RELATIVE_PATH directory) # as it stands in messages, and in the package
    list(APPEND words "-I" "${directory}")
  endforeach()
  # In Qiao's own tree the compiler may have to be built first.
  set(tools qiao::cli)
  foreach(tool IN ITEMS qiao_compiler qiao_kernel_reflect qiao_clspv)
    if(TARGET ${tool})
      list(APPEND tools ${tool})
    endif()
  endforeach()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/qiao_kernels/${target}")
  foreach(file IN LISTS K_UNPARSED_ARGUMENTS)
    cmake_path(ABSOLUTE_PATH file NORMALIZE OUTPUT_VARIABLE source)
    cmake_path(GET source STEM LAST_ONLY stem)
    string(MAKE_C_IDENTIFIER "${stem}" name)
    cmake_path(RELATIVE_PATH source OUTPUT_VARIABLE shown)
    set(generated "${folder}/${name}_qpk.c")
    add_custom_command(
      OUTPUT "${folder}/${name}.qpk" "${generated}" "${folder}/${name}_qpk.h"
      COMMAND "${CMAKE_COMMAND}" -E make_directory "${folder}"
      COMMAND qiao::cli cc "${shown}" -o "${folder}/${name}.qpk" --embed "${folder}" --depfile "${folder}/${name}.d" ${words}
      DEPENDS "${source}" ${tools}
      DEPFILE "${folder}/${name}.d"
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
      COMMENT "Compiling kernels ${shown}"
      VERBATIM)
    target_sources(${target} PRIVATE "${generated}" "${folder}/${name}_qpk.h")
    if(NOT "C" IN_LIST languages)
      set_source_files_properties("${generated}" PROPERTIES LANGUAGE CXX)
    endif()
  endforeach()
  target_include_directories(${target} PRIVATE "${folder}")
endfunction()
