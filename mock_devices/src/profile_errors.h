/* What the readers of a profile's parts share: errors that name the file, the key and its value; numbers, texts and figures. */
#pragma once

#include <string>

#include "profile_reader.h"

namespace mock {

inline constexpr Grade kGrades[] = {Grade::kVerified, Grade::kSecondHand, Grade::kInferred, Grade::kRemembered,
                             Grade::kAssumed};

template <typename List>
std::string names(const List& list) {
    std::string all;
    for (const auto& entry : list)
        all += (all.empty() ? "" : ", ") + std::string(entry.name);
    return all;
}

class ProfileErrors {
  public:
    /* `origin` is named in errors, and stays the caller's. */
    explicit ProfileErrors(const std::string& origin) : origin_(origin) {}

  protected:
    const std::string& origin() const { return origin_; }
    Status fail(const std::string& what) const {
        return {Code::kInvalid, "profile " + origin_ + ": " + what, "correct the profile, or choose another one"};
    }
    Status wrong(const std::string& key, const Json& value, const std::string& expected) const {
        return fail(key + " = " + show_json(value) + ": must be " + expected);
    }
    Status unknown(const std::string& key, const Json& value, const std::string& known) const {
        return fail("\"" + key + "\" = " + show_json(value) + ": unknown key; known are " + known);
    }
    Status missing(const std::string& key) const { return fail(key + " is missing"); }

    Status read_text(const std::string& key, const Json& value, size_t most, std::string& out) const {
        if (!value.is_string() || value.get_ref<const std::string&>().size() > most) {
            return wrong(key, value, "a text of at most " + std::to_string(most) + " bytes");
        }
        out = value.get<std::string>();
        return {};
    }

    Status read_number(const std::string& key, const Json& value, uint64_t least, uint64_t most, uint64_t& out) const {
        if (!value.is_number_unsigned() || value.get<uint64_t>() < least || value.get<uint64_t>() > most) {
            return wrong(key, value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        }
        out = value.get<uint64_t>();
        return {};
    }

    /* {"value": 48000, "grade": "verified"} */
    Status read_figure(const std::string& where, const Json& object, uint64_t least, uint64_t most, Figure& figure) const {
        if (!object.is_object()) return wrong(where, object, "an object with \"value\" and \"grade\"");
        for (const char* needed : {"value", "grade"}) {
            if (!object.contains(needed)) return missing(where + "." + needed);
        }
        for (const auto& [name, value] : object.items()) {
            Status status;
            if (name == "value") {
                status = read_number(where + ".value", value, least, most, figure.value);
            } else if (name == "grade") {
                status = read_grade(where + ".grade", value, figure.grade);
            } else {
                status = unknown(where + "." + name, value, "value, grade");
            }
            if (!status.ok()) return status;
        }
        return {};
    }

    Status read_grade(const std::string& where, const Json& value, Grade& out) const {
        std::string known;
        for (Grade grade : kGrades) {
            if (value == std::string(grade_name(grade))) {
                out = grade;
                return {};
            }
            known += (known.empty() ? "" : ", ") + std::string(grade_name(grade));
        }
        return wrong(where, value, "one of " + known);
    }

  private:
    const std::string& origin_;
};

} // namespace mock
