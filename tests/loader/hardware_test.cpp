// Hardware is matched before a library is opened: manifests against trees that look like sysfs.
#include <doctest/doctest.h>

#include "loader/manifest.h"
#include "support.h"

using namespace qiao;
using namespace qiao::testing;

namespace {

// A host with a bridge, a card without driver, a card with one, and a driver that drives nothing on PCI.
struct Sysfs {
    Sysfs() : root("QIAO_SYSFS_ROOT", folder.path()) {
        add("0000:00:00.0", "0x1022", "0x1450", "");
        add("0000:03:00.0", "0x1d94", "0x6210", "hydcu");
        add("0000:43:00.0", "0x1ed5", "0x0200", "");
        add("0000:44:00.0", "0x1ed5", "0x0201", "vfio-pci");
        folder.write("module/hydcu/version", "5.1.0\n");
        folder.write("module/hydcu/srcversion", "ABCDEF\n");
        folder.write("module/cambricon_drv/version", "4.20\n");
        std::filesystem::create_directories(folder / "bus/platform/drivers/onchip-npu");
    }
    void add(const std::string& address, const char* vendor, const char* device, const std::string& driver) {
        const std::string place = "devices/pci0000:00/" + address;
        folder.write(place + "/vendor", std::string(vendor) + "\n");
        folder.write(place + "/device", std::string(device) + "\n");
        std::filesystem::create_directories(folder / "bus/pci/devices");
        std::filesystem::create_directory_symlink("../../../" + place, folder / "bus/pci/devices/" + address);
        if (driver.empty()) return;
        std::filesystem::create_directories(folder / "bus/pci/drivers/" + driver);
        std::filesystem::create_symlink("../../../bus/pci/drivers/" + driver, folder / place + "/driver");
    }

    TempFolder folder;
    Environment root;
};

struct Case {
    const char* hardware;
    const char* reason; // "" = it is there
};

const Case kCases[] = {
    {R"([{"pci_vendor": "0x1d94"}])", ""},
    {R"([{"pci_vendor": "0x1d94", "pci_devices": ["0x55b7", "0x6210"]}])", ""},
    {R"([{"pci_vendor": "0x1d94", "drivers": ["hycu", "hydcu"]}])", ""},
    {R"([{"pci_vendor": "0x1d94", "pci_devices": ["0x6210"], "drivers": ["hydcu"]}])", ""},
    {R"([{"pci_vendor": "0x1ed5"}])", ""},
    {R"([{"pci_vendor": "0xffff"}, {"pci_vendor": "0x1d94"}])", ""},
    {R"([{"drivers": ["hydcu"]}])", ""},
    {R"([{"drivers": ["cambricon-drv"]}])", ""},
    {R"([{"drivers": ["none", "onchip-npu"]}])", ""},

    {R"([{"pci_vendor": "0x1e3e"}])", "there is no PCI device of vendor 0x1e3e"},
    {R"([{"pci_vendor": "0x1d94", "pci_devices": ["0x55b7", "0x62b7"]}])",
     "there is no PCI device of vendor 0x1d94 with one of the 2 device ids of its manifest"},
    {R"([{"pci_vendor": "0x1ed5", "pci_devices": ["0x0200"], "drivers": ["mtgpu"]}])",
     "the card 0000:43:00.0 (PCI 0x1ed5:0x0200) is driven by no driver instead of mtgpu"},
    {R"([{"pci_vendor": "0x1ed5", "pci_devices": ["0x0201"], "drivers": ["mtgpu", "mtgpu2"]}])",
     "the card 0000:44:00.0 (PCI 0x1ed5:0x0201) is driven by vfio-pci instead of mtgpu or mtgpu2"},
    {R"([{"pci_vendor": "0xffff"}, {"pci_vendor": "0x1ed5", "drivers": ["mtgpu"]}, {"drivers": ["none"]}])",
     "the card 0000:43:00.0"},
    {R"([{"drivers": ["none"]}])", "the kernel driver none is not loaded"},
};

const Case kWrong[] = {
    {R"([])", "the key \"hardware\" is []; it must be a list of 1 to 64 objects"},
    {R"({})", "the key \"hardware\" is {}"},
    {R"("0x1d94")", "the key \"hardware\" is \"0x1d94\""},
    {R"([7])", "the key \"hardware[0]\" is no object"},
    {R"([{"drivers": ["a"]}, {}])", "the key \"hardware[1]\" has neither \"pci_vendor\" nor \"drivers\""},
    {R"([{"pci_devices": ["0x0001"], "drivers": ["a"]}])", "\"hardware[0].pci_devices\" is there without \"pci_vendor\""},
    {R"([{"pci_vendor": "1d94"}])", "the key \"hardware[0].pci_vendor\" is \"1d94\"; it must be four lower-case"},
    {R"([{"pci_vendor": "0x1D94"}])", "the key \"hardware[0].pci_vendor\" is \"0x1D94\""},
    {R"([{"pci_vendor": ""}])", "the key \"hardware[0].pci_vendor\" is \"\""},
    {R"([{"pci_vendor": 7572}])", "the key \"hardware[0].pci_vendor\" is 7572"},
    {R"([{"pci_vendor": "0x1d94", "pci_devices": []}])", "the key \"hardware[0].pci_devices\" is []"},
    {R"([{"pci_vendor": "0x1d94", "pci_devices": ["0x6210", 1]}])", "the key \"hardware[0].pci_devices\" is"},
    {R"([{"drivers": [".."]}])", "the key \"hardware[0].drivers\" is [\"..\"]"},
    {R"([{"drivers": ["a/b"]}])", "the key \"hardware[0].drivers\" is"},
    {R"([{"drivers": [""]}])", "the key \"hardware[0].drivers\" is"},
    {R"([{"drivers": "hydcu"}])", "the key \"hardware[0].drivers\" is \"hydcu\""},
};

std::string with(const std::string& hardware) {
    return manifest("p", QIAO_FIXTURE_T0_PLUGIN, ", \"hardware\": " + hardware);
}

loader::Manifest read(const std::string& text) {
    loader::Manifest result;
    const loader::Verdict problem = loader::parse_manifest("/m/p.json", text, result);
    CAPTURE(problem ? problem->reason : "");
    REQUIRE_FALSE(problem);
    return result;
}

} // namespace

