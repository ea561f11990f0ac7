// Names of functions: the first that is there is taken, an older one with other types never, and what is missing is said.
#include "cuda/symbols.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "cuda/family_reader.h"

using namespace qiao::cuda;

namespace {

std::set<std::string>* there = nullptr; // what the library under test has
char place;

void* look_up(void*, const char* name) {
    return there->contains(name) ? &place : nullptr;
}

Family family(const char* id) {
    Family read;
    REQUIRE(read_family({QIAO_TEST_FAMILIES}, id, &read) == "");
    return read;
}

// All that the family names first.
std::set<std::string> first_names(const Family& of) {
    std::set<std::string> names;
    for (const auto& slot : of.symbols)
        if (!slot.empty()) names.insert(slot.front());
    return names;
}

std::string taken(const TakenNames& names, Slot slot) {
    const char* name = names[static_cast<size_t>(slot)];
    return name != nullptr ? name : "";
}

} // namespace

TEST_SUITE("cuda.symbols") {
    TEST_CASE("a whole library of each family is enough") {
        for (const char* id : {"cu", "mu", "hg", "hip", "mc", "sudrv", "ta"}) {
            INFO(std::string(id));
            const Family of = family(id);
            std::set<std::string> names = first_names(of);
            there = &names;
            Symbols symbols;
            TakenNames found;
            CHECK(resolve(of, nullptr, look_up, &symbols, &found) == "");
            CHECK((symbols.launch != nullptr));
        }
    }

    TEST_CASE("fallbacks are taken in their order, and only where there are some") {
        const Family mc = family("mc");
        std::set<std::string> names = first_names(mc);
        there = &names;
        Symbols symbols;
        TakenNames found;
        CHECK(resolve(mc, nullptr, look_up, &symbols, &found) == "");
        CHECK(taken(found, Slot::peer_enable) == "mcDeviceEnablePeerAccess");
        names.erase("mcDeviceEnablePeerAccess");
        names.insert("mcDeviceEnableAccessPeer");
        CHECK(resolve(mc, nullptr, look_up, &symbols, &found) == "");
        CHECK(taken(found, Slot::peer_enable) == "mcDeviceEnableAccessPeer");
        names.erase("mcDeviceEnableAccessPeer");
        CHECK(resolve(mc, nullptr, look_up, &symbols, &found) == "");
        CHECK((symbols.peer_enable == nullptr));
    }

    TEST_CASE("an older function with other types is not taken for the newer one") {
        for (const char* id : {"cu", "mu", "hg"}) {
            INFO(std::string(id));
            const Family of = family(id);
            std::set<std::string> names = first_names(of);
            const std::string newer = of.prefix + "MemAlloc_v2", older = of.prefix + "MemAlloc";
            REQUIRE(names.erase(newer) == 1);
            names.insert(older);
            there = &names;
            Symbols symbols;
            TakenNames found;
            CHECK(resolve(of, nullptr, look_up, &symbols, &found) == "it has no function " + newer);
            CHECK((symbols.memory_allocate == nullptr));
        }
    }

    TEST_CASE("everything that is missing is named at once, with its fallbacks") {
        const Family sudrv = family("sudrv");
        std::set<std::string> names = first_names(sudrv);
        names.erase("sudrvGetDeviceCount");
        names.erase("sudrvLaunchKernelEx");
        there = &names;
        Symbols symbols;
        TakenNames found;
        CHECK(resolve(sudrv, nullptr, look_up, &symbols, &found) == "it has no function sudrvGetDeviceCount, sudrvDeviceGetCount, sudrvLaunchKernelEx");
    }

    TEST_CASE("a library that is not there, or is none, is no crash") {
        std::string reason;
        CHECK(open_library("/nonexistent/libcuda.so.1", &reason) == nullptr);
        CHECK(reason.find("/nonexistent/libcuda.so.1") != std::string::npos);
        CHECK(open_library(QIAO_TEST_FAMILIES "/cu.json", &reason) == nullptr);
        CHECK(reason.find("cu.json") != std::string::npos);
    }
}
