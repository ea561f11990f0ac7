/* Size and offsets of every public struct and the value of every public constant, for 64-bit machines. What is released
 * stands here for ever: a growing struct gets new lines (and a new size), a frozen one never changes. Compiled by the lint
 * check_layout.py with -Wpadded; `check_layout.py --missing` prints the lines that new declarations need. */
#include <qiao/compiler.h>
#include <qiao/plugin.h>
#include <qiao/qiao.h>

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "the size of " #type " changed")
#define AT(type, member, offset) _Static_assert(offsetof(type, member) == (offset), "the place of " #type "." #member " changed")
#define VALUE(constant, value) _Static_assert((constant) == (value), "the value of " #constant " changed")

_Static_assert(sizeof(void*) == 8 && sizeof(size_t) == 8, "the numbers below are those of 64-bit machines");

SIZE(qiao_device_properties, 224);
AT(qiao_device_properties, struct_size, 0);
AT(qiao_device_properties, next, 8);
AT(qiao_device_properties, id, 16);
AT(qiao_device_properties, plugin, 24);
AT(qiao_device_properties, name, 32);
AT(qiao_device_properties, vendor, 40);
AT(qiao_device_properties, driver, 48);
AT(qiao_device_properties, target, 56);
AT(qiao_device_properties, formats, 64);
AT(qiao_device_properties, note, 72);
AT(qiao_device_properties, flags, 80);
AT(qiao_device_properties, features, 88);
AT(qiao_device_properties, memory_bytes, 96);
AT(qiao_device_properties, max_allocation_bytes, 104);
AT(qiao_device_properties, uuid, 112);
AT(qiao_device_properties, pci_domain, 128);
AT(qiao_device_properties, pci_bus, 132);
AT(qiao_device_properties, pci_device, 136);
AT(qiao_device_properties, pci_function, 140);
AT(qiao_device_properties, pci_vendor_id, 144);
AT(qiao_device_properties, pci_device_id, 148);
AT(qiao_device_properties, memory_kinds, 152);
AT(qiao_device_properties, compute_units, 156);
AT(qiao_device_properties, max_group_size, 160);
AT(qiao_device_properties, max_group, 164);
AT(qiao_device_properties, max_group_count, 176);
AT(qiao_device_properties, local_memory_bytes, 188);
AT(qiao_device_properties, subgroup_width, 192);
AT(qiao_device_properties, preferred_group_multiple, 196);
AT(qiao_device_properties, max_argument_bytes, 200);
AT(qiao_device_properties, queue_priorities, 204);
AT(qiao_device_properties, clock_mhz, 208);
AT(qiao_device_properties, address_bits, 212);
AT(qiao_device_properties, generation, 216);

VALUE(QIAO_DEVICE_SIMULATED, 1);
VALUE(QIAO_DEVICE_UNIFIED, 2);
VALUE(QIAO_DEVICE_ADDRESSES_EMULATED, 4);
VALUE(QIAO_DEVICE_LIMIT_MEMORY_BYTES, 0);
VALUE(QIAO_DEVICE_LIMIT_MAX_ALLOCATION_BYTES, 1);
VALUE(QIAO_DEVICE_LIMIT_MAX_GROUP_SIZE, 2);
VALUE(QIAO_DEVICE_LIMIT_LOCAL_MEMORY_BYTES, 3);
VALUE(QIAO_DEVICE_LIMIT_COMPUTE_UNITS, 4);
VALUE(QIAO_DEVICE_LIMIT_SUBGROUP_WIDTH, 5);
VALUE(QIAO_DEVICE_LIMIT_PREFERRED_GROUP_MULTIPLE, 6);
VALUE(QIAO_DEVICE_LIMIT_MAX_ARGUMENT_BYTES, 7);
VALUE(QIAO_DEVICE_LIMIT_FEATURES, 8);
VALUE(QIAO_DEVICE_STATE_OK, 0);
VALUE(QIAO_DEVICE_STATE_LOST, 1);
VALUE(QIAO_PROVENANCE_ABSENT, 0);
VALUE(QIAO_PROVENANCE_NATIVE, 1);
VALUE(QIAO_PROVENANCE_EMULATED, 2);