TEST_SUITE("loader.hardware") {
    TEST_CASE("a plugin is loaded only where one of its kinds of card is") {
        const Sysfs sysfs;
        for (const Case& each : kCases) {
            CAPTURE(std::string(each.hardware));
            const TempFolder folder;
            const std::string path = folder.write("p.json", with(each.hardware));
            Recorder recorder;
            const auto candidates = discover(folder.path(), recorder);
            const loader::Candidate& candidate = find(candidates, path);
            CAPTURE(candidate.reason);
            if (*each.reason == '\0') {
                CHECK(candidate.state == QIAO_CANDIDATE_STATE_USABLE);
            } else {
                CHECK(candidate.state == QIAO_CANDIDATE_STATE_NO_DEVICES);
                CHECK(contains(candidate.reason, each.reason));
                CHECK(candidate.remedy != "");
                CHECK(candidate.loaded == nullptr);
                CHECK(candidate.probe == "");
            }
        }
    }

    TEST_CASE("a missing card is normal, and only informed of") {
        const Sysfs sysfs;
        const TempFolder folder;
        folder.write("p.json", with(R"([{"pci_vendor": "0x1e3e"}])"));
        Recorder recorder;
        discover(folder.path(), recorder);
        const std::vector<Recorder::Line> lines = recorder.lines();
        REQUIRE(lines.size() == 1);
        CHECK(lines[0].level == QIAO_LOG_LEVEL_INFO);
    }

    TEST_CASE("where the system does not tell, the plugin may look for itself") {
        const TempFolder empty;
        const Environment root("QIAO_SYSFS_ROOT", empty.path());
        CHECK_FALSE(loader::check_hardware(read(with(R"([{"pci_vendor": "0x1e3e"}])")).hardware));
        empty.write("bus/platform/x", ""); // sysfs, but no PCI
        CHECK(loader::check_hardware(read(with(R"([{"pci_vendor": "0x1e3e"}])")).hardware));
        CHECK_FALSE(loader::check_hardware({}));
    }

    TEST_CASE("cards that come and go while it is looked are no trouble") {
        Sysfs sysfs;
        std::filesystem::create_directory_symlink("../../../devices/gone", sysfs.folder / "bus/pci/devices/0000:99:00.0");
        sysfs.folder.write("devices/pci0000:00/0000:98:00.0/vendor", std::string(100000, 'x'));
        std::filesystem::create_directory_symlink("../../../devices/pci0000:00/0000:98:00.0",
                                                  sysfs.folder / "bus/pci/devices/0000:98:00.0");
        CHECK_FALSE(loader::check_hardware(read(with(R"([{"pci_vendor": "0x1d94"}])")).hardware));
    }

    TEST_CASE("versions of the named drivers are found, also of those with a hyphen") {
        const Sysfs sysfs;
        const auto versions = [](const char* hardware) { return loader::driver_versions(read(with(hardware)).hardware); };
        CHECK(versions(R"([{"drivers": ["hydcu", "cambricon-drv", "none"]}])") ==
              "hydcu=5.1.0/ABCDEF;cambricon-drv=4.20/;none=/;");
        CHECK(versions(R"([{"pci_vendor": "0x1d94"}])") == "");
    }

    TEST_CASE("refuses a wrong description of hardware, with its place") {
        for (const Case& each : kWrong) {
            CAPTURE(std::string(each.hardware));
            loader::Manifest result;
            const loader::Verdict problem = loader::parse_manifest("/m/p.json", with(each.hardware), result);
            REQUIRE(problem);
            CAPTURE(problem->reason);
            CHECK(problem->state == QIAO_CANDIDATE_STATE_BAD_MANIFEST);
            CHECK(contains(problem->reason, each.reason));
        }
        std::string many = "[";
        for (int i = 0; i < 65; ++i)
            many += std::string(i == 0 ? "" : ",") + R"({"drivers": ["a"]})";
        loader::Manifest result;
        CHECK(loader::parse_manifest("/m/p.json", with(many + "]"), result));
    }

    TEST_CASE("unknown keys of a kind are named with their place") {
        CHECK(read(with(R"([{"drivers": ["a"], "x-note": 1, "class": 2}])")).unknown_keys ==
              std::vector<std::string>{"hardware[0].class"});
    }
}
