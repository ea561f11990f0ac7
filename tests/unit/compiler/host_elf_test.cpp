// Host ELF variants are opened and run by hand, as hal/docs/packages.md says: one kernel of each kind, on every level this
// CPU has.
#include <dlfcn.h>

#include <cmath>
#include <map>

#include "support.h"
#include "tools.h"

using qiao::package::Argument;
using qiao::package::Kernel;
using qiao::package::Package;
using support::contains;
using support::Output;

namespace {

/* PoCL 3.1's context of a work-group. */
struct Context {
    uint64_t group_count[3];
    uint64_t global_offset[3];
    uint64_t group_size[3];
    void* printf_buffer;
    uint32_t* printf_position;
    uint32_t printf_capacity;
    uint32_t dimensions;
};
using Entry = void (*)(void** arguments, Context* context, uint64_t x, uint64_t y, uint64_t z);

struct Arena {
    alignas(128) unsigned char bytes[4096];
};

/* One variant's library, opened from a file of its own. */
class Library {
  public:
    Library(const Package& package, size_t variant) : package_(package), variant_(package.variants()[variant]) {
        const auto blob = package.read(variant);
        REQUIRE(blob);
        const std::string path = directory_ / "kernels.so";
        support::write(path, {reinterpret_cast<const char*>(blob->bytes.data()), blob->bytes.size()});
        handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        const char* reason = handle_ ? "" : dlerror();
        INFO(reason);
        REQUIRE(handle_ != nullptr);
    }
    ~Library() { dlclose(handle_); }
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    void* symbol(const std::string& name) const { return dlsym(handle_, name.c_str()); }

    /* Runs all groups, one after the other. `block` is the packed argument block. */
    void launch(const std::string& name, std::vector<uint64_t> groups, std::vector<uint64_t> size, const void* block) {
        size_t index = 0;
        while (package_.kernels().at(index).name != name)
            ++index;
        const auto entry = reinterpret_cast<Entry>(symbol("_pocl_kernel_" + name + "_workgroup"));
        REQUIRE((entry != nullptr));
        groups.resize(3, 1);
        size.resize(3, 1);
        uint32_t position = 0;
        Context context = {
            {groups[0], groups[1], groups[2]}, {0, 0, 0}, {size[0], size[1], size[2]}, nullptr, &position, 0, 3};
        bind(index, block);
        for (uint64_t z = 0; z < groups[2]; ++z)
            for (uint64_t y = 0; y < groups[1]; ++y)
                for (uint64_t x = 0; x < groups[0]; ++x)
                    entry(arguments_.data(), &context, x, y, z);
    }

    std::map<std::string, std::string> metadata(size_t kernel) const {
        std::map<std::string, std::string> values;
        std::string text = variant_.metadata.at(kernel) + ";";
        for (size_t at; (at = text.find(';')) != std::string::npos; text.erase(0, at + 1))
            values[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1, at - text.find('=') - 1);
        return values;
    }

  private:
    void bind(size_t index, const void* block) {
        const Kernel& kernel = package_.kernels()[index];
        std::memcpy(block_.bytes, block, kernel.block_size);
        arguments_.clear();
        locals_.clear();
        locals_.reserve(64);
        for (const Argument& argument : kernel.arguments) {
            void* place = block_.bytes + argument.offset;
            if (argument.kind == QIAO_ARGUMENT_KIND_LOCAL) {
                uint32_t size = 0;
                std::memcpy(&size, place, sizeof size);
                place = arena(size);
            }
            arguments_.push_back(place);
        }
        const std::string sizes = metadata(index).at("auto_local");
        for (size_t at = 0; at < sizes.size(); at = std::min(sizes.find(',', at), sizes.size() - 1) + 1)
            arguments_.push_back(arena(std::stoul(sizes.substr(at))));
    }
    /* A variable that holds the address of a buffer of `size` bytes. */
    void* arena(size_t size) {
        REQUIRE(size <= sizeof(Arena));
        arenas_.push_back(std::make_unique<Arena>());
        locals_.push_back(arenas_.back()->bytes);
        return &locals_.back();
    }

