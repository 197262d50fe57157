/* Who races, and at what. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>

typedef struct {
    const char *name;
    int threads;
    /* Sent 100 times in one go, else once and waited for. */
    int pipelined;
    /* For two arguments as text, as most programs write commands; NULL: a list of words. */
    const char *format;
    int argc;
    const char *argv[4];
} workload;

typedef struct {
    const char *name;
    /* Prepares one thread. */
    void *(*begin)(int port, const workload *work);
    /* Does one operation and takes its reply apart. */
    void (*once)(void *state, const workload *work);
    void (*end)(void *state);
} contender;

extern const contender raw_sockets, with_newest_hiredis, with_debian_hiredis, with_steadis;

/* Ends the program. */
void give_up(const char *why);

enum { BATCH = 100 };

#endif
