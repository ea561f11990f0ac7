/* Through libpng's simplified interface: it needs no setjmp, which C++ destructors and it do not survive together. */
#include "cli/array/png.h"

#include <png.h>

#include <limits>

#include "cli/failure.h"

namespace qiao::cli {
namespace {

constexpr uint64_t kMaxPictureBytes = uint64_t{1} << 30;

/* libpng's state of one picture, freed also when something throws. */
struct Picture {
    Picture() { image.version = PNG_IMAGE_VERSION; }
    ~Picture() { png_image_free(&image); }
    Picture(const Picture&) = delete;
    Picture& operator=(const Picture&) = delete;

    png_image image{};
};

uint64_t channels_of(const Shape& shape) {
    return shape.size() == 2 ? 1 : shape[2];
}

bool is_picture(const Array& array) {
    if (array.element != Element::U8 || array.shape.size() < 2 || array.shape.size() > 3) return false;
    const uint64_t channels = channels_of(array.shape);
    const uint64_t limit = std::numeric_limits<int32_t>::max() / 4; /* libpng's rows are counted with 32 bits */
    return channels >= 1 && channels <= 4 && array.shape[0] >= 1 && array.shape[0] <= limit && array.shape[1] >= 1 &&
           array.shape[1] <= limit;
}

} // namespace

Array parse_png(std::span<const std::byte> file, const std::string& name) {
    Picture picture;
    png_image& image = picture.image;
    if (png_image_begin_read_from_memory(&image, file.data(), file.size()) == 0) {
        throw Failure(kExitFailed, text(name, ": not a usable picture: ", image.message), "use an undamaged PNG file");
    }
    image.format &= PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_COLOR; /* 8 bits, no palette, RGBA in this order */
    const uint64_t channels = PNG_IMAGE_SAMPLE_CHANNELS(image.format);
    Shape shape{image.height, image.width};
    if (channels > 1) shape.push_back(channels);
    const std::optional<uint64_t> bytes = byte_count(Element::U8, shape);
    if (!bytes || *bytes > kMaxPictureBytes) {
        throw Failure(kExitFailed,
                      text(name, ": the picture has ", shape_text(shape), " bytes, the limit is ", kMaxPictureBytes),
                      "use a smaller picture");
    }
    Array array = make_array(Element::U8, shape, name);
    if (png_image_finish_read(&image, nullptr, array.bytes.data(), 0, nullptr) == 0) {
        throw Failure(kExitFailed, text(name, ": not a usable picture: ", image.message), "use an undamaged PNG file");
    }
    return array;
}

std::vector<std::byte> format_png(const Array& array, const std::string& name) {
    if (!is_picture(array)) {
        throw Failure(kExitUsage,
                      text(name,
                           ": a picture is u8[height x width] or u8[height x width x channels] with 1 to 4 "
                           "channels, not ",
                           type_text(array.element, array.shape)),
                      "write it as .npy");
    }
    Picture picture;
    png_image& image = picture.image;
    image.height = static_cast<png_uint_32>(array.shape[0]);
    image.width = static_cast<png_uint_32>(array.shape[1]);
    constexpr png_uint_32 kFormats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
    image.format = kFormats[channels_of(array.shape) - 1];
    image.flags = PNG_IMAGE_FLAG_FAST;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    std::vector<std::byte> file(size);
    if (png_image_write_to_memory(&image, file.data(), &size, 0, array.bytes.data(), 0, nullptr) == 0) {
        throw Failure(kExitFailed, text(name, ": the picture could not be written: ", image.message));
    }
    file.resize(size);
    return file;
}

} // namespace qiao::cli
