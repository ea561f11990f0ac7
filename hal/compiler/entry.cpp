// The C interface: reads growing structs, catches what may be thrown below, owns outputs. Everything else is compile.cpp's.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "compile.h"
#include "formats.h"
#include "qiao/compiler.h"

struct qiao_compiler_output {
    qiao_status status = QIAO_ERROR_INTERNAL;
    std::string package;
    std::string log;
    std::string message;
    std::string remedy;
    std::string included; /* one a line */
    uint32_t line = 0;
    bool from_cache = false;
};

namespace {

using namespace qiao::compiler;

constexpr uint64_t kKnownFlags = QIAO_COMPILER_NO_CACHE | QIAO_COMPILER_BEST_EFFORT | QIAO_COMPILER_THIS_PROCESSOR;

std::string text_or(const char* text, const char* otherwise) {
    return text ? text : otherwise;
}

Failure invalid(std::string message, const char* remedy) {
    return {QIAO_ERROR_INVALID_ARGUMENT, std::move(message), remedy, "", 0};
}

Outcome<Request> read(const qiao_compiler_desc* given) {
    if (given == nullptr) return invalid("desc is null", "pass a qiao_compiler_desc");
    // A caller built against an older header has a shorter struct; a newer one may only add what is zero.
    constexpr size_t kFirst = offsetof(qiao_compiler_desc, source_name);
    if (given->struct_size < kFirst || given->struct_size > 4096)
        return invalid(concat("desc.struct_size is ", given->struct_size), "start from QIAO_COMPILER_DESC_INIT");
    qiao_compiler_desc desc = QIAO_COMPILER_DESC_INIT;
    std::memcpy(&desc, given, std::min(given->struct_size, sizeof desc));
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    for (size_t i = sizeof desc; i < given->struct_size; ++i) {
        if (bytes[i] != 0)
            return invalid(concat("desc has a field at byte ", i, " that this library does not know"), "update Qiao");
    }
    if (desc.next != nullptr) return invalid("desc.next is not null", "no extension is defined: pass null");
    if (desc.source == nullptr) return invalid("desc.source is null", "give OpenCL C text and its size");
    if (desc.flags & ~kKnownFlags)
        return invalid(concat("desc.flags has unknown bits: ", desc.flags), "use QIAO_COMPILER_... flags only");
    Request request;
    request.source = {desc.source, desc.source_size};
    request.source_name = text_or(desc.source_name, "kernel.cl");
    request.options = text_or(desc.options, "");
    request.formats = text_or(desc.formats, "");
    request.required = text_or(desc.required_formats, "");
    request.cache_directory = desc.cache_directory;
    request.time_limit_ns = desc.time_limit_ns;
    request.use_cache = (desc.flags & QIAO_COMPILER_NO_CACHE) == 0;
    request.best_effort = (desc.flags & QIAO_COMPILER_BEST_EFFORT) != 0;
    request.this_processor = (desc.flags & QIAO_COMPILER_THIS_PROCESSOR) != 0;
    return request;
}

void fail(qiao_compiler_output& output, Failure failure) {
    output.status = failure.status;
    output.message = std::move(failure.message);
    output.remedy = std::move(failure.remedy);
    output.log = std::move(failure.log);
    output.line = failure.line;
}

/* Makes the output, lets `body` fill it, and turns what is thrown into a status. */
template <typename Body>
qiao_status produce(qiao_compiler_output** out_output, Body body) noexcept {
    if (out_output == nullptr) return QIAO_ERROR_INVALID_ARGUMENT;
    *out_output = new (std::nothrow) qiao_compiler_output;
    if (*out_output == nullptr) return QIAO_ERROR_OUT_OF_MEMORY;
    qiao_compiler_output& output = **out_output;
    try {
        body(output);
        return output.status;
    } catch (const std::bad_alloc&) {
        output.status = QIAO_ERROR_OUT_OF_MEMORY;
    } catch (const std::exception& error) {
        output.status = QIAO_ERROR_INTERNAL;
        try {
            output.message = concat("the compiler library failed: ", error.what());
            output.remedy = "report this as a defect";
        } catch (...) {
            output.message.clear();
        }
    }
    return output.status;
}

} // namespace

qiao_status qiao_compiler_compile(const qiao_compiler_desc* desc, qiao_compiler_output** out_output) noexcept {
    return produce(out_output, [desc](qiao_compiler_output& output) {
        const auto request = read(desc);
        if (!request) return fail(output, request.error());
        auto compiled = compile(*request);
        if (!compiled) return fail(output, compiled.error());
        output.status = QIAO_OK;
        output.package = std::move(compiled->package);
        output.log = std::move(compiled->log);
        output.from_cache = compiled->from_cache;
        for (const std::string& file : compiled->included)
            output.included += file + "\n";
    });
}

qiao_status qiao_compiler_check(const char* formats, qiao_compiler_output** out_output) noexcept {
    return produce(out_output, [formats](qiao_compiler_output& output) {
        auto text = check_tools(text_or(formats, "opencl-c;host-elf"));
        if (!text) return fail(output, text.error());
        output.status = QIAO_OK;
        output.log = *std::move(text);
    });
}

const char* qiao_compiler_get_formats() noexcept {
    return qiao::compiler::format_names();
}

qiao_status qiao_compiler_output_query(const qiao_compiler_output* output, qiao_compiler_result* out_result) noexcept {
    if (output == nullptr || out_result == nullptr) return QIAO_ERROR_INVALID_ARGUMENT;
    const size_t size = out_result->struct_size;
    if (size < offsetof(qiao_compiler_result, package) || size > 4096) return QIAO_ERROR_INVALID_ARGUMENT;
    qiao_compiler_result result = QIAO_COMPILER_RESULT_INIT;
    result.struct_size = size;
    result.next = out_result->next;
    result.package = output->status == QIAO_OK && !output->package.empty() ? output->package.data() : nullptr;
    result.package_size = result.package ? output->package.size() : 0;
    result.log = output->log.c_str();
    result.message = output->message.c_str();
    result.remedy = output->remedy.c_str();
    result.status = output->status;
    result.line = output->line;
    result.from_cache = output->from_cache ? 1 : 0;
    result.included = output->included.c_str();
    std::memcpy(out_result, &result, std::min(size, sizeof result));
    if (size > sizeof result)
        std::memset(reinterpret_cast<unsigned char*>(out_result) + sizeof result, 0, size - sizeof result);
    return QIAO_OK;
}

void qiao_compiler_output_release(qiao_compiler_output* output) noexcept {
    delete output;
}