SIZE(qiao_instance_desc, 64);
AT(qiao_instance_desc, struct_size, 0);
AT(qiao_instance_desc, next, 8);
AT(qiao_instance_desc, plugin_path, 16);
AT(qiao_instance_desc, visible_devices, 24);
AT(qiao_instance_desc, log, 32);
AT(qiao_instance_desc, log_user, 40);
AT(qiao_instance_desc, log_level, 48);
AT(qiao_instance_desc, reserved0, 52);
AT(qiao_instance_desc, flags, 56);

SIZE(qiao_candidate, 80);
AT(qiao_candidate, struct_size, 0);
AT(qiao_candidate, next, 8);
AT(qiao_candidate, state, 16);
AT(qiao_candidate, device_count, 20);
AT(qiao_candidate, manifest, 24);
AT(qiao_candidate, library, 32);
AT(qiao_candidate, plugin, 40);
AT(qiao_candidate, version, 48);
AT(qiao_candidate, reason, 56);
AT(qiao_candidate, remedy, 64);
AT(qiao_candidate, probe, 72);

VALUE(QIAO_CANDIDATE_STATE_USABLE, 1);
VALUE(QIAO_CANDIDATE_STATE_NO_DEVICES, 2);
VALUE(QIAO_CANDIDATE_STATE_DISABLED, 3);
VALUE(QIAO_CANDIDATE_STATE_BAD_MANIFEST, 4);
VALUE(QIAO_CANDIDATE_STATE_NOT_LOADABLE, 5);
VALUE(QIAO_CANDIDATE_STATE_INCOMPATIBLE, 6);
VALUE(QIAO_CANDIDATE_STATE_REFUSED, 7);
VALUE(QIAO_CANDIDATE_STATE_FAILED, 8);

SIZE(qiao_memory_desc, 48);
AT(qiao_memory_desc, struct_size, 0);
AT(qiao_memory_desc, next, 8);
AT(qiao_memory_desc, size_bytes, 16);
AT(qiao_memory_desc, alignment, 24);
AT(qiao_memory_desc, kind, 32);
AT(qiao_memory_desc, reserved0, 36);
AT(qiao_memory_desc, flags, 40);

SIZE(qiao_memory_properties, 56);
AT(qiao_memory_properties, struct_size, 0);
AT(qiao_memory_properties, next, 8);
AT(qiao_memory_properties, device, 16);
AT(qiao_memory_properties, address, 24);
AT(qiao_memory_properties, size_bytes, 32);
AT(qiao_memory_properties, host_pointer, 40);
AT(qiao_memory_properties, kind, 48);
AT(qiao_memory_properties, reserved0, 52);

SIZE(qiao_plugin_error, 64);
AT(qiao_plugin_error, struct_size, 0);
AT(qiao_plugin_error, next, 8);
AT(qiao_plugin_error, status, 16);
AT(qiao_plugin_error, line, 20);
AT(qiao_plugin_error, vendor_code, 24);
AT(qiao_plugin_error, vendor_text, 32);
AT(qiao_plugin_error, message, 40);
AT(qiao_plugin_error, remedy, 48);
AT(qiao_plugin_error, log, 56);

SIZE(qiao_host_api, 112);
AT(qiao_host_api, struct_size, 0);
AT(qiao_host_api, abi_major, 8);
AT(qiao_host_api, abi_minor, 12);
AT(qiao_host_api, host, 16);
AT(qiao_host_api, plugin_directory, 24);
AT(qiao_host_api, manifest_json, 32);
AT(qiao_host_api, log, 40);
AT(qiao_host_api, completed, 48);
AT(qiao_host_api, device_lost, 56);
AT(qiao_host_api, error, 64);
AT(qiao_host_api, allocate, 72);
AT(qiao_host_api, release, 80);
AT(qiao_host_api, pause, 88);
AT(qiao_host_api, now_ns, 96);
AT(qiao_host_api, extension, 104);

SIZE(qiao_plugin_memory_desc, 48);
AT(qiao_plugin_memory_desc, struct_size, 0);
AT(qiao_plugin_memory_desc, next, 8);
AT(qiao_plugin_memory_desc, size_bytes, 16);
AT(qiao_plugin_memory_desc, alignment, 24);
AT(qiao_plugin_memory_desc, kind, 32);
AT(qiao_plugin_memory_desc, reserved0, 36);
AT(qiao_plugin_memory_desc, flags, 40);

