/* What compiled programs rely on: numbers never change, structs only grow at their end. */
#include "harness.h"

#define AT(type, member, offset) CHECK(offsetof(type, member) == (offset))

int main(void) {
    CHECK(STEADIS_OK == 0 && STEADIS_CONFIG == 10 && STEADIS_USAGE == 20);
    CHECK(STEADIS_UNAVAILABLE == 30 && STEADIS_TIMEOUT == 40 && STEADIS_MAYBE_EXECUTED == 50);
    CHECK(STEADIS_AUTH == 60 && STEADIS_SERVER == 70 && STEADIS_BUSY == 80);
    CHECK(STEADIS_CLOSED == 90 && STEADIS_INTERNAL == 100);
    CHECK(STEADIS_REPLY_STRING == 1 && STEADIS_REPLY_ARRAY == 2 && STEADIS_REPLY_INTEGER == 3);
    CHECK(STEADIS_REPLY_NIL == 4 && STEADIS_REPLY_STATUS == 5 && STEADIS_REPLY_ERROR == 6);
    CHECK(STEADIS_REPLY_DOUBLE == 7 && STEADIS_REPLY_BOOL == 8 && STEADIS_REPLY_MAP == 9);
    CHECK(STEADIS_REPLY_SET == 10 && STEADIS_REPLY_PUSH == 12 && STEADIS_REPLY_BIGNUM == 13);
    CHECK(STEADIS_REPLY_VERB == 14);
    CHECK(STEADIS_MESSAGE == 1 && STEADIS_GAP == 2);
    CHECK(STEADIS_CHANNEL == 0 && STEADIS_PATTERN == 1 && STEADIS_SHARD == 2);
    CHECK(STEADIS_UNREACHABLE == 1 && STEADIS_NOT_PRIMARY == 2 && STEADIS_OVERDUE == 3);

    /* Where pointers have 64 bits. */
    AT(steadis_reply, type, 0);
    AT(steadis_reply, vtype, 4);
    AT(steadis_reply, integer, 8);
    AT(steadis_reply, dval, 16);
    AT(steadis_reply, str, 24);
    AT(steadis_reply, len, 32);
    AT(steadis_reply, elements, 40);
    AT(steadis_reply, element, 48);
    AT(steadis_reply, error, 56);
    AT(steadis_error, status, 0);
    AT(steadis_error, retryable, 4);
    AT(steadis_error, maybe_executed, 5);
    AT(steadis_error, message, 8);
    AT(steadis_error, code, 16);
    AT(steadis_error, command, 24);
    AT(steadis_error, address, 32);
    AT(steadis_error, description, 40);
    AT(steadis_message, type, 0);
    AT(steadis_message, channel, 8);
    AT(steadis_message, pattern, 24);
    AT(steadis_message, data, 40);
    AT(steadis_message, data_len, 48);
    AT(steadis_message, since_ms, 56);
    AT(steadis_message, until_ms, 64);
    AT(steadis_primary, host, 0);
    AT(steadis_primary, port, 8);
    AT(steadis_primary, epoch, 16);
    AT(steadis_call_options, timeout_ms, 0);
    AT(steadis_call_options, retry_writes, 8);
    AT(steadis_call_options, read_from, 16);
    AT(steadis_call_options, max_lag_ms, 24);
    /* The program makes these, so they can never grow. */
    CHECK(sizeof(steadis_call_options) == 64);
    return result();
}
