/* The log of a worker: JSON, one object a line, each written at once. */
#ifndef LOG_H
#define LOG_H

#include <steadis.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t log_now(void);

void log_line(const char *json);

/* An operation from start to now: its reply, or its error. */
void log_operation(const char *op, const char *key, int64_t start, const steadis_reply *reply,
                   const steadis_error *error);

void log_event(const char *event, const steadis_reply *details, void *user);

#endif
