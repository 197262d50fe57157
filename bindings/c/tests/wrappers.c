/* The generated wrappers of commands. */
#include "harness.h"

#include <stdint.h>
#include <steadis_commands.h>

int main(void) {
    steadis_client *client;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    const char *pairs[] = {"a", "1", "b", "2"}, *many[40], *gap[] = {"x", NULL};
    size_t i;
    redis_start();
    client = redis_client();
    if (WELL(steadis_set(client, "k", "v\0w", 3, &reply, &error)))
        CHECK(is(reply, "OK"));
    steadis_reply_free(reply);
    if (WELL(steadis_get(client, "k", &reply, &error)))
        CHECK(reply->len == 3);
    steadis_reply_free(reply);
    if (WELL(steadis_hset(client, "h", 4, pairs, NULL, &reply, &error)))
        CHECK(reply->integer == 2);
    steadis_reply_free(reply);
    if (WELL(steadis_hgetall(client, "h", &reply, &error)))
        CHECK(is(steadis_reply_get(reply, "b"), "2"));
    steadis_reply_free(reply);
    if (WELL(steadis_incrby(client, "n", INT64_MIN, &reply, &error)))
        CHECK(reply->integer == INT64_MIN);
    steadis_reply_free(reply);
    if (WELL(steadis_incrbyfloat(client, "f", 0.1, &reply, &error)))
        CHECK(is(reply, "0.1"));
    steadis_reply_free(reply);
    for (i = 0; i < 40; i++)
        many[i] = "x";
    if (WELL(steadis_rpush(client, "l", 40, many, NULL, &reply, &error)))
        CHECK(reply->integer == 40);
    steadis_reply_free(reply);
    FAILS(steadis_get(client, NULL, &reply, &error), STEADIS_USAGE, "argument 1: ");
    FAILS(steadis_rpush(client, "l", 2, gap, NULL, &reply, &error), STEADIS_USAGE, "NULL");
    FAILS(steadis_rpush(client, "l", 2, NULL, NULL, &reply, &error), STEADIS_USAGE, "argv is NULL");
    FAILS(steadis_rpush(client, "l", SIZE_MAX, many, NULL, &reply, &error), STEADIS_USAGE,
          "negative");
    FAILS(steadis_get(NULL, "k", &reply, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_lpush(client, "k", 1, many, NULL, &reply, &error), STEADIS_SERVER, "WRONGTYPE");
    steadis_client_free(client);
    return result();
}
