/* What the child tells, line by line, on both sides. */
#include "cli/plugin/child.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

using Json = nlohmann::ordered_json;

} // namespace

TrialEnd run_telling(ChildPlan plan, const std::function<void(const Json&)>& receive) {
    plan.words.insert(plan.words.end(), {"--tell", std::to_string(kTellFile)});
    const ChildEnd child = run_child(plan);
    bool done = false;
    for (size_t begin = 0; begin < child.told.size();) {
        const size_t line = child.told.find('\n', begin);
        if (line == std::string::npos) break; /* cut off by the child's end */
        const Json object = Json::parse(child.told.substr(begin, line - begin), nullptr, false);
        if (object.is_object()) receive(object);
        done = done || object.contains("done");
        begin = line + 1;
    }
    const bool good = done && child.exit_code() == kExitOk;
    return {good ? "" : child.text(), !child.in_time, child.exit_code(), child.output};
}

TrialEnd run_silent(const ChildPlan& plan) {
    const ChildEnd child = run_child(plan);
    return {child.exit_code() >= 0 ? "" : child.text(), !child.in_time, child.exit_code(), child.output};
}

Teller::Teller(int file) : file_(file) {
    if (file_ >= 0) {
        fcntl(file_, F_SETFD, FD_CLOEXEC);
        return;
    }
    file_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, kTellFile);
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

void Teller::step(const std::string& what) const {
    tell({{"step", what}});
}

void Teller::check(const std::string& name, const char* state, const std::string& detail,
                   const std::string& remedy) const {
    tell({{"check", {{"name", name}, {"state", state}, {"detail", detail}, {"remedy", remedy}}}});
}

void Teller::tried(const std::string& slot) const {
    tell({{"tried", slot}});
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
