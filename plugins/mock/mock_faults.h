/* The extension "qiao.mock_faults.1": faults of a mock card, added and taken away while a program runs. A card has it if
 * faults are armed: by the environment (QIAO_MOCK_FAULTS=armed, or rules) or by a key "faults" in its profile.
 *
 *     const void* table; void* card;
 *     qiao_device_get_extension(device, QIAO_MOCK_FAULTS_NAME, &table, &card);
 *     ((const qiao_mock_faults*)table)->add(card, "queue_launch:3=error:-10", text, sizeof text);
 */
#ifndef QIAO_MOCK_FAULTS_H
#define QIAO_MOCK_FAULTS_H

#include "qiao/status.h"

#define QIAO_MOCK_FAULTS_NAME "qiao.mock_faults.1"

/// Functions may be called from any thread, also while the card is lost.
typedef struct qiao_mock_faults {
    size_t struct_size;
    /// A rule for this card (mock_devices/README.md, "Faults"; without "CARD/"); it counts calls from now on.
    /// INVALID_ARGUMENT with what is wrong in `problem` (may be null): NUL-terminated, cut at `problem_size`.
    qiao_status (*add)(void* card, const char* rule, char* problem, size_t problem_size);
    /// Takes all rules away, of all cards of the instance, whoever made them. What has happened stays.
    qiao_status (*clear)(void* card);
} qiao_mock_faults;

#endif
