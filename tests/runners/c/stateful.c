#include "stateful.h"
#include "log.h"
#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 1000 };

typedef struct {
    const char *key;
    long long next;
} change;

static int one_more(steadis_view *view, steadis_pipeline *transaction, void *user) {
    change *it = user;
    const char *get[] = {"GET", it->key};
    steadis_reply *reply = NULL;
    if (steadis_view_call(view, 2, get, NULL, &reply, NULL) != STEADIS_OK)
        return 1;
    it->next = atoll(steadis_reply_str(reply)) + 1;
    steadis_reply_free(reply);
    return steadis_pipeline_addf(transaction, NULL, "SET %s %lld", it->key, it->next) != STEADIS_OK;
}

static void watch(const steadis_client *client, const char *key) {
    change it = {key, 0};
    steadis_reply *reply = NULL, told = {0};
    steadis_error *error = NULL;
    int64_t start = log_now();
    steadis_status status =
        steadis_watch(client, NULL, 1, &key, NULL, one_more, &it, &reply, &error);
    told.type = STEADIS_REPLY_INTEGER;
    told.integer = it.next;
    log_operation("watch", key, start, &told, status == STEADIS_OK ? NULL : error);
    steadis_reply_free(reply);
    steadis_error_free(error);
}

static void command(const steadis_client *client, const char *op, const char *key,
                    const char *format, const char *name, int number) {
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    int64_t start = log_now();
    steadis_status status = steadis_callf(client, &reply, &error, format, name, number);
    log_operation(op, key, start, reply, status == STEADIS_OK ? NULL : error);
    steadis_reply_free(reply);
    steadis_error_free(error);
}

/* What was heard, as the reply that it never was. */
static void listen(steadis_subscription *news, const char *key, const char *channel) {
    steadis_message *message = NULL;
    steadis_error *error = NULL;
    steadis_reply told = {0};
    int64_t start = log_now();
    steadis_status status =
        steadis_subscription_add(news, STEADIS_CHANNEL, channel, strlen(channel), &error);
    if (status == STEADIS_OK)
        status = steadis_subscription_next(news, PATIENCE_MS, &message, &error);
    told.type = message != NULL ? STEADIS_REPLY_STRING : STEADIS_REPLY_NIL;
    if (message != NULL)
        told.str = message->type == STEADIS_GAP ? "gap" : message->data;
    log_operation("message", key, start, &told, status == STEADIS_OK ? NULL : error);
    steadis_message_free(message);
    steadis_error_free(error);
}

bool is_patient(int worker) {
    return worker % 2 == 0 &&
           (strcmp(order.workload, "blocking") == 0 || strcmp(order.workload, "pubsub") == 0);
}

bool play_stateful(const steadis_client *client, steadis_subscription *news, int worker, int turn) {
    char key[96], shared[128];
    snprintf(key, sizeof key, "%sn%d", order.prefix, worker);
    /* Of each pair the odd one gives and the even one takes. */
    snprintf(shared, sizeof shared, "%sn%d:shared", order.prefix, worker | 1);
    if (strcmp(order.workload, "watch") == 0)
        watch(client, key);
    else if (strcmp(order.workload, "blocking") == 0 && is_patient(worker))
        command(client, "pop", key, "BLPOP %s %d", shared, PATIENCE_MS / 1000);
    else if (strcmp(order.workload, "blocking") == 0)
        command(client, "push", key, "RPUSH %s %d", shared, turn);
    else if (strcmp(order.workload, "pubsub") == 0 && is_patient(worker))
        listen(news, key, shared);
    else if (strcmp(order.workload, "pubsub") == 0)
        command(client, "publish", key, "PUBLISH %s %d", shared, turn);
    else
        return false;
    return true;
}
