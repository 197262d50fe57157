/* The worker of the scenarios: does what the driver orders and logs every operation. The protocol
 * is in docs/scenarios.md; all cleverness is the driver's. */
#include "worker.h"

#include <stdio.h>
#include <string.h>

/* Formats get the key, twice; those for ODD and EVEN the shared key and the number of the round,
 * or how far the stream is read. */
static const step STEPS[] = {
    {"increments", "incr", CALL, ANY, "INCR %s"},
    {"increments", "get", CALL, ANY, "GET %s"},
    {"reads", "get", CALL, ANY, "GET %s"},
    {"pipelines", "incr", EACH, ANY, "INCR %s"},
    {"transactions", "multi", TOGETHER, ANY, "INCR %s:%s"},
    {"scripts", "eval", CALL, ANY,
     "EVAL return{redis.call('INCR',KEYS[1]),redis.call('INCR',KEYS[2])} 2 %s:a %s:b"},
    {"fork", "incr", CALL, ANY, "INCR %s"},
    {"fork", "get", CALL, ANY, "GET %s"},
    {"watch", "watch", WATCH, ANY, NULL},
    {"blocking", "push", CALL, ODD, "RPUSH %s %s"},
    {"blocking", "pop", CALL, EVEN, "BLPOP %s 1"},
    {"streams", "add", CALL, ODD, "XADD %s * n %s"},
    {"streams", "entry", READ, EVEN, "XREAD COUNT 1 BLOCK 1000 STREAMS %s %s"},
    {"pubsub", "publish", CALL, ODD, "PUBLISH %s %s"},
    {"pubsub", "message", LISTEN, EVEN, NULL},
};
static const step *const END = STEPS + sizeof STEPS / sizeof *STEPS;

static cJSON *order;

int number(const char *name) {
    return (int)cJSON_GetNumberValue(cJSON_GetObjectItem(order, name));
}

void key_of(char key[96], int worker) {
    const char *prefix = cJSON_GetStringValue(cJSON_GetObjectItem(order, "prefix"));
    snprintf(key, 96, "%sn%d", prefix ? prefix : "", worker);
}

const step *next_step(const step *it, int worker) {
    const char *workload = cJSON_GetStringValue(cJSON_GetObjectItem(order, "workload"));
    for (it = it ? it + 1 : STEPS; it < END; it++)
        if (strcmp(it->workload, workload) == 0 &&
            (it->who == ANY || (it->who == ODD) == (worker % 2 == 1)))
            return it;
    return NULL;
}

steadis_pipeline *batch_of(const step *it, const char *key) {
    steadis_pipeline *batch = NULL;
    int i, count = it->how == EACH ? number("batch") : 2;
    steadis_pipeline_new(&batch, NULL);
    for (i = 0; i < count; i++)
        steadis_pipeline_addf(batch, NULL, it->format, key, i == 0 ? "a" : "b");
    return batch;
}

int main(int argc, char **argv) {
    int evented = argc == 2 && strcmp(argv[1], "--evented") == 0;
    char line[1024];
    /* What stdio has taken in, poll does not see. */
    setvbuf(stdin, NULL, _IONBF, 0);
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("{\"ready\":true,\"workloads\":[\"increments\",\"reads\",\"pipelines\",\"transactions\","
           "\"scripts\"%s]}\n", evented ? "" : ",\"fork\",\"watch\",\"blocking\",\"streams\",\"pubsub\"");
    if (fgets(line, sizeof line, stdin) == NULL)
        return 0;
    order = cJSON_Parse(line);
    if (!cJSON_HasObjectItem(order, "workload")) {
        fprintf(stderr, "the order is not understood: %s", line);
        return 2;
    }
    evented ? run_evented() : run_blocking();
    puts("{\"done\":true}");
    cJSON_Delete(order);
    return 0;
}
