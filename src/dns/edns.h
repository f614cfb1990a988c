/*
 * dns/edns.h - the OPT pseudo-RR (RFC 6891): what a query asked for, what a response says
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

enum {
    EDNS_PAYLOAD_DEFAULT = 1232,
    EDNS_PAYLOAD_MIN = 512,
    EDNS_OPTION_NSID = 3,
    EDNS_OPTION_SUBNET = 8,
    EDNS_OPTION_EXPIRE = 9,
    EDNS_OPTION_COOKIE = 10,
    EDNS_OPTION_KEEPALIVE = 11,
    EDNS_OPTION_PADDING = 12,
    EDNS_OPTION_EDE = 15,
    EDNS_OPT_BYTES = 11, /* an OPT RR without options */
};

struct dns_edns {
    bool present;
    uint8_t version;
    bool dnssec_ok;
    bool wants_nsid;
    uint16_t payload; /* as the client said, at least 512 */
};
