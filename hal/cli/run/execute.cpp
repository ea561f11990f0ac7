/* One kernel on one device: build, bind, launch, time, read back. Before each timed launch the arguments that the kernel
 * both reads and writes get their first contents again, so that every launch does the same work. */
#include <algorithm>
#include <chrono>
#include <cstring>

#include "cli/run/plan.h"
#include "cli/terminal.h"

namespace qiao::cli {
namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

/* An address argument: the array that it starts with, and its copy on the device. */
struct Buffer {
    size_t argument = 0;
    Array array;
    Memory memory;
};

Program build(const Device& device, const Plan& plan) {
    qiao_program* program = nullptr;
    if (plan.is_package) {
        check(qiao_program_create_from_package_file(device.handle, plan.file.c_str(), &program), "loading " + plan.file);
        return Program(program);
    }
    qiao_program_desc desc = QIAO_PROGRAM_DESC_INIT;
    desc.data = plan.data.data();
    desc.size_bytes = plan.data.size();
    desc.name = plan.file.c_str();
    desc.options = plan.options.empty() ? nullptr : plan.options.c_str();
    check(qiao_program_create_from_source(device.handle, &desc, &program), "building " + plan.file);
    return Program(program);
}

std::string kernel_name(qiao_kernel* kernel) {
    qiao_kernel_properties properties = QIAO_KERNEL_PROPERTIES_INIT;
    check(qiao_kernel_query(kernel, &properties), "asking for a kernel's properties");
    return properties.name;
}

qiao_kernel* pick_kernel(qiao_program* program, const Plan& plan) {
    std::vector<qiao_kernel*> kernels;
    std::string names;
    for (uint32_t index = 0;; ++index) {
        qiao_kernel* kernel = nullptr;
        const qiao_status status = qiao_program_get_kernel_at(program, index, &kernel);
        if (status == QIAO_ERROR_NOT_FOUND) break;
        check(status, "listing the kernels");
        const std::string name = kernel_name(kernel);
        if (name == plan.kernel) return kernel;
        names += (names.empty() ? "" : ", ") + name;
        kernels.push_back(kernel);
    }
    if (kernels.empty()) throw Failure(kExitUsage, plan.file + " has no kernel");
    if (plan.kernel.empty() && kernels.size() == 1) return kernels[0];
    throw Failure(kExitUsage,
                  plan.kernel.empty() ? plan.file + " has several kernels"
                                      : text("there is no kernel '", plan.kernel, "' in ", plan.file),
                  "name one of: " + names);
}

Signature reflect(qiao_kernel* kernel) {
    qiao_kernel_properties properties = QIAO_KERNEL_PROPERTIES_INIT;
    check(qiao_kernel_query(kernel, &properties), "asking for a kernel's properties");
    Signature signature{properties.name, {}, properties.block_size};
    for (uint32_t index = 0; index < properties.argument_count; ++index) {
        qiao_kernel_argument argument = QIAO_KERNEL_ARGUMENT_INIT;
        check(qiao_kernel_query_argument(kernel, index, &argument), "asking for a kernel's arguments");
        signature.parameters.push_back(
            {argument.name, argument.type, argument.kind, argument.access, argument.offset, argument.size_bytes});
    }
    return signature;
}

Memory allocate(const Device& device, const Parameter& parameter, uint64_t bytes) {
    qiao_memory_desc desc = QIAO_MEMORY_DESC_INIT;
    desc.size_bytes = bytes;
    qiao_memory* memory = nullptr;
    check(qiao_memory_allocate(device.handle, &desc, &memory),
          text(describe(parameter), ": allocating ", bytes, " bytes"));
    return Memory(memory);
}

void upload(const Buffer& buffer) {
    check(qiao_memory_write(buffer.memory.get(), 0, buffer.array.bytes.data(), buffer.array.bytes.size()),
          "copying an argument to the device");
}

/* Makes the arrays, checks them, brings them to the device, and writes their addresses into the block. */
std::vector<Buffer> make_buffers(const Device& device, const Signature& signature, const std::vector<Spec>& specs,
                                 std::vector<std::byte>& block) {
    std::vector<Buffer> buffers;
    for (size_t i = 0; i < specs.size(); ++i) {
        if (!is_array_spec(specs[i])) continue;
        const Parameter& parameter = signature.parameters[i];
        Buffer buffer{i, load_array(specs[i], device.id, describe(parameter)), nullptr};
        check_array(parameter, buffer.array);
        buffer.memory = allocate(device, parameter, buffer.array.bytes.size());
        upload(buffer);
        uint64_t address = 0;
        check(qiao_memory_get_address(buffer.memory.get(), &address), "asking for an address");
        std::memcpy(block.data() + parameter.offset, &address, sizeof(address));
        buffers.push_back(std::move(buffer));
    }
    return buffers;
}

/* A queue that keeps timestamps, or one without if the device has none. */
Queue make_queue(const Device& device, bool& has_timestamps) {
    qiao_queue_desc desc = QIAO_QUEUE_DESC_INIT;
    desc.flags = QIAO_QUEUE_PROFILING;
    qiao_queue* queue = nullptr;
    has_timestamps = true;
    qiao_status status = qiao_queue_create(device.handle, &desc, &queue);
    if (status == QIAO_ERROR_UNSUPPORTED) {
        has_timestamps = false;
        status = qiao_queue_create(device.handle, nullptr, &queue);
    }
    check(status, "making a queue");
    return Queue(queue);
}

/* The launches of one run and their times. */
class Launcher {
  public:
    Launcher(const Device& device, const Plan& plan, qiao_kernel* kernel, const std::vector<std::byte>& block)
        : plan_(plan), kernel_(kernel), block_(block), queue_(make_queue(device, has_timestamps_)) {
        check(qiao_queue_get_timeline(queue_.get(), &timeline_), "asking for a queue's timeline");
    }

