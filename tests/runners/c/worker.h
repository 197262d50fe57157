/* What the parts of the worker share. */
#ifndef WORKER_H
#define WORKER_H

#include <cjson/cJSON.h>
#include <steadis.h>

/* A step of a round. */
typedef struct {
    const char *workload, *op;
    enum { CALL, EACH, TOGETHER, WATCH, READ, LISTEN } how;
    /* Of each pair of workers the ODD one gives to a shared key, and the EVEN one takes from it. */
    enum { ANY, ODD, EVEN } who;
    const char *format;
} step;

/* The next step of this worker's round, or the first; NULL when the round is over. */
const step *next_step(const step *it, int worker);

/* The commands of a step that has several. */
steadis_pipeline *batch_of(const step *it, const char *key);

/* Parts of the order. */
int number(const char *name);
void key_of(char key[96], int worker);

/* Play the workload until the driver says stop: a thread for each worker, or one loop for all. */
void run_blocking(void);
void run_evented(void);

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t log_now(void);
/* A step from start to now: its reply, or its error. */
void log_step(const step *it, const char *key, int64_t start, const steadis_reply *reply,
              const steadis_error *error);
/* An operation with a value that is no reply. */
void log_operation(const char *op, const char *key, int64_t start, cJSON *value,
                   const steadis_error *error);
void log_event(const char *event, const steadis_reply *details, void *user);

#endif
