/* A thread for each worker, all with one client. */
#include "worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_CHILD = 1000, PATIENCE_MS = 1000 };

static steadis_client *client;
static atomic_bool stopped;

typedef struct {
    const char *key;
    int next;
} change;

static int one_more(steadis_view *view, steadis_pipeline *transaction, void *user) {
    change *it = user;
    const char *get[] = {"GET", it->key};
    steadis_reply *reply = NULL;
    if (steadis_view_call(view, 2, get, NULL, &reply, NULL) != STEADIS_OK)
        return 1;
    it->next = atoi(steadis_reply_str(reply)) + 1;
    steadis_reply_free(reply);
    return steadis_pipeline_addf(transaction, NULL, "SET %s %d", it->key, it->next) != STEADIS_OK;
}

/* Up to where this thread has read. */
static _Thread_local char last_entry[64] = "0";

/* The stream and the number in its next entry; null if none has come. */
static cJSON *entry_of(const char *stream, const steadis_reply *reply) {
    cJSON *value = cJSON_CreateArray();
    const steadis_reply *entry;
    if (reply == NULL || reply->type == STEADIS_REPLY_NIL) {
        cJSON_Delete(value);
        return cJSON_CreateNull();
    }
    entry = reply->element[1]->element[0];
    snprintf(last_entry, sizeof last_entry, "%s", entry->element[0]->str);
    cJSON_AddItemToArray(value, cJSON_CreateString(stream));
    cJSON_AddItemToArray(value, cJSON_CreateRaw(entry->element[1]->element[1]->str));
    return value;
}

static void execute(const step *it, const char *key, const char *first, const char *second) {
    steadis_pipeline *batch = it->how == EACH || it->how == TOGETHER ? batch_of(it, key) : NULL;
    change plan = {key, 0};
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    int64_t start = log_now();
    if (it->how == CALL || it->how == READ)
        steadis_callf(client, &reply, &error, it->format, first, second);
    else if (it->how == EACH)
        steadis_pipeline_exec(client, batch, NULL, &reply, &error);
    else if (it->how == TOGETHER)
        steadis_transaction_exec(client, batch, NULL, &reply, &error);
    else
        steadis_watch(client, NULL, 1, &key, NULL, one_more, &plan, &reply, &error);
    if (it->how == WATCH)
        log_operation(it->op, key, start, cJSON_CreateNumber(plan.next), error);
    else if (it->how == READ)
        log_operation(it->op, key, start, entry_of(first, reply), error);
    else
        log_step(it, key, start, reply, error);
    steadis_pipeline_free(batch);
    steadis_reply_free(reply);
    steadis_error_free(error);
}

static void hear(const step *it, const char *key, const char *channel, steadis_subscription *news) {
    steadis_message *message = NULL;
    steadis_error *error = NULL;
    int64_t start = log_now();
    if (!steadis_subscription_add(news, STEADIS_CHANNEL, channel, strlen(channel), &error))
        steadis_subscription_next(news, PATIENCE_MS, &message, &error);
    log_operation(it->op, key, start,
                  cJSON_CreateRaw(message == NULL                ? "null"
                                  : message->type == STEADIS_GAP ? "\"gap\""
                                                                 : message->data),
                  error);
    steadis_message_free(message);
    steadis_error_free(error);
}

static void play_round(steadis_subscription *news, int worker, int turn) {
    struct timespec think = {number("think_ms") / 1000, number("think_ms") % 1000 * 1000000L};
    char key[96], pair[96], shared[128], round[16];
    const step *it = next_step(NULL, worker), *last = it;
    key_of(key, worker);
    key_of(pair, worker | 1);
    snprintf(shared, sizeof shared, "%s:shared", pair);
    snprintf(round, sizeof round, "%d", turn);
    for (; it != NULL; last = it, it = next_step(it, worker)) {
        if (it->how == LISTEN)
            hear(it, key, shared, news);
        else if (it->who == ANY)
            execute(it, key, key, key);
        else
            execute(it, key, shared, it->how == READ ? last_entry : round);
    }
    /* Who waits for others needs no rest. */
    if (last == NULL || last->who != EVEN)
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

void run_blocking(void) {
    int i, children = 0, workers = number("workers");
    pthread_t *threads = calloc((size_t)workers, sizeof *threads);
    char line[1024];
    steadis_error *error = NULL;
    int64_t start = log_now();
    if (steadis_connect(NULL, &client, &error) != STEADIS_OK ||
        steadis_on(client, NULL, log_event, "to", NULL, &error) != STEADIS_OK) {
        log_operation("connect", "", start, NULL, error);
        workers = 0, stopped = true;
    }
    for (i = 0; i < workers; i++)
        pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    for (; !stopped && fgets(line, sizeof line, stdin) && strstr(line, "fork"); children++)
        if (fork() == 0) {
            /* A child goes on with the client that it inherited. */
            for (i = 1; i <= number("child_rounds"); i++)
                play_round(NULL, FIRST_CHILD + children, i);
            _exit(0);
        }
    stopped = true;
    for (i = 0; i < workers; i++)
        pthread_join(threads[i], NULL);
    while (children-- > 0)
        wait(NULL);
    steadis_error_free(error);
    steadis_client_free(client);
    free(threads);
}
