/* Kernels: layouts that are refused, the history of running times, images and processor levels. */
#include "mock/kernel.h"

#include <elf.h>

#include "kernels.h"
#include "mock/module.h"

using kernels::contains;
using mock::Code;
using mock::Kernel;
using mock::KernelDesc;

TEST_SUITE("kernel.validate") {
    TEST_CASE("refuses what cannot be launched") {
        KernelDesc desc = kernels::add_desc();
        SUBCASE("no function") {
            desc.function = nullptr;
            CHECK(contains(Kernel::validate(desc).message(), "has no function"));
        }
        SUBCASE("an argument outside the block") {
            desc.block_size = 16;
            CHECK(contains(Kernel::validate(desc).message(), "argument 2 \"addend\": offset 16 with 4 bytes"));
        }
        SUBCASE("an address of 4 bytes") {
            desc.arguments[0].size = 4;
            CHECK(contains(Kernel::validate(desc).message(), "argument 0 \"in\": 4 bytes"));
        }
        SUBCASE("a misaligned offset") {
            desc.arguments[1].offset = 4;
            CHECK(contains(Kernel::validate(desc).message(), "argument 1 \"out\": offset 4"));
        }
        SUBCASE("an alignment that is none") {
            desc.arguments[2].alignment = 3;
            CHECK(contains(Kernel::validate(desc).message(), "alignment 3"));
        }
        SUBCASE("a value of 0 bytes") {
            desc.arguments[2].size = 0;
            CHECK(contains(Kernel::validate(desc).message(), "argument 2 \"addend\": 0 bytes"));
        }
        SUBCASE("too large a block") {
            desc.block_size = 4097;
            CHECK(contains(Kernel::validate(desc).message(), "4097 bytes; the limit is 4096"));
        }
        SUBCASE("too many arguments") {
            desc.arguments.assign(129, desc.arguments[2]);
            CHECK(contains(Kernel::validate(desc).message(), "129 arguments; the limit is 128"));
        }
        SUBCASE("too much local memory") {
            desc.automatic_locals = {UINT32_MAX, UINT32_MAX};
            CHECK(contains(Kernel::validate(desc).message(), "bytes of local variables"));
        }
        SUBCASE("too many local variables") {
            desc.automatic_locals.assign(65, 4);
            CHECK(contains(Kernel::validate(desc).message(), "65 local variables; the limit is 64"));
        }
        CHECK_FALSE(Kernel::validate(desc).ok());
    }
}

TEST_SUITE("kernel.predict") {
    TEST_CASE("rises at once and falls by halves") {
        const Kernel kernel(kernels::empty_desc());
        CHECK(kernel.predict(100) == Kernel::kUnknown);
        kernel.learn(100, 50);
        CHECK(kernel.predict(100) == 50);
        kernel.learn(100, 4000);
        CHECK(kernel.predict(100) == 4000);
        kernel.learn(100, 50);
        CHECK(kernel.predict(100) == 2025);
        for (int i = 0; i < 20; ++i)
            kernel.learn(100, 50);
        CHECK(kernel.predict(100) <= 100);
    }

    TEST_CASE("takes the next larger size as the bound of a smaller one, never the other way") {
        const Kernel kernel(kernels::empty_desc());
        kernel.learn(1000, 70);
        CHECK(kernel.predict(10) == 70);
        CHECK(kernel.predict(1'000'000) == Kernel::kUnknown);
        CHECK(kernel.predict(UINT64_MAX) == Kernel::kUnknown);
        kernel.learn(UINT64_MAX, 9);
        CHECK(kernel.predict(1'000'000) == 9);
    }
}

TEST_SUITE("module.load") {
    TEST_CASE("refuses what is no image before the dynamic loader sees it") {
        std::vector<std::byte> image(4096);
        const auto load = [&image] { return mock::Module::load(image, "\"p\"").status(); };
        Elf64_Ehdr header = {};
        const auto put = [&] { std::memcpy(image.data(), &header, sizeof(header)); };
        CHECK(contains(load().message(), "program \"p\": not an ELF image"));
        image.resize(10);
        CHECK(contains(load().message(), "too short for an ELF image: 10 bytes"));
        image.assign(4096, std::byte{0});
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        put();
        CHECK(contains(load().message(), "not a 64-bit little-endian shared object"));
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_type = ET_DYN;
        header.e_machine = EM_68K;
        put();
        CHECK(load().code() == Code::kUnsupported);
#if defined(__x86_64__)
        header.e_machine = EM_X86_64;
        header.e_phentsize = sizeof(Elf64_Phdr);
        header.e_phnum = 1;
        header.e_phoff = 4090;
        put();
        CHECK(contains(load().message(), "program headers lie outside"));
        header.e_phoff = UINT64_MAX - 8;
        put();
        CHECK(contains(load().message(), "program headers lie outside"));
        header.e_phoff = 64;
        put();
        CHECK(contains(load().message(), "no segment to load"));
        Elf64_Phdr segment = {};
        segment.p_type = PT_LOAD;
        segment.p_offset = 4000;
        segment.p_filesz = 97;
        std::memcpy(image.data() + 64, &segment, sizeof(segment));
        CHECK(contains(load().message(), "segment 0 lies outside the image"));
#endif
    }
}

TEST_SUITE("module.score_target") {
    TEST_CASE("the processor's own level is good, others are refused with the reason") {
        std::string reason;
        CHECK(mock::score_target(mock::host_target(), reason) > 0);
        CHECK(reason.empty());
        CHECK(mock::score_target("sw_64", reason) == 0);
        CHECK(contains(reason, "made for \"sw_64\""));
#if defined(__x86_64__)
        CHECK(mock::score_target("x86_64", reason) <= mock::score_target(mock::host_target(), reason));
#endif
    }
}
