/*
 * A small zone to feed bytes to, and its contents as text. One thread only, so base/epoch.c is not
 * linked: a grace period passes when the target says so, the same in each run.
 */
#pragma once

#include <stdlib.h>

#include "base/mem.h"
#include "zone/zonefile.h"

static const char fixture_text[] =
    "$TTL 300\n@ SOA ns1 host 10 3600 600 86400 300\n@ NS ns1\n@ NS ns2\n@ TXT apex\n"
    "@ DNSKEY 256 3 14 AAAA\nns1 A 192.0.2.1\nns2 A 192.0.2.2\nwww A 192.0.2.80\n"
    "www A 192.0.2.81\nwww TXT x\nalias CNAME www\nold DNAME www\nsub NS ns.sub\n"
    "sub DS 1 13 9 00\nns.sub A 192.0.2.53\ndeep.ent A 192.0.2.9\n*.w A 192.0.2.10\n";

static struct epoch_retired *fixture_waiting;

void epoch_retire(struct epoch_retired *retired, void (*release)(struct epoch_retired *retired))
{
    retired->release = release;
    retired->next = fixture_waiting;
    fixture_waiting = retired;
}

void epoch_barrier(void)
{
    while (fixture_waiting != NULL) {
        struct epoch_retired *first = fixture_waiting;
        fixture_waiting = first->next;
        first->release(first);
    }
}

void epoch_reclaim(void)
{
    epoch_barrier();
}

void epoch_join(void)
{
}

void epoch_leave(void)
{
}

void epoch_quiesce(void)
{
}

void epoch_offline(void)
{
}

void epoch_online(void)
{
}

static inline void fixture_generate(struct zone_edit *edit, const struct dns_name *apex,
                                    uint16_t type, const uint8_t *packed, uint32_t bytes)
{
    const struct dns_rrset rrset = {
        .packed = packed, .bytes = bytes, .ttl = 3600, .type = type, .count = 1};
    ASSERT(zone_edit_put_rrset(edit, apex, ZONE_GENERATED, &rrset) == SG_OK);
}

/* The zone "e.", with a DNSKEY and a CDS of ours. */
static inline const struct zone_version *fixture_zone(void)
{
    static const uint8_t dnskey[] = {0, 5, 1, 1, 3, 13, 7};
    static const uint8_t cds[] = {0, 5, 0, 1, 13, 9, 0};
    const struct zonefile_options options = {.path = "fuzz"};
    struct zonefile_report report = {0};
    const struct zone_version *version;
    struct dns_name apex;
    if (dns_name_from_text("e.", 2, NULL, &apex) != SG_OK) {
        abort();
    }
    struct zone_edit *edit = zone_edit_new(&apex, 1);
    if (zonefile_load_text(edit, &options, span_of_text(fixture_text), &report) != SG_OK) {
        abort();
    }
    zonefile_report_clear(&report);
    fixture_generate(edit, &apex, DNS_TYPE_DNSKEY, dnskey, sizeof(dnskey));
    fixture_generate(edit, &apex, DNS_TYPE_CDS, cds, sizeof(cds));
    if (zone_edit_seal(edit, &version) != SG_OK) {
        abort();
    }
    return version;
}

static inline void fixture_dump(struct zone_edit *edit, struct buffer *out_text)
{
    buffer_clear(out_text);
    zonefile_write(zone_edit_draft(edit), ZONE_VIEW_UNSIGNED, out_text);
    (void)buffer_text(out_text);
}

/* A version that was dropped leaves its memory to the next edit; so that each run ends as it began,
 * and libFuzzer need not look for leaks after each. */
static inline void fixture_settle(const struct zone_version *base)
{
    epoch_barrier();
    zone_edit_abandon(zone_edit_open(base));
    epoch_barrier();
}

/* The next of the messages in the input, each behind its length; false: no more. */
static inline bool fixture_message(struct reader *input, struct span *out_message)
{
    if (reader_left(input) < 2) {
        return false;
    }
    size_t length = reader_u16(input);
    length = length < reader_left(input) ? length : reader_left(input);
    *out_message = reader_span(input, length);
    return true;
}
