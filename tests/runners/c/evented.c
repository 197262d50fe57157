/* The worker of the scenarios in an event loop: as many state machines as there are workers, one
 * thread, poll(2). */

#include "evented.h"
#include "log.h"
#include "order.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char key[96];
    const char *op;
    /* What is logged for one answer, and when it was asked. */
    int64_t start, next_round;
    bool waits, then_get;
} worker;

static steadis_async *redis;
static worker *workers;
static int waiting;

static void ask(worker *me);

static void answered(const steadis_reply *reply, const steadis_error *error, void *user) {
    worker *me = user;
    int i, count = strcmp(order.workload, "pipelines") == 0 ? order.batch : 1;
    for (i = 0; i < count; i++) {
        const steadis_reply *one = count > 1 && reply != NULL ? reply->element[i] : reply;
        log_operation(me->op, me->key, me->start, one, one != NULL ? one->error : error);
    }
    waiting--;
    if (me->then_get) {
        me->then_get = false;
        me->op = "get";
        ask(me);
        return;
    }
    me->waits = false;
    me->next_round = log_now() + (int64_t)order.think_ms * 1000000;
}

static steadis_status send_batch(worker *me, bool together, steadis_error **error) {
    steadis_pipeline *pipeline = NULL;
    steadis_status status = steadis_pipeline_new(&pipeline, error);
    int i;
    if (together) {
        steadis_pipeline_addf(pipeline, NULL, "INCR %s:a", me->key);
        steadis_pipeline_addf(pipeline, NULL, "INCR %s:b", me->key);
        status = steadis_async_transaction(redis, NULL, pipeline, answered, me, NULL, error);
    } else {
        for (i = 0; i < order.batch; i++)
            steadis_pipeline_addf(pipeline, NULL, "INCR %s", me->key);
        status = steadis_async_pipeline(redis, NULL, pipeline, answered, me, NULL, error);
    }
    steadis_pipeline_free(pipeline);
    return status;
}

static void ask(worker *me) {
    steadis_error *error = NULL;
    steadis_status status;
    me->start = log_now();
    me->waits = true;
    waiting++;
    if (strcmp(me->op, "get") == 0)
        status = steadis_async_callf(redis, answered, me, &error, "GET %s", me->key);
    else if (strcmp(me->op, "eval") == 0)
        status = steadis_async_callf(redis, answered, me, &error, "EVAL %s 2 %s:a %s:b", SCRIPT,
                                     me->key, me->key);
    else if (strcmp(me->op, "multi") == 0)
        status = send_batch(me, true, &error);
    else if (strcmp(order.workload, "pipelines") == 0)
        status = send_batch(me, false, &error);
    else
        status = steadis_async_callf(redis, answered, me, &error, "INCR %s", me->key);
    if (status != STEADIS_OK)
        answered(NULL, error, me);
    steadis_error_free(error);
}

static void play_round(worker *me) {
    me->op = strcmp(order.workload, "reads") == 0          ? "get"
             : strcmp(order.workload, "transactions") == 0 ? "multi"
             : strcmp(order.workload, "scripts") == 0      ? "eval"
                                                           : "incr";
    me->then_get = strcmp(order.workload, "increments") == 0;
    ask(me);
}

void run_evented(void) {
    struct pollfd fds[2] = {{-1, POLLIN, 0}, {0, POLLIN, 0}};
    bool stopped = false;
    steadis_error *error = NULL;
    int64_t start = log_now();
    int i;
    if (steadis_async_new(NULL, &redis, &error) != STEADIS_OK) {
        log_operation("connect", "", start, NULL, error);
        steadis_error_free(error);
        return;
    }
    fds[0].fd = steadis_async_fd(redis);
    workers = calloc((size_t)order.workers, sizeof *workers);
    for (i = 0; i < order.workers; i++) {
        snprintf(workers[i].key, sizeof workers[i].key, "%sn%d", order.prefix, i);
        /* Not all in step: some shall be writing while others read. */
        workers[i].next_round = start + (int64_t)order.think_ms * 1000000 * i / order.workers;
    }
    while (!stopped || waiting > 0) {
        int64_t now = log_now(), next = now + 1000000000;
        for (i = 0; i < order.workers; i++) {
            if (!stopped && !workers[i].waits && workers[i].next_round <= now)
                play_round(&workers[i]);
            if (!workers[i].waits && workers[i].next_round < next)
                next = workers[i].next_round;
        }
        poll(fds, stopped ? 1 : 2, next > now ? (int)((next - now) / 1000000) + 1 : 0);
        if (fds[0].revents != 0)
            steadis_async_process(redis, NULL);
        /* The only order that comes here is to stop. */
        if (!stopped && fds[1].revents != 0)
            stopped = true;
    }
    steadis_async_free(redis);
    free(workers);
}
