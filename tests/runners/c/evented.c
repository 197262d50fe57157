/* One loop for all workers, each a state machine. */
#include "worker.h"

#include <poll.h>
#include <stdlib.h>

typedef struct {
    int number;
    char key[96];
    /* Under way since `start`; NULL between two rounds. */
    const step *step;
    int64_t start, next_round;
} worker;

static steadis_async *redis;
static int waiting;

static void go_on(worker *me);

static void answered(const steadis_reply *reply, const steadis_error *error, void *user) {
    worker *me = user;
    waiting--;
    log_step(me->step, me->key, me->start, reply, error);
    go_on(me);
}

static void go_on(worker *me) {
    const step *it = me->step = next_step(me->step, me->number);
    steadis_pipeline *batch = NULL;
    steadis_error *error = NULL;
    steadis_status status;
    me->start = log_now();
    if (it == NULL) {
        me->next_round = me->start + (int64_t)number("think_ms") * 1000000;
        return;
    }
    waiting++;
    if (it->how != CALL)
        batch = batch_of(it, me->key);
    if (it->how == CALL)
        status = steadis_async_callf(redis, answered, me, &error, it->format, me->key, me->key);
    else if (it->how == EACH)
        status = steadis_async_pipeline(redis, NULL, batch, answered, me, NULL, &error);
    else
        status = steadis_async_transaction(redis, NULL, batch, answered, me, NULL, &error);
    if (status != STEADIS_OK)
        answered(NULL, error, me);
    steadis_pipeline_free(batch);
    steadis_error_free(error);
}

void run_evented(void) {
    struct pollfd fds[2] = {{-1, POLLIN, 0}, {0, POLLIN, 0}};
    int i, count = number("workers"), stopped = 0;
    worker *workers = calloc((size_t)count, sizeof *workers);
    steadis_error *error = NULL;
    int64_t start = log_now();
    if (steadis_async_new(NULL, &redis, &error) != STEADIS_OK) {
        log_operation("connect", "", start, NULL, error);
        steadis_error_free(error);
        count = 0, stopped = 1;
    }
    fds[0].fd = steadis_async_fd(redis);
    for (i = 0; i < count; i++) {
        workers[i].number = i;
        key_of(workers[i].key, i);
        /* Not all in step: some shall be writing while others read. */
        workers[i].next_round = start + (int64_t)number("think_ms") * 1000000 * i / count;
    }
    while (!stopped || waiting > 0) {
        int64_t now = log_now(), next = now + 1000000000;
        for (i = 0; i < count; i++) {
            if (!stopped && workers[i].step == NULL && workers[i].next_round <= now)
                go_on(&workers[i]);
            if (workers[i].step == NULL && workers[i].next_round < next)
                next = workers[i].next_round;
        }
        poll(fds, stopped ? 1 : 2, next > now ? (int)((next - now) / 1000000) + 1 : 0);
        if (fds[0].revents != 0)
            steadis_async_process(redis, NULL);
        /* The only order that comes here is to stop. */
        stopped |= fds[1].revents != 0;
    }
    steadis_async_free(redis);
    free(workers);
}
