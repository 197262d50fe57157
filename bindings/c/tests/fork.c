/* Children with what they inherited: clients and resolvers work, the rest says that it does not. */
#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static steadis_client *client;
static steadis_resolver *resolver;
static steadis_script *script;
static steadis_async *handle;
static steadis_subscription *news;
static atomic_bool stopped;

/* Whether a child says so. */
static bool in_child(bool (*work)(void)) {
    int status = 1;
    pid_t child = fork();
    if (child == 0)
        _exit(work() ? 0 : 1);
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool counts(void) {
    steadis_reply *reply = NULL;
    steadis_primary *primary = NULL;
    steadis_error *error = NULL;
    bool so;
    so = WELL(steadis_callf(client, &reply, &error, "INCR child"));
    steadis_reply_free(reply);
    reply = NULL;
    so &= WELL(steadis_script_call(client, script, NULL, 0, 0, NULL, NULL, &reply, &error));
    steadis_reply_free(reply);
    so &= WELL(steadis_resolver_primary(resolver, 10000, &primary, &error));
    steadis_primary_free(primary);
    /* What a child has to say is not in its parent's buffer. */
    fflush(stdout);
    return so;
}

static bool has_a_child_that_counts(void) {
    return counts() && in_child(counts);
}

static void nothing(const steadis_reply *reply, const steadis_error *error, void *user) {
    (void)reply, (void)error, (void)user;
}

static bool is_told_of_the_rest(void) {
    steadis_error *error = NULL;
    bool so = steadis_async_callf(handle, nothing, NULL, &error, "GET k") == STEADIS_CLOSED &&
              strstr(error->message, "made by the parent") != NULL;
    steadis_error_free(error);
    steadis_async_free(handle);
    steadis_subscription_free(news);
    steadis_client_free(client);
    steadis_resolver_free(resolver);
    return so;
}

static void unheard(const steadis_message *message, const steadis_error *error, void *user) {
    (void)message, (void)error, (void)user;
}

static void *go_on(void *count) {
    while (!stopped) {
        steadis_reply *reply = NULL;
        CHECK(steadis_callf(client, &reply, NULL, "INCR busy") == STEADIS_OK);
        steadis_reply_free(reply);
        ++*(atomic_llong *)count;
    }
    return NULL;
}

int main(void) {
    atomic_llong count = 0;
    pthread_t threads[4];
    steadis_options *options;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    int i;
    redis_start();
    client = redis_client();
    options = redis_options();
    WELL(steadis_resolver_new(options, &resolver, &error));
    WELL(steadis_script_new(client, "return 1", 8, &script, &error));
    CHECK(in_child(counts));
    WELL(steadis_async_new(options, &handle, &error));
    WELL(steadis_subscription_new(client, &news, &error));
    WELL(steadis_subscription_add(news, STEADIS_CHANNEL, "news", 4, &error));
    WELL(steadis_subscribe(news, unheard, NULL, &error));
    CHECK(in_child(has_a_child_that_counts));
    CHECK(in_child(is_told_of_the_rest));
    /* The parent goes on all the while. */
    for (i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, go_on, &count);
    for (i = 0; i < 20; i++)
        CHECK(in_child(counts));
    stopped = true;
    for (i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    if (WELL(steadis_callf(client, &reply, &error, "GET child")))
        CHECK(is(reply, "23"));
    steadis_reply_free(reply);
    if (WELL(steadis_callf(client, &reply, &error, "INCR busy")))
        CHECK(reply->integer == count + 1);
    steadis_reply_free(reply);
    steadis_async_free(handle);
    steadis_subscription_free(news);
    steadis_options_free(options);
    steadis_script_free(script);
    steadis_resolver_free(resolver);
    steadis_client_free(client);
    return result();
}
