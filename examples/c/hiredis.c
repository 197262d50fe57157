/* Keeps hiredis, and still survives a failover: Steadis says who is primary, and is told when a
 * connection meets trouble. */
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <steadis.h>

static redisContext *context;
static uint64_t epoch;

static bool reconnect(const steadis_resolver *resolver) {
    steadis_primary *primary = NULL;
    steadis_error *error = NULL;
    if (context != NULL)
        redisFree(context);
    context = NULL;
    if (steadis_resolver_primary(resolver, 0, &primary, &error) != STEADIS_OK) {
        fprintf(stderr, "%s\n", error->description);
        steadis_error_free(error);
        return false;
    }
    epoch = primary->epoch;
    context = redisConnectWithTimeout(primary->host, primary->port, (struct timeval){1, 0});
    steadis_primary_free(primary);
    return true;
}

int main(int argc, char **argv) {
    steadis_resolver *resolver = NULL;
    steadis_error *error = NULL;
    long left = argc > 1 ? atol(argv[1]) : -1;

    if (steadis_resolver_new(NULL, &resolver, &error) != STEADIS_OK) {
        fprintf(stderr, "%s\n", error->description);
        return 1;
    }
    while (left != 0 && (context != NULL || reconnect(resolver))) {
        redisReply *reply = context == NULL || context->err ? NULL : redisCommand(context, "INCR n");
        bool over = reply == NULL;
        if (reply == NULL)
            steadis_resolver_report(resolver, epoch, STEADIS_UNREACHABLE, NULL);
        else if (reply->type == REDIS_REPLY_ERROR)
            steadis_resolver_report_error(resolver, epoch, reply->str, &over, NULL);
        else if (left-- % 100 == 0)
            printf("%lld\n", reply->integer);
        freeReplyObject(reply);
        if (over && !reconnect(resolver))
            break;
    }
    if (context != NULL)
        redisFree(context);
    steadis_resolver_free(resolver);
    return left == 0 ? 0 : 1;
}
