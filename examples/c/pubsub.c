/* Listens until somebody says "bye". A failover is a gap, and no end. */
#include <stdio.h>
#include <steadis.h>
#include <string.h>

int main(void) {
    steadis_client *client = NULL;
    steadis_subscription *news = NULL;
    steadis_message *message = NULL;
    steadis_error *error = NULL;
    int over = 0;

    if (steadis_connect(NULL, &client, &error) != STEADIS_OK ||
        steadis_subscription_new(client, &news, &error) != STEADIS_OK ||
        steadis_subscription_add(news, STEADIS_CHANNEL, "news", 4, &error) != STEADIS_OK ||
        steadis_subscription_add(news, STEADIS_PATTERN, "user.*", 6, &error) != STEADIS_OK ||
        steadis_subscription_ready(news, &error) != STEADIS_OK) {
        fprintf(stderr, "%s\n", error->description);
        return 1;
    }
    puts("listening");
    fflush(stdout);
    while (!over) {
        if (steadis_subscription_next(news, -1, &message, &error) != STEADIS_OK) {
            /* It ends nothing: the next call tries again. */
            fprintf(stderr, "%s\n", error->description);
            steadis_error_free(error);
            continue;
        }
        if (message->type == STEADIS_GAP) {
            printf("messages may be missing from %lld ms\n",
                   (long long)(message->until_ms - message->since_ms));
        } else {
            printf("%s: %s\n", message->channel, message->data);
            over = strcmp(message->data, "bye") == 0;
        }
        steadis_message_free(message);
    }
    steadis_subscription_free(news);
    steadis_client_free(client);
    return 0;
}
