// Calling into a plugin that nobody knows yet: no exception gets out, what it writes beyond its room is seen, and every
// kind of bad answer becomes a sentence.
#pragma once

#include <algorithm>
#include <array>
#include <exception>
#include <string>

#include "loader/problem.h"
#include "object/error.h"

namespace qiao::loader {

struct Answer {
    qiao_status status = QIAO_OK;
    std::string thrown; // what() of an exception, or "" = none
};

template <class Call>
Answer ask(Call&& call) {
    clear_plugin_error();
    try {
        return {call(), ""};
    } catch (const std::exception& exception) {
        return {QIAO_ERROR_PLUGIN, std::string("an exception (") + printable(exception.what()) + ")"};
    } catch (...) {
        return {QIAO_ERROR_PLUGIN, "an exception"};
    }
}

// Why an answer is no success: `what` begins the sentence. The plugin's own words, from host->error, if it is an error.
Problem explain(const Answer& answer, const std::string& plugin, const std::string& what);

// What host->error said as one text, its vendor's code included; "" = nothing was said. Takes the pending error.
ErrorRecord take_words(const std::string& plugin);

// An out-struct with room behind it that the plugin must not touch.
template <class Struct>
class Guarded {
  public:
    Guarded() {
        slack_.fill(kCanary);
        value.struct_size = sizeof value;
    }

    Struct value{};

    bool overrun() const {
        return std::any_of(slack_.begin(), slack_.end(), [](unsigned char byte) { return byte != kCanary; });
    }

  private:
    static constexpr unsigned char kCanary = 0xa5;
    std::array<unsigned char, 1024> slack_;
};

inline Problem overrun(const std::string& what, const char* type, size_t size) {
    return {QIAO_CANDIDATE_STATE_FAILED,
            what + " wrote beyond the struct_size of " + type + " (" + std::to_string(size) +
                " bytes), over memory of others",
            "report this to the plugin's maker: write no more than the incoming struct_size of an out-struct", true};
}

} // namespace qiao::loader
