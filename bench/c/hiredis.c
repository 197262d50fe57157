/* hiredis as its users call it: one context for each thread. */
#include "bench.h"

#include <hiredis/hiredis.h>
#include <stdio.h>

const char *hiredis_version(void) {
    static char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    return version;
}

static void *begin(int port, const workload *work) {
    redisContext *context = redisConnect("127.0.0.1", port);
    (void)work;
    if (context == NULL || context->err != 0)
        give_up("hiredis does not connect");
    return context;
}

static void once(void *state, const workload *work) {
    const char **argv = (const char **)work->argv;
    void *reply;
    int i;
    if (!work->pipelined) {
        if ((reply = redisCommandArgv(state, work->argc, argv, NULL)) == NULL)
            give_up("hiredis fails");
        freeReplyObject(reply);
        return;
    }
    for (i = 0; i < BATCH; i++)
        redisAppendCommandArgv(state, work->argc, argv, NULL);
    for (i = 0; i < BATCH; i++) {
        if (redisGetReply(state, &reply) != REDIS_OK)
            give_up("hiredis fails");
        freeReplyObject(reply);
    }
}

static void end(void *state) {
    redisFree(state);
}

const contender with_hiredis = {"hiredis, context per thread", begin, once, end};
