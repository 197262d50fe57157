#include <stdio.h>
#include <steadis.h>

int main(void) {
    steadis_client *client = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    /* REDIS_SENTINEL_LIST, REDIS_SENTINEL_MASTER from the environment */
    if (steadis_connect(NULL, &client, &error) == STEADIS_OK &&
        steadis_callf(client, &reply, &error, "GET %s", "cart:7") == STEADIS_OK)
        puts(reply->str != NULL ? reply->str : "(nothing)");
    else
        fprintf(stderr, "%s\n", error->description);
    return 0;
}
