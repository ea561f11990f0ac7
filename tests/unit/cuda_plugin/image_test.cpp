// Images: what begins as it must is given to a driver, and nothing else; targets fit by the format's rule.
#include "cuda/image.h"

#include <doctest/doctest.h>
#include <elf.h>

#include <cstring>
#include <vector>

#include "cuda/family_reader.h"

using namespace qiao::cuda;

namespace {

Family family(const char* id) {
    Family read;
    REQUIRE(read_family({QIAO_TEST_FAMILIES}, id, &read) == "");
    return read;
}

std::vector<unsigned char> elf(uint16_t machine, unsigned char elf_class = ELFCLASS64) {
    Elf64_Ehdr head = {};
    memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = elf_class;
    head.e_ident[EI_DATA] = ELFDATA2LSB;
    head.e_machine = machine;
    std::vector<unsigned char> bytes(sizeof head + 16);
    memcpy(bytes.data(), &head, sizeof head);
    return bytes;
}

std::string check(const Family& of, const char* format, const std::vector<unsigned char>& bytes) {
    return check_image(*find_format(of, format), bytes.data(), bytes.size());
}

std::vector<unsigned char> bytes_of(const std::string& text) {
    return {text.begin(), text.end()};
}

} // namespace

TEST_SUITE("cuda.image") {
    TEST_CASE("an image for another card is told by its beginning, its machine or its cut") {
        const Family cu = family("cu"), mu = family("mu"), hip = family("hip");
        CHECK(check(cu, "cubin", elf(190)) == "");
        CHECK(check(hip, "hsaco", elf(224)) == "");
        CHECK(check(mu, "mubin", bytes_of("__CLANG_OFFLOAD_BUNDLE__ and more")) == "");
        CHECK(check(mu, "mubin", elf(0)) == "");
        CHECK(check(cu, "cubin", elf(224)).find("made for the ELF machine 224, the format cubin is for 190") != std::string::npos);
        CHECK(check(cu, "cubin", elf(190, ELFCLASS32)).find("no 64-bit little-endian ELF file") != std::string::npos);
        CHECK(check(cu, "cubin", bytes_of("\x7f" "ELF")).find("cut off after 4 bytes") != std::string::npos);
        CHECK(check(mu, "mubin", bytes_of("MZ\x90")).find("begins with 4d 5a 90, which is not how mubin begins (\"__CLANG_OFFLOAD_BUNDLE__\" or an ELF file's)") !=
              std::string::npos);
        CHECK(check(cu, "cubin", {}).find("begins with nothing") != std::string::npos);
        CHECK(find_format(cu, "mubin") == nullptr);
    }

    TEST_CASE("PTX is text with a version and a target") {
        const Family cu = family("cu");
        CHECK(check(cu, "ptx", bytes_of(".version 7.5\n.target sm_60\n")) == "");
        CHECK(check(cu, "ptx", bytes_of(".version 7.5\n")).find("\".target\" stands nowhere in it") != std::string::npos);
        CHECK(check(cu, "ptx", elf(190)) != "");
    }

    TEST_CASE("targets fit by the rule of their format") {
        const Family cu = family("cu"), mu = family("mu"), hip = family("hip"), mc = family("mc");
        std::string reason;
        const auto score = [&](const Family& of, const char* format, const char* target, const char* device) {
            reason.clear();
            return score_target(of, *find_format(of, format), target, device, &reason);
        };
        CHECK(score(cu, "cubin", "sm_80", "sm_80") > score(cu, "cubin", "sm_80", "sm_86"));
        CHECK(score(cu, "cubin", "sm_80", "sm_86") > 0);
        CHECK(score(cu, "cubin", "sm_86", "sm_80") == 0);
        CHECK(reason == "it is for sm_86, the device is sm_80");
        CHECK(score(cu, "cubin", "sm_75", "sm_80") == 0);
        CHECK(score(cu, "ptx", "sm_60", "sm_90") > 0);
        CHECK(score(cu, "ptx", "sm_90", "sm_80") == 0);
        CHECK(score(mu, "mubin", "mp_22", "mp_22") > 0);
        CHECK(score(mu, "mubin", "mp_21", "mp_22") == 0);
        CHECK(score(hip, "hsaco", "gfx906", "gfx906") > score(hip, "hsaco", "gfx90a", "gfx910"));
        CHECK(score(hip, "hsaco", "gfx90a", "gfx910") > 0); // the number alone does not tell all names
        CHECK(score(mc, "mcfatbin", "", "") > 0);
        CHECK(score(cu, "cubin", "sm_80", "") > 0); // a device that does not say: its driver will
    }
}