SIZE(qiao_plugin_allocation, 48);
AT(qiao_plugin_allocation, struct_size, 0);
AT(qiao_plugin_allocation, next, 8);
AT(qiao_plugin_allocation, allocation, 16);
AT(qiao_plugin_allocation, address, 24);
AT(qiao_plugin_allocation, host_pointer, 32);
AT(qiao_plugin_allocation, size_bytes, 40);

SIZE(qiao_plugin_place, 24);
AT(qiao_plugin_place, allocation, 0);
AT(qiao_plugin_place, offset, 8);
AT(qiao_plugin_place, address, 16);

SIZE(qiao_plugin_argument, 32);
AT(qiao_plugin_argument, name, 0);
AT(qiao_plugin_argument, kind, 8);
AT(qiao_plugin_argument, access, 12);
AT(qiao_plugin_argument, offset, 16);
AT(qiao_plugin_argument, size_bytes, 20);
AT(qiao_plugin_argument, alignment, 24);
AT(qiao_plugin_argument, reserved0, 28);

SIZE(qiao_plugin_kernel_desc, 72);
AT(qiao_plugin_kernel_desc, struct_size, 0);
AT(qiao_plugin_kernel_desc, next, 8);
AT(qiao_plugin_kernel_desc, name, 16);
AT(qiao_plugin_kernel_desc, arguments, 24);
AT(qiao_plugin_kernel_desc, argument_count, 32);
AT(qiao_plugin_kernel_desc, block_size, 36);
AT(qiao_plugin_kernel_desc, required_group, 40);
AT(qiao_plugin_kernel_desc, static_local_bytes, 52);
AT(qiao_plugin_kernel_desc, features, 56);
AT(qiao_plugin_kernel_desc, vendor_metadata, 64);

SIZE(qiao_plugin_kernel, 48);
AT(qiao_plugin_kernel, struct_size, 0);
AT(qiao_plugin_kernel, next, 8);
AT(qiao_plugin_kernel, kernel, 16);
AT(qiao_plugin_kernel, max_group_size, 24);
AT(qiao_plugin_kernel, preferred_group_multiple, 28);
AT(qiao_plugin_kernel, private_bytes, 32);
AT(qiao_plugin_kernel, static_local_bytes, 36);
AT(qiao_plugin_kernel, flags, 40);

SIZE(qiao_plugin_program_desc, 80);
AT(qiao_plugin_program_desc, struct_size, 0);
AT(qiao_plugin_program_desc, next, 8);
AT(qiao_plugin_program_desc, format, 16);
AT(qiao_plugin_program_desc, target, 24);
AT(qiao_plugin_program_desc, tool, 32);
AT(qiao_plugin_program_desc, data, 40);
AT(qiao_plugin_program_desc, size_bytes, 48);
AT(qiao_plugin_program_desc, options, 56);
AT(qiao_plugin_program_desc, cache_directory, 64);
AT(qiao_plugin_program_desc, features, 72);

SIZE(qiao_plugin_binding, 16);
AT(qiao_plugin_binding, allocation, 0);
AT(qiao_plugin_binding, offset, 8);

SIZE(qiao_plugin_geometry, 96);
AT(qiao_plugin_geometry, group_count, 0);
AT(qiao_plugin_geometry, local_bytes, 12);
AT(qiao_plugin_geometry, group_size, 16);
AT(qiao_plugin_geometry, block_size, 28);
AT(qiao_plugin_geometry, global_offset, 32);
AT(qiao_plugin_geometry, binding_count, 44);
AT(qiao_plugin_geometry, tail, 48);
AT(qiao_plugin_geometry, dimensions, 60);
AT(qiao_plugin_geometry, generation, 64);
AT(qiao_plugin_geometry, flags, 72);
AT(qiao_plugin_geometry, reserved0, 80);
AT(qiao_plugin_geometry, reserved1, 88);

