// Programs and kernels of the null driver. OpenCL C is read just far enough to know the kernels and the sizes of their
// arguments, SPIR-V to know their names and how many they take; nothing is compiled.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "driver.h"

using namespace null_driver;

namespace {

NULL_POINT(clCreateProgramWithSource)
NULL_POINT(clCreateProgramWithIL)
NULL_POINT(clBuildProgram)
NULL_POINT(clCreateKernel)
NULL_POINT(clGetKernelInfo)
NULL_POINT(clGetKernelWorkGroupInfo)
NULL_POINT(clSetKernelArg)
NULL_POINT(clSetKernelArgSVMPointer)

int size_of_type(const std::string& text) {
    static const struct {
        const char* name;
        int size;
    } types[] = {{"uchar", 1}, {"char", 1},  {"ushort", 2}, {"short", 2}, {"half", 2},   {"uint", 4},
                 {"int", 4},   {"float", 4}, {"ulong", 8},  {"long", 8},  {"double", 8}, {"size_t", 8}};
    for (const auto& type : types) {
        const size_t at = text.find(type.name);
        if (at == std::string::npos || (at != 0 && text[at - 1] != ' ')) continue;
        const int lanes = std::atoi(text.c_str() + at + std::strlen(type.name));
        return type.size * (lanes == 0 ? 1 : lanes == 3 ? 4 : lanes);
    }
    return kAny;
}

int size_of_argument(const std::string& text) {
    if (text.find('*') == std::string::npos) return size_of_type(text);
    return text.find("local ") != std::string::npos ? kLocal : kPointer;
}

// Every "kernel void name(argument, ...)".
std::vector<_cl_program::Kernel> read_source(const std::string& source) {
    std::vector<_cl_program::Kernel> kernels;
    static const std::string mark = "kernel void ";
    for (size_t at = source.find(mark); at != std::string::npos; at = source.find(mark, at + 1)) {
        const size_t name = at + mark.size(), open = source.find('(', name), close = source.find(')', open);
        if (close == std::string::npos) break;
        _cl_program::Kernel kernel;
        kernel.name = source.substr(name, open - name);
        const std::string list = source.substr(open + 1, close - open - 1);
        for (size_t start = 0; start < list.size();) {
            const size_t end = std::min(list.find(',', start), list.size());
            std::string argument = list.substr(start, end - start);
            argument.erase(0, argument.find_first_not_of(" \n"));
            kernel.sizes.push_back(size_of_argument(argument));
            start = end + 1;
        }
        kernels.push_back(std::move(kernel));
    }
    return kernels;
}

// OpEntryPoint (15) names a function; OpFunction (54) and its OpFunctionParameters (55) say how many arguments it takes.
std::vector<_cl_program::Kernel> read_il(const std::string& binary) {
    std::vector<_cl_program::Kernel> kernels;
    std::vector<uint32_t> words(binary.size() / 4), functions;
    std::memcpy(words.data(), binary.data(), words.size() * 4);
    _cl_program::Kernel* current = nullptr;
    for (size_t i = 5; i < words.size() && words[i] >> 16 != 0; i += words[i] >> 16) {
        const uint32_t operation = words[i] & 0xffff;
        if (i + (words[i] >> 16) > words.size()) break;
        if (operation == 15) {
            kernels.push_back({reinterpret_cast<const char*>(&words[i + 3]), {}});
            functions.push_back(words[i + 2]);
        } else if (operation == 54) {
            current = nullptr;
            for (size_t k = 0; k < kernels.size(); ++k)
                if (functions[k] == words[i + 2]) current = &kernels[k];
        } else if (operation == 55 && current != nullptr) {
            current->sizes.push_back(kAny);
        }
    }
    return kernels;
}

cl_program make_program(std::string text, bool is_il, cl_int* out_code) {
    auto* program = keep(new _cl_program{});
    program->tag = _cl_program::kTag;
    program->is_il = is_il;
    program->source = std::move(text);
    ++counts.programs;
    if (out_code != nullptr) *out_code = CL_SUCCESS;
    return program;
}

void release_program(cl_program program) {
    if (--program->references != 0) return;
    --counts.programs;
    bury(program);
}

cl_int give(const void* value, size_t size, size_t room, void* out, size_t* out_size) {
    if (out_size != nullptr) *out_size = size;
    if (out == nullptr) return CL_SUCCESS;
    if (room < size) return misuse("an answer does not fit the size given", CL_INVALID_VALUE);
    std::memcpy(out, value, size);
    return CL_SUCCESS;
}

} // namespace

