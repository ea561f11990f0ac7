/* The one place that writes to stdout and stderr. */
#include "cli/terminal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/table.h"

namespace qiao::cli {
namespace {

/* https://no-color.org: present and not empty. */
bool wants_colour(int descriptor) {
    const char* no_color = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    return (no_color == nullptr || *no_color == '\0') && terminal != nullptr && std::strcmp(terminal, "dumb") != 0 &&
           isatty(descriptor) == 1;
}

std::string paint(bool enabled, Colour colour, const std::string& text) {
    constexpr const char* kCodes[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[1m", "\x1b[2m"};
    return enabled ? kCodes[static_cast<size_t>(colour)] + text + "\x1b[0m" : text;
}

/* The lines of a log, indented, control characters removed. */
std::string indented(const std::string& log) {
    std::string result;
    for (size_t start = 0; start < log.size();) {
        const size_t end = std::min(log.find('\n', start), log.size());
        result += "  | " + printable(log.substr(start, end - start)) + '\n';
        start = end + 1;
    }
    return result;
}

} // namespace

std::string coloured(Colour colour, const std::string& text) {
    static const bool enabled = wants_colour(STDOUT_FILENO);
    return paint(enabled, colour, text);
}

std::string coloured_for_errors(Colour colour, const std::string& text) {
    static const bool enabled = wants_colour(STDERR_FILENO);
    return paint(enabled, colour, text);
}

StdoutToStderr::StdoutToStderr() {
    std::fflush(stdout);
    stdout_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (stdout_ >= 0) dup2(STDERR_FILENO, STDOUT_FILENO);
}

StdoutToStderr::~StdoutToStderr() {
    std::fflush(stdout);
    if (stdout_ < 0) return;
    dup2(stdout_, STDOUT_FILENO);
    close(stdout_);
}

void print(const std::string& text) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
        throw Failure(kExitFailed, std::string("stdout: ") + std::strerror(errno));
    }
}

void print_json(const nlohmann::ordered_json& json) {
    print(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void note(const std::string& text) {
    std::fputs(("qiao: " + printable(text) + "\n").c_str(), stderr);
}

void print_failure(const Failure& failure) {
    std::string message = coloured_for_errors(Colour::Bad, "qiao: ") + printable(failure.what());
    if (!failure.status.empty()) message += " (" + failure.status + ")";
    message += '\n' + indented(failure.log);
    if (!failure.remedy.empty())
        message += "  " + coloured_for_errors(Colour::Title, "try: ") + printable(failure.remedy) + '\n';
    std::fputs(message.c_str(), stderr);
}

nlohmann::ordered_json failure_json(const Failure& failure) {
    return {{"exit_code", failure.code},
            {"status", failure.status},
            {"message", failure.what()},
            {"remedy", failure.remedy},
            {"log", failure.log}};
}

} // namespace qiao::cli
