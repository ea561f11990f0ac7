/* The required slots in the order of the guide, each through the call of the application's interface that leads to it. What a
 * call cannot reach without a kernel of the plugin's own format needs a package; its launch is `qiao run`'s. */
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "cli/array/files.h"
#include "cli/devices.h"
#include "cli/facts.h"
#include "cli/failure.h"
#include "cli/plugin/advice.h"
#include "cli/plugin/child.h"
#include "cli/plugin/inspect.h"

namespace qiao::cli {
namespace {

constexpr uint64_t kTrialBytes = 1u << 20;
constexpr uint64_t kOddOffset = 4099; /* copies to a place without any alignment */
constexpr uint64_t kOddBytes = 1237;

Instance make_trial_instance(const std::string& folder) {
    qiao_instance_desc desc = QIAO_INSTANCE_DESC_INIT;
    desc.plugin_path = folder.c_str();
    desc.visible_devices = "*";
    qiao_instance* instance = nullptr;
    check(qiao_instance_create(&desc, &instance), "loading the plugin");
    return Instance(instance);
}

bool same_file(const std::string& left, const std::string& right) {
    std::error_code error;
    return std::filesystem::equivalent(left, right, error);
}

/* The loader's own verdict. */
bool check_ledger(const Teller& teller, qiao_instance* instance, const std::string& manifest) {
    qiao_candidate candidate = QIAO_CANDIDATE_INIT;
    for (uint32_t index = 0; qiao_instance_query_candidate(instance, index, &candidate) == QIAO_OK; ++index) {
        if (!same_file(candidate.manifest, manifest)) continue;
        const bool good = candidate.state == QIAO_CANDIDATE_STATE_USABLE || candidate.state == QIAO_CANDIDATE_STATE_NO_DEVICES;
        const bool whole = good && (candidate.state == QIAO_CANDIDATE_STATE_NO_DEVICES || *candidate.reason == '\0');
        std::string detail = candidate_state_name(candidate.state);
        if (*candidate.reason != '\0') detail += text(": ", candidate.reason);
        teller.check("loader", whole ? "ok" : "problem", detail, whole ? "" : for_the_maker(candidate.remedy));
        return good;
    }
    teller.check("loader", "problem", text("the loader does not find ", manifest), "let the manifest's name end in .json");
    return false;
}

/* The device's own numbers: those without which nothing runs, and those that the core would hold applications to. */
void check_properties(const Teller& teller, const Device& device) {
    const qiao_device_properties& about = device.properties;
    std::vector<std::string> fatal, unknown;
    const auto need = [](std::vector<std::string>& list, bool known, const std::string& name) {
        if (!known) list.push_back(name);
    };
    need(unknown, *about.name != '\0', "name");
    need(fatal, *about.formats != '\0', "formats");
    need(fatal, about.memory_bytes > 0, "memory_bytes");
    need(fatal, about.max_allocation_bytes > 0 && about.max_allocation_bytes <= about.memory_bytes, "max_allocation_bytes");
    need(fatal, (about.memory_kinds & (1u << QIAO_MEMORY_KIND_DEVICE)) != 0, "memory_kinds");
    need(unknown, about.max_group_size > 0, "max_group_size");
    need(unknown, about.max_argument_bytes > 0, "max_argument_bytes");
    for (int axis = 0; axis < 3; ++axis) {
        need(unknown, about.max_group[axis] > 0, text("max_group[", axis, "]"));
        need(unknown, about.max_group_count[axis] > 0, text("max_group_count[", axis, "]"));
    }
    const std::string name = device.id + " device_query";
    if (!fatal.empty()) teller.check(name, "problem", "not set, or not possible: " + join(fatal, ", "), "set them in device_query: nothing runs without");
    if (!unknown.empty()) {
        teller.check(name, "warning", "not set: " + join(unknown, ", "),
                     "set them in device_query: 0 is unknown to applications, and no limit that launches are held to (groups: one item)");
    }
    if (fatal.empty() && unknown.empty()) teller.check(name, "ok", text(about.name, ", ", about.formats));
}

Memory allocate(const Device& device, uint64_t size) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = size;
    qiao_memory* memory = nullptr;
    check(qiao_memory_allocate(device.handle, &desc, &memory), "allocating");
    return Memory(memory);
}

std::vector<unsigned char> pattern(uint64_t size, unsigned seed) {
    std::vector<unsigned char> bytes(size);
    for (uint64_t i = 0; i < size; ++i)
        bytes[i] = static_cast<unsigned char>((i * 131u + seed * 29u) >> (i % 3));
    return bytes;
}

/* The walk goes on as long as steps succeed: each needs the ones before. */
class Walk {
  public:
    Walk(const Teller& teller, const Device& device) : teller_(teller), device_(device) {}

