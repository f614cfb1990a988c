/*
 * keeper/source_wish.h - is what a secondary has what its settings sign, or serve as it is? (pure)
 *
 * A zone that is signed here is fetched without what a signer of its primaries made; one that is
 * not is served as it comes, with all of it. What was fetched for one of the two is no good for the
 * other, whatever its serial: it is fetched once more, and what there is is served until then.
 *
 * Private to keeper/. Thread: any.
 */
#pragma once

#include "keeper/keeper.h"
#include "zone/version.h"

/* Is a signer's work left out of what is fetched? */
bool source_is_stripped(const struct zone_settings *settings);
/* The version that a secondary has was fetched for other settings. */
bool source_is_wanted(const struct zone_settings *settings, const struct zone_version *version);
/* It may have been, and nobody can tell: a DNSKEY, but no signatures. */
bool source_is_doubted(const struct zone_settings *settings, const struct zone_version *version);
