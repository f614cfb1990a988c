#include "keeper/refresh_request.h"

#include <unistd.h>

#include "keeper/source_wish.h"

enum { EDNS_PAYLOAD = 1232 };
/* They are kept until all have come, and the whole zone is cheaper than so many times its size. */
static const uint64_t DIFFERENCES_BYTES_MIN = UINT64_C(64) << 20;
enum { DIFFERENCES_ZONES_MAX = 4 };

bool refresh_source_soa(const struct zone_version *version, struct dns_rrset *out_rrset,
                        struct dns_soa *out_soa)
{
    const struct zone_node *apex = version == NULL ? NULL : zone_version_apex_node(version);
    return apex != NULL && zone_node_rrset(apex, ZONE_VIEW_UNSIGNED, DNS_TYPE_SOA, out_rrset) &&
           dns_soa_parse(dns_rrset_first(out_rrset), out_soa) == SG_OK;
}

/* ---- messages ---- */

static struct dns_request_edns edns_of(const struct refresh_order *order)
{
    uint16_t payload = order->primary->edns_payload;
    if (!order->edns) {
        return (struct dns_request_edns){0};
    }
    return (struct dns_request_edns){payload > 0 ? payload : EDNS_PAYLOAD,
                                     order->primary->request_expire};
}

void refresh_request_soa(const struct zone_settings *settings, const struct refresh_order *order,
                         struct dns_request *out_request)
{
    const struct dns_request_zone zone = {.apex = &settings->apex, .rrclass = settings->rrclass};
    const struct dns_request_edns edns = edns_of(order);
    dns_request_query(&zone, DNS_TYPE_SOA, &edns, out_request);
}

bool refresh_request_transfer(const struct zone_settings *settings,
                              const struct zone_version *version, const struct refresh_order *order,
                              struct dns_request *out_request)
{
    const struct dns_request_edns edns = edns_of(order);
    struct dns_request_zone zone = {.apex = &settings->apex, .rrclass = settings->rrclass};
    struct dns_rrset rrset;
    struct dns_soa soa;
    if (!order->ixfr || !refresh_source_soa(version, &rrset, &soa)) {
        dns_request_query(&zone, DNS_TYPE_AXFR, &edns, out_request);
        return false;
    }
    zone.soa = dns_rrset_first(&rrset);
    zone.soa_ttl = rrset.ttl;
    return dns_request_ixfr(&zone, &edns, out_request) == SG_OK;
}

enum sg_result refresh_request_unasked(const struct refresh_order *order)
{
    return order->primary->bogus ? SG_DENIED : SG_IO;
}

/* ---- bounds ---- */

static uint64_t differences_bytes_max(const struct zone_version *base)
{
    uint64_t bytes = base == NULL ? 0 : DIFFERENCES_ZONES_MAX * zone_version_facts(base)->bytes;
    return bytes > DIFFERENCES_BYTES_MIN ? bytes : DIFFERENCES_BYTES_MIN;
}

/* Of the machine; 0: not known. */
static uint64_t memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    return pages <= 0 || page_bytes <= 0 ? 0 : (uint64_t)pages * (uint64_t)page_bytes;
}

uint64_t refresh_request_bytes_max(uint64_t records_max, uint64_t memory)
{
    const uint64_t most = UINT64_C(64) << 30;  /* larger than any zone that fits into memory */
    const uint64_t least = UINT64_C(64) << 20; /* for small machines: no zone of theirs is larger */
    uint64_t part = memory / 4;
    if (records_max != 0 || memory == 0 || part > most) {
        return most;
    }
    return part < least ? least : part;
}

struct zone_transfer_options refresh_request_options(const struct zone_settings *settings,
                                                     const struct zone_version *base)
{
    return (struct zone_transfer_options){
        .records_max = settings->limits.records_max,
        .bytes_max = refresh_request_bytes_max(settings->limits.records_max, memory_bytes()),
        .differences_bytes_max = differences_bytes_max(base),
        .records_per_type_max = settings->limits.records_per_type_max,
        .types_per_name_max = settings->limits.types_per_name_max,
        .strip_generated = source_is_stripped(settings),
        .private_type = settings->limits.private_type,
    };
}

sg_duration refresh_request_silence_max(const struct zone_settings *settings)
{
    bool is_shorter =
        settings->transfer_bytes_min > 0 && settings->transfer_window < settings->transfer_idle_max;
    return is_shorter ? settings->transfer_window : settings->transfer_idle_max;
}
