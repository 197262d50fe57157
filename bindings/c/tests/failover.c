/* 64 threads on one client through failovers: nothing twice, nothing lost but in a crash. */
#include "harness.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 64 };

static steadis_client *client;
static atomic_bool stopped;
static atomic_int rounds, failovers;

typedef struct {
    int number;
    long long acknowledged, unknown, others;
} worker;

/* Each counts in a key of its own, so every answer tells how often it has counted. */
static void *count_up(void *user) {
    worker *me = user;
    while (!stopped) {
        steadis_reply *reply = NULL;
        steadis_error *error = NULL;
        switch (steadis_callf(client, &reply, &error, "INCR count:%d", me->number)) {
        case STEADIS_OK:
            me->acknowledged++;
            if (reply->integer > me->acknowledged + me->unknown)
                me->others++;
            break;
        case STEADIS_MAYBE_EXECUTED:
            me->unknown++;
            break;
        default:
            me->others++;
            printf("%s\n", error->description);
        }
        steadis_reply_free(reply);
        steadis_error_free(error);
        rounds++;
    }
    return NULL;
}

static void on_failover(const char *event, const steadis_reply *details, void *user) {
    CHECK(strcmp(event, "failover") == 0 && steadis_reply_get(details, "to") != NULL);
    CHECK(user == &failovers);
    failovers++;
}

static void wait_for(const atomic_int *count, int until) {
    while (*count < until)
        sched_yield();
}

static void wait_for_rounds(int more) {
    wait_for(&rounds, rounds + more);
}

int main(void) {
    static worker workers[THREADS];
    pthread_t threads[THREADS];
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    long long acknowledged = 0, unknown = 0, others = 0;
    uint64_t id = 0;
    int i;
    lab_start("--down-after 1500ms");
    WELL(steadis_connect(NULL, &client, &error));
    WELL(steadis_ready(client, 10000, &error));
    WELL(steadis_on(client, "failover", on_failover, &failovers, &id, &error));
    FAILS(steadis_on(client, "failovr", on_failover, NULL, NULL, &error), STEADIS_USAGE,
          "there is no event \"failovr\"");
    if (WELL(steadis_health(client, &reply, &error)))
        CHECK(is(steadis_reply_get(reply, "state"), "ready") ||
              is(steadis_reply_get(reply, "state"), "degraded"));
    steadis_reply_free(reply);
    for (i = 0; i < THREADS; i++) {
        workers[i].number = i;
        pthread_create(&threads[i], NULL, count_up, &workers[i]);
    }
    wait_for_rounds(2000);
    lab("{\"verb\":\"failover\"}");
    lab_wait("promoted", 1);
    wait_for_rounds(2000);
    lab("{\"verb\":\"wait\",\"until\":\"in-sync\",\"timeout_ms\":20000}");
    lab("{\"verb\":\"wait\",\"until\":\"agreed\",\"timeout_ms\":30000}");
    lab("{\"verb\":\"kill\",\"name\":\"primary\"}");
    lab_wait("promoted", 2);
    wait_for_rounds(2000);
    /* The record comes when the calls that it tells of are settled. */
    wait_for(&failovers, 2);
    stopped = true;
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        acknowledged += workers[i].acknowledged;
        unknown += workers[i].unknown;
        others += workers[i].others;
    }
    CHECK(others == 0);
    CHECK(unknown <= 2 * THREADS);
    CHECK(acknowledged >= 6000 - unknown);
    CHECK(failovers == 2);
    if (WELL(steadis_topology(client, &reply, &error))) {
        CHECK(is(steadis_reply_get(reply, "phase"), "ready"));
        CHECK(steadis_reply_get(reply, "sentinels")->elements == 3);
        CHECK(steadis_reply_get(reply, "epoch")->integer >= 3);
    }
    steadis_reply_free(reply);
    if (WELL(steadis_stats(client, &reply, &error))) {
        const steadis_reply *figures = steadis_reply_get(reply, "figures");
        CHECK(steadis_reply_get(figures, "calls")->integer >= acknowledged);
        CHECK(steadis_reply_get(figures, "maybe_executed")->integer == unknown);
        CHECK(strstr(steadis_reply_str(steadis_reply_get(reply, "prometheus")),
                     "# TYPE steadis_calls_total counter") != NULL);
    }
    steadis_reply_free(reply);
    WELL(steadis_off(client, id, &error));
    steadis_client_free(client);
    printf("%lld acknowledged, %lld unknown\n", acknowledged, unknown);
    return result();
}
