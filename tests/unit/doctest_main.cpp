// The main function of every unit test, compiled once. Tests include <doctest/doctest.h> and nothing else of doctest.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
