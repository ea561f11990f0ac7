/* A queue is the least that opens a device. */
#include "cli/plugin/opening.h"

#include <nlohmann/json.hpp>

#include "cli/devices.h"
#include "cli/failure.h"
#include "cli/plugin/child.h"

namespace qiao::cli {

Check check_opening(const std::string& id) {
    constexpr double kPatienceS = 30;
    Check check{"open", CheckState::Ok, id + " opens and closes", ""};
    const TrialEnd end = run_telling({{"plugin", "open", id}, kPatienceS}, [&](const nlohmann::ordered_json& told) {
        if (!told.contains("check")) return;
        check = {"open", CheckState::Problem, text(id, ": ", told["check"]["detail"].get<std::string>()), told["check"]["remedy"]};
    });
    if (end.wrong.empty()) return check;
    return {"open", CheckState::Problem, text(id, ": ", end.wrong),
            text("do not use it until its plugin is repaired: what opens it ends the same way; its maker sees with `qiao plugin check`, and `gdb --args qiao plugin open ", id, "`")};
}

int open_device(const std::string& id, int tell) {
    const Teller teller(tell);
    const Instance instance = make_instance();
    const Device device = select_devices(instance.get(), {id}).front();
    try {
        qiao_queue* queue = nullptr;
        check(qiao_queue_create(device.handle, nullptr, &queue), "opening the device");
        check(qiao_queue_release(queue), "giving a queue back");
    } catch (const Failure& failure) {
        teller.check("open", "problem", failure.what(), failure.remedy);
    }
    return teller.done();
}

} // namespace qiao::cli