SIZE(qiao_plugin_device_info, 688);
AT(qiao_plugin_device_info, struct_size, 0);
AT(qiao_plugin_device_info, next, 8);
AT(qiao_plugin_device_info, flags, 16);
AT(qiao_plugin_device_info, roles, 24);
AT(qiao_plugin_device_info, name, 32);
AT(qiao_plugin_device_info, vendor, 160);
AT(qiao_plugin_device_info, driver, 224);
AT(qiao_plugin_device_info, target, 288);
AT(qiao_plugin_device_info, note, 352);
AT(qiao_plugin_device_info, uuid, 544);
AT(qiao_plugin_device_info, pci_domain, 560);
AT(qiao_plugin_device_info, pci_bus, 564);
AT(qiao_plugin_device_info, pci_device, 568);
AT(qiao_plugin_device_info, pci_function, 572);
AT(qiao_plugin_device_info, pci_vendor_id, 576);
AT(qiao_plugin_device_info, pci_device_id, 580);
AT(qiao_plugin_device_info, memory_bytes, 584);
AT(qiao_plugin_device_info, max_allocation_bytes, 592);
AT(qiao_plugin_device_info, features, 600);
AT(qiao_plugin_device_info, memory_kinds, 608);
AT(qiao_plugin_device_info, compute_units, 612);
AT(qiao_plugin_device_info, max_group_size, 616);
AT(qiao_plugin_device_info, local_memory_bytes, 620);
AT(qiao_plugin_device_info, max_group, 624);
AT(qiao_plugin_device_info, max_group_count, 636);
AT(qiao_plugin_device_info, subgroup_width, 648);
AT(qiao_plugin_device_info, preferred_group_multiple, 652);
AT(qiao_plugin_device_info, max_argument_bytes, 656);
AT(qiao_plugin_device_info, queue_priorities, 660);
AT(qiao_plugin_device_info, clock_mhz, 664);
AT(qiao_plugin_device_info, address_bits, 668);
AT(qiao_plugin_device_info, formats, 672);
AT(qiao_plugin_device_info, tables, 680);

SIZE(qiao_plugin_device_ops, 88);
AT(qiao_plugin_device_ops, struct_size, 0);
AT(qiao_plugin_device_ops, device_count, 8);
AT(qiao_plugin_device_ops, device_query, 16);
AT(qiao_plugin_device_ops, device_open, 24);
AT(qiao_plugin_device_ops, device_close, 32);
AT(qiao_plugin_device_ops, device_synchronize, 40);
AT(qiao_plugin_device_ops, device_state, 48);
AT(qiao_plugin_device_ops, device_reset, 56);
AT(qiao_plugin_device_ops, device_memory_free, 64);
AT(qiao_plugin_device_ops, device_clock, 72);
AT(qiao_plugin_device_ops, device_native, 80);

SIZE(qiao_plugin_memory_ops, 72);
AT(qiao_plugin_memory_ops, struct_size, 0);
AT(qiao_plugin_memory_ops, memory_allocate, 8);
AT(qiao_plugin_memory_ops, memory_free, 16);
AT(qiao_plugin_memory_ops, memory_write, 24);
AT(qiao_plugin_memory_ops, memory_read, 32);
AT(qiao_plugin_memory_ops, memory_map, 40);
AT(qiao_plugin_memory_ops, memory_unmap, 48);
AT(qiao_plugin_memory_ops, memory_native, 56);
AT(qiao_plugin_memory_ops, memory_wrap, 64);

SIZE(qiao_plugin_program_ops, 48);
AT(qiao_plugin_program_ops, struct_size, 0);
AT(qiao_plugin_program_ops, program_load, 8);
AT(qiao_plugin_program_ops, program_unload, 16);
AT(qiao_plugin_program_ops, kernel_find, 24);
AT(qiao_plugin_program_ops, kernel_launch, 32);
AT(qiao_plugin_program_ops, program_score, 40);

SIZE(qiao_plugin_copy, 112);
AT(qiao_plugin_copy, source, 0);
AT(qiao_plugin_copy, target, 24);
AT(qiao_plugin_copy, size_bytes, 48);
AT(qiao_plugin_copy, rows, 56);
AT(qiao_plugin_copy, source_pitch, 64);
AT(qiao_plugin_copy, target_pitch, 72);
AT(qiao_plugin_copy, value, 80);
AT(qiao_plugin_copy, flags, 88);
AT(qiao_plugin_copy, source_device, 96);
AT(qiao_plugin_copy, target_device, 104);

