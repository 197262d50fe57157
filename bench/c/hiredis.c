/* hiredis as its users call it: one context for each thread. Compiled once for each version, as
 * CONTENDER. */
#include "bench.h"

#include <hiredis/hiredis.h>

#define TEXT(number) TEXT_OF(number)
#define TEXT_OF(number) #number
#define VERSION TEXT(HIREDIS_MAJOR) "." TEXT(HIREDIS_MINOR) "." TEXT(HIREDIS_PATCH)

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
        if (work->format != NULL)
            redisAppendCommand(state, work->format, argv[1], argv[2]);
        else
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

const contender CONTENDER = {"hiredis " VERSION ", context per thread", begin, once, end};
