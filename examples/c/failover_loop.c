/* Counts for as long as it is told to, through any failover: `steadis lab up` shows one. */
#include <stdio.h>
#include <stdlib.h>
#include <steadis.h>
#include <string.h>
#include <time.h>

static void told(const char *event, const steadis_reply *details, void *user) {
    (void)user;
    if (strcmp(event, "failover") == 0)
        printf("the primary is %s now\n", steadis_reply_str(steadis_reply_get(details, "to")));
}

int main(int argc, char **argv) {
    struct timespec moment = {0, 10000000};
    steadis_client *client = NULL;
    steadis_error *error = NULL;
    long left = argc > 1 ? atol(argv[1]) : -1;

    if (steadis_connect(NULL, &client, &error) != STEADIS_OK ||
        steadis_on(client, NULL, told, NULL, NULL, &error) != STEADIS_OK) {
        fprintf(stderr, "%s\n", error->description);
        return 1;
    }
    for (; left != 0; left--) {
        steadis_reply *reply = NULL;
        switch (steadis_callf(client, &reply, &error, "INCR visits")) {
        case STEADIS_OK:
            if (reply->integer % 100 == 0)
                printf("%lld visits\n", (long long)reply->integer);
            break;
        case STEADIS_MAYBE_EXECUTED:
            /* It was sent, and no answer came: counting it again could count it twice. */
            printf("one visit may be missing: %s\n", error->description);
            break;
        default:
            printf("%s%s\n", error->retryable ? "not counted, try later: " : "", error->description);
        }
        steadis_reply_free(reply);
        steadis_error_free(error);
        error = NULL;
        nanosleep(&moment, NULL);
    }
    steadis_client_free(client);
    return 0;
}
