/* Connects to what the environment describes: REDIS_SENTINEL_LIST and REDIS_SENTINEL_MASTER.
 *
 *     cc connect.c $(pkg-config --cflags --libs steadis) && ./a.out */
#include <stdio.h>
#include <steadis.h>

int main(void) {
    steadis_client *client = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    int status = 1;

    if (steadis_connect(NULL, &client, &error) != STEADIS_OK)
        goto failed;
    if (steadis_callf(client, &reply, &error, "SET %s %s EX %d", "cart:7", "3 items", 900) !=
        STEADIS_OK)
        goto failed;
    steadis_reply_free(reply);
    reply = NULL;
    if (steadis_callf(client, &reply, &error, "GET %s", "cart:7") != STEADIS_OK)
        goto failed;
    puts(steadis_reply_str(reply));
    status = 0;

failed:
    if (error != NULL)
        fprintf(stderr, "%s\n", error->description);
    steadis_error_free(error);
    steadis_reply_free(reply);
    steadis_client_free(client);
    return status;
}
