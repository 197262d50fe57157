/* Many commands in one go, each with its own outcome; then two that run together or not at all. */
#include <stdio.h>
#include <steadis.h>

static int fail(steadis_error *error) {
    fprintf(stderr, "%s\n", error->description);
    steadis_error_free(error);
    return 1;
}

int main(void) {
    steadis_client *client = NULL;
    steadis_pipeline *pipeline = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    size_t i;

    if (steadis_connect(NULL, &client, &error) != STEADIS_OK ||
        steadis_pipeline_new(&pipeline, &error) != STEADIS_OK)
        return fail(error);
    steadis_pipeline_addf(pipeline, NULL, "SET %s %s", "greeting", "hello");
    steadis_pipeline_addf(pipeline, NULL, "LPUSH greeting world");
    steadis_pipeline_addf(pipeline, NULL, "STRLEN greeting");
    if (steadis_pipeline_exec(client, pipeline, NULL, &reply, &error) != STEADIS_OK)
        return fail(error);
    for (i = 0; i < reply->elements; i++) {
        const steadis_reply *one = reply->element[i];
        if (one->error != NULL)
            printf("%zu: %s\n", i, one->error->description);
        else if (one->type == STEADIS_REPLY_INTEGER)
            printf("%zu: %lld\n", i, (long long)one->integer);
        else
            printf("%zu: %s\n", i, steadis_reply_str(one));
    }
    steadis_reply_free(reply);

    steadis_pipeline_addf(pipeline, NULL, "DECRBY account:1 %d", 10);
    steadis_pipeline_addf(pipeline, NULL, "INCRBY account:2 %d", 10);
    if (steadis_transaction_exec(client, pipeline, NULL, &reply, &error) != STEADIS_OK)
        return fail(error);
    printf("accounts: %lld %lld\n", (long long)reply->element[0]->integer,
           (long long)reply->element[1]->integer);
    steadis_reply_free(reply);
    steadis_pipeline_free(pipeline);
    steadis_client_free(client);
    return 0;
}
