/* One client for all threads of a race. */
#include "bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <steadis.h>

static steadis_client *client;
static pthread_once_t once_only = PTHREAD_ONCE_INIT;
static int server_port;

static void connect_once(void) {
    steadis_options *options = NULL;
    if (steadis_options_new(&options, NULL) != STEADIS_OK ||
        steadis_options_set_json(options, "env", "false", NULL) != STEADIS_OK ||
        steadis_options_set(options, "host", "127.0.0.1", NULL) != STEADIS_OK ||
        steadis_options_set_int(options, "port", server_port, NULL) != STEADIS_OK ||
        steadis_connect(options, &client, NULL) != STEADIS_OK)
        give_up("steadis does not connect");
    steadis_options_free(options);
}

static void *begin(int port, const workload *work) {
    steadis_pipeline *pipeline = NULL;
    server_port = port;
    pthread_once(&once_only, connect_once);
    if (work->pipelined && steadis_pipeline_new(&pipeline, NULL) != STEADIS_OK)
        give_up("there is no pipeline");
    return pipeline;
}

static void once(void *state, const workload *work) {
    const char *const *argv = work->argv;
    steadis_reply *reply;
    steadis_status status;
    int i;
    if (!work->pipelined) {
        if (steadis_call(client, work->argc, work->argv, NULL, &reply, NULL) != STEADIS_OK)
            give_up("steadis fails");
    } else {
        for (i = 0; i < BATCH; i++) {
            if (work->format != NULL)
                status = steadis_pipeline_addf(state, NULL, work->format, argv[1], argv[2]);
            else
                status = steadis_pipeline_add(state, work->argc, argv, NULL, NULL);
            if (status != STEADIS_OK)
                give_up("steadis adds nothing");
        }
        if (steadis_pipeline_exec(client, state, NULL, &reply, NULL) != STEADIS_OK)
            give_up("steadis fails");
    }
    steadis_reply_free(reply);
}

static void end(void *state) {
    steadis_pipeline_free(state);
}

const contender with_steadis = {"steadis, one client", begin, once, end};