    const Package& package_;
    const qiao::package::Variant& variant_;
    qiao::compiler::TemporaryDirectory directory_ = support::directory();
    void* handle_ = nullptr;
    Arena block_;
    std::vector<void*> arguments_;
    std::vector<void*> locals_;
    std::vector<std::unique_ptr<Arena>> arenas_;
};

bool runs_here(const std::string& target) {
#if defined(__x86_64__)
    return target != "x86_64-v3" || __builtin_cpu_supports("avx2");
#else
    return true;
#endif
}

/* Every host variant this CPU can run. */
template <typename Body>
void for_each_library(const Package& package, Body body) {
    size_t run = 0;
    for (size_t i = 0; i < package.variants().size(); ++i) {
        const auto& variant = package.variants()[i];
        if (variant.format != "host-elf" || !runs_here(variant.target)) continue;
        CAPTURE(variant.target);
        Library library(package, i);
        body(library);
        ++run;
    }
    CHECK(run != 0);
}

/* Keeps the bytes of a package as long as it is used. */
struct Built {
    explicit Built(const std::string& source, const char* options = nullptr) : output(make(source, options)) {}
    static qiao_compiler_desc make(const std::string& source, const char* options) {
        auto desc = support::desc(source);
        desc.formats = "opencl-c;host-elf";
        desc.options = options;
        return desc;
    }
    Output output;
    Package package = output.package();
};

const std::string kProgram = R"(
struct params { float factor; char pad; double offset; };
kernel void add(global const float* a, global const float* b, global float* c, uint n) {
    size_t i = get_global_id(0);
    if (i < n) c[i] = a[i] + b[i];
}
kernel void sum(global const int* x, local int* scratch, global int* out) {
    local int partial[16];
    local int last;
    const size_t l = get_local_id(0), size = get_local_size(0);
    scratch[l] = x[get_global_id(0)];
    if (l < 16) partial[l] = 0;
    if (l == size - 1) last = scratch[l];
    barrier(CLK_LOCAL_MEM_FENCE);
    atomic_add(&partial[l % 16], scratch[(l + 1) % size]);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (l == 0) {
        int total = 0;
        for (int i = 0; i < 16; ++i) total += partial[i];
        out[2 * get_group_id(0)] = total;
        out[2 * get_group_id(0) + 1] = last;
    }
}
kernel void values(global double* out, struct params p, float3 v, char c, short2 s, ulong u) {
    out[0] = p.factor; out[1] = p.offset; out[2] = v.z; out[3] = c; out[4] = s.y; out[5] = (double)u;
}
kernel void grid(global ulong* out) {
    size_t at = get_global_id(0) + get_global_size(0) * (get_global_id(1) + get_global_size(1) * get_global_id(2));
    out[at] = get_local_id(0) + 100 * get_local_id(1) + 10000 * get_local_id(2) + 1000000 * get_group_id(2);
}
kernel void mathematics(global const float* x, global float* y) {
    size_t i = get_global_id(0);
    y[i] = sin(x[i]) + exp(x[i]) * fma(x[i], 2.0f, 1.0f) + convert_float(convert_int_sat_rte(x[i])) + sqrt(x[i]);
}
kernel void talks(global int* x) { printf("%d\n", x[0]); x[0] += 1; }
)";

} // namespace

