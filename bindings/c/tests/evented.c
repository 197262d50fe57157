/* The client inside an event loop, with poll(2) as the loop. */
#include "harness.h"

#include <poll.h>
#include <string.h>

static steadis_async *handle;
static int answered, failed_calls, heard, gaps;

/* Turns the loop until a counter has come to so many; a call has its own deadline. */
static void run_until(const int *counter, int count) {
    struct pollfd fd = {steadis_async_fd(handle), POLLIN, 0};
    steadis_error *error = NULL;
    long long end = now_ms() + 20000;
    while (*counter < count && now_ms() < end)
        if (poll(&fd, 1, 1000) > 0 && steadis_async_process(handle, &error) != STEADIS_OK)
            break;
    CHECK(*counter >= count);
    steadis_error_free(error);
}

static void expect(const steadis_reply *reply, const steadis_error *error, void *user) {
    CHECK(error == NULL && is(reply, user));
    answered++;
}

static void fails_so(const steadis_reply *reply, const steadis_error *error, void *user) {
    CHECK(reply == NULL && error != NULL && (int)error->status == *(int *)user);
    failed_calls++;
}

static void again(const steadis_reply *reply, const steadis_error *error, void *user) {
    int *left = user;
    CHECK(error == NULL && reply->type == STEADIS_REPLY_INTEGER);
    answered++;
    if (--*left > 0)
        CHECK(steadis_async_callf(handle, again, user, NULL, "INCR chain") == STEADIS_OK);
}

static void calls(void) {
    static char big[3 << 20];
    steadis_error *error = NULL;
    int i, left = 50, server = STEADIS_SERVER;
    WELL(steadis_async_callf(handle, expect, "OK", &error, "SET k %s", "v"));
    WELL(steadis_async_callf(handle, expect, "v", &error, "GET k"));
    run_until(&answered, 2);
    for (i = 0; i < 1000; i++)
        WELL(steadis_async_callf(handle, expect, "v", &error, "GET k"));
    run_until(&answered, 1002);
    WELL(steadis_async_callf(handle, again, &left, &error, "INCR chain"));
    run_until(&answered, 1052);
    CHECK(left == 0);
    WELL(steadis_async_callf(handle, fails_so, &server, &error, "LPUSH k x"));
    run_until(&failed_calls, 1);
    /* More than the kernel takes at once, both ways. */
    memset(big, 'b', sizeof big - 1);
    WELL(steadis_async_callf(handle, expect, "OK", &error, "SET big %b", big, sizeof big - 1));
    WELL(steadis_async_callf(handle, expect, big, &error, "GET big"));
    run_until(&answered, 1054);
    FAILS(steadis_async_callf(handle, expect, "", &error, "GET %y", 1), STEADIS_USAGE, "not known");
    FAILS(steadis_async_callf(NULL, expect, "", &error, "GET k"), STEADIS_USAGE, "handle is NULL");
    FAILS(steadis_async_callf(handle, NULL, "", &error, "GET k"), STEADIS_USAGE,
          "callback is NULL");
    CHECK(steadis_async_fd(NULL) == -1);
}

static void of_two(const steadis_reply *reply, const steadis_error *error, void *user) {
    CHECK(error == NULL && reply->elements == 2 && reply->element[0]->integer == 1);
    CHECK(reply->element[1]->type == *(int *)user);
    answered++;
}

static void batches_and_blocking(void) {
    steadis_pipeline *pipeline = NULL;
    steadis_error *error = NULL;
    const char *pop[] = {"BLPOP", "queue", "0"};
    int list = STEADIS_REPLY_ERROR, one = STEADIS_REPLY_INTEGER, unavailable = STEADIS_OK;
    uint64_t id = 0;
    answered = 0;
    WELL(steadis_pipeline_new(&pipeline, &error));
    WELL(steadis_pipeline_addf(pipeline, &error, "INCR p"));
    WELL(steadis_pipeline_addf(pipeline, &error, "LPUSH p x"));
    WELL(steadis_async_pipeline(handle, NULL, pipeline, of_two, &list, NULL, &error));
    WELL(steadis_pipeline_addf(pipeline, &error, "INCR t"));
    WELL(steadis_pipeline_addf(pipeline, &error, "INCR t"));
    WELL(steadis_async_transaction(handle, NULL, pipeline, of_two, &one, NULL, &error));
    run_until(&answered, 2);
    steadis_pipeline_free(pipeline);
    /* Nobody is kept waiting by who blocks, and who is cancelled is not called. */
    WELL(steadis_async_call(handle, NULL, 3, pop, NULL, fails_so, &unavailable, &id, &error));
    WELL(steadis_async_callf(handle, expect, "v", &error, "GET k"));
    run_until(&answered, 3);
    steadis_async_cancel(handle, id);
    steadis_async_cancel(handle, id);
}

static void message(const steadis_message *message, const steadis_error *error, void *user) {
    if (error != NULL)
        return;
    if (message->type == STEADIS_GAP) {
        gaps++;
        return;
    }
    CHECK(strcmp(message->data, user) == 0);
    heard++;
}

static void subscriptions(const steadis_client *client) {
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    uint64_t id = 0;
    int told = 0;
    WELL(steadis_async_subscribe(handle, STEADIS_CHANNEL, "news", 4, message, "hello", &id,
                                 &error));
    /* Until the server knows of it nobody is told. */
    while (heard == 0 && told++ < 20000) {
        struct pollfd fd = {steadis_async_fd(handle), POLLIN, 0};
        WELL(steadis_callf(client, &reply, &error, "PUBLISH news hello"));
        steadis_reply_free(reply);
        if (poll(&fd, 1, 1) > 0)
            WELL(steadis_async_process(handle, &error));
    }
    CHECK(heard > 0);
    WELL(steadis_callf(client, &reply, &error, "CLIENT KILL TYPE pubsub"));
    steadis_reply_free(reply);
    run_until(&gaps, 1);
    steadis_async_cancel(handle, id);
    steadis_async_cancel(handle, id);
    steadis_async_cancel(NULL, id);
}

static void frees(const steadis_reply *reply, const steadis_error *error, void *user) {
    (void)user;
    CHECK(error == NULL && is(reply, "v"));
    steadis_async_free(handle);
    answered++;
}

int main(void) {
    steadis_options *options;
    steadis_client *client;
    steadis_error *error = NULL;
    int closed = STEADIS_CLOSED, calls_before;
    redis_start();
    client = redis_client();
    options = redis_options();
    WELL(steadis_async_new(options, &handle, &error));
    calls();
    batches_and_blocking();
    subscriptions(client);
    calls_before = failed_calls;
    WELL(steadis_async_callf(handle, fails_so, &closed, &error, "EVAL_RO %s 0",
                             "for i = 1, 1e7 do end return 1"));
    steadis_async_close(handle);
    run_until(&failed_calls, calls_before + 1);
    FAILS(steadis_async_callf(handle, expect, "", &error, "GET k"), STEADIS_CLOSED, "closed");
    steadis_async_free(handle);
    WELL(steadis_async_new(options, &handle, &error));
    answered = 0;
    WELL(steadis_async_callf(handle, frees, NULL, &error, "GET k"));
    while (answered == 0) {
        struct pollfd fd = {steadis_async_fd(handle), POLLIN, 0};
        if (poll(&fd, 1, 1000) > 0)
            WELL(steadis_async_process(handle, &error));
    }
    steadis_async_free(NULL);
    steadis_options_free(options);
    steadis_client_free(client);
    return result();
}