    bool step(const std::vector<std::string>& slots, const std::function<std::string()>& action) {
        const std::string names = join(slots, ", ");
        const std::string name = text(device_.id, " ", names);
        teller_.step("trying " + name);
        try {
            const std::string wrong = action();
            teller_.check(name, wrong.empty() ? "ok" : "problem", wrong.empty() ? "works" : wrong, wrong.empty() ? "" : "correct " + names);
            if (!wrong.empty()) return false;
        } catch (const Failure& failure) {
            teller_.check(name, "problem", failure.what(), failure.remedy.empty() ? "write or correct " + names : for_the_maker(failure.remedy));
            return false;
        }
        for (const std::string& slot : slots)
            teller_.tried(slot);
        return true;
    }

  private:
    const Teller& teller_;
    const Device& device_;
};

std::string copy_and_compare(const Memory& memory, uint64_t offset, const std::vector<unsigned char>& bytes) {
    check(qiao_memory_write(memory.get(), offset, bytes.data(), bytes.size()), "writing");
    std::vector<unsigned char> back(bytes.size());
    check(qiao_memory_read(memory.get(), offset, back.data(), back.size()), "reading");
    const auto different = std::mismatch(bytes.begin(), bytes.end(), back.begin());
    if (different.first == bytes.end()) return "";
    return text("of ", bytes.size(), " bytes written at offset ", offset, ", byte ", different.first - bytes.begin(),
                " comes back as ", static_cast<unsigned>(*different.second), " instead of ",
                static_cast<unsigned>(*different.first));
}

bool walk_memory(Walk& walk, const Device& device) {
    const uint64_t size = std::min<uint64_t>(kTrialBytes, device.properties.max_allocation_bytes);
    Memory first;
    Memory second;
    const bool allocated = walk.step({"memory_allocate"}, [&] {
        first = allocate(device, size);
        second = allocate(device, size);
        return std::string();
    });
    if (!allocated) return false;
    const bool copied = walk.step({"memory_write", "memory_read"}, [&] {
        const auto one = pattern(size, 1);
        std::string wrong = copy_and_compare(first, 0, one);
        if (wrong.empty()) wrong = copy_and_compare(second, 0, pattern(size, 2));
        if (wrong.empty() && size > kOddOffset + kOddBytes) wrong = copy_and_compare(second, kOddOffset, pattern(kOddBytes, 3));
        if (!wrong.empty()) return wrong;
        std::vector<unsigned char> again(size);
        check(qiao_memory_read(first.get(), 0, again.data(), again.size()), "reading");
        return std::string(again == one ? "" : "writing to one allocation changed another");
    });
    if (!copied) return false;
    return walk.step({"memory_free"}, [&] {
        first.reset();
        second.reset();
        first = allocate(device, size);
        return copy_and_compare(first, 0, pattern(size, 4));
    });
}

void walk_program(Walk& walk, const Device& device, const std::string& path) {
    Program program;
    const bool loaded = walk.step({"program_load", "kernel_find"}, [&] {
        const std::vector<std::byte> bytes = read_file(path);
        qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
        desc.data = bytes.data();
        desc.size_bytes = bytes.size();
        desc.name = path.c_str();
        qiao_program* made = nullptr;
        check(qiao_program_create_from_package(device.handle, &desc, &made), "loading " + path);
        program = Program(made);
        return std::string();
    });
    if (!loaded) return;
    walk.step({"program_unload"}, [&] {
        program.reset();
        return std::string();
    });
}

void walk_device(const Teller& teller, const Device& device, const std::string& package) {
    Walk walk(teller, device);
    Queue queue;
    const bool opened = walk.step({"device_open"}, [&] {
        qiao_queue* made = nullptr;
        check(qiao_queue_create(device.handle, nullptr, &made), "opening the device");
        queue = Queue(made);
        return std::string();
    });
    if (opened && walk_memory(walk, device) && !package.empty()) walk_program(walk, device, package);
}

} // namespace

int try_plugin(const TrialPlan& plan) {
    const Teller teller(plan.tell);
    /* Only this plugin. The loader tries it out anew, which also replaces a verdict that is kept against it. */
    setenv("QIAO_PLUGINS", plan.id.c_str(), 1);
    setenv("QIAO_PROBE", "child", 1);
    teller.step("loading the plugin through libqiao");
    Instance instance = make_trial_instance(std::filesystem::path(plan.manifest).parent_path().string());
    if (!check_ledger(teller, instance.get(), plan.manifest)) return teller.done();
    std::vector<std::string> ids;
    for (const Device& device : all_devices(instance.get())) {
        if (plan.id != device.properties.plugin) continue;
        ids.push_back(device.id);
        check_properties(teller, device);
        walk_device(teller, device, plan.package);
    }
    teller.facts({{"devices", ids}});
    teller.step("closing the devices and the plugin");
    instance.reset();
    return teller.done();
}

} // namespace qiao::cli
