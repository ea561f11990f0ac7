/* What a command of `qiao` throws when it cannot go on, and the exit codes. main.cpp prints it; nothing else does. */
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace qiao::cli {

/* Documented in hal/docs/cli.md and in --help: never renumber. */
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNoDevice = 3;
inline constexpr int kExitDiffers = 4;
inline constexpr int kExitFindings = 5;

struct Failure : std::runtime_error {
    Failure(int exit_code, const std::string& message, std::string what_to_do = "")
        : std::runtime_error(message), code(exit_code), remedy(std::move(what_to_do)) {}

    /* The same, its message beginning with where it happened. */
    Failure at(const std::string& place) const {
        Failure result(code, place + ": " + what(), remedy);
        result.status = status;
        result.log = log;
        return result;
    }

    int code;
    std::string remedy;
    std::string status; /* "QIAO_ERROR_BUILD"; "" = it was not a call that failed */
    std::string log;    /* of a compiler; "" = none */
};

/* The parts as one text. */
template <typename... Parts>
std::string text(const Parts&... parts) {
    std::ostringstream stream;
    (stream << ... << parts);
    return stream.str();
}

} // namespace qiao::cli
