// Names and texts of status codes, and the thread's last-error record.
#include "qiao/status.h"

#include "api/entry.h"

const char* qiao_status_get_name(qiao_status status) {
    switch (status) {
#define QIAO_CASE(name, code, text) \
    case code:                      \
        return "QIAO_" #name;
        QIAO_STATUS_MAP(QIAO_CASE)
#undef QIAO_CASE
        default:
            return "QIAO_(unknown status)";
    }
}

const char* qiao_status_get_text(qiao_status status) {
    switch (status) {
#define QIAO_CASE(name, code, text) \
    case code:                      \
        return text;
        QIAO_STATUS_MAP(QIAO_CASE)
#undef QIAO_CASE
        default:
            return "a status that this version does not know";
    }
}

qiao_status qiao_error_query(qiao_error* out_error) {
    // Without a record of its own: the one that was asked for must not be lost.
    if (out_error == nullptr || out_error->struct_size < 2 * sizeof(void*) || out_error->next != nullptr) return QIAO_ERROR_INVALID_ARGUMENT;
    const qiao::ErrorRecord& record = qiao::last_error();
    const qiao_error values = {sizeof(qiao_error), nullptr, record.status, record.line, record.vendor_code, record.message.c_str(),
                               record.remedy.c_str(), record.object.c_str(), record.plugin.c_str(), record.vendor_text.c_str(), record.log.c_str()};
    return qiao::write_struct(values, out_error, "error");
}
