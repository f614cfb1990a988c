#include "base/result.h"

static const char *const texts[SG_RESULTS] = {
    [SG_OK] = "success",
    [SG_NOT_FOUND] = "not found",
    [SG_EXISTS] = "already exists",
    [SG_OUT_OF_ZONE] = "out of zone",
    [SG_MALFORMED] = "malformed",
    [SG_LIMIT] = "limit exceeded",
    [SG_NO_SPACE] = "no space left",
    [SG_DENIED] = "permission denied",
    [SG_REFUSED] = "connection refused",
    [SG_UNSUPPORTED] = "not supported",
    [SG_CONFLICT] = "conflict",
    [SG_CRYPTO] = "cryptographic failure",
    [SG_BAD_KEY] = "bad key",
    [SG_BAD_SIG] = "bad signature",
    [SG_BAD_TIME] = "bad time",
    [SG_IO] = "input/output error",
    [SG_TIMEOUT] = "timed out",
    [SG_CANCELLED] = "cancelled",
    [SG_IN_DOUBT] = "outcome unknown",
};

const char *sg_result_text(enum sg_result result)
{
    return (unsigned)result < SG_RESULTS ? texts[result] : "unknown result";
}