NULL_EXPORT cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char** strings,
                                                 const size_t* lengths, cl_int* out_code) {
    NULL_FAIL_OBJECT(clCreateProgramWithSource, out_code);
    if (!alive(context)) return misuse("a program in no context", 0), nullptr;
    std::string text;
    for (cl_uint i = 0; i < count; ++i)
        text += lengths != nullptr && lengths[i] != 0 ? std::string(strings[i], lengths[i]) : std::string(strings[i]);
    return make_program(text, false, out_code);
}

NULL_EXPORT cl_program clCreateProgramWithIL(cl_context, const void* data, size_t size, cl_int* out_code) {
    NULL_FAIL_OBJECT(clCreateProgramWithIL, out_code);
    uint32_t magic = 0;
    if (size >= 20) std::memcpy(&magic, data, 4);
    if (settings.il && magic == 0x07230203u)
        return make_program({static_cast<const char*>(data), size}, true, out_code);
    if (out_code != nullptr) *out_code = settings.il ? CL_INVALID_VALUE : CL_INVALID_OPERATION;
    return nullptr;
}

NULL_EXPORT cl_int clBuildProgram(cl_program program, cl_uint, const cl_device_id*, const char* options,
                                  void(CL_CALLBACK*)(cl_program, void*), void*) {
    NULL_FAIL(clBuildProgram);
    if (!alive(program)) return misuse("clBuildProgram of no program", CL_INVALID_PROGRAM);
    if (options == nullptr) misuse("clBuildProgram without options", CL_SUCCESS);
    if (options != nullptr && std::strstr(options, "-bad-option") != nullptr) return CL_INVALID_BUILD_OPTIONS;
    const size_t error = program->is_il ? std::string::npos : program->source.find("#error");
    if (error != std::string::npos) {
        const auto line =
            1 + std::count(program->source.begin(), program->source.begin() + static_cast<long>(error), '\n');
        program->log = "<source>:" + std::to_string(line) + ":2: error: the source asks for it\n1 error generated.\n";
        return CL_BUILD_PROGRAM_FAILURE;
    }
    program->kernels = program->is_il ? read_il(program->source) : read_source(program->source);
    program->built = true;
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clReleaseProgram(cl_program program) {
    if (!alive(program)) return misuse("clReleaseProgram of no program", CL_INVALID_PROGRAM);
    release_program(program);
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clGetProgramInfo(cl_program program, cl_program_info what, size_t room, void* out,
                                    size_t* out_size) {
    if (!alive(program)) return misuse("clGetProgramInfo of no program", CL_INVALID_PROGRAM);
    if (what != CL_PROGRAM_KERNEL_NAMES) return CL_INVALID_VALUE;
    std::string names;
    for (const auto& kernel : program->kernels)
        names += (names.empty() ? "" : ";") + kernel.name;
    return give(names.c_str(), names.size() + 1, room, out, out_size);
}

NULL_EXPORT cl_int clGetProgramBuildInfo(cl_program program, cl_device_id, cl_program_build_info what, size_t room,
                                         void* out, size_t* out_size) {
    if (what != CL_PROGRAM_BUILD_LOG) return CL_INVALID_VALUE;
    return give(program->log.c_str(), program->log.size() + 1, room, out, out_size);
}

NULL_EXPORT cl_kernel clCreateKernel(cl_program program, const char* name, cl_int* out_code) {
    NULL_FAIL_OBJECT(clCreateKernel, out_code);
    if (!alive(program) || !program->built) return misuse("clCreateKernel of no built program", 0), nullptr;
    for (const auto& source : program->kernels) {
        if (source.name != name || source.sizes.size() > 64) continue;
        auto* kernel = keep(new _cl_kernel{});
        kernel->tag = _cl_kernel::kTag;
        kernel->program = program;
        kernel->count = static_cast<uint32_t>(source.sizes.size());
        kernel->missing = kernel->count == 64 ? ~uint64_t{0} : (uint64_t{1} << kernel->count) - 1;
        kernel->checked_frees = UINT64_MAX;
        for (uint32_t i = 0; i < kernel->count; ++i)
            kernel->arguments[i].size = source.sizes[i];
        ++program->references;
        ++counts.kernels;
        if (out_code != nullptr) *out_code = CL_SUCCESS;
        return kernel;
    }
    if (out_code != nullptr) *out_code = CL_INVALID_KERNEL_NAME;
    return nullptr;
}

NULL_EXPORT cl_int clReleaseKernel(cl_kernel kernel) {
    if (!alive(kernel)) return misuse("clReleaseKernel of no kernel", CL_INVALID_KERNEL);
    --counts.kernels;
    release_program(kernel->program);
    bury(kernel);
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clGetKernelInfo(cl_kernel kernel, cl_kernel_info what, size_t room, void* out, size_t* out_size) {
    NULL_FAIL(clGetKernelInfo);
    if (!alive(kernel)) return misuse("clGetKernelInfo of no kernel", CL_INVALID_KERNEL);
    if (what != CL_KERNEL_NUM_ARGS) return CL_INVALID_VALUE;
    const cl_uint count = kernel->count;
    return give(&count, sizeof count, room, out, out_size);
}

NULL_EXPORT cl_int clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id, cl_kernel_work_group_info what, size_t room,
                                            void* out, size_t* out_size) {
    NULL_FAIL(clGetKernelWorkGroupInfo);
    if (!alive(kernel)) return misuse("clGetKernelWorkGroupInfo of no kernel", CL_INVALID_KERNEL);
    const size_t size = what == CL_KERNEL_WORK_GROUP_SIZE ? 512 : 32;
    const cl_ulong bytes = what == CL_KERNEL_LOCAL_MEM_SIZE ? 1024 : 16;
    if (what == CL_KERNEL_WORK_GROUP_SIZE || what == CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE)
        return give(&size, sizeof size, room, out, out_size);
    return give(&bytes, sizeof bytes, room, out, out_size);
}

static cl_int set_buffer(cl_kernel kernel, cl_uint index, size_t size, const void* value) {
    if (size != sizeof(cl_mem) || (value != nullptr && !is_live_buffer(value)))
        return misuse("clSetKernelArg of a pointer by value, or of a buffer that was released", CL_INVALID_MEM_OBJECT);
    kernel->arguments[index].frees = frees.load(std::memory_order_relaxed);
    kernel->missing &= ~(uint64_t{1} << index);
    ++counts.arguments;
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void* value) {
    NULL_FAIL(clSetKernelArg);
    if (NULL_UNLIKELY(!alive(kernel))) return misuse("clSetKernelArg of no kernel", CL_INVALID_KERNEL);
    if (NULL_UNLIKELY(index >= kernel->count))
        return misuse("clSetKernelArg beyond the last argument", CL_INVALID_ARG_INDEX);
    const int wanted = kernel->arguments[index].size;
    if (wanted > 0 && NULL_UNLIKELY(size != static_cast<size_t>(wanted)))
        return misuse("clSetKernelArg with another size than the argument has", CL_INVALID_ARG_SIZE);
    if (NULL_UNLIKELY(wanted == kPointer)) return set_buffer(kernel, index, size, value);
    if (NULL_UNLIKELY(wanted == kLocal && size == 0)) return CL_INVALID_ARG_SIZE;
    if (NULL_UNLIKELY((value == nullptr) != (wanted == kLocal)))
        return misuse("clSetKernelArg with null, or local memory with a value", CL_INVALID_ARG_VALUE);
    kernel->missing &= ~(uint64_t{1} << index);
    ++counts.arguments;
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clSetKernelArgSVMPointer(cl_kernel kernel, cl_uint index, const void* value) {
    NULL_FAIL(clSetKernelArgSVMPointer);
    if (NULL_UNLIKELY(!alive(kernel))) return misuse("a pointer argument of no kernel", CL_INVALID_KERNEL);
    if (NULL_UNLIKELY(index >= kernel->count))
        return misuse("a pointer beyond the last argument", CL_INVALID_ARG_INDEX);
    const int wanted = kernel->arguments[index].size;
    if (NULL_UNLIKELY(wanted != kPointer && wanted != kAny))
        return misuse("a pointer for an argument that is none", CL_INVALID_ARG_VALUE);
    if (NULL_UNLIKELY(settings.strict && value != nullptr && !reachable(value, 1, false)))
        return misuse("a pointer argument outside every allocation", CL_INVALID_ARG_VALUE);
    kernel->arguments[index].frees = frees.load(std::memory_order_relaxed);
    kernel->missing &= ~(uint64_t{1} << index);
    ++counts.arguments;
    return CL_SUCCESS;
}

NULL_EXPORT cl_int clSetKernelExecInfo(cl_kernel kernel, cl_kernel_exec_info what, size_t size, const void* value) {
    if (!alive(kernel)) return misuse("clSetKernelExecInfo of no kernel", CL_INVALID_KERNEL);
    if (what != CL_KERNEL_EXEC_INFO_SVM_PTRS) return size == sizeof(cl_bool) ? CL_SUCCESS : CL_INVALID_VALUE;
    for (size_t i = 0; i < size / sizeof(void*); ++i)
        if (!reachable(static_cast<void* const*>(value)[i], 1, false))
            return misuse("clSetKernelExecInfo with a pointer that was freed", CL_INVALID_VALUE);
    return CL_SUCCESS;
}
