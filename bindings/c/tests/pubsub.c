/* Subscriptions, polled and with a callback. */
#include "harness.h"

#include <pthread.h>
#include <string.h>

static void publish(const steadis_client *client, const char *channel, const char *data) {
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    WELL(steadis_callf(client, &reply, &error, "PUBLISH %s %s", channel, data));
    steadis_reply_free(reply);
}

static void polled(const steadis_client *client) {
    steadis_subscription *news = NULL;
    steadis_message *message = NULL;
    steadis_error *error = NULL;
    WELL(steadis_subscription_new(client, &news, &error));
    WELL(steadis_subscription_add(news, STEADIS_CHANNEL, "news", 4, &error));
    WELL(steadis_subscription_add(news, STEADIS_PATTERN, "user.*", 6, &error));
    WELL(steadis_subscription_ready(news, &error));
    publish(client, "news", "hello");
    if (WELL(steadis_subscription_next(news, -1, &message, &error))) {
        CHECK(message->type == STEADIS_MESSAGE && message->pattern == NULL);
        CHECK(strcmp(message->channel, "news") == 0 && message->channel_len == 4);
        CHECK(strcmp(message->data, "hello") == 0 && message->data_len == 5);
    }
    steadis_message_free(message);
    publish(client, "user.7", "");
    if (WELL(steadis_subscription_next(news, 5000, &message, &error)))
        CHECK(strcmp(message->pattern, "user.*") == 0 && message->data_len == 0);
    steadis_message_free(message);
    WELL(steadis_subscription_next(news, 0, &message, &error));
    CHECK(message == NULL);
    WELL(steadis_subscription_remove(news, STEADIS_CHANNEL, "news", 4, &error));
    WELL(steadis_subscription_add(news, STEADIS_CHANNEL, "other", 5, &error));
    WELL(steadis_subscription_next(news, 20, &message, &error));
    CHECK(message == NULL);
    publish(client, "news", "unheard");
    publish(client, "other", "heard");
    if (WELL(steadis_subscription_next(news, 5000, &message, &error)))
        CHECK(strcmp(message->data, "heard") == 0);
    steadis_message_free(message);
    steadis_subscription_free(news);
}

static void gaps_are_told(const steadis_client *client) {
    steadis_subscription *news = NULL;
    steadis_message *message = NULL;
    steadis_reply *reply = NULL;
    steadis_error *error = NULL;
    WELL(steadis_subscription_new(client, &news, &error));
    WELL(steadis_subscription_add(news, STEADIS_CHANNEL, "news", 4, &error));
    WELL(steadis_subscription_ready(news, &error));
    WELL(steadis_callf(client, &reply, &error, "CLIENT KILL TYPE pubsub"));
    steadis_reply_free(reply);
    if (WELL(steadis_subscription_next(news, 5000, &message, &error)))
        CHECK(message->type == STEADIS_GAP && message->since_ms <= message->until_ms &&
              message->since_ms > 1600000000000LL);
    steadis_message_free(message);
    publish(client, "news", "again");
    if (WELL(steadis_subscription_next(news, 5000, &message, &error)))
        CHECK(strcmp(message->data, "again") == 0);
    steadis_message_free(message);
    steadis_subscription_free(news);
}

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t bell;
    int messages;
} inbox;

static void heard(const steadis_message *message, const steadis_error *error, void *user) {
    inbox *in = user;
    CHECK(error == NULL && strcmp(message->data, "hello") == 0);
    pthread_mutex_lock(&in->lock);
    in->messages++;
    pthread_cond_signal(&in->bell);
    pthread_mutex_unlock(&in->lock);
}

static void called_back(const steadis_client *client) {
    inbox in = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    steadis_subscription *news = NULL;
    steadis_message *message = NULL;
    steadis_error *error = NULL;
    int i;
    WELL(steadis_subscription_new(client, &news, &error));
    WELL(steadis_subscription_add(news, STEADIS_CHANNEL, "news", 4, &error));
    WELL(steadis_subscription_ready(news, &error));
    WELL(steadis_subscribe(news, heard, &in, &error));
    FAILS(steadis_subscribe(news, heard, &in, &error), STEADIS_USAGE, "given to a callback");
    FAILS(steadis_subscription_next(news, 0, &message, &error), STEADIS_USAGE,
          "given to a callback");
    FAILS(steadis_subscription_add(news, STEADIS_CHANNEL, "x", 1, &error), STEADIS_USAGE,
          "given to a callback");
    for (i = 0; i < 100; i++)
        publish(client, "news", "hello");
    pthread_mutex_lock(&in.lock);
    while (in.messages < 100)
        pthread_cond_wait(&in.bell, &in.lock);
    pthread_mutex_unlock(&in.lock);
    steadis_subscription_free(news);
    publish(client, "news", "unheard");
    CHECK(in.messages == 100);
}

typedef struct {
    inbox in;
    steadis_subscription *news;
} once;

static void ends_it(const steadis_message *message, const steadis_error *error, void *user) {
    once *it = user;
    steadis_subscription_free(it->news);
    heard(message, error, &it->in);
}

static void ended_by_its_own_callback(const steadis_client *client) {
    once it = {{PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}, NULL};
    steadis_error *error = NULL;
    WELL(steadis_subscription_new(client, &it.news, &error));
    WELL(steadis_subscription_add(it.news, STEADIS_CHANNEL, "news", 4, &error));
    WELL(steadis_subscription_ready(it.news, &error));
    WELL(steadis_subscribe(it.news, ends_it, &it, &error));
    publish(client, "news", "hello");
    pthread_mutex_lock(&it.in.lock);
    while (it.in.messages == 0)
        pthread_cond_wait(&it.in.bell, &it.in.lock);
    pthread_mutex_unlock(&it.in.lock);
    publish(client, "news", "unheard");
    CHECK(it.in.messages == 1);
}

int main(void) {
    steadis_client *client;
    redis_start();
    client = redis_client();
    polled(client);
    gaps_are_told(client);
    called_back(client);
    ended_by_its_own_callback(client);
    steadis_client_free(client);
    return result();
}
