#include "folder.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace test {

Folder::Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "qiao-families-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void Folder::write(const std::string& id, const std::string& text) const {
    std::ofstream(file(id)) << text;
    REQUIRE(chmod(file(id).c_str(), 0644) == 0);
}

std::string family_text(std::initializer_list<std::pair<const char*, const char*>> changes) {
    std::string text = R"({
"qiao_family": 1,
"id": "xx",
"name": "a family",
"prefix": "xx",
"status": {"state": "modelled", "date": "2026-11-26", "evidence": "a test"},
"hardware": [{"vendor": "Nobody", "pci_vendor": "0x1234", "drivers": ["nobody"]}],
"libraries": ["libxx.so.1"],
"formats": [{"name": "xxbin", "magic": ["XXBIN"]}],
"slots": {
"init": "*Init",
"device_count": "*DeviceGetCount",
"device_get": "*DeviceGet",
"device_name": "*DeviceGetName",
"device_attribute": "*DeviceGetAttribute",
"memory_info": "*MemGetInfo",
"context_set": "*CtxSetCurrent",
"memory_allocate": "*MemAlloc_v2|*MemAllocate",
"memory_free": ["*MemFree_v2", "other_free"],
"write_async": "*MemcpyHtoDAsync",
"read_async": "*MemcpyDtoHAsync",
"stream_create": "*StreamCreate",
"stream_destroy": "*StreamDestroy",
"event_create": "*EventCreate",
"event_destroy": "*EventDestroy",
"event_record": "*EventRecord",
"event_query": "*EventQuery",
"module_load": "*ModuleLoadData",
"module_unload": "*ModuleUnload",
"module_function": "*ModuleGetFunction",
"launch": "*LaunchKernel"
},
"results": {"success": 0, "not_ready": 600, "out_of_memory": 2}
}
)";
    for (const auto& [from, to] : changes) {
        const size_t at = text.find(from);
        REQUIRE_MESSAGE(at != std::string::npos, from);
        text.replace(at, std::string(from).size(), to);
    }
    return text;
}

} // namespace test
