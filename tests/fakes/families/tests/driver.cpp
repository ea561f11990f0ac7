#include "driver.h"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <memory>

#include "image/format.h"
#include "package/package.h"

namespace fakes_test {
namespace {

/* Contexts as CUDA has them, retained once each. */
struct Contexts {
    std::function<int(void**, int)> retain;
    int (*set)(void*) = nullptr;
    std::map<int, void*> known;
    int use(int device) {
        void*& context = known[device];
        if (context == nullptr) {
            if (const int code = retain(&context, device); code != 0) return code;
        }
        return set(context);
    }
};

struct Config {
    unsigned groups[3], group[3], shared_bytes;
    void *stream, *attributes;
    unsigned attribute_count;
};

using Launch = int(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**);

/* What has one name and one signature in all families. */
void common(Driver& driver, const Library& library) {
    const auto fn = [&](const char* stem) { return driver.prefix + stem; };
    driver.init = [f = library.get<int(unsigned)>(fn("Init"))] { return f(0); };
    if (driver.prefix != "ta") driver.attribute = library.get<int(int*, int, int)>(fn("DeviceGetAttribute"));
    driver.unload = library.get<int(void*)>(fn("ModuleUnload"));
    driver.function = library.get<int(void**, void*, const char*)>(fn("ModuleGetFunction"));
    driver.wait_stream = library.get<int(void*)>(fn("StreamSynchronize"));
    driver.record = library.get<int(void*, void*)>(fn("EventRecord"));
    driver.wait_event = library.get<int(void*)>(fn("EventSynchronize"));
    driver.elapsed = library.get<int(float*, void*, void*)>(fn("EventElapsedTime"));
}

/* CUDA's driver interface; `v2` ends the names that have it in CUDA. */
void cuda_like(Driver& driver, const Library& library, const std::map<std::string, std::string>& names, const std::string& v2) {
    const auto fn = [&](const std::string& stem, bool versioned = false) {
        const auto other = names.find(stem);
        return driver.prefix + (other != names.end() ? other->second : stem) + (versioned ? v2 : "");
    };
    driver.count = library.get<int(int*)>(fn("DeviceGetCount"));
    auto contexts = std::make_shared<Contexts>();
    if (driver.prefix != "ta") contexts->retain = library.get<int(void**, int)>(fn("DevicePrimaryCtxRetain"));
    contexts->set = library.get<int(void*)>(fn("CtxSetCurrent"));
    if (driver.prefix == "ta") { /* devices are handles */
        const auto handle_of = library.get<int(uintptr_t*, int)>("taDeviceGet");
        contexts->retain = [=, f = library.get<int(void**, uintptr_t)>("taDevicePrimaryCtxRetain")](void** out, int device) {
            uintptr_t handle = 0;
            const int code = handle_of(&handle, device);
            return code != 0 ? code : f(out, handle);
        };
        driver.attribute = [=, f = library.get<int(int*, int, uintptr_t)>("taDeviceGetAttribute")](int* out, int attribute, int device) {
            uintptr_t handle = 0;
            const int code = handle_of(&handle, device);
            return code != 0 ? code : f(out, attribute, handle);
        };
    }
    driver.use = [contexts](int device) { return contexts->use(device); };
    driver.use_none = [contexts] { return contexts->set(nullptr); };
    driver.allocate = library.get<int(Address*, size_t)>(fn("MemAlloc", true));
    driver.free = library.get<int(Address)>(fn("MemFree", true));
    driver.allocate_host = [f = library.get<int(void**, size_t, unsigned)>(fn("MemHostAlloc"))](void** out, size_t size) { return f(out, size, 0); };
    driver.free_host = library.get<int(void*)>(fn("MemFreeHost"));
    driver.register_host = [f = library.get<int(void*, size_t, unsigned)>(fn("MemHostRegister", true))](void* at, size_t size) {
        return f(at, size, 0);
    };
    driver.write = library.get<int(Address, const void*, size_t)>(fn("MemcpyHtoD", true));
    driver.read = library.get<int(void*, Address, size_t)>(fn("MemcpyDtoH", true));
    driver.move = library.get<int(Address, Address, size_t)>(fn("MemcpyDtoD", true));
    driver.write_async = library.get<int(Address, const void*, size_t, void*)>(fn("MemcpyHtoDAsync", true));
    driver.read_async = library.get<int(void*, Address, size_t, void*)>(fn("MemcpyDtoHAsync", true));
    driver.move_peer = [contexts, f = library.get<int(Address, void*, Address, void*, size_t)>(fn("MemcpyPeer"))](
                           Address target, int device, Address source, int source_device, size_t size) {
        return f(target, contexts->known[device], source, contexts->known[source_device], size);
    };
    driver.enable_peer = [contexts, f = library.get<int(void*, unsigned)>(fn("CtxEnablePeerAccess"))](int peer) {
        return f(contexts->known[peer], 0);
    };
    if (driver.prefix != "ta") {
        driver.fill = library.get<int(Address, unsigned char, size_t)>(fn("MemsetD8", true));
        driver.load = [f = library.get<int(void**, const void*)>(fn("ModuleLoadData"))](void** out, const std::vector<std::byte>& image) {
            return f(out, image.data());
        };
    }
    driver.create_stream = [f = library.get<int(void**, unsigned)>(fn("StreamCreate"))](void** out) { return f(out, 1); };
    driver.destroy_stream = library.get<int(void*)>(fn("StreamDestroy", true));
    driver.create_event = [f = library.get<int(void**, unsigned)>(fn("EventCreate"))](void** out) { return f(out, 0); };
    driver.destroy_event = library.get<int(void*)>(fn("EventDestroy", true));
    driver.error_name = [f = library.get<int(int, const char**)>(fn("GetErrorName"))](int code) {
        const char* name = nullptr;
        return f(code, &name) == 0 ? std::string(name) : "";
    };
    if (driver.prefix == "sudrv") return;
    driver.launch = [f = library.get<Launch>(fn("LaunchKernel"))](void* function, const Shape& at, void** parameters, void** extra) {
        return f(function, at.groups[0], at.groups[1], at.groups[2], at.group[0], at.group[1], at.group[2], at.shared_bytes, at.stream, parameters,
                 extra);
    };
}

void hip_like(Driver& driver, const Library& library) {
    const auto fn = [&](const char* stem) { return driver.prefix + stem; };
    const auto pointer = [](Address address) { return reinterpret_cast<void*>(address); };
    driver.count = library.get<int(int*)>(fn("GetDeviceCount"));
    driver.use = library.get<int(int)>(fn("SetDevice"));
    driver.allocate = [f = library.get<int(void**, size_t)>(fn("Malloc"))](Address* out, size_t size) {
        void* made = nullptr;
        const int code = f(&made, size);
        *out = reinterpret_cast<uintptr_t>(made);
        return code;
    };
    driver.free = [=, f = library.get<int(void*)>(fn("Free"))](Address at) { return f(pointer(at)); };
    driver.allocate_host = [f = library.get<int(void**, size_t, unsigned)>(fn("HostMalloc"))](void** out, size_t size) { return f(out, size, 0); };
    driver.free_host = library.get<int(void*)>(fn("HostFree"));
    driver.register_host = [f = library.get<int(void*, size_t, unsigned)>(fn("HostRegister"))](void* at, size_t size) { return f(at, size, 0); };
    driver.write = [=, f = library.get<int(void*, const void*, size_t)>(fn("MemcpyHtoD"))](Address to, const void* from, size_t size) {
        return f(pointer(to), from, size);
    };
    driver.read = [=, f = library.get<int(void*, void*, size_t)>(fn("MemcpyDtoH"))](void* to, Address from, size_t size) {
        return f(to, pointer(from), size);
    };
    driver.move = [=, f = library.get<int(void*, void*, size_t)>(fn("MemcpyDtoD"))](Address to, Address from, size_t size) {
        return f(pointer(to), pointer(from), size);
    };
    driver.write_async = [=, f = library.get<int(void*, const void*, size_t, void*)>(fn("MemcpyHtoDAsync"))](
                             Address to, const void* from, size_t size, void* stream) { return f(pointer(to), from, size, stream); };
    driver.read_async = [=, f = library.get<int(void*, void*, size_t, void*)>(fn("MemcpyDtoHAsync"))](
                            void* to, Address from, size_t size, void* stream) { return f(to, pointer(from), size, stream); };
    driver.move_peer = [=, f = library.get<int(void*, int, const void*, int, size_t)>(fn("MemcpyPeer"))](Address to, int device, Address from,
                                                                                                         int source_device, size_t size) {
        return f(pointer(to), device, pointer(from), source_device, size);
    };
    driver.enable_peer = [f = library.get<int(int, unsigned)>(fn("DeviceEnablePeerAccess"))](int peer) { return f(peer, 0); };
    driver.fill = [=, f = library.get<int(void*, unsigned char, size_t)>(fn("MemsetD8"))](Address at, unsigned char value, size_t size) {
        return f(pointer(at), value, size);
    };
    driver.load = [f = library.get<int(void**, const void*)>(fn("ModuleLoadData"))](void** out, const std::vector<std::byte>& image) {
        return f(out, image.data());
    };
    driver.launch = [f = library.get<Launch>(fn("ModuleLaunchKernel"))](void* function, const Shape& at, void** parameters, void** extra) {
        return f(function, at.groups[0], at.groups[1], at.groups[2], at.group[0], at.group[1], at.group[2], at.shared_bytes, at.stream, parameters,
                 extra);
    };
    driver.create_stream = [f = library.get<int(void**, unsigned)>(fn("StreamCreateWithFlags"))](void** out) { return f(out, 1); };
    driver.destroy_stream = library.get<int(void*)>(fn("StreamDestroy"));
    driver.create_event = [f = library.get<int(void**, unsigned)>(fn("EventCreateWithFlags"))](void** out) { return f(out, 0); };
    driver.destroy_event = library.get<int(void*)>(fn("EventDestroy"));
    driver.error_name = library.get<const char*(int)>(fn("GetErrorName"));
}

} // namespace

Library::Library(const std::string& file) : handle_(dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    REQUIRE_MESSAGE(handle_ != nullptr, dlerror());
}
Library::~Library() {
    close();
}
void Library::close() {
    if (handle_ != nullptr) dlclose(handle_);
    handle_ = nullptr;
}
void* Library::find(const std::string& name) const {
    return dlsym(handle_, name.c_str());
}
void* Library::required(const std::string& name) const {
    void* found = find(name);
    REQUIRE_MESSAGE(found != nullptr, name, " is not exported");
    return found;
}

std::string family() {
    const char* id = std::getenv("FAKE_TEST_FAMILY");
    REQUIRE_MESSAGE(id != nullptr, "FAKE_TEST_FAMILY must name a family, as 'cu'");
    return id;
}

std::string library_file() {
    static const std::map<std::string, const char*> files = {
        {"cu", "libcuda.so.1"},    {"mu", "libmusa.so.1"},          {"hg", "libhggc.so"}, {"hip", "libgalaxyhip.so.5"},
        {"mc", "libmcruntime.so"}, {"sudrv", "libsupa-runtime.so"}, {"ta", "libtang.so"},
    };
    const char* folder = std::getenv("FAKE_TEST_FOLDER");
    return std::string(FAKE_FOLDER) + "/" + (folder != nullptr ? folder : family()) + "/" + files.at(family());
}

Driver driver_of(const Library& library) {
    Driver driver;
    driver.id = driver.prefix = family();
    common(driver, library);
    if (driver.id == "hip" || driver.id == "mc") {
        driver.codes = {.bad_pointer = 17, .bad_configuration = 9};
        hip_like(driver, library);
        return driver;
    }
    if (driver.id == "sudrv") {
        cuda_like(driver, library,
                  {{"DevicePrimaryCtxRetain", "PrimaryContextRetain"},
                   {"CtxSetCurrent", "ContextSetCurrent"},
                   {"CtxEnablePeerAccess", "ContextEnablePeerAccess"},
                   {"MemAlloc", "MallocDevice"},
                   {"MemFree", "Free"},
                   {"MemHostAlloc", "MallocHost"},
                   {"MemFreeHost", "Free"},
                   {"MemHostRegister", "RegisterHostMemory"},
                   {"DeviceGetCount", "GetDeviceCount"},
                   {"StreamCreate", "StreamCreateWithFlags"},
                   {"EventCreate", "EventCreateWithFlags"}},
                  "");
        driver.launch = [f = library.get<int(const Config*, void*, void**, void**)>("sudrvLaunchKernelEx")](void* function, const Shape& at,
                                                                                                            void** parameters, void** extra) {
            const Config config{
                {at.groups[0], at.groups[1], at.groups[2]}, {at.group[0], at.group[1], at.group[2]}, at.shared_bytes, at.stream, nullptr, 0};
            return f(&config, function, parameters, extra);
        };
        return driver;
    }
    if (driver.id == "ta") {
        cuda_like(driver, library,
                  {{"MemcpyHtoD", "MemcpyH2D"},
                   {"MemcpyDtoH", "MemcpyD2H"},
                   {"MemcpyDtoD", "MemcpyD2D"},
                   {"MemcpyHtoDAsync", "MemcpyH2DAsync"},
                   {"MemcpyDtoHAsync", "MemcpyD2HAsync"},
                   {"MemcpyPeer", "MemcpyPeer_v2"}},
                  "");
        driver.codes = {.no_context = 202, .not_found = 301, .bad_configuration = 9, .not_implemented = 99};
        driver.fill = library.get<int(Address, int, size_t)>("taMemset");
        driver.load = [f = library.get<int(void**, const void*, size_t)>("taModuleLoadData")](void** out, const std::vector<std::byte>& image) {
            return f(out, image.data(), image.size());
        };
        return driver;
    }
    cuda_like(driver, library, {}, "_v2");
    return driver;
}

std::vector<std::byte> image_for(const std::string& id) {
    const auto package = qiao::package::Package::open_file(FAKE_PACKAGE);
    REQUIRE(package);
    const std::string format = fakes::image::style_of(id)->format;
    for (size_t index = 0; index < package->variants().size(); ++index) {
        if (package->variants()[index].format != format) continue;
        const auto content = package->read(index);
        REQUIRE(content);
        return {content->bytes.begin(), content->bytes.end()};
    }
    FAIL("the package has no variant of format ", format);
    return {};
}

} // namespace fakes_test