TEST_SUITE("compiler.host_elf") {
    TEST_CASE("kernels of every kind run on every level") {
        const Built built(kProgram);
        const auto& variants = built.package.variants();
        REQUIRE(variants.size() == 2 + qiao::compiler::host_levels().size());
        CHECK(variants[0].is_source);
        CHECK(contains(variants[2].tool, "pocl-3.1 clang-15"));
        CHECK(variants[2].features == built.package.variants()[0].features);
        for_each_library(built.package, [&](Library& library) {
            {
                INFO("a plain kernel");
                std::vector<float> a(1000), b(1000), c(1000, -1);
                for (size_t i = 0; i < a.size(); ++i)
                    a[i] = static_cast<float>(i), b[i] = 0.5f;
                const struct {
                    const float *a, *b;
                    float* c;
                    uint32_t n;
                } block = {a.data(), b.data(), c.data(), 990};
                REQUIRE(built.package.kernels()[0].block_size == sizeof block);
                library.launch("add", {10}, {100}, &block);
                for (size_t i = 0; i < c.size(); ++i)
                    REQUIRE(c[i] == (i < 990 ? a[i] + 0.5f : -1));
            }
            {
                INFO("barriers, atomics, local arguments and automatic local buffers");
                std::vector<int> x(96), out(6);
                for (size_t i = 0; i < x.size(); ++i)
                    x[i] = static_cast<int>(i);
                const struct {
                    const int* x;
                    int* out;
                    uint32_t scratch_bytes;
                } block = {x.data(), out.data(), 32 * 4};
                REQUIRE(built.package.kernels()[1].block_size == sizeof block);
                CHECK(library.metadata(1).at("auto_local") == "64,4");
                CHECK(std::stoul(library.metadata(1).at("private")) <= 256);
                library.launch("sum", {3}, {32}, &block);
                CHECK(out == std::vector<int>{496, 31, 1520, 63, 2544, 95});
            }
            {
                INFO("values of all sizes");
                alignas(16) double out[6] = {};
                struct Params {
                    float factor;
                    char pad;
                    double offset;
                };
                struct alignas(16) {
                    double* out;
                    Params p;
                    alignas(16) float v[4];
                    char c;
                    alignas(4) short s[2];
                    uint64_t u;
                } block = {out, {1.5f, 0, 2.25}, {1, 2, 3, 0}, -4, {5, -6}, UINT64_C(1) << 40};
                REQUIRE(built.package.kernels()[2].block_size == sizeof block);
                library.launch("values", {1}, {1}, &block);
                const double expected[] = {1.5, 2.25, 3, -4, -6, 1099511627776.0};
                CHECK(std::equal(out, out + 6, expected));
            }
            {
                INFO("three dimensions");
                std::vector<uint64_t> out(4 * 6 * 4);
                const uint64_t* block = out.data();
                library.launch("grid", {2, 2, 2}, {2, 3, 2}, &block);
                CHECK(out[0] == 0);
                CHECK(out[1 + 4 * (2 + 6 * 3)] == 1 + 200 + 10000 + 1000000);
                CHECK(out[3 + 4 * (5 + 6 * 3)] == 1 + 200 + 10000 + 1000000);
            }
            {
                INFO("built-in mathematics");
                std::vector<float> x = {0.1f, 1.25f, 2.5f, 3.75f}, y(4);
                const struct {
                    const float* x;
                    float* y;
                } block = {x.data(), y.data()};
                library.launch("mathematics", {1}, {4}, &block);
                for (size_t i = 0; i < x.size(); ++i) {
                    const float expected = std::sin(x[i]) + std::exp(x[i]) * std::fma(x[i], 2.0f, 1.0f) +
                                           std::nearbyint(x[i]) + std::sqrt(x[i]);
                    CHECK(std::fabs(y[i] - expected) <= 1e-5f * std::fabs(expected));
                }
            }
            {
                INFO("a kernel that prints, without a buffer to print to");
                int x = 41;
                const int* block = &x;
                library.launch("talks", {1}, {1}, &block);
                CHECK(x == 42);
            }
            {
                INFO("nothing but the entries is visible");
                CHECK(library.symbol("_pocl_kernel_add_workgroup") != nullptr);
                CHECK(library.symbol("_pocl_kernel_add_workgroup_fast") == nullptr);
                CHECK(library.symbol("_pocl_kernel_add") == nullptr);
            }
        });
    }

    TEST_CASE("for this processor alone there is one variant, which runs here; the cache keeps the two requests apart") {
        const auto directory = support::directory();
        const std::string source = "kernel void set(global int* x) { x[get_global_id(0)] = 7; }";
        auto desc = Built::make(source, nullptr);
        desc.flags = 0;
        desc.cache_directory = directory.path().c_str();
        const Output all(desc);
        CHECK(all.package().variants().size() == 2 + qiao::compiler::host_levels().size());
        desc.flags = QIAO_COMPILER_THIS_PROCESSOR;
        const Output one(desc);
        const Package package = one.package();
        REQUIRE(package.variants().size() == 3);
        CHECK(package.variants()[2].target == qiao::compiler::this_level().target);
        int x[4] = {};
        int* const block = x;
        Library(package, 2).launch("set", {2}, {2}, &block);
        for (const int value : x) CHECK(value == 7);
        const Output again(desc);
        CHECK(again.result.from_cache == 1);
        CHECK(again.package().variants().size() == 3);
    }

    TEST_CASE("definitions and included files reach the code") {
        const auto root = support::directory();
        support::write(root / "seven.h", "#pragma once\n#define SEVEN 7\n");
        const Built built("#include \"seven.h\"\nkernel void k(global int* x) { x[0] = SEVEN * N; }",
                          ("-I '" + root.path() + "' -DN='(2 + 1)'").c_str());
        for_each_library(built.package, [](Library& library) {
            int x = 0;
            const int* block = &x;
            library.launch("k", {1}, {1}, &block);
            CHECK(x == 21);
        });
    }

    TEST_CASE("private arrays are reported as stack per work-item") {
        const Built built(
            "kernel void k(global int* x) { int p[64]; size_t i = get_global_id(0);\n"
            "for (int j = 0; j < 64; ++j) p[j] = x[(i + j) % 64]; barrier(CLK_LOCAL_MEM_FENCE);\n"
            "int s = 0; for (int j = 0; j < 64; ++j) s += p[(j * i) % 64]; x[i] = s; }");
        for_each_library(built.package, [](Library& library) {
            CHECK(std::stoul(library.metadata(0).at("private")) >= 256);
            CHECK(library.metadata(0).at("auto_local") == "");
        });
    }

    TEST_CASE("equal sources give equal packages") {
        const std::string source =
            "kernel void a(global int* x) { x[0] = 1; } kernel void b(local int* l, global int* x) {\n"
            "l[get_local_id(0)] = 1; barrier(CLK_LOCAL_MEM_FENCE); x[0] = l[1]; }";
        const Built one(source), two(source);
        CHECK(std::equal(one.output.bytes().begin(), one.output.bytes().end(), two.output.bytes().begin(),
                         two.output.bytes().end()));
    }

    TEST_CASE("what PoCL has not is refused with the reason") {
        const std::string source =
            "#pragma OPENCL EXTENSION cl_khr_fp16 : enable\nkernel void k(global half* x) { x[0] *= x[1]; }";
        const Output output(Built::make(source, nullptr));
        CHECK(output.status == QIAO_ERROR_UNSUPPORTED);
        CHECK(output.message() ==
              "kernel 'k' needs half-precision arithmetic, which PoCL 3.1 does not have on host CPUs");
    }

    TEST_CASE("a function that nobody defines is named") {
        const std::string source = "int nobody(int x); kernel void k(global int* x) { x[0] = nobody(x[1]); }";
        const Output output(Built::make(source, nullptr));
        CHECK(output.status == QIAO_ERROR_BUILD);
        CHECK(contains(output.log(), "nobody"));
        CHECK(contains(output.message(), "nobody"));
    }

    TEST_CASE("the user's own PoCL cache and variables are left alone") {
        const auto root = support::directory();
        const support::Environment cache("POCL_CACHE_DIR", root / "pocl");
        const support::Environment vendors("OCL_ICD_VENDORS", "/nonexistent");
        const support::Environment temporary("TMPDIR", root.path());
        const Built built("kernel void k(global int* x) { x[0] = 1; }");
        CHECK(std::filesystem::is_empty(root.path()));
    }
}
