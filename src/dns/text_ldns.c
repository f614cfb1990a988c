#include "dns/text_ldns.h"

#include <ldns/ldns.h>

#include "base/mem.h"
#include "dns/rrtype.h"

enum { TYPE_HIP = 55, TEXT_BYTES_MAX = 60000 /* ldns refuses lines of 64 KiB */ };

bool text_ldns_knows(uint16_t type)
{
    return type == DNS_TYPE_LOC || type == DNS_TYPE_APL || type == TYPE_HIP ||
           type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS;
}

enum sg_result text_ldns_read(uint16_t type, const char *text, struct buffer *out_rdata)
{
    if (strlen(text) > TEXT_BYTES_MAX) {
        return SG_MALFORMED;
    }
    char mnemonic[DNS_TYPE_TEXT_BYTES];
    ldns_rr *rr = NULL;
    struct buffer line = BUFFER_EMPTY;
    buffer_format(&line, ". 0 IN %s %s", dns_type_to_text(type, mnemonic), text);
    ldns_status status = ldns_rr_new_frm_str(&rr, buffer_text(&line), 0, NULL, NULL);
    if (status == LDNS_STATUS_OK) {
        for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
            const ldns_rdf *field = ldns_rr_rdf(rr, i);
            buffer_append(out_rdata, ldns_rdf_data(field), ldns_rdf_size(field));
        }
    }
    ldns_rr_free(rr);
    buffer_free(&line);
    return status == LDNS_STATUS_OK ? SG_OK : SG_MALFORMED;
}

enum sg_result text_ldns_write(uint16_t type, struct span rdata, struct buffer *out_text)
{
    struct buffer record = BUFFER_EMPTY;
    buffer_append_u8(&record, 0); /* owner: the root */
    buffer_append_u16(&record, type);
    buffer_append_u16(&record, DNS_CLASS_IN);
    buffer_append_u32(&record, 0);
    buffer_append_u16(&record, (uint16_t)rdata.length);
    buffer_append(&record, rdata.bytes, rdata.length);

    ldns_rr *rr = NULL;
    size_t position = 0;
    ldns_buffer *text = ldns_buffer_new(LDNS_MIN_BUFLEN);
    ldns_status status = text == NULL ? LDNS_STATUS_MEM_ERR
                                      : ldns_wire2rr(&rr, record.bytes, record.length, &position,
                                                     LDNS_SECTION_ANSWER);
    for (size_t i = 0; status == LDNS_STATUS_OK && i < ldns_rr_rd_count(rr); i++) {
        if (i > 0) {
            ldns_buffer_printf(text, " ");
        }
        status = ldns_rdf2buffer_str(text, ldns_rr_rdf(rr, i));
    }
    if (status == LDNS_STATUS_OK) {
        buffer_append(out_text, ldns_buffer_begin(text), ldns_buffer_position(text));
    }
    if (text != NULL) {
        ldns_buffer_free(text);
    }
    ldns_rr_free(rr);
    buffer_free(&record);
    return status == LDNS_STATUS_OK ? SG_OK : SG_MALFORMED;
}
