/* A mistake in the library is a status, and the process goes on. Built on the library's debug
 * archive alone, which has a mistake for it. */
#include "harness.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

steadis_status steadis_mistake(const char *words, steadis_error **error);

static void *make_mistakes(void *user) {
    steadis_error *error = NULL;
    int i;
    for (i = 0; i < 100; i++)
        FAILS(steadis_mistake(user, &error), STEADIS_INTERNAL, "a mistake in libsteadis: one of many");
    return NULL;
}

/* Whether anything has come out of the pipe. */
static bool is_silent(int pipe) {
    char byte;
    close(2);
    return read(pipe, &byte, 1) == 0;
}

int main(void) {
    char words[] = "one of many";
    pthread_t threads[8];
    steadis_client *client;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    int says[2], i;
    redis_start();
    client = redis_client();
    CHECK(pipe(says) == 0 && dup2(says[1], 2) == 2 && close(says[1]) == 0);
    FAILS(steadis_mistake("on purpose", &error), STEADIS_INTERNAL,
          "a mistake in libsteadis: on purpose");
    FAILS(steadis_mistake(NULL, &error), STEADIS_INTERNAL, "a mistake in libsteadis");
    CHECK(steadis_mistake("on purpose", NULL) == STEADIS_INTERNAL);
    for (i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, make_mistakes, words);
    for (i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    if (WELL(steadis_callf(client, &reply, &error, "PING")))
        CHECK(is(reply, "PONG"));
    steadis_reply_free(reply);
    steadis_client_free(client);
    CHECK(is_silent(says[0]));
    return result();
}
