/*
 * sim/records.h - a zone as a plain sorted array of records
 *
 * What the simulator holds Signet's trees against: no layers, no sharing, nothing borrowed. Owners
 * are lower case; rdata is as it came. A zone of the simulator is small, so everything is O(zone).
 */
#pragma once

#include "dns/message.h"
#include "dns/rrtype.h"

enum { RECORD_RDATA_BYTES_MAX = 256 };

struct record {
    struct dns_name owner;
    uint16_t type;
    uint16_t length; /* of `rdata` */
    uint32_t ttl;
    uint8_t rdata[RECORD_RDATA_BYTES_MAX];
};

/* In the order of owner (canonical), type, rdata. Begin with all zero. */
struct records {
    struct record *at;
    size_t count, capacity;
};

void records_clear(struct records *records);
/* `to` is cleared first. */
void records_copy(const struct records *from, struct records *to);
/* Where the first record at or after (owner, type) stands. */
size_t records_find(const struct records *records, const struct dns_name *owner, uint16_t type);
/* False: it is there already, whatever its TTL. */
bool records_add(struct records *records, const struct record *record);
/* False: it is not there. With `ttl_too` its TTL has to fit as well. */
bool records_remove(struct records *records, const struct record *record, bool ttl_too);
/* `type` 0: all of the name. */
void records_remove_rrset(struct records *records, const struct dns_name *owner, uint16_t type);
bool records_have(const struct records *records, const struct dns_name *owner, uint16_t type);
bool records_same(const struct records *a, const struct records *b);
uint64_t records_digest(const struct records *records);
/* Those that an unsigned zone has, without the SOA. */
void records_unsigned(const struct records *records, struct records *out_source);
/* As a line of a master file; the caller frees. */
char *record_text(const struct record *record);
/* The first record that one has and the other has not, for people; the caller frees. */
char *records_difference(const struct records *wanted, const struct records *found);

/* One record of a message; false: it cannot be read, or is larger than any here. `out_after`: of
 * the next. */
bool record_parse(struct span message, size_t offset, struct record *out_record, size_t *out_after);
void record_write(struct writer *writer, const struct record *record);
/* Of an SOA. */
uint32_t record_serial(const struct record *soa);
