# What touches the binding, on the mock card, under AddressSanitizer: its runtime has to be in the interpreter before anything else, and
# with it the C++ library, whose throw it replaces when the process starts. Leaks are not looked for: what CPython keeps until its end
# cannot be told from what we do, since a suppression of the interpreter's frames suppresses all that is called from Python. That launches do
# not leak is a test of its own, which cannot run here: freed memory is kept, so that its use is found.
set(preload "")
foreach(library IN ITEMS libasan.so libstdc++.so.6)
  execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -print-file-name=${library} OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
  list(APPEND preload "${path}")
endforeach()
list(JOIN preload ":" preload)
foreach(file IN ITEMS arrays shared kernels pools queues dlpack module)
  qiao_add_test(NAME python.${file} TIMEOUT 300
    COMMAND ${QIAO_PYTHON_INTERPRETER} -B -m pytest -q -p no:cacheprovider -k "not launches_do_not_leak"
      "${CMAKE_CURRENT_SOURCE_DIR}/test_${file}.py"
    ENVIRONMENT ${environment} QIAO_TEST_DEVICES=mock:0 "LD_PRELOAD=${preload}" PYTHONMALLOC=malloc LSAN_OPTIONS=detect_leaks=0)
endforeach()
