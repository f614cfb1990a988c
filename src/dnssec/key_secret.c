#include "dnssec/key_secret.h"

#include "base/mem.h"

struct signing_key_secret *key_secret_new(uint8_t algorithm,
                                          const struct span parts[KEY_SECRET_PARTS])
{
    static uint64_t last_id;
    struct signing_key_secret *secret = mem_alloc_zero(1, sizeof(*secret));

    secret->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    secret->holders = 1;
    secret->algorithm = algorithm;
    for (size_t i = 0; i < KEY_SECRET_PARTS; i++) {
        secret->length += parts[i].length;
    }
    secret->bytes = mem_alloc(secret->length + 1);
    uint8_t *at = secret->bytes;
    for (size_t i = 0; i < KEY_SECRET_PARTS; i++) {
        if (parts[i].length > 0) {
            memcpy(at, parts[i].bytes, parts[i].length);
        }
        secret->parts[i] = (struct span){at, parts[i].length};
        at += parts[i].length;
    }
    return secret;
}

struct signing_key_secret *key_secret_ref(struct signing_key_secret *secret)
{
    __atomic_add_fetch(&secret->holders, 1, __ATOMIC_RELAXED);
    return secret;
}

void key_secret_unref(struct signing_key_secret *secret)
{
    if (secret == NULL || __atomic_sub_fetch(&secret->holders, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    mem_wipe_free(secret->bytes, secret->length);
    mem_free(secret);
}