SIZE(qiao_plugin_fill, 72);
AT(qiao_plugin_fill, target, 0);
AT(qiao_plugin_fill, size_bytes, 24);
AT(qiao_plugin_fill, value, 32);
AT(qiao_plugin_fill, flags, 40);
AT(qiao_plugin_fill, pattern, 48);
AT(qiao_plugin_fill, pattern_size, 64);
AT(qiao_plugin_fill, reserved0, 68);

SIZE(qiao_plugin_queue_desc, 40);
AT(qiao_plugin_queue_desc, struct_size, 0);
AT(qiao_plugin_queue_desc, next, 8);
AT(qiao_plugin_queue_desc, flags, 16);
AT(qiao_plugin_queue_desc, token, 24);
AT(qiao_plugin_queue_desc, priority, 32);
AT(qiao_plugin_queue_desc, reserved0, 36);

SIZE(qiao_plugin_queue_ops, 112);
AT(qiao_plugin_queue_ops, struct_size, 0);
AT(qiao_plugin_queue_ops, queue_create, 8);
AT(qiao_plugin_queue_ops, queue_destroy, 16);
AT(qiao_plugin_queue_ops, queue_launch, 24);
AT(qiao_plugin_queue_ops, queue_copy, 32);
AT(qiao_plugin_queue_ops, queue_mark, 40);
AT(qiao_plugin_queue_ops, queue_poll, 48);
AT(qiao_plugin_queue_ops, queue_wait, 56);
AT(qiao_plugin_queue_ops, queue_fill, 64);
AT(qiao_plugin_queue_ops, queue_after, 72);
AT(qiao_plugin_queue_ops, queue_notify, 80);
AT(qiao_plugin_queue_ops, queue_timestamps, 88);
AT(qiao_plugin_queue_ops, queue_native, 96);
AT(qiao_plugin_queue_ops, queue_wrap, 104);

SIZE(qiao_plugin_extension, 16);
AT(qiao_plugin_extension, name, 0);
AT(qiao_plugin_extension, table, 8);

SIZE(qiao_plugin_tables, 48);
AT(qiao_plugin_tables, struct_size, 0);
AT(qiao_plugin_tables, device, 8);
AT(qiao_plugin_tables, memory, 16);
AT(qiao_plugin_tables, program, 24);
AT(qiao_plugin_tables, queue, 32);
AT(qiao_plugin_tables, extensions, 40);

SIZE(qiao_plugin_info, 96);
AT(qiao_plugin_info, struct_size, 0);
AT(qiao_plugin_info, abi_major, 8);
AT(qiao_plugin_info, abi_minor, 12);
AT(qiao_plugin_info, abi_minor_least, 16);
AT(qiao_plugin_info, reserved0, 20);
AT(qiao_plugin_info, roles, 24);
AT(qiao_plugin_info, id, 32);
AT(qiao_plugin_info, version, 40);
AT(qiao_plugin_info, build, 48);
AT(qiao_plugin_info, refusal, 56);
AT(qiao_plugin_info, remedy, 64);
AT(qiao_plugin_info, plugin, 72);
AT(qiao_plugin_info, tables, 80);
AT(qiao_plugin_info, plugin_close, 88);

VALUE(QIAO_PLUGIN_KERNEL_GLOBAL_OFFSET, 1);
VALUE(QIAO_PLUGIN_KERNEL_REMAINDER, 2);
VALUE(QIAO_PLUGIN_KERNEL_ONE_ITEM_GROUPS, 4);
VALUE(QIAO_PLUGIN_DEVICE_FREE_THREADED, 1);
VALUE(QIAO_PLUGIN_DEVICE_ARGUMENTS_RESOLVED, 2);
VALUE(QIAO_PLUGIN_DEVICE_SIMULATED, 4);
VALUE(QIAO_PLUGIN_DEVICE_UNIFIED, 8);
VALUE(QIAO_PLUGIN_ROLE_DISCOVERY, 1);
VALUE(QIAO_PLUGIN_ROLE_COMPUTE, 2);
VALUE(QIAO_PLUGIN_DEVICE_STATE_OK, 0);
VALUE(QIAO_PLUGIN_DEVICE_STATE_LOST, 1);
VALUE(QIAO_PLUGIN_QUEUE_PROFILING, 1);

