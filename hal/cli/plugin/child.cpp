/* What the child tells, line by line, on both sides. */
#include "cli/plugin/child.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "cli/child_process.h"
#include "cli/failure.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

} // namespace

std::string run_child(const std::vector<std::string>& words, double timeout_s,
                      const std::function<void(const Json&)>& receive) {
    const ChildEnd end_of_child = run_command(words, {}, timeout_s, ChildErrors::Shared);
    const std::string& told = end_of_child.output;
    bool done = false;
    for (size_t begin = 0; begin < told.size();) {
        const size_t end = told.find('\n', begin);
        if (end == std::string::npos) break; /* cut off by the child's end */
        const Json object = Json::parse(told.substr(begin, end - begin), nullptr, false);
        if (object.is_object()) receive(object);
        done = done || object.contains("done");
        begin = end + 1;
    }
    return done && end_of_child.good() ? "" : end_of_child.text();
}

Teller::Teller() : file_(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

void Teller::step(const std::string& what) const {
    tell({{"step", what}});
}

void Teller::check(const std::string& name, const char* state, const std::string& detail,
                   const std::string& remedy) const {
    tell({{"check", {{"name", name}, {"state", state}, {"detail", detail}, {"remedy", remedy}}}});
}

void Teller::facts(const Json& facts) const {
    tell({{"facts", facts}});
}

int Teller::done() const {
    tell({{"done", true}});
    return kExitOk;
}

void Teller::tell(const Json& object) const {
    const std::string line = object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    for (size_t written = 0; written < line.size();) {
        const ssize_t now = write(file_, line.data() + written, line.size() - written);
        if (now < 0 && errno == EINTR) continue;
        if (now <= 0) return; /* the parent is gone, nobody listens */
        written += static_cast<size_t>(now);
    }
}

} // namespace qiao::cli
