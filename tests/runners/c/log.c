/* The log: JSON, one object a line, each written at once. */
#include "worker.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t log_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Writes a line that begins so and ends with a value. */
static void finish(const char *begin, cJSON *value) {
    char line[8192], *text = cJSON_PrintUnformatted(value);
    int length = snprintf(line, sizeof line, "%s%.7000s}\n", begin, text);
    /* A driver that has gone needs no log. */
    if (write(1, line, (size_t)length) < 0)
        _exit(1);
    cJSON_free(text);
    cJSON_Delete(value);
}

static cJSON *value_of(const steadis_reply *reply) {
    const char *text = steadis_reply_str(reply), *digits = text + (*text == '-');
    cJSON *list;
    size_t i;
    if (reply == NULL || reply->type == STEADIS_REPLY_NIL)
        return cJSON_CreateNull();
    /* Counters stay small. */
    if (reply->type == STEADIS_REPLY_INTEGER)
        return cJSON_CreateNumber((double)reply->integer);
    /* A number that came as text is a number all the same. */
    if (*digits != '\0' && strspn(digits, "0123456789") == strlen(digits))
        return cJSON_CreateRaw(text);
    if (reply->type != STEADIS_REPLY_ARRAY)
        return cJSON_CreateString(text);
    list = cJSON_CreateArray();
    for (i = 0; i < reply->elements; i++)
        cJSON_AddItemToArray(list, value_of(reply->element[i]));
    return list;
}

void log_operation(const char *op, const char *key, int64_t start, cJSON *value,
                   const steadis_error *error) {
    static const char *const kinds[] = {"", "Config", "Usage", "Unavailable", "Timeout",
                                        "MaybeExecuted", "Auth", "Server", "Busy", "Closed", "Internal"};
    char begin[256];
    if (error != NULL) {
        cJSON_Delete(value);
        value = cJSON_CreateObject();
        cJSON_AddStringToObject(value, "kind", kinds[error->status / 10]);
        cJSON_AddStringToObject(value, "message", error->description);
        cJSON_AddItemToObject(value, "code",
                              error->code ? cJSON_CreateString(error->code) : cJSON_CreateNull());
    }
    snprintf(begin, sizeof begin, "{\"op\":\"%s\",\"key\":\"%s\",\"start\":%lld,\"end\":%lld,\"%s\":",
             op, key, (long long)start, (long long)log_now(), error ? "error" : "value");
    finish(begin, value);
}

void log_step(const step *it, const char *key, int64_t start, const steadis_reply *reply,
              const steadis_error *error) {
    /* Each command of a pipeline is an operation of its own, with the times of the whole. */
    int i, count = it->how == EACH ? number("batch") : 1;
    for (i = 0; i < count; i++) {
        const steadis_reply *one = reply != NULL && it->how == EACH ? reply->element[i] : reply;
        log_operation(it->op, key, start, one ? value_of(one) : NULL, one ? one->error : error);
    }
}

void log_event(const char *event, const steadis_reply *details, void *user) {
    char begin[128];
    snprintf(begin, sizeof begin, "{\"event\":\"%s\",\"at\":%lld,\"says\":", event,
             (long long)log_now());
    finish(begin, value_of(steadis_reply_get(details, user)));
}
