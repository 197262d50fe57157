/* Settings, what became of them, and views of a client. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

static const char *setting(const steadis_reply *explained, const char *name, const char *part) {
    const steadis_reply *rows = steadis_reply_get(explained, "settings");
    size_t i;
    for (i = 0; rows != NULL && i < rows->elements; i++)
        if (is(steadis_reply_get(rows->element[i], "name"), name))
            return steadis_reply_str(steadis_reply_get(rows->element[i], part));
    return "";
}

static void settings_tell_where_they_came_from(void) {
    steadis_options *options = NULL;
    steadis_client *client = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    WELL(steadis_options_new(&options, &error));
    WELL(steadis_options_set_json(options, "env",
                                  "{\"REDIS_SENTINEL_LIST\":\"s1:26379,s2\","
                                  "\"REDIS_SENTINEL_MASTER\":\"main\"}",
                                  &error));
    WELL(steadis_options_set_int(options, "command_timeout", 250, &error));
    WELL(steadis_options_set(options, "connect_timeout", "2s", &error));
    WELL(steadis_options_set_bytes(options, "password", "s3\0cret", 7, &error));
    WELL(steadis_options_set_json(options, "address_map", "{\"10.0.0.1:6379\":\"localhost:7001\"}",
                                  &error));
    if (WELL(steadis_connect(options, &client, &error)) &&
        WELL(steadis_explain(client, &reply, &error))) {
        const char *text = steadis_reply_str(steadis_reply_get(reply, "text"));
        const char *json = steadis_reply_str(steadis_reply_get(reply, "json"));
        CHECK(strcmp(setting(reply, "command_timeout", "value"), "250ms") == 0);
        CHECK(strcmp(setting(reply, "connect_timeout", "value"), "2s") == 0);
        CHECK(strstr(setting(reply, "sentinels", "source"), "REDIS_SENTINEL_LIST") != NULL);
        CHECK(strcmp(setting(reply, "password", "value"), "***") == 0);
        CHECK(strstr(text, "cret") == NULL && strstr(json, "cret") == NULL);
        CHECK(strstr(json, "10.0.0.1:6379") != NULL);
        CHECK(steadis_reply_get(reply, "warnings")->type == STEADIS_REPLY_ARRAY);
        steadis_reply_free(reply);
    }
    steadis_client_free(client);
    steadis_options_free(options);
}

static void replicas_only_read(const steadis_client *client) {
    steadis_call_options options = {0};
    steadis_client *replica = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    WELL(steadis_callf(client, &reply, &error, "SET k v"));
    steadis_reply_free(reply);
    WELL(steadis_replica(client, NULL, &replica, &error));
    if (WELL(steadis_callf(replica, &reply, &error, "GET k")))
        CHECK(is(reply, "v"));
    steadis_reply_free(reply);
    FAILS(steadis_callf(replica, &reply, &error, "SET k v"), STEADIS_USAGE, "SET");
    steadis_client_free(replica);
    options.read_from = "somewhere";
    FAILS(steadis_replica(client, &options, &replica, &error), STEADIS_USAGE,
          "read_from is `somewhere`; write one of primary, prefer_replica");
}

static void one_node_has_a_topology_too(const steadis_client *client) {
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    if (WELL(steadis_topology(client, &reply, &error))) {
        CHECK(is(steadis_reply_get(reply, "phase"), "ready"));
        CHECK(steadis_reply_get(reply, "primary")->type == STEADIS_REPLY_STRING);
        CHECK(steadis_reply_get(reply, "replicas")->elements == 0);
        CHECK(steadis_reply_get(reply, "reason")->type == STEADIS_REPLY_NIL);
    }
    steadis_reply_free(reply);
    if (WELL(steadis_health(client, &reply, &error)))
        CHECK(is(steadis_reply_get(reply, "state"), "ready"));
    steadis_reply_free(reply);
}

int main(void) {
    steadis_client *client;
    redis_start();
    settings_tell_where_they_came_from();
    client = redis_client();
    replicas_only_read(client);
    one_node_has_a_topology_too(client);
    steadis_client_free(client);
    return result();
}
