/* A library that crashes when it is closed, but not when the process ends. */
#include <csignal>
#include <cstdlib>

namespace {

bool process_ends = false;

/* Functions of on_exit belong to no library, and run before the destructors of libraries do. */
[[gnu::constructor]] void notice_the_end() {
    on_exit([](int, void*) { process_ends = true; }, nullptr);
}

[[gnu::destructor]] void crash() {
    if (!process_ends) std::raise(SIGSEGV);
}

} // namespace
