/* Pipelines, transactions, scripts and watch. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

static void each_command_has_its_own_outcome(const steadis_client *client) {
    steadis_pipeline *pipeline = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    const char *set[] = {"SET", "p", "1"}, *push[] = {"LPUSH", "p", "x"}, *incr[] = {"INCR", "p"};
    WELL(steadis_pipeline_new(&pipeline, &error));
    WELL(steadis_pipeline_add(pipeline, 3, set, NULL, &error));
    WELL(steadis_pipeline_add(pipeline, 3, push, NULL, &error));
    WELL(steadis_pipeline_add(pipeline, 2, incr, NULL, &error));
    WELL(steadis_pipeline_addf(pipeline, &error, "HGETALL none"));
    if (WELL(steadis_pipeline_exec(client, pipeline, NULL, &reply, &error))) {
        CHECK(reply->type == STEADIS_REPLY_ARRAY && reply->elements == 4);
        CHECK(is(reply->element[0], "OK") && reply->element[0]->error == NULL);
        CHECK(reply->element[1]->type == STEADIS_REPLY_ERROR);
        CHECK(reply->element[1]->error->status == STEADIS_SERVER);
        CHECK(strcmp(reply->element[1]->error->code, "WRONGTYPE") == 0);
        CHECK(reply->element[2]->integer == 2);
        CHECK(reply->element[3]->type == STEADIS_REPLY_MAP);
    }
    steadis_reply_free(reply);
    if (WELL(steadis_pipeline_exec(client, pipeline, NULL, &reply, &error)))
        CHECK(reply->elements == 0);
    steadis_reply_free(reply);
    WELL(steadis_pipeline_addf(pipeline, &error, "BLPOP none 0"));
    FAILS(steadis_pipeline_exec(client, pipeline, NULL, &reply, &error), STEADIS_USAGE,
          "call it alone");
    steadis_pipeline_free(pipeline);
}

static void together_or_not_at_all(const steadis_client *client) {
    steadis_pipeline *pipeline = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    WELL(steadis_pipeline_new(&pipeline, &error));
    WELL(steadis_pipeline_addf(pipeline, &error, "INCR t:a"));
    WELL(steadis_pipeline_addf(pipeline, &error, "INCRBY t:b 5"));
    if (WELL(steadis_transaction_exec(client, pipeline, NULL, &reply, &error)))
        CHECK(reply->elements == 2 && reply->element[0]->integer == 1 &&
              reply->element[1]->integer == 5);
    steadis_reply_free(reply);
    WELL(steadis_pipeline_addf(pipeline, &error, "INCR t:a"));
    WELL(steadis_pipeline_addf(pipeline, &error, "NOSUCHCOMMAND"));
    FAILS(steadis_transaction_exec(client, pipeline, NULL, &reply, &error), STEADIS_SERVER,
          "unknown command");
    if (WELL(steadis_callf(client, &reply, &error, "GET t:a")))
        CHECK(is(reply, "1"));
    steadis_reply_free(reply);
    steadis_pipeline_free(pipeline);
}

static void scripts_load_themselves(const steadis_client *client) {
    const char source[] = "return {KEYS[1], ARGV[1]}";
    const char *args[] = {"key", "argument"};
    steadis_script *script = NULL;
    steadis_pipeline *pipeline = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    WELL(steadis_script_new(client, source, sizeof source - 1, &script, &error));
    if (WELL(steadis_script_call(client, script, NULL, 1, 2, args, NULL, &reply, &error)))
        CHECK(is(reply->element[0], "key") && is(reply->element[1], "argument"));
    steadis_reply_free(reply);
    WELL(steadis_callf(client, &reply, &error, "SCRIPT FLUSH"));
    steadis_reply_free(reply);
    WELL(steadis_pipeline_new(&pipeline, &error));
    WELL(steadis_pipeline_add_script(pipeline, script, 2, 2, args, NULL, &error));
    if (WELL(steadis_pipeline_exec(client, pipeline, NULL, &reply, &error)))
        CHECK(is(reply->element[0]->element[0], "key"));
    steadis_reply_free(reply);
    steadis_pipeline_free(pipeline);
    steadis_script_free(script);
}

typedef struct {
    const steadis_client *other;
    int calls, disturb, give_up;
} plan;

/* Doubles a number; somebody else changes it the first times. */
static int doubled(steadis_view *view, steadis_pipeline *transaction, void *user) {
    plan *it = user;
    const char *get[] = {"GET", "w"}, *set[] = {"SET", "w", "0"};
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    it->calls++;
    FAILS(steadis_view_call(view, 3, set, NULL, &reply, &error), STEADIS_USAGE,
          "queue it in the transaction");
    if (!WELL(steadis_view_call(view, 2, get, NULL, &reply, &error)))
        return 1;
    if (it->give_up) {
        steadis_reply_free(reply);
        return 1;
    }
    if (it->calls <= it->disturb) {
        steadis_reply *other = NULL;
        WELL(steadis_callf(it->other, &other, &error, "INCR w"));
        steadis_reply_free(other);
    }
    WELL(steadis_pipeline_addf(transaction, &error, "INCRBY w %s", reply->str));
    steadis_reply_free(reply);
    return 0;
}

static void watched_until_it_commits(const steadis_client *client) {
    const char *keys[] = {"w"};
    plan it = {client, 0, 2, 0};
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    WELL(steadis_callf(client, &reply, &error, "SET w 10"));
    steadis_reply_free(reply);
    reply = NULL;
    if (WELL(steadis_watch(client, NULL, 1, keys, NULL, doubled, &it, &reply, &error)))
        CHECK(it.calls == 3 && reply->elements == 1 && reply->element[0]->integer == 24);
    steadis_reply_free(reply);
    it.give_up = 1;
    reply = (steadis_reply *)&it;
    WELL(steadis_watch(client, NULL, 1, keys, NULL, doubled, &it, &reply, &error));
    CHECK(reply == NULL);
    FAILS(steadis_watch(client, NULL, 0, keys, NULL, doubled, &it, &reply, &error), STEADIS_USAGE,
          "needs the keys");
}

int main(void) {
    steadis_client *client;
    redis_start();
    client = redis_client();
    each_command_has_its_own_outcome(client);
    together_or_not_at_all(client);
    scripts_load_themselves(client);
    watched_until_it_commits(client);
    steadis_client_free(client);
    return result();
}
