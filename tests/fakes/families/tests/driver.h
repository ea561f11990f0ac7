/* A family's library as a program uses it that knows the family: one shape for the tests, behind which the calls are the family's own. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fakes_test {

using Address = uint64_t;

class Library {
  public:
    explicit Library(const std::string& file);
    ~Library();
    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    void* find(const std::string& name) const; /* null = not exported */
    /* A function by its whole name; a missing one fails the test. */
    template <class Signature>
    Signature* get(const std::string& name) const {
        return reinterpret_cast<Signature*>(required(name));
    }
    void close();

  private:
    void* required(const std::string& name) const;
    void* handle_ = nullptr;
};

struct Shape {
    unsigned groups[3] = {1, 1, 1};
    unsigned group[3] = {1, 1, 1};
    unsigned shared_bytes = 0;
    void* stream = nullptr;
};

/* All answer the library's code. */
struct Driver {
    std::string id;
    std::string prefix;
    std::function<int()> init;
    std::function<int(int*)> count;
    std::function<int(int device)> use; /* its context becomes the thread's */
    std::function<int()> use_none;      /* empty where a thread always has one */
    std::function<int(int*, int attribute, int device)> attribute;
    std::function<int(Address*, size_t)> allocate;
    std::function<int(Address)> free;
    std::function<int(void**, size_t)> allocate_host;
    std::function<int(void*)> free_host;
    std::function<int(void*, size_t)> register_host;
    std::function<int(Address, const void*, size_t)> write;
    std::function<int(void*, Address, size_t)> read;
    std::function<int(Address, Address, size_t)> move;
    std::function<int(Address, const void*, size_t, void* stream)> write_async;
    std::function<int(void*, Address, size_t, void* stream)> read_async;
    std::function<int(Address, int device, Address, int source_device, size_t)> move_peer;
    std::function<int(int peer)> enable_peer; /* for the thread's device */
    std::function<int(Address, unsigned char, size_t)> fill;
    std::function<int(void**, const std::vector<std::byte>&)> load;
    std::function<int(void*)> unload;
    std::function<int(void**, void* module, const char*)> function;
    std::function<int(void* function, const Shape&, void** parameters, void** extra)> launch;
    std::function<int(void**)> create_stream;
    std::function<int(void*)> destroy_stream;
    std::function<int(void*)> wait_stream;
    std::function<int(void**)> create_event;
    std::function<int(void*)> destroy_event;
    std::function<int(void*, void* stream)> record;
    std::function<int(void*)> wait_event;
    std::function<int(float*, void*, void*)> elapsed;
    std::function<std::string(int)> error_name;

    /* The numbers of what the tests meet. */
    struct Codes {
        int bad_pointer = 1, no_context = 201, not_found = 500, bad_configuration = 1, not_implemented = 801;
    } codes;
};

/* The file of the family that FAKE_TEST_FAMILY names, in the folder of that name, or that FAKE_TEST_FOLDER names. */
std::string family();
std::string library_file();
Driver driver_of(const Library& library);

/* Of the package of kernels.cl. */
std::vector<std::byte> image_for(const std::string& family);

} // namespace fakes_test