SIZE(qiao_program_desc, 56);
AT(qiao_program_desc, struct_size, 0);
AT(qiao_program_desc, next, 8);
AT(qiao_program_desc, data, 16);
AT(qiao_program_desc, size_bytes, 24);
AT(qiao_program_desc, name, 32);
AT(qiao_program_desc, options, 40);
AT(qiao_program_desc, flags, 48);

SIZE(qiao_program_properties, 56);
AT(qiao_program_properties, struct_size, 0);
AT(qiao_program_properties, next, 8);
AT(qiao_program_properties, format, 16);
AT(qiao_program_properties, target, 24);
AT(qiao_program_properties, tool, 32);
AT(qiao_program_properties, log, 40);
AT(qiao_program_properties, kernel_count, 48);
AT(qiao_program_properties, score, 52);

SIZE(qiao_kernel_properties, 80);
AT(qiao_kernel_properties, struct_size, 0);
AT(qiao_kernel_properties, next, 8);
AT(qiao_kernel_properties, name, 16);
AT(qiao_kernel_properties, flags, 24);
AT(qiao_kernel_properties, features, 32);
AT(qiao_kernel_properties, argument_count, 40);
AT(qiao_kernel_properties, block_size, 44);
AT(qiao_kernel_properties, required_group, 48);
AT(qiao_kernel_properties, max_group_size, 60);
AT(qiao_kernel_properties, preferred_group_multiple, 64);
AT(qiao_kernel_properties, static_local_bytes, 68);
AT(qiao_kernel_properties, private_bytes, 72);
AT(qiao_kernel_properties, reserved0, 76);

SIZE(qiao_kernel_argument, 56);
AT(qiao_kernel_argument, struct_size, 0);
AT(qiao_kernel_argument, next, 8);
AT(qiao_kernel_argument, name, 16);
AT(qiao_kernel_argument, type, 24);
AT(qiao_kernel_argument, kind, 32);
AT(qiao_kernel_argument, access, 36);
AT(qiao_kernel_argument, offset, 40);
AT(qiao_kernel_argument, size_bytes, 44);
AT(qiao_kernel_argument, alignment, 48);
AT(qiao_kernel_argument, reserved0, 52);

VALUE(QIAO_KERNEL_GLOBAL_OFFSET, 1);
VALUE(QIAO_KERNEL_REMAINDER, 2);

SIZE(qiao_queue_desc, 32);
AT(qiao_queue_desc, struct_size, 0);
AT(qiao_queue_desc, next, 8);
AT(qiao_queue_desc, flags, 16);
AT(qiao_queue_desc, priority, 24);
AT(qiao_queue_desc, reserved0, 28);

SIZE(qiao_launch, 80);
AT(qiao_launch, global_size, 0);
AT(qiao_launch, group_size, 24);
AT(qiao_launch, global_offset, 48);
AT(qiao_launch, dimensions, 72);
AT(qiao_launch, flags, 76);

SIZE(qiao_place, 16);
AT(qiao_place, device, 0);
AT(qiao_place, address, 8);

SIZE(qiao_copy, 72);
AT(qiao_copy, source, 0);
AT(qiao_copy, target, 16);
AT(qiao_copy, size_bytes, 32);
AT(qiao_copy, rows, 40);
AT(qiao_copy, source_pitch, 48);
AT(qiao_copy, target_pitch, 56);
AT(qiao_copy, flags, 64);

VALUE(QIAO_QUEUE_PROFILING, 1);

SIZE(qiao_error, 80);
AT(qiao_error, struct_size, 0);
AT(qiao_error, next, 8);
AT(qiao_error, status, 16);
AT(qiao_error, line, 20);
AT(qiao_error, vendor_code, 24);
AT(qiao_error, message, 32);
AT(qiao_error, remedy, 40);
AT(qiao_error, object, 48);
AT(qiao_error, plugin, 56);
AT(qiao_error, vendor_text, 64);
AT(qiao_error, log, 72);

