# How tests are declared: one name, labels, a time limit, an environment of their own. What they test is not known here.
#
#   qiao_add_unit_test(NAME <room>.<what> SOURCES ... [LIBRARIES ...] [<options>])   a doctest program, ctest unit.<NAME>
#   qiao_add_test(NAME <kind>.<what> COMMAND ... [<options>])                        any command
# Options: LABELS ...        besides the kind (the name's first part): slow (run with sanitizers), long (without), fuzz, core
#          TIMEOUT <s>       default 120
#          ENVIRONMENT K=V ...
#          SERIAL            runs alone (it measures, or needs the whole machine)
#          NO_SANITIZERS <reason>   disabled in sanitizer builds, and ctest says so
# Caches are kept in the build tree: tests neither read nor write the user's.
# Label `core` puts a test on the list that every sanitizer runs; target core_tests is what that list needs.

include_guard(GLOBAL)

# Every test sees one Vulkan driver, lavapipe, whatever cards the machine has.
find_file(QIAO_LAVAPIPE_ICD NAMES lvp_icd.${CMAKE_SYSTEM_PROCESSOR}.json lvp_icd.json
  PATHS /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /etc/vulkan/icd.d NO_DEFAULT_PATH
  DOC "Manifest of the Vulkan driver lavapipe (Debian: mesa-vulkan-drivers)")
set(qiao_test_environment "VK_DRIVER_FILES=${QIAO_LAVAPIPE_ICD}" "VK_ICD_FILENAMES=${QIAO_LAVAPIPE_ICD}")

set(qiao_test_keywords NAME TIMEOUT NO_SANITIZERS)
set(qiao_test_lists COMMAND SOURCES LIBRARIES LABELS ENVIRONMENT)

add_custom_target(core_tests)

function(qiao_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 T "SERIAL" "${qiao_test_keywords}" "${qiao_test_lists}")
  if(T_UNPARSED_ARGUMENTS OR NOT T_NAME OR NOT T_COMMAND)
    message(FATAL_ERROR "qiao_add_test: NAME and COMMAND are needed; not understood: '${T_UNPARSED_ARGUMENTS}'")
  endif()
  if(NOT T_NAME MATCHES "^([a-z]+)\\.[a-z0-9_.-]+$")
    message(FATAL_ERROR "qiao_add_test: '${T_NAME}' is not <kind>.<what> in lower case")
  endif()
  set(kind "${CMAKE_MATCH_1}")
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  if(QIAO_SANITIZE)
    math(EXPR T_TIMEOUT "${T_TIMEOUT} * 4")
  endif()

  add_test(NAME ${T_NAME} COMMAND ${T_COMMAND})
  set_tests_properties(${T_NAME} PROPERTIES
    LABELS "${kind};${T_LABELS}" TIMEOUT ${T_TIMEOUT}
    ENVIRONMENT "${qiao_test_environment};XDG_CACHE_HOME=${PROJECT_BINARY_DIR}/tests/cache;${T_ENVIRONMENT}")
  if(T_SERIAL)
    set_tests_properties(${T_NAME} PROPERTIES RUN_SERIAL TRUE)
  endif()
  list(GET T_COMMAND 0 program)
  if("core" IN_LIST T_LABELS AND TARGET ${program})
    add_dependencies(core_tests ${program})
  endif()
  if(QIAO_SANITIZE AND T_NO_SANITIZERS)
    message(STATUS "${T_NAME} is disabled under sanitizers: ${T_NO_SANITIZERS}")
    set_tests_properties(${T_NAME} PROPERTIES DISABLED TRUE)
  endif()
endfunction()

function(qiao_add_unit_test)
  cmake_parse_arguments(PARSE_ARGV 0 T "SERIAL" "${qiao_test_keywords}" "${qiao_test_lists}")
  if(T_UNPARSED_ARGUMENTS OR NOT T_NAME OR NOT T_SOURCES)
    message(FATAL_ERROR "qiao_add_unit_test: NAME and SOURCES are needed; not understood: '${T_UNPARSED_ARGUMENTS}'")
  endif()
  string(REPLACE "." "_" target "unit_${T_NAME}")
  add_executable(${target} ${T_SOURCES})
  target_link_libraries(${target} PRIVATE ${T_LIBRARIES} qiao_doctest_main)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")

  set(flags "")
  if(T_SERIAL)
    set(flags SERIAL)
  endif()
  qiao_add_test(NAME unit.${T_NAME} COMMAND ${target} LABELS ${T_LABELS} TIMEOUT "${T_TIMEOUT}"
    ENVIRONMENT ${T_ENVIRONMENT} NO_SANITIZERS "${T_NO_SANITIZERS}" ${flags})
endfunction()
