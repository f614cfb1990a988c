#include "keeper/remote_text.h"

#include "base/buffer.h"

void remote_text(const struct remote *remote, char out_text[REMOTE_TEXT_BYTES])
{
    const uint8_t *a = remote->address;
    struct buffer text = BUFFER_EMPTY;
    if (remote->address_length == 4) {
        buffer_format(&text, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
    } else {
        for (int i = 0; i < 16; i += 2) {
            buffer_format(&text, "%s%x", i > 0 ? ":" : "", (unsigned)a[i] << 8 | a[i + 1]);
        }
    }
    buffer_format(&text, "#%u", remote->port);
    size_t length = text.length < REMOTE_TEXT_BYTES ? text.length : REMOTE_TEXT_BYTES - 1;
    memcpy(out_text, text.bytes, length);
    out_text[length] = '\0';
    buffer_free(&text);
}

const char *remote_failure_text(enum sg_result result)
{
    switch (result) {
    case SG_DENIED:
        return "it is not asked: a `server` statement says that it is bogus";
    case SG_TIMEOUT:
        return "no answer in time: is it up, and does a firewall let UDP and TCP through?";
    case SG_REFUSED:
        return "connection refused: does a name server listen at that address and port?";
    case SG_IO:
        return "it cannot be reached, or it closed the connection: see its log";
    case SG_BAD_KEY:
        return "BADKEY: it does not know the key by that name and algorithm";
    case SG_BAD_SIG:
        return "BADSIG: the secret differs there, or its answer came unsigned";
    case SG_BAD_TIME:
        return "BADTIME: its clock and ours differ by minutes: set both by NTP";
    default:
        return sg_result_text(result);
    }
}
