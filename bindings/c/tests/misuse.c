/* Bad input gives STEADIS_USAGE and a sentence, never a crash. */
#include "harness.h"

#include <stdint.h>
#include <string.h>

static void on_event(const char *event, const steadis_reply *details, void *user) {
    (void)event, (void)details, (void)user;
}

static void nulls(steadis_client *client) {
    const char *ping[] = {"PING"};
    const char *gap[] = {"GET", NULL};
    const size_t two[] = {3, 2};
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    steadis_client *made = NULL;
    FAILS(steadis_connect(NULL, NULL, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_call(NULL, 1, ping, NULL, &reply, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_call(client, 1, NULL, NULL, &reply, &error), STEADIS_USAGE, "argv is NULL");
    FAILS(steadis_call(client, 1, ping, NULL, NULL, &error), STEADIS_USAGE, "reply is NULL");
    FAILS(steadis_call(client, 2, gap, NULL, &reply, &error), STEADIS_USAGE, "argv[1] is NULL");
    FAILS(steadis_call(client, 2, gap, two, &reply, &error), STEADIS_USAGE, "argument 1");
    FAILS(steadis_call(client, 0, NULL, NULL, &reply, &error), STEADIS_USAGE, "needs a name");
    FAILS(steadis_callf(NULL, &reply, &error, "PING"), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_ready(NULL, 0, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_replica(NULL, NULL, &made, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_topology(client, NULL, &error), STEADIS_USAGE, "reply is NULL");
    FAILS(steadis_health(NULL, &reply, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_stats(NULL, &reply, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_explain(NULL, &reply, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_on(client, NULL, NULL, NULL, NULL, &error), STEADIS_USAGE, "callback is NULL");
    FAILS(steadis_off(NULL, 1, &error), STEADIS_USAGE, "client is NULL");
    CHECK(steadis_call(NULL, 1, ping, NULL, &reply, NULL) == STEADIS_USAGE);
    FAILS(steadis_call_with(NULL, NULL, 1, ping, NULL, &reply, &error), STEADIS_USAGE,
          "client is NULL");
    FAILS(steadis_replica(client, NULL, NULL, &error), STEADIS_USAGE, "replica is NULL");
    FAILS(steadis_on(NULL, NULL, NULL, NULL, NULL, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_on(client, "\xff", on_event, NULL, NULL, &error), STEADIS_USAGE,
          "event is not UTF-8");
    CHECK(reply == NULL && made == NULL);
    steadis_close(NULL);
    steadis_client_free(NULL);
    steadis_reply_free(NULL);
    steadis_error_free(NULL);
    steadis_options_free(NULL);
    steadis_pipeline_free(NULL);
    steadis_script_free(NULL);
    steadis_subscription_free(NULL);
    steadis_message_free(NULL);
    steadis_resolver_free(NULL);
    steadis_primary_free(NULL);
    steadis_resolver_off(NULL, 1);
    CHECK(strcmp(steadis_reply_str(NULL), "") == 0);
    CHECK(steadis_reply_get(NULL, "k") == NULL);
    CHECK(steadis_async_fd(NULL) == -1);
    steadis_async_cancel(NULL, 1);
    steadis_async_close(NULL);
    steadis_async_free(NULL);
}

static int on_watch(steadis_view *view, steadis_pipeline *transaction, void *user) {
    (void)view, (void)transaction, (void)user;
    return 0;
}

static void counts_and_lengths(const steadis_client *client) {
    const char *echo[] = {"ECHO", "x"};
    const size_t huge[] = {4, SIZE_MAX}, in_all[] = {SIZE_MAX / 2, SIZE_MAX / 2};
    steadis_call_options options = {0};
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    FAILS(steadis_call(client, -1, echo, NULL, &reply, &error), STEADIS_USAGE,
          "argc is -1; a count cannot be negative");
    FAILS(steadis_call(client, 2, echo, huge, &reply, &error), STEADIS_USAGE, "was it negative?");
    FAILS(steadis_call(client, 2, echo, in_all, &reply, &error), STEADIS_USAGE,
          "more than there is memory for");
    options.max_lag_ms = -1;
    FAILS(steadis_call_with(client, &options, 2, echo, NULL, &reply, &error), STEADIS_USAGE,
          "max_lag_ms is -1");
    options.max_lag_ms = 0;
    options.read_from = "\xff";
    FAILS(steadis_call_with(client, &options, 2, echo, NULL, &reply, &error), STEADIS_USAGE,
          "read_from is not UTF-8");
    FAILS(steadis_watch(client, NULL, -1, echo, NULL, on_watch, NULL, &reply, &error),
          STEADIS_USAGE, "argc is -1");
    FAILS(steadis_ready(client, -5, &error), STEADIS_USAGE, "timeout_ms is -5; write 0 for none");
    FAILS(steadis_callf(client, &reply, &error, "AUTH secret"), STEADIS_USAGE, "options username");
}

static void handles(const steadis_client *client) {
    steadis_pipeline *pipeline = NULL;
    steadis_script *script = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    const char *word[] = {"k"}, *get[] = {"GET", "k"};
    FAILS(steadis_pipeline_new(NULL, &error), STEADIS_USAGE, "pipeline is NULL");
    FAILS(steadis_pipeline_add(NULL, 1, word, NULL, &error), STEADIS_USAGE, "pipeline is NULL");
    FAILS(steadis_pipeline_addf(NULL, &error, "GET k"), STEADIS_USAGE, "pipeline is NULL");
    FAILS(steadis_pipeline_exec(client, NULL, NULL, &reply, &error), STEADIS_USAGE,
          "pipeline is NULL");
    if (WELL(steadis_pipeline_new(&pipeline, &error))) {
        FAILS(steadis_pipeline_add(pipeline, -1, word, NULL, &error), STEADIS_USAGE, "argc is -1");
        FAILS(steadis_pipeline_add(pipeline, 1, NULL, NULL, &error), STEADIS_USAGE, "argv is NULL");
        FAILS(steadis_pipeline_exec(NULL, pipeline, NULL, &reply, &error), STEADIS_USAGE,
              "client is NULL");
        FAILS(steadis_transaction_exec(client, pipeline, NULL, NULL, &error), STEADIS_USAGE,
              "reply is NULL");
        FAILS(steadis_pipeline_add_script(pipeline, NULL, 0, 0, NULL, NULL, &error), STEADIS_USAGE,
              "script is NULL");
        steadis_pipeline_free(pipeline);
    }
    FAILS(steadis_script_new(client, NULL, 3, &script, &error), STEADIS_USAGE, "source is NULL");
    FAILS(steadis_script_new(client, "return 1", 8, NULL, &error), STEADIS_USAGE, "script is NULL");
    FAILS(steadis_script_call(client, NULL, NULL, 0, 0, NULL, NULL, &reply, &error), STEADIS_USAGE,
          "script is NULL");
    if (WELL(steadis_script_new(client, "return 1", 8, &script, &error))) {
        FAILS(steadis_script_call(client, script, NULL, 2, 1, word, NULL, &reply, &error),
              STEADIS_USAGE, "keys is 2, but there are 1 arguments");
        FAILS(steadis_script_call(client, script, NULL, -1, 1, word, NULL, &reply, &error),
              STEADIS_USAGE, "keys is -1");
        FAILS(steadis_pipeline_add_script(NULL, script, 0, 0, NULL, NULL, &error), STEADIS_USAGE,
              "pipeline is NULL");
        steadis_script_free(script);
    }
    FAILS(steadis_watch(client, NULL, 1, word, NULL, NULL, NULL, &reply, &error), STEADIS_USAGE,
          "callback is NULL");
    FAILS(steadis_view_call(NULL, 2, get, NULL, &reply, &error), STEADIS_USAGE, "view is NULL");
}

static void listeners(const steadis_client *client) {
    steadis_subscription *subscription = NULL;
    steadis_message *message = NULL;
    steadis_error *error = NULL;
    FAILS(steadis_subscription_new(NULL, &subscription, &error), STEADIS_USAGE, "client is NULL");
    FAILS(steadis_subscription_new(client, NULL, &error), STEADIS_USAGE, "subscription is NULL");
    FAILS(steadis_subscription_add(NULL, STEADIS_CHANNEL, "c", 1, &error), STEADIS_USAGE,
          "subscription is NULL");
    FAILS(steadis_subscription_remove(NULL, STEADIS_CHANNEL, "c", 1, &error), STEADIS_USAGE,
          "subscription is NULL");
    FAILS(steadis_subscription_ready(NULL, &error), STEADIS_USAGE, "subscription is NULL");
    FAILS(steadis_subscription_next(NULL, 0, &message, &error), STEADIS_USAGE,
          "subscription is NULL");
    FAILS(steadis_subscribe(NULL, NULL, NULL, &error), STEADIS_USAGE, "subscription is NULL");
    if (WELL(steadis_subscription_new(client, &subscription, &error))) {
        FAILS(steadis_subscription_add(subscription, 7, "c", 1, &error), STEADIS_USAGE, "by is 7");
        FAILS(steadis_subscription_add(subscription, STEADIS_CHANNEL, NULL, 1, &error),
              STEADIS_USAGE, "name is NULL");
        FAILS(steadis_subscription_add(subscription, STEADIS_CHANNEL, "c", SIZE_MAX, &error),
              STEADIS_USAGE, "was it negative?");
        FAILS(steadis_subscription_next(subscription, 0, NULL, &error), STEADIS_USAGE,
              "message is NULL");
        FAILS(steadis_subscribe(subscription, NULL, NULL, &error), STEADIS_USAGE,
              "callback is NULL");
        steadis_subscription_free(subscription);
    }
    CHECK(message == NULL);
}

static void resolvers(void) {
    steadis_resolver *resolver = NULL;
    steadis_primary *primary = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    bool over;
    FAILS(steadis_resolver_new(NULL, NULL, &error), STEADIS_USAGE, "resolver is NULL");
    FAILS(steadis_resolver_primary(NULL, 0, &primary, &error), STEADIS_USAGE, "resolver is NULL");
    FAILS(steadis_resolver_topology(NULL, &reply, &error), STEADIS_USAGE, "resolver is NULL");
    FAILS(steadis_resolver_report(NULL, 1, STEADIS_OVERDUE, &error), STEADIS_USAGE,
          "resolver is NULL");
    FAILS(steadis_resolver_report_error(NULL, 1, "x", &over, &error), STEADIS_USAGE,
          "resolver is NULL");
    FAILS(steadis_resolver_on_change(NULL, NULL, NULL, NULL, &error), STEADIS_USAGE,
          "resolver is NULL");
    CHECK(resolver == NULL && primary == NULL && reply == NULL);
}

static void on_reply(const steadis_reply *reply, const steadis_error *error, void *user) {
    (void)reply, (void)error, (void)user;
}

static void event_loops(void) {
    const char *get[] = {"GET", "k"};
    steadis_options *options = redis_options();
    steadis_async *handle = NULL;
    steadis_error *error = NULL;
    uint64_t id = 7;
    FAILS(steadis_async_new(options, NULL, &error), STEADIS_USAGE, "out is NULL");
    FAILS(steadis_async_process(NULL, &error), STEADIS_USAGE, "handle is NULL");
    FAILS(steadis_async_call(NULL, NULL, 2, get, NULL, on_reply, NULL, &id, &error), STEADIS_USAGE,
          "handle is NULL");
    if (WELL(steadis_async_new(options, &handle, &error))) {
        FAILS(steadis_async_call(handle, NULL, -1, get, NULL, on_reply, NULL, &id, &error),
              STEADIS_USAGE, "argc is -1");
        FAILS(steadis_async_pipeline(handle, NULL, NULL, on_reply, NULL, &id, &error),
              STEADIS_USAGE, "pipeline is NULL");
        FAILS(steadis_async_transaction(handle, NULL, NULL, on_reply, NULL, &id, &error),
              STEADIS_USAGE, "pipeline is NULL");
        FAILS(steadis_async_subscribe(handle, STEADIS_CHANNEL, "c", 1, NULL, NULL, &id, &error),
              STEADIS_USAGE, "callback is NULL");
        steadis_async_free(handle);
    }
    CHECK(id == 7);
    steadis_options_free(options);
}

static void after_close(void) {
    steadis_client *client = redis_client();
    steadis_pipeline *pipeline = NULL;
    steadis_subscription *subscription = NULL;
    steadis_message *message = NULL;
    steadis_script *script = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    const char *word[] = {"k"};
    WELL(steadis_pipeline_new(&pipeline, &error));
    WELL(steadis_pipeline_addf(pipeline, &error, "GET k"));
    WELL(steadis_subscription_new(client, &subscription, &error));
    WELL(steadis_subscription_add(subscription, STEADIS_CHANNEL, "c", 1, &error));
    WELL(steadis_script_new(client, "return 1", 8, &script, &error));
    steadis_close(client);
    steadis_close(client);
    FAILS(steadis_callf(client, &reply, &error, "GET k"), STEADIS_CLOSED, "closed");
    FAILS(steadis_ready(client, 0, &error), STEADIS_CLOSED, "closed");
    FAILS(steadis_pipeline_exec(client, pipeline, NULL, &reply, &error), STEADIS_CLOSED, "closed");
    FAILS(steadis_script_call(client, script, NULL, 0, 0, NULL, NULL, &reply, &error),
          STEADIS_CLOSED, "closed");
    FAILS(steadis_watch(client, NULL, 1, word, NULL, on_watch, NULL, &reply, &error),
          STEADIS_CLOSED, "closed");
    FAILS(steadis_subscription_next(subscription, 0, &message, &error), STEADIS_CLOSED, "closed");
    FAILS(steadis_topology(client, &reply, &error), STEADIS_CLOSED, "closed");
    FAILS(steadis_on(client, NULL, on_event, NULL, NULL, &error), STEADIS_CLOSED, "closed");
    steadis_script_free(script);
    steadis_subscription_free(subscription);
    steadis_pipeline_free(pipeline);
    steadis_client_free(client);
}

static void settings(void) {
    steadis_options *options = NULL;
    steadis_client *client = NULL;
    steadis_error *error = NULL;
    WELL(steadis_options_new(&options, &error));
    FAILS(steadis_options_set(NULL, "host", "h", &error), STEADIS_USAGE, "options is NULL");
    FAILS(steadis_options_set(options, NULL, "h", &error), STEADIS_USAGE, "name is NULL");
    FAILS(steadis_options_set(options, "host", NULL, &error), STEADIS_USAGE, "value is NULL");
    FAILS(steadis_options_set(options, "ho\xff", "h", &error), STEADIS_USAGE, "name is not UTF-8");
    FAILS(steadis_options_set(options, "host", "\xc3", &error), STEADIS_USAGE,
          "value is not UTF-8");
    FAILS(steadis_options_new(NULL, &error), STEADIS_USAGE, "out is NULL");
    FAILS(steadis_options_set_int(NULL, "port", 1, &error), STEADIS_USAGE, "options is NULL");
    FAILS(steadis_options_set_json(options, "sentinels", NULL, &error), STEADIS_USAGE,
          "json is NULL");
    FAILS(steadis_options_set_json(options, "sentinels", "[1", &error), STEADIS_USAGE, "JSON");
    FAILS(steadis_options_set_bytes(options, "password", NULL, 2, &error), STEADIS_USAGE,
          "value is NULL");
    WELL(steadis_options_set(options, "comand_timeout", "5s", &error));
    FAILS(steadis_connect(options, &client, &error), STEADIS_CONFIG,
          "did you mean command_timeout?");
    WELL(steadis_options_set(options, "password", "correct horse", &error));
    CHECK(steadis_connect(options, &client, &error) == STEADIS_CONFIG);
    CHECK(strstr(error->message, "horse") == NULL);
    steadis_error_free(error);
    CHECK(client == NULL);
    steadis_options_free(options);
}

int main(void) {
    steadis_client *client;
    redis_start();
    client = redis_client();
    nulls(client);
    counts_and_lengths(client);
    handles(client);
    listeners(client);
    resolvers();
    event_loops();
    after_close();
    settings();
    steadis_client_free(client);
    return result();
}
