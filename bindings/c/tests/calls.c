/* Calls, replies of every kind, and errors. */
#include "harness.h"

#include <string.h>

static void every_type_of_reply(const steadis_client *client) {
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;

    if (WELL(steadis_callf(client, &reply, &error, "SET %s %b EX %d", "k", "a\0b", (size_t)3, 60)))
        CHECK(reply->type == STEADIS_REPLY_STATUS && is(reply, "OK"));
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "GET k")))
        CHECK(reply->type == STEADIS_REPLY_STRING && reply->len == 3 &&
              memcmp(reply->str, "a\0b", 4) == 0);
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "GET missing"))) {
        CHECK(reply->type == STEADIS_REPLY_NIL && reply->str == NULL && reply->len == 0);
        CHECK(strcmp(steadis_reply_str(reply), "") == 0);
    }
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "INCRBY n %lld", 1LL << 40)))
        CHECK(reply->type == STEADIS_REPLY_INTEGER && reply->integer == 1LL << 40);
    steadis_reply_free(reply);

    WELL(steadis_callf(client, &reply, &error, "HSET h a 1 b 2"));
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "HGETALL h"))) {
        CHECK(reply->type == STEADIS_REPLY_MAP && reply->elements == 4);
        CHECK(is(reply->element[0], "a") && is(reply->element[1], "1"));
        CHECK(is(steadis_reply_get(reply, "b"), "2"));
        CHECK(steadis_reply_get(reply, "c") == NULL);
    }
    steadis_reply_free(reply);
    WELL(steadis_callf(client, &reply, &error, "SADD s only"));
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "SMEMBERS s")))
        CHECK(reply->type == STEADIS_REPLY_SET && is(reply->element[0], "only"));
    steadis_reply_free(reply);
    WELL(steadis_callf(client, &reply, &error, "ZADD z %g m", 1.5));
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "ZSCORE z m")))
        CHECK(reply->type == STEADIS_REPLY_DOUBLE && reply->dval == 1.5 && is(reply, "1.5"));
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "ZRANGE z 0 -1 WITHSCORES"))) {
        CHECK(reply->type == STEADIS_REPLY_ARRAY && reply->elements == 1);
        CHECK(reply->element[0]->elements == 2 && is(reply->element[0]->element[0], "m"));
    }
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "LRANGE none 0 -1")))
        CHECK(reply->type == STEADIS_REPLY_ARRAY && reply->elements == 0);
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "INFO server")))
        CHECK(strncmp(steadis_reply_str(reply), "# Server", 8) == 0);
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "EVAL %s 0",
                           "return {1, {'x', {}}, redis.error_reply('MY fault')}"))) {
        CHECK(reply->elements == 3 && reply->element[1]->element[1]->elements == 0);
        CHECK(reply->element[2]->type == STEADIS_REPLY_ERROR && is(reply->element[2], "MY fault"));
        CHECK(strcmp(reply->element[2]->error->code, "MY") == 0);
    }
    steadis_reply_free(reply);
}

static void errors_say_everything(const steadis_client *client) {
    steadis_reply *untouched = (steadis_reply *)&client, *reply = untouched;
    steadis_error *error = NULL;
    CHECK(steadis_callf(client, &reply, &error, "LPUSH k x") == STEADIS_SERVER);
    CHECK(reply == untouched);
    CHECK(error->status == STEADIS_SERVER && !error->retryable && !error->maybe_executed);
    CHECK(strcmp(error->code, "WRONGTYPE") == 0 && strcmp(error->command, "LPUSH") == 0);
    CHECK(strncmp(error->message, "WRONGTYPE ", 10) == 0);
    steadis_error_free(error);
    CHECK(steadis_callf(client, &reply, NULL, "LPUSH k x") == STEADIS_SERVER);
    FAILS(steadis_callf(client, &reply, &error, "SUBSCRIBE news"), STEADIS_USAGE, "subscribe");
}

static void large_and_many(const steadis_client *client) {
    static char big[1 << 20];
    const char *argv[1001] = {"RPUSH", "l"};
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    size_t i;
    memset(big, 'x', sizeof big);
    WELL(steadis_callf(client, &reply, &error, "SET big %b", big, sizeof big));
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "GET big")))
        CHECK(reply->len == sizeof big && memcmp(reply->str, big, sizeof big) == 0 &&
              reply->str[reply->len] == '\0');
    steadis_reply_free(reply);
    for (i = 2; i < 1001; i++)
        argv[i] = i % 2 ? "odd" : "";
    if (WELL(steadis_call(client, 1001, argv, NULL, &reply, &error)))
        CHECK(reply->integer == 999);
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "LRANGE l 0 -1")))
        CHECK(reply->elements == 999 && is(reply->element[0], "") && is(reply->element[1], "odd") &&
              is(reply->element[998], ""));
    steadis_reply_free(reply);
}

static void options_of_a_call(const steadis_client *client) {
    steadis_call_options options = {0};
    const char *slow[] = {"EVAL", "for i = 1, 2e7 do end return 1", "0"};
    const char *get[] = {"GET", "k"};
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    options.timeout_ms = 20;
    FAILS(steadis_call_with(client, &options, 3, slow, NULL, &reply, &error),
          STEADIS_MAYBE_EXECUTED, "may have run");
    options.timeout_ms = 0;
    options.retry_writes = "always";
    WELL(steadis_call_with(client, &options, 2, get, NULL, &reply, &error));
    steadis_reply_free(reply);
    options.retry_writes = "sometimes";
    FAILS(steadis_call_with(client, &options, 2, get, NULL, &reply, &error), STEADIS_USAGE,
          "retry_writes is `sometimes`; write one of unsent, always");
    options.retry_writes = NULL;
    options.timeout_ms = -1;
    FAILS(steadis_call_with(client, &options, 2, get, NULL, &reply, &error), STEADIS_USAGE,
          "timeout_ms is -1");
}

int main(void) {
    steadis_client *client;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    redis_start();
    client = redis_client();
    WELL(steadis_ready(client, 5000, &error));
    every_type_of_reply(client);
    errors_say_everything(client);
    large_and_many(client);
    options_of_a_call(client);
    steadis_close(client);
    FAILS(steadis_callf(client, &reply, &error, "PING"), STEADIS_CLOSED, "closed");
    steadis_client_free(client);
    return result();
}
