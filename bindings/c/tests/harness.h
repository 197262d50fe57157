/* What the test programs share: checks that are counted, and servers of a program's own. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <steadis.h>

/* Counts a check, and says what it was if it fails. */
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)
void check(bool passed, const char *what, const char *file, int line);

/* The call is well; else its error is shown and freed. */
#define WELL(call) (error = NULL, well((call), &error, #call, __FILE__, __LINE__))
bool well(steadis_status status, steadis_error **error, const char *what, const char *file,
          int line);

/* The call fails so, with these words in its message. */
#define FAILS(call, kind, words) \
    (error = NULL, fails((call), (kind), (words), &error, #call, __FILE__, __LINE__))
void fails(steadis_status status, steadis_status kind, const char *words, steadis_error **error,
           const char *what, const char *file, int line);

/* A string reply, or any other with a text, is this. */
bool is(const steadis_reply *reply, const char *text);

/* Prints "N passed, N failed"; the exit status of main. */
int result(void);

/* A redis-server on a unix socket, which ends with this program. */
const char *redis_start(void);

/* A client of it. */
steadis_client *redis_client(void);

/* Options for it, to be added to. */
steadis_options *redis_options(void);

/* A Sentinel deployment, which ends with this program; its variables become this process'. */
void lab_start(const char *options);

/* A verb of the lab, such as {"verb":"failover"}; waits for its answer. */
void lab(const char *verb);

/* Waits until the lab has told of such an event for the nth time. */
void lab_wait(const char *event, int nth);

long long now_ms(void);

#endif
