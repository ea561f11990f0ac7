#include "exports/structs.h"

namespace fakes {

PlacedBox placed(const Copy2d* copy) {
    require(copy != nullptr, Error::kInvalidValue);
    const size_t source_pitch = copy->source.pitch != 0 ? copy->source.pitch : copy->width_bytes;
    const size_t target_pitch = copy->target.pitch != 0 ? copy->target.pitch : copy->width_bytes;
    Box box;
    box.width = copy->width_bytes;
    box.height = copy->height;
    box.source_pitch = source_pitch;
    box.target_pitch = target_pitch;
    return {end_of(copy->target, copy->target.y * target_pitch + copy->target.x_bytes),
            end_of(copy->source, copy->source.y * source_pitch + copy->source.x_bytes), box};
}

PlacedBox placed(const Copy3d* copy) {
    require(copy != nullptr, Error::kInvalidValue);
    const auto pitch_of = [copy](const CopyEnd3d& end) { return end.pitch != 0 ? end.pitch : copy->width_bytes; };
    const auto slice_of = [&](const CopyEnd3d& end) { return pitch_of(end) * (end.height != 0 ? end.height : copy->height); };
    const auto begin_of = [&](const CopyEnd3d& end) { return end.z * slice_of(end) + end.y * pitch_of(end) + end.x_bytes; };
    Box box;
    box.width = copy->width_bytes;
    box.height = copy->height;
    box.depth = copy->depth;
    box.source_pitch = pitch_of(copy->source);
    box.target_pitch = pitch_of(copy->target);
    box.source_slice_pitch = slice_of(copy->source);
    box.target_slice_pitch = slice_of(copy->target);
    return {end_of(copy->target, begin_of(copy->target)), end_of(copy->source, begin_of(copy->source)), box};
}

} // namespace fakes
