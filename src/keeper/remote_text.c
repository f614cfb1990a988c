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
