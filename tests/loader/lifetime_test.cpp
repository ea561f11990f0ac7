// When a plugin is closed, and what happens to calls of one that cannot be closed.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include "support.h"

using namespace qiao;
using namespace qiao::testing;

namespace {

struct Loaded {
    explicit Loaded(std::string_view defect)
        : library(std::string(BAD_PLUGIN_FOLDER) + "/bad_" + std::string(defect) + ".so") {
        folder.write("bad.json", manifest("bad", library));
        candidates = discover(folder.path(), recorder);
    }
    bool in_memory() const {
        void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_NOLOAD);
        if (handle != nullptr) dlclose(handle);
        return handle != nullptr;
    }

    TempFolder folder;
    std::string library;
    Recorder recorder;
    std::vector<loader::Candidate> candidates;
};

} // namespace

TEST_SUITE("loader.lifetime") {
    TEST_CASE("asks a plugin once, and closes it once when it is let go") {
        Loaded loaded("none");
        CHECK(loaded.recorder.count("bad", "asked") == 1);
        CHECK(loaded.recorder.count("bad", "closed") == 0);
        loaded.candidates.clear();
        CHECK(loaded.recorder.count("bad", "closed") == 1);
    }

    TEST_CASE("closes at once a plugin that said yes and was not taken") {
        for (const char* defect : {"null_tables", "other_id", "half_queue", "many_devices", "all_queries_fail"}) {
            CAPTURE(defect);
            CHECK(Loaded(defect).recorder.count("bad", "closed") == 1);
        }
    }

    TEST_CASE("never closes a plugin that refused, overran its room or speaks another ABI") {
        for (const char* defect : {"refuses", "overrun", "abi_new", "abi_minor", "status"}) {
            CAPTURE(defect);
            Loaded loaded(defect);
            CHECK(loaded.recorder.count("bad", "asked") == 1);
            CHECK(loaded.recorder.count("bad", "closed") == 0);
            CHECK(loaded.in_memory()); // what it began may still run
        }
    }

    TEST_CASE("a library without the symbol leaves memory again") {
        CHECK_FALSE(Loaded("no_symbol").in_memory());
    }

    TEST_CASE("a plugin without plugin_close may speak after its instance is gone, and is not heard") {
        auto loaded = std::make_unique<Loaded>("no_close");
        void* handle = dlopen(loaded->library.c_str(), RTLD_NOW);
        REQUIRE(handle != nullptr);
        const auto speak = reinterpret_cast<void (*)()>(dlsym(handle, "bad_plugin_speak"));
        REQUIRE((speak != nullptr));
        speak();
        CHECK(loaded->recorder.count("bad", "from beyond") == 1);
        loaded->candidates.clear();
        dlclose(handle);
        CHECK(loaded->in_memory());
        speak();
        CHECK(loaded->recorder.count("bad", "from beyond") == 1);
        loaded.reset(); // and the recorder with it
        speak();
    }
}