    void launch(bool timed) {
        uint64_t value = 0;
        const Clock::time_point start = Clock::now();
        check(qiao_queue_launch(queue_.get(), kernel_, &plan_.launch, block_.data(), block_.size(), &value),
              "launching");
        check(qiao_timeline_wait(timeline_, value, plan_.timeout_ns), "waiting for the kernel");
        const double wall = nanoseconds_since(start);
        if (!timed) return;
        wall_.push_back(wall);
        uint64_t begin = 0;
        uint64_t end = 0;
        if (!has_timestamps_) return;
        const qiao_status status = qiao_queue_query_timestamps(queue_.get(), value, &begin, &end);
        if (status == QIAO_ERROR_UNSUPPORTED) {
            has_timestamps_ = false;
            return;
        }
        check(status, "asking for timestamps");
        device_.push_back(static_cast<double>(end - begin));
    }

    Times wall() const { return summarise(wall_); }
    std::optional<Times> device_time() const {
        if (!has_timestamps_) return std::nullopt;
        return summarise(device_);
    }

  private:
    const Plan& plan_;
    qiao_kernel* kernel_;
    const std::vector<std::byte>& block_;
    bool has_timestamps_ = false;
    Queue queue_;
    qiao_timeline* timeline_ = nullptr;
    std::vector<double> wall_;
    std::vector<double> device_;
};

void launch_all(Launcher& launcher, const Plan& plan, const Signature& signature, const std::vector<Buffer>& buffers) {
    launcher.launch(plan.repeat == 0);
    for (uint32_t i = 0; i < plan.repeat; ++i) {
        for (const Buffer& buffer : buffers) {
            const Parameter& parameter = signature.parameters[buffer.argument];
            if (parameter.may_read() && parameter.may_write()) upload(buffer);
        }
        launcher.launch(true);
    }
}

std::vector<Output> read_back(const Signature& signature, std::vector<Buffer>& buffers) {
    std::vector<Output> outputs;
    for (Buffer& buffer : buffers) {
        const Parameter& parameter = signature.parameters[buffer.argument];
        if (!parameter.may_write()) continue;
        check(qiao_memory_read(buffer.memory.get(), 0, buffer.array.bytes.data(), buffer.array.bytes.size()),
              describe(parameter) + ": copying it from the device");
        outputs.push_back({buffer.argument, parameter.name, std::move(buffer.array)});
    }
    return outputs;
}

void describe_program(qiao_program* program, DeviceRun& run) {
    qiao_program_properties properties = QIAO_PROGRAM_PROPERTIES_INIT;
    check(qiao_program_query(program, &properties), "asking for a program's properties");
    run.format = properties.format;
    run.target = properties.target;
    run.tool = properties.tool;
    run.log = properties.log;
}

void run_steps(const Plan& plan, DeviceRun& run) {
    const Clock::time_point start = Clock::now();
    const Program program = build(run.device, plan);
    run.build_ns = nanoseconds_since(start);
    describe_program(program.get(), run);

    qiao_kernel* kernel = pick_kernel(program.get(), plan);
    run.signature = reflect(kernel);
    run.kernel = run.signature.kernel;
    const std::vector<Spec> specs = match_arguments(run.signature, plan.arguments);
    std::vector<std::byte> block = pack_block(run.signature, specs);
    std::vector<Buffer> buffers = make_buffers(run.device, run.signature, specs, block);

    const StdoutToStderr what_kernels_print;
    Launcher launcher(run.device, plan, kernel, block);
    launch_all(launcher, plan, run.signature, buffers);
    run.wall = launcher.wall();
    run.device_time = launcher.device_time();
    run.outputs = read_back(run.signature, buffers);
}

} // namespace

Times summarise(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    const size_t middle = samples.size() / 2;
    const double median = samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
    return {samples.front(), median};
}

DeviceRun run_on_device(const Device& device, const Plan& plan) {
    DeviceRun run;
    run.device = device;
    try {
        run_steps(plan, run);
    } catch (const Failure& failure) {
        if (failure.code == kExitUsage) throw;
        run.failure = failure;
    }
    return run;
}

} // namespace qiao::cli
