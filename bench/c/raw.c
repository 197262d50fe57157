/* The limit of the machine: bytes that were made before, written and counted, and no client. */
#include "bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int socket;
    char *request;
    size_t length, wanted;
} raw;

static void exchange(raw *it, const char *request, size_t length, size_t wanted) {
    static _Thread_local char buffer[1 << 16];
    while (length > 0) {
        ssize_t count = write(it->socket, request, length);
        if (count <= 0)
            give_up("a raw socket does not write");
        request += count;
        length -= (size_t)count;
    }
    while (wanted > 0) {
        ssize_t count = read(it->socket, buffer, sizeof buffer);
        if (count <= 0)
            give_up("a raw socket does not read");
        wanted -= (size_t)count;
    }
}

/* How long the reply is: what comes before that of a PING. */
static size_t measure(raw *it, const char *request, size_t length) {
    static const char ping[] = "*1\r\n$4\r\nPING\r\n", pong[] = "+PONG\r\n";
    static char buffer[1 << 20];
    size_t have = 0;
    exchange(it, request, length, 0);
    exchange(it, ping, sizeof ping - 1, 0);
    while (have < sizeof pong - 1 ||
           memcmp(buffer + have - (sizeof pong - 1), pong, sizeof pong - 1) != 0) {
        ssize_t count = read(it->socket, buffer + have, sizeof buffer - have);
        if (count <= 0)
            give_up("a raw socket does not read");
        have += (size_t)count;
    }
    return have - (sizeof pong - 1);
}

static void *begin(int port, const workload *work) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    size_t repeats = work->pipelined ? BATCH : 1, length, i;
    raw *it = calloc(1, sizeof *it);
    char one[512];
    int at, word, yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    it->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(it->socket, (struct sockaddr *)&address, sizeof address) != 0)
        give_up("a raw socket does not connect");
    setsockopt(it->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    at = snprintf(one, sizeof one, "*%d\r\n", work->argc);
    for (word = 0; word < work->argc; word++)
        at += snprintf(one + at, sizeof one - (size_t)at, "$%zu\r\n%s\r\n",
                       strlen(work->argv[word]), work->argv[word]);
    length = (size_t)at;
    it->request = malloc(length * repeats);
    for (i = 0; i < repeats; i++)
        memcpy(it->request + i * length, one, length);
    it->length = length * repeats;
    it->wanted = measure(it, one, length) * repeats;
    return it;
}

static void once(void *state, const workload *work) {
    raw *it = state;
    (void)work;
    exchange(it, it->request, it->length, it->wanted);
}

static void end(void *state) {
    raw *it = state;
    close(it->socket);
    free(it->request);
    free(it);
}

const contender raw_sockets = {"raw sockets: precomputed bytes, no client", begin, once, end};
