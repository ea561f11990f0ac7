/* A library whose one function reaches every type of the plugin ABI, so that abidiff can compare what plugin.h says with
 * what it said. It is never loaded. */
#include <qiao/plugin.h>

QIAO_EXPORT qiao_status qiao_plugin_query(const qiao_host_api* host, qiao_plugin_info* out_info) {
    (void)host;
    (void)out_info;
    return QIAO_ERROR_UNSUPPORTED;
}
