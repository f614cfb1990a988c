/* Parts of conf/print.h that concern a dnssec-policy, and plain options. */
#include <inttypes.h>

#include "conf/print.h"

void print_text_option(const char *option, const char *text, struct buffer *out_text)
{
    if (text != NULL) {
        buffer_format(out_text, "\t%s ", option);
        print_quoted(text, out_text);
        buffer_append_text(out_text, ";\n");
    }
}

void print_number_option(const char *option, uint64_t value, struct buffer *out_text)
{
    buffer_format(out_text, "\t%s %" PRIu64 ";\n", option, value);
}

void print_boolean_option(const char *option, bool value, struct buffer *out_text)
{
    buffer_format(out_text, "\t%s %s;\n", option, print_boolean(value));
}

static void print_policy_key(const struct kasp_key *key, struct buffer *out_text)
{
    static const char *const roles[] = {"", "ksk", "zsk", "csk"};

    buffer_format(out_text, "\t\t%s ", roles[key->role]);
    if (key->key_store != NULL) {
        buffer_append_text(out_text, "key-store ");
        print_quoted(key->key_store, out_text);
    } else {
        buffer_append_text(out_text, "key-directory");
    }
    if (key->lifetime == KASP_LIFETIME_UNLIMITED) {
        buffer_append_text(out_text, " lifetime unlimited");
    } else {
        buffer_format(out_text, " lifetime %" PRIu32, key->lifetime);
    }
    buffer_format(out_text, " algorithm %s", dnssec_algorithm_text(key->algorithm));
    if (key->tag_min != 0 || key->tag_max != UINT16_MAX) {
        buffer_format(out_text, " tag-range %u %u", key->tag_min, key->tag_max);
    }
    if (dnssec_algorithm_is_rsa(key->algorithm)) {
        buffer_format(out_text, " %u", key->bits);
    }
    buffer_append_text(out_text, ";\n");
}

static void print_policy_durations(const struct kasp_policy *policy, struct buffer *out_text)
{
    const struct {
        const char *option;
        sg_duration value;
    } durations[] = {
        {"dnskey-ttl", policy->dnskey_ttl},
        {"max-zone-ttl", policy->max_zone_ttl},
        {"parent-ds-ttl", policy->parent_ds_ttl},
        {"parent-propagation-delay", policy->parent_propagation_delay},
        {"publish-safety", policy->publish_safety},
        {"purge-keys", policy->purge_keys},
        {"retire-safety", policy->retire_safety},
        {"signatures-inception-offset", policy->signatures_inception_offset},
        {"signatures-jitter", policy->signatures_jitter},
        {"signatures-refresh", policy->signatures_refresh},
        {"signatures-validity", policy->signatures_validity},
        {"signatures-validity-dnskey", policy->signatures_validity_dnskey},
        {"zone-propagation-delay", policy->zone_propagation_delay},
    };

    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        print_number_option(durations[i].option, (uint64_t)durations[i].value, out_text);
    }
}

void print_policy(const struct kasp_policy *policy, struct buffer *out_text)
{
    buffer_append_text(out_text, "dnssec-policy ");
    print_quoted(policy->name, out_text);
    buffer_append_text(out_text, " {\n");
    if (policy->keys_count > 0) {
        buffer_append_text(out_text, "\tkeys {\n");
        for (unsigned i = 0; i < policy->keys_count; i++) {
            print_policy_key(&policy->keys[i], out_text);
        }
        buffer_append_text(out_text, "\t};\n");
    }
    print_boolean_option("cdnskey", policy->cdnskey, out_text);
    buffer_append_text(out_text, "\tcds-digest-types { ");
    for (unsigned i = 0; i < policy->cds_digests_count; i++) {
        buffer_format(out_text, "%u; ", policy->cds_digests[i]);
    }
    buffer_append_text(out_text, "};\n");
    print_boolean_option("inline-signing", policy->inline_signing, out_text);
    print_boolean_option("manual-mode", policy->manual_mode, out_text);
    print_boolean_option("offline-ksk", policy->offline_ksk, out_text);
    if (policy->nsec3) {
        buffer_format(out_text, "\tnsec3param iterations 0 optout %s salt-length %u;\n",
                      print_boolean(policy->nsec3_opt_out), policy->nsec3_salt_length);
    }
    print_policy_durations(policy, out_text);
    buffer_append_text(out_text, "};\n");
}
