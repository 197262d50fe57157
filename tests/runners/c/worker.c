/* The worker of the scenarios: does what the driver orders and logs every operation. The protocol
 * is in docs/scenarios.md; all cleverness is the driver's. */

#include "evented.h"
#include "log.h"
#include "order.h"
#include "stateful.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 4096, CHILDREN = 1000 };

const char SCRIPT[] = "return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}";

struct order order;
static steadis_client *client;
static atomic_bool stopped;

static void report(const char *op, const char *key, int64_t start, steadis_status status,
                   steadis_reply *reply, steadis_error *error) {
    log_operation(op, key, start, reply, status == STEADIS_OK ? NULL : error);
    steadis_reply_free(reply);
    steadis_error_free(error);
}

static void command(const char *op, const char *word, const char *key) {
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    int64_t start = log_now();
    steadis_status status = steadis_callf(client, &reply, &error, "%s %s", word, key);
    report(op, key, start, status, reply, error);
}

/* Each command of a pipeline is an operation of its own, with the times of the whole. */
static void pipeline(const char *key) {
    steadis_pipeline *pipeline = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    int64_t start = log_now();
    int i;
    steadis_status status = steadis_pipeline_new(&pipeline, &error);
    for (i = 0; status == STEADIS_OK && i < order.batch; i++)
        status = steadis_pipeline_addf(pipeline, &error, "INCR %s", key);
    if (status == STEADIS_OK)
        status = steadis_pipeline_exec(client, pipeline, NULL, &reply, &error);
    for (i = 0; i < order.batch; i++) {
        const steadis_reply *one = status == STEADIS_OK ? reply->element[i] : NULL;
        log_operation("incr", key, start, one, one != NULL ? one->error : error);
    }
    steadis_reply_free(reply);
    steadis_error_free(error);
    steadis_pipeline_free(pipeline);
}

static void transaction(const char *key) {
    steadis_pipeline *pipeline = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    int64_t start = log_now();
    steadis_status status = steadis_pipeline_new(&pipeline, &error);
    if (status == STEADIS_OK)
        status = steadis_pipeline_addf(pipeline, &error, "INCR %s:a", key);
    if (status == STEADIS_OK)
        status = steadis_pipeline_addf(pipeline, &error, "INCR %s:b", key);
    if (status == STEADIS_OK)
        status = steadis_transaction_exec(client, pipeline, NULL, &reply, &error);
    report("multi", key, start, status, reply, error);
    steadis_pipeline_free(pipeline);
}

static void script(const char *key) {
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    int64_t start = log_now();
    steadis_status status =
        steadis_callf(client, &reply, &error, "EVAL %s 2 %s:a %s:b", SCRIPT, key, key);
    report("eval", key, start, status, reply, error);
}

static void play_round(steadis_subscription *news, int worker, int turn) {
    struct timespec think = {order.think_ms / 1000, order.think_ms % 1000 * 1000000L};
    char key[96];
    snprintf(key, sizeof key, "%sn%d", order.prefix, worker);
    if (play_stateful(client, news, worker, turn)) {
        if (is_patient(worker))
            return;
    } else if (strcmp(order.workload, "reads") == 0) {
        command("get", "GET", key);
    } else if (strcmp(order.workload, "pipelines") == 0) {
        pipeline(key);
    } else if (strcmp(order.workload, "transactions") == 0) {
        transaction(key);
    } else if (strcmp(order.workload, "scripts") == 0) {
        script(key);
    } else {
        command("incr", "INCR", key);
        command("get", "GET", key);
    }
    nanosleep(&think, NULL);
}

static void *work(void *number) {
    steadis_subscription *news = NULL;
    int turn;
    steadis_subscription_new(client, &news, NULL);
    for (turn = 1; !stopped; turn++)
        play_round(news, (int)(intptr_t)number, turn);
    steadis_subscription_free(news);
    return NULL;
}

/* A child that goes on with the client it inherited. */
static pid_t fork_child(int worker) {
    pid_t child = fork();
    int i;
    if (child != 0)
        return child;
    for (i = 1; i <= order.child_rounds; i++)
        play_round(NULL, worker, i);
    _exit(0);
}

static bool read_order(const char *line) {
    cJSON *json = cJSON_Parse(line);
    const char *workload = cJSON_GetStringValue(cJSON_GetObjectItem(json, "workload"));
    const char *prefix = cJSON_GetStringValue(cJSON_GetObjectItem(json, "prefix"));
    bool understood = workload != NULL && prefix != NULL;
    if (understood) {
        snprintf(order.workload, sizeof order.workload, "%s", workload);
        snprintf(order.prefix, sizeof order.prefix, "%s", prefix);
        order.workers = (int)cJSON_GetNumberValue(cJSON_GetObjectItem(json, "workers"));
        order.think_ms = (int)cJSON_GetNumberValue(cJSON_GetObjectItem(json, "think_ms"));
        order.batch = (int)cJSON_GetNumberValue(cJSON_GetObjectItem(json, "batch"));
        order.child_rounds = (int)cJSON_GetNumberValue(cJSON_GetObjectItem(json, "child_rounds"));
    }
    cJSON_Delete(json);
    return understood && order.workers > 0 && order.workers <= MOST;
}

/* One thread for each worker, all with one client. */
static void run_blocking(void) {
    static pthread_t threads[MOST];
    static pid_t children[MOST];
    char line[1024];
    steadis_error *error = NULL;
    int64_t start = log_now();
    int i, forked = 0;
    if (steadis_connect(NULL, &client, &error) != STEADIS_OK ||
        steadis_on(client, NULL, log_event, NULL, NULL, &error) != STEADIS_OK) {
        log_operation("connect", "", start, NULL, error);
        steadis_error_free(error);
        return;
    }
    for (i = 0; i < order.workers; i++)
        pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    while (fgets(line, sizeof line, stdin) != NULL && strstr(line, "fork") != NULL)
        if (forked < MOST) {
            children[forked] = fork_child(CHILDREN + forked);
            forked++;
        }
    stopped = true;
    for (i = 0; i < order.workers; i++)
        pthread_join(threads[i], NULL);
    for (i = 0; i < forked; i++)
        waitpid(children[i], NULL, 0);
    steadis_client_free(client);
}

int main(int argc, char **argv) {
    bool evented = argc == 2 && strcmp(argv[1], "--evented") == 0;
    char line[1024];
    /* What stdio has taken in, poll does not see. */
    setvbuf(stdin, NULL, _IONBF, 0);
    log_line(evented ? "{\"ready\":true,\"workloads\":[\"increments\",\"reads\",\"pipelines\","
                       "\"transactions\",\"scripts\"]}"
                     : "{\"ready\":true,\"workloads\":[\"increments\",\"reads\",\"pipelines\","
                       "\"transactions\",\"scripts\",\"fork\",\"watch\",\"blocking\","
                       "\"pubsub\"]}");
    if (fgets(line, sizeof line, stdin) == NULL)
        return 0;
    if (!read_order(line)) {
        fprintf(stderr, "the order is not understood: %s", line);
        return 2;
    }
    if (evented)
        run_evented();
    else
        run_blocking();
    log_line("{\"done\":true}");
    return 0;
}
