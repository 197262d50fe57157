/* The client in an epoll loop, beside whatever else the program waits for: here, a tick. */
#include <stdint.h>
#include <stdio.h>
#include <steadis.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static steadis_async *redis;
static int asked = 0, answered = 0;

static void on_count(const steadis_reply *reply, const steadis_error *error, void *user) {
    (void)user;
    answered++;
    if (error != NULL)
        printf("%s\n", error->description);
    else
        printf("tick %lld\n", (long long)reply->integer);
}

static void on_tick(int timer) {
    uint64_t ticks;
    if (read(timer, &ticks, sizeof ticks) == sizeof ticks && asked < 5) {
        asked++;
        steadis_async_callf(redis, on_count, NULL, NULL, "INCR ticks");
    }
}

int main(void) {
    struct itimerspec every = {{0, 100000000}, {0, 100000000}};
    struct epoll_event event = {.events = EPOLLIN};
    int loop = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    steadis_error *error = NULL;

    if (steadis_async_new(NULL, &redis, &error) != STEADIS_OK) {
        fprintf(stderr, "%s\n", error->description);
        return 1;
    }
    timerfd_settime(timer, 0, &every, NULL);
    event.data.fd = timer;
    epoll_ctl(loop, EPOLL_CTL_ADD, timer, &event);
    /* One descriptor for all connections, deadlines and failovers. */
    event.data.fd = steadis_async_fd(redis);
    epoll_ctl(loop, EPOLL_CTL_ADD, event.data.fd, &event);

    while (answered < 5 && epoll_wait(loop, &event, 1, -1) == 1) {
        if (event.data.fd == timer)
            on_tick(timer);
        else
            steadis_async_process(redis, NULL);
    }
    steadis_async_free(redis);
    return 0;
}
