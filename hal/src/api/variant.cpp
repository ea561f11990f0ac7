// Each variant is judged alone, cheapest question first: format, features, bytes, then the plugin's score. Then the best one is found.
#include "api/variant.h"

#include <algorithm>

#include "package/content.h"

namespace qiao {
namespace {

struct FeatureName {
    qiao_features feature;
    const char* name;
};
constexpr FeatureName kFeatureNames[] = {
    {QIAO_FEATURE_FP64, "fp64"},           {QIAO_FEATURE_FP16, "fp16"},     {QIAO_FEATURE_INT64, "int64"},
    {QIAO_FEATURE_INT64_ATOMICS, "int64 atomics"}, {QIAO_FEATURE_SUBGROUPS, "subgroups"}, {QIAO_FEATURE_PRINTF, "printf"},
    {QIAO_FEATURE_ADDRESSES, "addresses in data"},
};

std::string feature_names(qiao_features features) {
    std::string names;
    const auto add = [&names](const char* name) { names += (names.empty() ? "" : ", ") + std::string(name); };
    for (const FeatureName& entry : kFeatureNames) {
        if ((features & entry.feature) != 0) add(entry.name);
        features &= ~entry.feature;
    }
    if (features != 0) add("features unknown to this version");
    return names;
}

std::string name_of(const package::Variant& variant) {
    return variant.target.empty() ? variant.format : variant.format + " " + variant.target;
}

Verdict refused(std::string reason) {
    return {QIAO_VERDICT_REFUSED, 0, std::move(reason), ""};
}

// "" or why the device cannot have the variant, as far as that can be told without its plugin.
std::string refuse_by_description(const Device& device, const package::Variant& variant) {
    if (format_rank(device.formats, variant.format) < 0) return "not a format of the device (" + device.formats + ")";
    const qiao_features missing = variant.features & ~device.info.features;
    if ((missing & QIAO_FEATURE_ADDRESSES) != 0) return "a kernel follows addresses inside data, the device cannot (feature addresses)";
    return missing == 0 ? "" : "needs " + feature_names(missing) + ", which the device lacks";
}

Verdict ask_plugin(Device& device, const package::Package& package, size_t index, const package::Blob& blob) {
    if (device.tables.program.program_score == nullptr) return {QIAO_VERDICT_WORSE, 1, "", ""};
    const std::string options = package.options_of(index);
    const qiao_plugin_program_desc desc = describe(package.variants()[index], blob, options);
    uint32_t score = 1;
    char reason[256] = "";
    SlotGuard guard(device);
    if (!guard) return refused("the device is lost");
    const qiao_status status = device.tables.program.program_score(device.opened.load(), &desc, &score, reason, sizeof reason);
    reason[sizeof reason - 1] = '\0';
    if (status != QIAO_OK || score == 0) return refused(*reason != '\0' ? reason : "the plugin gave no reason");
    return {QIAO_VERDICT_WORSE, score, "", ""};
}

Verdict judge(Device& device, const package::Package& package, size_t index) {
    const package::Variant& variant = package.variants()[index];
    if (std::string reason = refuse_by_description(device, variant); !reason.empty()) return refused(std::move(reason));
    const auto blob = package.read(index);
    if (!blob) return {QIAO_VERDICT_DAMAGED, 0, blob.error().message, blob.error().remedy};
    if (const auto error = package::check_content(variant, package.kernels(), blob->bytes)) return refused(error->message);
    return ask_plugin(device, package, index, *blob);
}

// Why `index` was not taken although it could have been.
std::string why_worse(const package::Package& package, const Choice& choice, size_t index) {
    const package::Variant& variant = package.variants()[index];
    const package::Variant& best = package.variants()[choice.taken];
    const uint32_t score = choice.verdicts[choice.taken].score;
    if (choice.verdicts[index].score < score) return name_of(best) + " has score " + std::to_string(score);
    if (variant.format != best.format) return "the device prefers " + best.format;
    return name_of(best) + " comes first in the package";
}

}  // namespace

int format_rank(const std::string& formats, const std::string& format) {
    int rank = 0;
    for (size_t begin = 0; begin <= formats.size(); ++rank) {
        const size_t end = std::min(formats.find(';', begin), formats.size());
        if (formats.compare(begin, end - begin, format) == 0 && end > begin) return rank;
        begin = end + 1;
    }
    return -1;
}

qiao_plugin_program_desc describe(const package::Variant& variant, const package::Blob& blob, const std::string& options) {
    return {sizeof(qiao_plugin_program_desc), nullptr, variant.format.c_str(), variant.target.c_str(), variant.tool.c_str(),
            blob.bytes.data(), blob.bytes.size(), options.c_str(), nullptr, variant.features};
}

Choice choose_variant(qiao_device* device, const package::Package& package) {
    Choice choice;
    const auto better = [&](size_t index) {
        const Verdict& verdict = choice.verdicts[index];
        if (choice.taken == Choice::kNone || verdict.score != choice.verdicts[choice.taken].score)
            return choice.taken == Choice::kNone || verdict.score > choice.verdicts[choice.taken].score;
        return format_rank(device->body.formats, package.variants()[index].format) <
               format_rank(device->body.formats, package.variants()[choice.taken].format);
    };
    for (size_t index = 0; index < package.variants().size(); ++index) {
        choice.verdicts.push_back(judge(device->body, package, index));
        if (choice.verdicts.back().verdict == QIAO_VERDICT_WORSE && better(index)) choice.taken = index;
    }
    for (size_t index = 0; index < choice.verdicts.size(); ++index) {
        Verdict& verdict = choice.verdicts[index];
        if (index == choice.taken) {
            verdict.verdict = QIAO_VERDICT_TAKEN;
        } else if (verdict.verdict == QIAO_VERDICT_WORSE) {
            verdict.reason = why_worse(package, choice, index);
        }
    }
    return choice;
}

std::string explain(const package::Package& package, const Choice& choice, const char* separator) {
    if (package.variants().empty()) return "the package has none at all";
    std::string text;
    for (size_t index = 0; index < choice.verdicts.size(); ++index) {
        const Verdict& verdict = choice.verdicts[index];
        text += (text.empty() ? "" : separator) + name_of(package.variants()[index]) + ": ";
        if (verdict.verdict == QIAO_VERDICT_TAKEN) {
            text += "taken (score " + std::to_string(verdict.score) + ")";
        } else if (verdict.verdict == QIAO_VERDICT_WORSE) {
            text += "not taken (score " + std::to_string(verdict.score) + "): " + verdict.reason;
        } else {
            text += verdict.reason;
        }
    }
    return text;
}

std::string devices_that_would_do(qiao_device* than, const package::Package& package) {
    std::string names;
    for (qiao_device* device : than->body.instance->body.devices) {
        if (device == than) continue;
        const auto fits = std::find_if(package.variants().begin(), package.variants().end(), [device](const package::Variant& variant) {
            return refuse_by_description(device->body, variant).empty();
        });
        if (fits != package.variants().end()) names += (names.empty() ? "" : ", ") + device->body.id + " (" + name_of(*fits) + ")";
    }
    return names;
}

}  // namespace qiao