VALUE(QIAO_OK, 0);
VALUE(QIAO_TIMEOUT, 1);
VALUE(QIAO_NOT_READY, 2);
VALUE(QIAO_ERROR_INVALID_ARGUMENT, -1);
VALUE(QIAO_ERROR_INVALID_HANDLE, -2);
VALUE(QIAO_ERROR_OUT_OF_RANGE, -3);
VALUE(QIAO_ERROR_UNSUPPORTED, -4);
VALUE(QIAO_ERROR_OUT_OF_MEMORY, -5);
VALUE(QIAO_ERROR_NOT_FOUND, -6);
VALUE(QIAO_ERROR_BUILD, -7);
VALUE(QIAO_ERROR_PACKAGE, -8);
VALUE(QIAO_ERROR_DEVICE_LOST, -9);
VALUE(QIAO_ERROR_PLUGIN, -10);
VALUE(QIAO_ERROR_FORKED, -11);
VALUE(QIAO_ERROR_IO, -12);
VALUE(QIAO_ERROR_CANCELLED, -13);
VALUE(QIAO_ERROR_INTERNAL, -14);
VALUE(QIAO_FEATURE_FP64, 1);
VALUE(QIAO_FEATURE_FP16, 2);
VALUE(QIAO_FEATURE_INT64, 4);
VALUE(QIAO_FEATURE_INT64_ATOMICS, 8);
VALUE(QIAO_FEATURE_SUBGROUPS, 16);
VALUE(QIAO_FEATURE_PRINTF, 32);
VALUE(QIAO_FEATURE_ADDRESSES, 64);
VALUE(QIAO_ARGUMENT_KIND_VALUE, 0);
VALUE(QIAO_ARGUMENT_KIND_ADDRESS, 1);
VALUE(QIAO_ARGUMENT_KIND_LOCAL, 2);
VALUE(QIAO_ACCESS_READ, 1);
VALUE(QIAO_ACCESS_WRITE, 2);
VALUE(QIAO_MAX_ARGUMENTS, 128);
VALUE(QIAO_MAX_ARGUMENT_BYTES, 4096);
VALUE(QIAO_MEMORY_KIND_DEVICE, 1);
VALUE(QIAO_MEMORY_KIND_HOST, 2);
VALUE(QIAO_MEMORY_KIND_SHARED, 3);
VALUE(QIAO_LOG_LEVEL_ERROR, 1);
VALUE(QIAO_LOG_LEVEL_WARNING, 2);
VALUE(QIAO_LOG_LEVEL_INFO, 3);
VALUE(QIAO_LOG_LEVEL_DEBUG, 4);

SIZE(qiao_compiler_desc, 88);
AT(qiao_compiler_desc, struct_size, 0);
AT(qiao_compiler_desc, next, 8);
AT(qiao_compiler_desc, source, 16);
AT(qiao_compiler_desc, source_size, 24);
AT(qiao_compiler_desc, source_name, 32);
AT(qiao_compiler_desc, options, 40);
AT(qiao_compiler_desc, formats, 48);
AT(qiao_compiler_desc, cache_directory, 56);
AT(qiao_compiler_desc, time_limit_ns, 64);
AT(qiao_compiler_desc, flags, 72);
AT(qiao_compiler_desc, required_formats, 80);
SIZE(qiao_compiler_result, 80);
AT(qiao_compiler_result, struct_size, 0);
AT(qiao_compiler_result, next, 8);
AT(qiao_compiler_result, package, 16);
AT(qiao_compiler_result, package_size, 24);
AT(qiao_compiler_result, log, 32);
AT(qiao_compiler_result, message, 40);
AT(qiao_compiler_result, remedy, 48);
AT(qiao_compiler_result, status, 56);
AT(qiao_compiler_result, line, 60);
AT(qiao_compiler_result, from_cache, 64);
AT(qiao_compiler_result, reserved0, 68);
AT(qiao_compiler_result, included, 72);
VALUE(QIAO_COMPILER_NO_CACHE, 1);
VALUE(QIAO_COMPILER_BEST_EFFORT, 2);

SIZE(qiao_native, 40);
AT(qiao_native, type, 0);
AT(qiao_native, reserved0, 4);
AT(qiao_native, handles, 8);
VALUE(QIAO_NATIVE_TYPE_OPENCL_DEVICE, 257);
VALUE(QIAO_NATIVE_TYPE_OPENCL_QUEUE, 258);
VALUE(QIAO_NATIVE_TYPE_OPENCL_SVM, 259);
VALUE(QIAO_NATIVE_TYPE_OPENCL_USM, 260);

VALUE(QIAO_DEVICE_STATE_REMOVED, 2);
VALUE(QIAO_PLUGIN_DEVICE_STATE_REMOVED, 2);
