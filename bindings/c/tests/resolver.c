/* Who is primary, for programs that keep their own client. */
#include "harness.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t bell = PTHREAD_COND_INITIALIZER;
static uint16_t newest;
static int lost;

static void changed(const steadis_primary *primary, void *user) {
    pthread_mutex_lock(&lock);
    CHECK(user == &newest);
    if (primary == NULL)
        lost++;
    else
        newest = primary->port;
    pthread_cond_broadcast(&bell);
    pthread_mutex_unlock(&lock);
}

static void pushes_every_change(const steadis_resolver *resolver) {
    steadis_primary *first = NULL, *second = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    uint64_t id = 0;
    bool over = true;
    if (!WELL(steadis_resolver_primary(resolver, 10000, &first, &error)))
        return;
    CHECK(strcmp(first->host, "127.0.0.1") == 0 && first->port != 0 && first->epoch > 0);
    WELL(steadis_resolver_on_change(resolver, changed, &newest, &id, &error));
    FAILS(steadis_resolver_on_change(resolver, NULL, NULL, NULL, &error), STEADIS_USAGE,
          "callback is NULL");
    WELL(steadis_resolver_report_error(resolver, first->epoch, "WRONGTYPE no", &over, &error));
    CHECK(!over);
    FAILS(steadis_resolver_report(resolver, first->epoch, 9, &error), STEADIS_USAGE,
          "trouble is 9");
    lab("{\"verb\":\"kill\",\"name\":\"primary\"}");
    WELL(steadis_resolver_report(resolver, first->epoch, STEADIS_UNREACHABLE, &error));
    if (WELL(steadis_resolver_primary(resolver, 20000, &second, &error)))
        CHECK(second->port != first->port && second->epoch > first->epoch);
    pthread_mutex_lock(&lock);
    while (second != NULL && newest != second->port)
        pthread_cond_wait(&bell, &lock);
    CHECK(lost > 0);
    pthread_mutex_unlock(&lock);
    WELL(steadis_resolver_report_error(resolver, second->epoch,
                                       "READONLY You can't write against a read only replica.",
                                       &over, &error));
    CHECK(over);
    if (WELL(steadis_resolver_topology(resolver, &reply, &error)))
        CHECK(steadis_reply_get(reply, "sentinels")->elements == 3);
    steadis_reply_free(reply);
    steadis_resolver_off(resolver, id);
    steadis_primary_free(first);
    steadis_primary_free(second);
}

int main(void) {
    steadis_resolver *resolver = NULL;
    steadis_error *error = NULL;
    lab_start("--down-after 1500ms");
    WELL(steadis_resolver_new(NULL, &resolver, &error));
    pushes_every_change(resolver);
    steadis_resolver_free(resolver);
    return result();
}
